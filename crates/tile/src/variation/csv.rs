//! Measured cells as CSV: a header `level,conductance_s` or `level,conductance_us`, then one line a cell, in any order.

use std::fmt::Display;

/// A value of a CSV text that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvProblem {
    /// Line, from 1.
    pub line: usize,
    /// Name of the column; empty where the whole line is meant.
    pub column: String,
    /// What was found.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

impl Display for CsvProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, column, value, allowed } = self;
        let column = if column.is_empty() { String::new() } else { format!(", column {column}") };
        write!(f, "line {line}{column}: `{value}` is not allowed: {allowed}")
    }
}

impl CsvProblem {
    pub(crate) fn new(line: usize, column: &str, value: &str, allowed: impl Into<String>) -> Self {
        // A damaged file may be one endless line.
        let value = value.chars().take(80).collect();
        Self { line, column: column.to_owned(), value, allowed: allowed.into() }
    }
}

/// The fields of every line that is not blank, with its number; spaces around fields do not matter.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str, Vec<&str>)> {
    let numbered = text.trim_start_matches('\u{feff}').lines().enumerate();
    let full = numbered.filter(|(_, line)| !line.trim().is_empty());
    full.map(|(index, line)| (index + 1, line, line.split(',').map(str::trim).collect()))
}

/// Highest number of levels of a cell.
const MAX_LEVELS: usize = 256;

/// Conductances in S by level, lowest level first.
///
/// # Errors
/// The first line that is not as it should be; a level without two cells counts at the line of its only cell, or at the last line.
pub fn measured_cells(text: &str) -> Result<Vec<Vec<f64>>, CsvProblem> {
    let mut lines = lines(text);
    let unit_s = match lines.next() {
        Some((_, _, fields)) if fields == ["level", "conductance_s"] => 1.0,
        Some((_, _, fields)) if fields == ["level", "conductance_us"] => 1e-6,
        header => {
            let (line, found) = header.map_or((1, ""), |(line, text, _)| (line, text));
            return Err(CsvProblem::new(line, "", found, "level,conductance_s or level,conductance_us"));
        }
    };
    let column = if unit_s < 1.0 { "conductance_us" } else { "conductance_s" };
    // Per level: the line of its first cell and its conductances.
    let mut levels: Vec<(usize, Vec<f64>)> = Vec::new();
    let mut last = 1;
    for (line, text, fields) in lines {
        let &[level, conductance] = fields.as_slice() else {
            return Err(CsvProblem::new(line, "", text, "two values, a level and a conductance"));
        };
        let level = level_of(line, level)?;
        let conductance_s = conductance_of(line, column, conductance, unit_s)?;
        if levels.len() <= level {
            levels.resize(level + 1, (0, Vec::new()));
        }
        let (first, cells) = &mut levels[level];
        if cells.is_empty() {
            *first = line;
        }
        cells.push(conductance_s);
        last = line;
    }
    demand_cells(&levels, last)?;
    Ok(levels.into_iter().map(|(_, cells)| cells).collect())
}

fn level_of(line: usize, text: &str) -> Result<usize, CsvProblem> {
    let level = text.parse().ok().filter(|&level: &usize| level < MAX_LEVELS);
    level.ok_or_else(|| CsvProblem::new(line, "level", text, format!("an integer from 0 to {}", MAX_LEVELS - 1)))
}

fn conductance_of(line: usize, column: &str, text: &str, unit_s: f64) -> Result<f64, CsvProblem> {
    let value: Option<f64> = text.parse().ok();
    let conductance_s = value.map(|value| value * unit_s).filter(|value| (0.0..=1.0).contains(value));
    let allowed = || format!("a number from 0 to {:e}", 1.0 / unit_s);
    conductance_s.ok_or_else(|| CsvProblem::new(line, column, text, allowed()))
}

fn demand_cells(levels: &[(usize, Vec<f64>)], last: usize) -> Result<(), CsvProblem> {
    if levels.len() < 2 {
        return Err(CsvProblem::new(last, "level", &format!("{} levels", levels.len()), "at least 2 levels"));
    }
    match levels.iter().enumerate().find(|(_, (_, cells))| cells.len() < 2) {
        None => Ok(()),
        Some((level, (line, cells))) => {
            let line = if cells.is_empty() { last } else { *line };
            let found = format!("{} cells of level {level}", cells.len());
            Err(CsvProblem::new(line, "level", &found, "at least 2 cells a level"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_sorted_by_level() {
        let text = "\u{feff}level,conductance_us\r\n1, 20\r\n0,1\r\n\r\n0,3\r\n1,22\r\n";
        assert_eq!(measured_cells(text).unwrap(), [vec![1.0 * 1e-6, 3.0 * 1e-6], vec![20.0 * 1e-6, 22.0 * 1e-6]]);
        let siemens = measured_cells("level,conductance_s\n0,1e-6\n0,2e-6\n1,1e-5\n1,1e-5\n").unwrap();
        assert_eq!(siemens, [[1e-6, 2e-6], [1e-5, 1e-5]]);
    }

    #[test]
    fn problems_name_line_column_and_value() {
        let start = "level,conductance_us\n0,1\n0,2\n";
        for (text, expected) in [
            (String::new(), "line 1: `` is not allowed: level,conductance_s or level,conductance_us"),
            (
                "level,g\n0,1\n".to_owned(),
                "line 1: `level,g` is not allowed: level,conductance_s or level,conductance_us",
            ),
            (format!("{start}1,abc\n"), "line 4, column conductance_us: `abc` is not allowed: a number from 0 to 1e6"),
            (format!("{start}1,-3\n"), "line 4, column conductance_us: `-3` is not allowed: a number from 0 to 1e6"),
            (format!("{start}1,NaN\n"), "line 4, column conductance_us: `NaN` is not allowed: a number from 0 to 1e6"),
            (format!("{start}256,3\n"), "line 4, column level: `256` is not allowed: an integer from 0 to 255"),
            (format!("{start}1\n"), "line 4: `1` is not allowed: two values, a level and a conductance"),
            (format!("{start}1,1,1\n"), "line 4: `1,1,1` is not allowed: two values, a level and a conductance"),
            (
                format!("{start}\n1,5\n"),
                "line 5, column level: `1 cells of level 1` is not allowed: at least 2 cells a level",
            ),
            (
                format!("{start}2,5\n2,6\n"),
                "line 5, column level: `0 cells of level 1` is not allowed: at least 2 cells a level",
            ),
            (start.to_owned(), "line 3, column level: `1 levels` is not allowed: at least 2 levels"),
        ] {
            assert_eq!(measured_cells(&text).unwrap_err().to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(lines in "(level,conductance_us\n)?([0-9,.eE+-]{0,12}\n){0,8}.{0,20}") {
            drop(measured_cells(&lines));
        }
    }
}
