//! Prices that depend on how wide inputs are: of an input slice, the last of which may have fewer bits or a shorter conversion.

use crate::program::{MvmStage, Program};
use std::collections::BTreeMap;

/// Whose actions are priced.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
    /// Those of all stages.
    Program,
    /// Those of the stage of a name.
    Stage(&'a str),
}

/// Means over all input slices.
pub(super) struct Factors {
    /// Energy of a conversion, J.
    pub(super) conversion_j: f64,
    /// Of driving a word line.
    pub(super) drive: f64,
    /// Of a cell read at a flat price.
    pub(super) cell_read: f64,
}

impl Factors {
    pub(super) fn new(program: &Program, of: Of<'_>) -> Result<Self, String> {
        let chip = &program.chip;
        let pair = |stage: &MvmStage| u64::from(stage.polarities);
        let rows =
            |stage: &MvmStage| pair(stage) * stage.crossbars.iter().map(|placed| u64::from(placed.rows)).sum::<u64>();
        let converted = |stage: &MvmStage| stage.crossbars.iter().map(|placed| stage.converted_columns(placed)).sum();
        Ok(Self {
            conversion_j: mean(program, of, converted, |bits| chip.conversion_energy_j(bits))?,
            drive: mean(program, of, rows, |bits| chip.drive_factor(bits))?,
            cell_read: mean(program, of, MvmStage::cells, |bits| chip.cell_read_factor(bits))?,
        })
    }
}

/// The mean of a price over the actions of all stages, given how many a stage takes of each input slice of a window. Phases are alike in all
/// stages.
fn mean(
    program: &Program,
    of: Of<'_>,
    actions: impl Fn(&MvmStage) -> u64,
    price: impl Fn(u32) -> Result<f64, String>,
) -> Result<f64, String> {
    let mut of_widths: BTreeMap<u32, u64> = BTreeMap::new();
    for (_, stage) in program.mvm_stages().filter(|(_, stage)| of.includes(stage)) {
        let bits = stage.applied_bits();
        let slices = stage.window.count() as u64 * u64::from(program.chip.input_cycles(bits));
        *of_widths.entry(bits).or_default() += actions(stage) * slices;
    }
    let mut widths = of_widths.iter();
    match (widths.next(), widths.len()) {
        // A stage without arrays has no such actions.
        (None, _) => price(program.chip.magnitude_bits()),
        (Some((&bits, _)), 0) => price(bits),
        _ => {
            let (mut sum, mut count) = (0.0, 0.0);
            for (&bits, &actions) in &of_widths {
                sum += actions as f64 * price(bits)?;
                count += actions as f64;
            }
            Ok(sum / count)
        }
    }
}

impl Of<'_> {
    fn includes(self, stage: &MvmStage) -> bool {
        match self {
            Self::Program => true,
            Self::Stage(name) => stage.name == name,
        }
    }
}
