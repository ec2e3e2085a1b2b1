//! Programming a part of a stage that has the random numbers of its rows to itself.

use crate::program::{MvmStage, PlacedCrossbar};
use std::ops::Range;
use tile::address::CellRow;
use tile::device::{RowPart, RowTotals, States};

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
        let mut totals = Vec::with_capacity(states.len());
        for (slice, states) in states.iter().enumerate() {
            // In a local variable, so that only the hash of the row number is computed for every row.
            let address = CellRow { slice: slice as u64, ..self.address };
            let mut of_slice = Vec::with_capacity(self.rows.len());
            for row in self.rows.clone() {
                let parts = self.arrays.iter_mut().filter_map(|array| array.part(stage, slice, row));
                of_slice.push(states.program_row(CellRow { row: row.into(), ..address }, parts));
            }
            totals.push(of_slice);
        }
        totals
    }
}

impl ArrayCells<'_> {
    fn rows(&self) -> Range<u32> {
        self.placed.row_start..self.placed.row_start + self.placed.rows
    }

    /// The cells of one slice of a logical row, if the array holds it.
    fn part(&mut self, stage: &MvmStage, slice: usize, row: u32) -> Option<RowPart<'_>> {
        if !self.rows().contains(&row) {
            return None;
        }
        let columns = stage.columns(self.placed) as usize;
        let first = (row - self.placed.row_start) as usize * columns;
        let cells = first + slice..first + columns;
        Some(RowPart::new(&self.levels[cells.clone()], &mut self.values[cells], stage.slices.len()))
    }
}
