//! Programming a part of a stage that has the random numbers of its rows to itself.

use crate::program::{Groups, MvmStage, PlacedCrossbar};
use std::ops::Range;
use tile::address::CellRow;
use tile::device::{RowPart, RowTotals, States};

/// Arrays of a pair.
const POLARITIES: u64 = 2;

/// One array and its cells.
pub(super) struct ArrayCells<'a> {
    pub(super) placed: &'a PlacedCrossbar,
    /// `rows x columns` row-major.
    pub(super) levels: &'a [u8],
    /// The same in level spacings of the column's slice above `G_min`.
    pub(super) values: &'a mut [f32],
}

/// The arrays of one polarity of a stage that hold the same logical rows, or rows in common.
pub(super) struct RowBlock<'a> {
    rows: Range<u32>,
    /// Ordered by their first output, so that columns are drawn in logical order.
    arrays: Vec<ArrayCells<'a>>,
    /// Any row and slice of the polarity.
    address: CellRow,
}

impl<'a> RowBlock<'a> {
    /// The blocks of one polarity, in the order of their rows; every row is in one of them.
    pub(super) fn of(mut arrays: Vec<ArrayCells<'a>>, address: CellRow) -> Vec<Self> {
        arrays.sort_by_key(|array| array.placed.row_start);
        let mut blocks: Vec<Self> = Vec::new();
        for array in arrays {
            let rows = array.rows();
            match blocks.last_mut() {
                Some(block) if rows.start < block.rows.end => {
                    block.rows.end = block.rows.end.max(rows.end);
                    block.arrays.push(array);
                }
                _ => blocks.push(Self { rows, arrays: vec![array], address }),
            }
        }
        for block in &mut blocks {
            block.arrays.sort_by_key(|array| array.placed.output_start);
        }
        blocks
    }

    /// Programs all cells, `states` being those of each slice; returns the totals of every row, `[slice][row of the block]`.
    pub(super) fn program(&mut self, stage: &MvmStage, states: &[States]) -> Vec<Vec<RowTotals>> {
        let groups = stage.groups();
        // Arrays with rows in common hold the same groups, or parts of one.
        let held = self.arrays.first().map_or(0..0, |array| groups.of(array.placed));
        let mut totals = Vec::with_capacity(states.len());
        for (slice, states) in states.iter().enumerate() {
            // In a local variable, so that only the hash of the row number is computed for every row.
            let address = CellRow { slice: slice as u64, ..self.address };
            let mut of_slice = Vec::with_capacity(self.rows.len());
            for row in self.rows.clone() {
                let group = row as usize / groups.rows;
                let own = self.arrays.iter_mut().filter_map(|array| array.part(stage, &groups, slice, (row, group)));
                let mut of_row = states.program_row(CellRow { row: row.into(), ..address }, own);
                for other in held.clone().filter(|&other| other != group) {
                    let unused =
                        self.arrays.iter_mut().filter_map(|array| array.part(stage, &groups, slice, (row, other)));
                    of_row.add(&states.program_row(beside(address, row, other, groups.count), unused));
                }
                of_slice.push(of_row);
            }
            totals.push(of_slice);
        }
        totals
    }
}

/// The address of the unused cells where a row crosses the columns of another group: those cells have draws of their own, by their row and column,
/// whichever groups share an array.
fn beside(address: CellRow, row: u32, group: usize, groups: usize) -> CellRow {
    CellRow { polarity: address.polarity + POLARITIES, row: u64::from(row) * groups as u64 + group as u64, ..address }
}

impl ArrayCells<'_> {
    fn rows(&self) -> Range<u32> {
        self.placed.row_start..self.placed.row_start + self.placed.rows
    }

    /// The cells of one slice of a logical row in the columns of a group, if the array holds both.
    fn part(
        &mut self,
        stage: &MvmStage,
        groups: &Groups,
        slice: usize,
        (row, group): (u32, usize),
    ) -> Option<RowPart<'_>> {
        if !self.rows().contains(&row) {
            return None;
        }
        let (columns, slices) = (stage.columns(self.placed) as usize, stage.slices.len());
        let outputs = groups.outputs_in(self.placed, group);
        let first = (row - self.placed.row_start) as usize * columns;
        let cells = first + outputs.start * slices + slice..first + outputs.end * slices;
        if outputs.is_empty() {
            return None;
        }
        Some(RowPart::new(&self.levels[cells.clone()], &mut self.values[cells], slices))
    }
}
