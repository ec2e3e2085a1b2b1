//! Pass `flip`: columns whose levels are stored complemented, where the mapping asks for it.

use crate::mapping::{CellStates, Encoding, Flip};
use chip::program::PlacedCrossbar;

/// Complements the levels of the columns that the encoding's rule picks, and flags them.
pub(crate) fn flip_columns(crossbar: &mut PlacedCrossbar, encoding: &Encoding, cells: &CellStates) {
    let Some(flip) = encoding.flip else { return };
    let slices = &encoding.slices;
    let columns = crossbar.outputs as usize * slices.len();
    let Some(levels) = crossbar.levels.first_mut() else { return };
    let chooses = |column: usize| {
        let code = slices[column % slices.len()];
        let column_levels = levels.iter().skip(column).step_by(columns);
        match flip {
            Flip::LargeSums => {
                let sum: i64 = column_levels.map(|&level| i64::from(level)).sum();
                2 * sum > i64::from(crossbar.rows) * code.top()
            }
            Flip::LeastError => {
                let top = code.top() as usize;
                let error = |level: usize| cells.squared_error(code.bits, level);
                let gains = column_levels.map(|&level| error(usize::from(level)) - error(top - usize::from(level)));
                gains.sum::<f64>() > 0.0
            }
        }
    };
    crossbar.flipped = (0..columns).map(chooses).collect();
    for row in levels.chunks_exact_mut(columns) {
        for (column, level) in row.iter_mut().enumerate() {
            if crossbar.flipped[column] {
                *level = slices[column % slices.len()].top() as u8 - *level;
            }
        }
    }
}
