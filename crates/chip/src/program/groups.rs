//! Groups of an MVM stage: a matrix of equal blocks on its diagonal, and what of it lies in an array.
//!
//! Rows and outputs fall into as many groups, and an output has weights in the rows of its own group only (one group is a matrix that is full).
//! Small groups share an array, each with rows and columns of its own. All rows of an array are driven together, so that the cells where a row
//! of one group crosses a column of another conduct as well: they stay at level 0, the lowest conductance, whatever the encoding. Nominally
//! they add nothing, so that only the inputs of the column's own group belong into digital offsets; their errors do add up.

use super::{MvmStage, PlacedCrossbar};
use std::ops::Range;

/// How the matrix of a stage falls into groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    /// How many there are.
    pub count: usize,
    /// Rows of each.
    pub rows: usize,
    /// Outputs of each.
    pub outputs: usize,
}

impl MvmStage {
    /// How its matrix falls into groups; there must be at least one.
    #[must_use]
    pub fn groups(&self) -> Groups {
        let count = self.groups as usize;
        Groups { count, rows: self.window.rows() / count, outputs: self.outputs as usize / count }
    }
}

impl Groups {
    /// The groups that a crossbar holds, or holds a part of.
    #[must_use]
    pub fn of(&self, placed: &PlacedCrossbar) -> Range<usize> {
        let (first, rows) = (placed.row_start as usize, placed.rows as usize);
        first / self.rows..(first + rows).div_ceil(self.rows)
    }

    /// The rows of a crossbar, counted from its first one, that belong to a group.
    #[must_use]
    pub fn rows_in(&self, placed: &PlacedCrossbar, group: usize) -> Range<usize> {
        within(group * self.rows, self.rows, placed.row_start, placed.rows)
    }

    /// The outputs of a crossbar, counted from its first one, that belong to a group.
    #[must_use]
    pub fn outputs_in(&self, placed: &PlacedCrossbar, group: usize) -> Range<usize> {
        within(group * self.outputs, self.outputs, placed.output_start, placed.outputs)
    }

    /// Whether a crossbar lies inside a single group or is made of whole ones.
    #[must_use]
    pub fn fit(&self, placed: &PlacedCrossbar) -> bool {
        let groups = self.of(placed);
        let starts = |size: usize| (groups.start * size, groups.len() * size);
        let (rows, outputs) = (starts(self.rows), starts(self.outputs));
        let whole = (placed.row_start as usize, placed.rows as usize) == rows
            && (placed.output_start as usize, placed.outputs as usize) == outputs;
        let first_output = placed.output_start as usize;
        let inside = groups.len() == 1
            && first_output >= outputs.0
            && first_output + placed.outputs as usize <= outputs.0 + outputs.1;
        whole || inside
    }

    /// Weights that a crossbar holds, of whatever number of slices; its other crossings are unused.
    #[must_use]
    pub fn weights(&self, placed: &PlacedCrossbar) -> u64 {
        let of_group = |group| self.rows_in(placed, group).len() as u64 * self.outputs_in(placed, group).len() as u64;
        self.of(placed).map(of_group).sum()
    }
}

/// What of `first..first + count` lies in `start..start + len`, counted from `start`.
fn within(first: usize, count: usize, start: u32, len: u32) -> Range<usize> {
    let (start, len) = (start as usize, len as usize);
    let from = first.saturating_sub(start).min(len);
    from..(first + count).saturating_sub(start).clamp(from, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(rows: Range<u32>, outputs: Range<u32>) -> PlacedCrossbar {
        PlacedCrossbar {
            tile: 0,
            array: 0,
            bank: 0,
            row_start: rows.start,
            rows: rows.end - rows.start,
            output_start: outputs.start,
            outputs: outputs.end - outputs.start,
            levels: Vec::new(),
            flipped: Vec::new(),
            column_adcs: Vec::new(),
        }
    }

    /// Four groups of 3 rows and 2 outputs.
    const GROUPS: Groups = Groups { count: 4, rows: 3, outputs: 2 };

    #[test]
    fn whole_groups_share_an_array() {
        let two = placed(3..9, 2..6);
        assert_eq!((GROUPS.of(&two), GROUPS.fit(&two), GROUPS.weights(&two)), (1..3, true, 12));
        assert_eq!((GROUPS.rows_in(&two, 1), GROUPS.rows_in(&two, 2), GROUPS.rows_in(&two, 3)), (0..3, 3..6, 6..6));
        assert_eq!((GROUPS.outputs_in(&two, 1), GROUPS.outputs_in(&two, 2)), (0..2, 2..4));
    }

    #[test]
    fn a_part_of_a_group_has_its_array_to_itself() {
        let part = placed(7..9, 5..6);
        assert_eq!((GROUPS.of(&part), GROUPS.fit(&part), GROUPS.weights(&part)), (2..3, true, 2));
        assert_eq!((GROUPS.rows_in(&part, 2), GROUPS.outputs_in(&part, 2)), (0..2, 0..1));
    }

    #[test]
    fn other_cuts_do_not_fit() {
        // Rows of a part of a group beside whole ones, outputs of another group, and outputs of one more.
        for (rows, outputs) in [(2..6, 0..4), (3..6, 0..2), (3..6, 2..5), (3..9, 2..5)] {
            assert!(!GROUPS.fit(&placed(rows.clone(), outputs.clone())), "{rows:?} {outputs:?}");
        }
    }
}
