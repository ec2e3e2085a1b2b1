//! Results as a table and as files.

use crate::Failure;
use crate::figure::figure;
use crate::machine::Machine;
use crate::row::{Reached, Row};
use crate::sgemm::{Baselines, VECTORS};
use std::fs;
use std::path::Path;

/// Marks of the table in `docs/speed.md`.
const BEGIN: &str = "<!-- begin of the table that `cargo bench -p benches` writes -->";
const END: &str = "<!-- end of the table -->";
const HEADER: [&str; 8] = ["case", "isa", "per second", "cell-MAC/s", "/ sgemm", "goal", "", "CrossSim 3.2"];

/// Puts the matrix products in front of the rows and compares the rows with them.
pub fn compare(rows: &mut Vec<Row>, baselines: &Baselines) {
    for row in rows.iter_mut() {
        row.ratio_to_sgemm =
            row.cell_macs_per_second.zip(baselines.fastest(row.array_size)).map(|(macs, base)| macs / base);
    }
    let baseline = |(size, library, rate): (usize, &str, f64)| {
        let case = format!("{library}-{VECTORS}x{size}x{size}");
        Row { isa: String::new(), ..Row::new("sgemm", &case, (rate, "multiply-adds"), 1.0) }
    };
    rows.splice(0..0, baselines.all().map(baseline).collect::<Vec<_>>());
}

/// A table in Markdown, its columns aligned.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![HEADER.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; HEADER.len()] = std::array::from_fn(width);
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        text.push_str(&aligned(line, &widths));
        if index == 0 {
            let rule = |column: usize| {
                format!("{}{}", "-".repeat(widths[column].max(2) - 1), if column < 2 { "-" } else { ":" })
            };
            text.push_str(&aligned(&std::array::from_fn(rule), &widths));
        }
    }
    text
}

/// Names to the left, numbers to the right.
fn aligned(line: &[String; HEADER.len()], widths: &[usize; HEADER.len()]) -> String {
    let mut text = String::new();
    for (column, (cell, &width)) in line.iter().zip(widths).enumerate() {
        let width = width.max(2);
        text.push_str(&if column < 2 { format!("| {cell:<width$} ") } else { format!("| {cell:>width$} ") });
    }
    text + "|\n"
}

fn cells(row: &Row) -> [String; HEADER.len()] {
    let number = |value: Option<f64>| value.map(short).unwrap_or_default();
    let ratio = row.goal_ratio.map(|ratio| format!("{ratio:.2} x"));
    let goal: Vec<String> = row.goal_per_second.map(short).into_iter().chain(ratio).collect();
    let reached = match row.goal_reached() {
        None => "",
        Some(Reached::Yes) => "reached",
        Some(Reached::ByRatio) => "reached by ratio",
        Some(Reached::No) => "missed",
    };
    [
        format!("{} {}", row.group, row.case),
        row.isa.clone(),
        format!("{} {}", short(row.per_second), row.unit),
        number(row.cell_macs_per_second),
        row.ratio_to_sgemm.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
        goal.join(" or "),
        reached.to_owned(),
        number(row.crosssim_per_second),
    ]
}

/// Three digits and a prefix.
fn short(value: f64) -> String {
    let (scaled, prefix) = match value {
        1e9.. => (value / 1e9, " G"),
        1e6.. => (value / 1e6, " M"),
        1e4.. => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let decimals = match scaled {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{scaled:.decimals$}{prefix}")
}

/// The page with the table between its marks replaced.
#[must_use]
pub fn with_table(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

/// Writes `benchmarks.csv`, `benchmarks.svg` and `machine.toml`.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Path, rows: &[Row], machine: &Machine) -> Result<(), Failure> {
    fs::create_dir_all(folder)?;
    write_rows(&folder.join("benchmarks.csv"), rows)?;
    fs::write(folder.join("benchmarks.svg"), figure(rows)?)?;
    fs::write(folder.join("machine.toml"), toml::to_string(machine)?)?;
    Ok(())
}

/// Writes rows as CSV.
///
/// # Errors
/// If the file cannot be written.
pub fn write_rows(file: &Path, rows: &[Row]) -> Result<(), Failure> {
    let mut csv = csv::Writer::from_path(file)?;
    rows.iter().try_for_each(|row| csv.serialize(row))?;
    csv.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let row = Row::new("network", "lenet-5", (256.0, "images"), 0.05).with_cell_macs(1e6);
        Row { goal_per_second: Some(6000.0), crosssim_per_second: Some(129.0), ..row }
    }

    #[test]
    fn rates_are_counts_over_seconds() {
        assert_eq!((row().per_second, row().cell_macs_per_second), (5120.0, Some(5.12e9)));
    }

    #[test]
    fn goals_are_reached_by_rate_or_by_ratio() {
        assert_eq!(row().goal_reached(), Some(Reached::No));
        assert_eq!(Row { goal_per_second: Some(5000.0), ..row() }.goal_reached(), Some(Reached::Yes));
        assert_eq!(Row { goal_per_second: None, ..row() }.goal_reached(), None);
        let ratios = |goal_ratio, ratio| Row { goal_ratio: Some(goal_ratio), ratio_to_sgemm: Some(ratio), ..row() };
        assert_eq!(ratios(2.0, 1.9).goal_reached(), Some(Reached::No));
        assert_eq!(ratios(2.0, 2.1).goal_reached(), Some(Reached::ByRatio));
        assert_eq!(Row { goal_per_second: None, ..ratios(2.0, 1.9) }.goal_reached(), Some(Reached::No));
        assert_eq!(Row { goal_per_second: None, ..ratios(2.0, 2.0) }.goal_reached(), Some(Reached::Yes));
    }

    #[test]
    fn numbers_keep_three_digits() {
        let texts = [2.8, 129.0, 5120.0, 38_400.0, 312e6, 87.04e9, 173e9].map(short);
        assert_eq!(texts, ["2.80", "129", "5120", "38.4 k", "312 M", "87.0 G", "173 G"]);
    }

    #[test]
    fn tables_are_aligned_markdown() {
        let table = table(&[row()]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.len() == lines[0].len() && line.matches('|').count() == 9), "{table}");
        for part in ["network lenet-5", "5120 images", "5.12 G", "6000", "missed", "129"] {
            assert!(lines[2].contains(part), "{part} in {table}");
        }
    }

    #[test]
    fn tables_are_replaced_in_the_page() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter");
        let expected = format!("before\n{BEGIN}\n\nnew\n{END}\nafter");
        assert_eq!(with_table(&page, "new"), Some(expected));
        assert_eq!(with_table("no marks", "new"), None);
        assert!(with_table(include_str!("../../docs/speed.md"), "").is_some(), "the page has lost its marks");
    }

    #[test]
    fn files_hold_every_row() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
        let folder = std::env::var_os("CARGO_TARGET_TMPDIR").map_or(folder, Into::into).join("benches-report");
        let machine = Machine::this();
        write(&folder, &[row(), row()], &machine).unwrap();
        let mut csv = csv::Reader::from_path(folder.join("benchmarks.csv")).unwrap();
        let read: Vec<Row> = csv.deserialize().collect::<Result<_, _>>().unwrap();
        assert_eq!(read, [Row { array_size: 0, ..row() }, Row { array_size: 0, ..row() }]);
        let written: toml::Table = toml::from_str(&fs::read_to_string(folder.join("machine.toml")).unwrap()).unwrap();
        assert_eq!(written["isa"].as_str(), Some(machine.isa.as_str()));
        fs::remove_dir_all(folder).unwrap();
    }
}
