//! Stuck cells by their place on the chip, as a test of a real chip finds them.

use crate::device::Fault;
use crate::variation::csv::{CsvProblem, lines};
use std::collections::BTreeMap;

/// Stuck cells of every array.
///
/// As CSV: a header `tile,array,row,column,fault`, then one line a cell, in any order, with indices from 0 and the fault `low` or `high`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultMap {
    /// By tile and array: the cells in the order of row and column.
    arrays: BTreeMap<(u32, u32), Vec<StuckCell>>,
}

/// A stuck cell of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StuckCell {
    /// Physical row (word line).
    pub row: u32,
    /// Physical column (bit line).
    pub column: u32,
    /// The fault.
    pub fault: Fault,
}

const HEADER: [&str; 5] = ["tile", "array", "row", "column", "fault"];

impl FaultMap {
    /// Reads the CSV text.
    ///
    /// # Errors
    /// The first line that is not as it should be, also a cell that is listed twice.
    pub fn from_csv(text: &str) -> Result<Self, CsvProblem> {
        let mut lines = lines(text);
        match lines.next() {
            Some((_, _, fields)) if fields == HEADER => {}
            header => {
                let (line, found) = header.map_or((1, ""), |(line, text, _)| (line, text));
                return Err(CsvProblem::new(line, "", found, HEADER.join(",")));
            }
        }
        // With the line of every cell, to tell which is listed twice.
        let mut cells: BTreeMap<[u32; 4], (usize, Fault)> = BTreeMap::new();
        for (line, text, fields) in lines {
            let &[tile, array, row, column, fault] = fields.as_slice() else {
                return Err(CsvProblem::new(line, "", text, "five values: tile, array, row, column, fault"));
            };
            let key = index(line, [tile, array, row, column])?;
            if let Some((first, _)) = cells.insert(key, (line, fault_of(line, fault)?)) {
                return Err(CsvProblem::new(line, "", text, format!("each cell once (it is also in line {first})")));
            }
        }
        let mut arrays: BTreeMap<(u32, u32), Vec<StuckCell>> = BTreeMap::new();
        for ([tile, array, row, column], (_, fault)) in cells {
            arrays.entry((tile, array)).or_default().push(StuckCell { row, column, fault });
        }
        Ok(Self { arrays })
    }

    /// The stuck cells of one array, in the order of row and column.
    #[must_use]
    pub fn in_array(&self, tile: u32, array: u32) -> &[StuckCell] {
        self.arrays.get(&(tile, array)).map_or(&[], Vec::as_slice)
    }

    /// The fault of one cell.
    #[must_use]
    pub fn get(&self, tile: u32, array: u32, row: u32, column: u32) -> Option<Fault> {
        let cells = self.in_array(tile, array);
        let at = cells.binary_search_by_key(&(row, column), |cell| (cell.row, cell.column)).ok()?;
        cells.get(at).map(|cell| cell.fault)
    }

    /// Tile and array of every array with stuck cells, ascending.
    pub fn arrays(&self) -> impl Iterator<Item = (u32, u32)> {
        self.arrays.keys().copied()
    }

    /// Number of stuck cells.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.arrays.values().map(Vec::len).sum()
    }
}

fn index(line: usize, fields: [&str; 4]) -> Result<[u32; 4], CsvProblem> {
    let mut key = [0; 4];
    for ((key, text), name) in key.iter_mut().zip(fields).zip(HEADER) {
        let problem = || CsvProblem::new(line, name, text, "an integer from 0 to 4294967295");
        *key = text.parse().map_err(|_| problem())?;
    }
    Ok(key)
}

fn fault_of(line: usize, text: &str) -> Result<Fault, CsvProblem> {
    match text {
        "low" => Ok(Fault::Low),
        "high" => Ok(Fault::High),
        _ => Err(CsvProblem::new(line, "fault", text, "low or high")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_found_by_their_place() {
        let text = "tile,array,row,column,fault\n1,0,5,7,high\r\n0,2,3,1,low\n\n1,0,5, 2,low\n1,0,0,9,low\n";
        let map = FaultMap::from_csv(text).unwrap();
        assert_eq!((map.cells(), map.arrays().collect::<Vec<_>>()), (4, vec![(0, 2), (1, 0)]));
        assert_eq!(map.get(1, 0, 5, 7), Some(Fault::High));
        assert_eq!(map.get(1, 0, 5, 2), Some(Fault::Low));
        assert_eq!((map.get(1, 0, 7, 5), map.get(0, 0, 5, 7), map.get(9, 9, 9, 9)), (None, None, None));
        let places: Vec<_> = map.in_array(1, 0).iter().map(|cell| (cell.row, cell.column)).collect();
        assert_eq!(places, [(0, 9), (5, 2), (5, 7)]);
        assert_eq!(FaultMap::from_csv("tile,array,row,column,fault\n").unwrap(), FaultMap::default());
    }

    #[test]
    fn problems_name_line_column_and_value() {
        let start = "tile,array,row,column,fault\n0,0,0,0,low\n";
        for (text, expected) in [
            (String::new(), "line 1: `` is not allowed: tile,array,row,column,fault"),
            ("tile,row\n".to_owned(), "line 1: `tile,row` is not allowed: tile,array,row,column,fault"),
            (
                format!("{start}0,0,-1,0,low"),
                "line 3, column row: `-1` is not allowed: an integer from 0 to 4294967295",
            ),
            (
                format!("{start}0,0,1,x,low"),
                "line 3, column column: `x` is not allowed: an integer from 0 to 4294967295",
            ),
            (format!("{start}0,0,1,0,stuck"), "line 3, column fault: `stuck` is not allowed: low or high"),
            (
                format!("{start}0,0,1,0"),
                "line 3: `0,0,1,0` is not allowed: five values: tile, array, row, column, fault",
            ),
            (
                format!("{start}\n0,0,0,0,high"),
                "line 4: `0,0,0,0,high` is not allowed: each cell once (it is also in line 2)",
            ),
        ] {
            assert_eq!(FaultMap::from_csv(&text).unwrap_err().to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn every_listed_cell_is_found_and_no_other(cells in prop::collection::btree_map((0_u32..3, 0_u32..3, 0_u32..9, 0_u32..9), any::<bool>(), 0..60)) {
            let mut text = "tile,array,row,column,fault\n".to_owned();
            for ((tile, array, row, column), high) in cells.iter().rev() {
                text += &format!("{tile},{array},{row},{column},{}\n", if *high { "high" } else { "low" });
            }
            let map = FaultMap::from_csv(&text).unwrap();
            prop_assert_eq!(map.cells(), cells.len());
            for tile in 0..3 {
                for (array, row, column) in (0..3).flat_map(|a| (0..81).map(move |i| (a, i / 9, i % 9))) {
                    let expected = cells.get(&(tile, array, row, column)).map(|high| if *high { Fault::High } else { Fault::Low });
                    prop_assert_eq!(map.get(tile, array, row, column), expected);
                }
            }
        }

        #[test]
        fn no_text_panics(text in "(tile,array,row,column,fault\n)?([0-9,lowhig-]{0,16}\n){0,8}.{0,20}") {
            drop(FaultMap::from_csv(&text));
        }
    }
}
