//! Pass `flip`: columns whose levels are stored complemented, where the mapping asks for it.

use crate::mapping::{CellStates, Encoding, Flip};
use chip::program::{Groups, PlacedCrossbar};
use std::ops::Range;

/// Complements the levels of the columns that the encoding's rule picks, and flags them.
pub(crate) fn flip_columns(crossbar: &mut PlacedCrossbar, groups: &Groups, encoding: &Encoding, cells: &CellStates) {
    let Some(flip) = encoding.flip else { return };
    let slices = &encoding.slices;
    let columns = crossbar.outputs as usize * slices.len();
    // Of every output the rows in which it has weights.
    let of_group = |group| {
        let rows = groups.rows_in(crossbar, group);
        groups.outputs_in(crossbar, group).map(move |_| rows.clone())
    };
    let rows: Vec<Range<usize>> = groups.of(crossbar).flat_map(of_group).collect();
    let Some(levels) = crossbar.levels.first_mut() else { return };
    let chooses = |column: usize| {
        let code = slices[column % slices.len()];
        let rows = rows[column / slices.len()].clone();
        let column_levels = rows.clone().map(|row| levels[row * columns + column]);
        match flip {
            Flip::LargeSums => {
                let sum: i64 = column_levels.map(i64::from).sum();
                2 * sum > rows.len() as i64 * code.top()
            }
            Flip::LeastError => {
                let top = code.top() as usize;
                let error = |level: usize| cells.squared_error(code.bits, level);
                let gains = column_levels.map(|level| error(usize::from(level)) - error(top - usize::from(level)));
                gains.sum::<f64>() > 0.0
            }
        }
    };
    crossbar.flipped = (0..columns).map(chooses).collect();
    for (column, _) in crossbar.flipped.iter().enumerate().filter(|(_, flipped)| **flipped) {
        for row in rows[column / slices.len()].clone() {
            let level = &mut levels[row * columns + column];
            *level = slices[column % slices.len()].top() as u8 - *level;
        }
    }
}
