//! Energy, area and leakage: counts times prices, summed once, in a fixed order.

mod occupied;
mod widths;

pub use occupied::Occupied;
use occupied::occupied;
use widths::{Factors, Of};

use crate::functional::{RowDrives, expected_array_energy_j};
use crate::program::Program;
use crate::timing::stage_actions;
use serde::{Deserialize, Serialize};
use tile::actions::ActionCounts;

/// Energy by component, J.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Energy {
    /// Current through the cells.
    pub array_j: f64,
    /// Word-line DACs.
    pub dac_j: f64,
    /// Sample-and-hold and ADC.
    pub adc_j: f64,
    /// Shift-and-add behind the converters.
    pub shift_add_j: f64,
    /// Registers, merging, offsets, requantisation, pooling.
    pub vector_j: f64,
    /// Tile buffers and buses.
    pub buffer_j: f64,
    /// Mesh routers and links.
    pub link_j: f64,
    /// Port to the off-chip memory.
    pub memory_j: f64,
    /// Programming of cells.
    pub write_j: f64,
    /// Leakage power times time.
    pub leakage_j: f64,
}

impl Energy {
    /// Sum of the parts.
    #[must_use]
    pub fn total_j(&self) -> f64 {
        let compute_j = self.array_j + self.dac_j + self.adc_j + self.digital_j();
        compute_j + self.buffer_j + self.link_j + self.leakage_j + self.memory_j + self.write_j
    }

    /// Name and energy of every component, in a fixed order, J; their sum is [`Energy::total_j`].
    #[must_use]
    pub fn entries(&self) -> [(&'static str, f64); 10] {
        [
            ("array", self.array_j),
            ("dac", self.dac_j),
            ("adc", self.adc_j),
            ("shift-add", self.shift_add_j),
            ("vector", self.vector_j),
            ("buffer", self.buffer_j),
            ("link", self.link_j),
            ("memory", self.memory_j),
            ("write", self.write_j),
            ("leakage", self.leakage_j),
        ]
    }

    /// Everything digital between converter and buffer.
    #[must_use]
    pub fn digital_j(&self) -> f64 {
        self.shift_add_j + self.vector_j
    }
}

/// Where the energy of the cells comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArrayEnergy {
    /// A flat price per cell read, from the cost table (where no values are simulated).
    PerCellRead,
    /// `V^2 t sum(G x^2)` of the cells and inputs that were simulated, J.
    Exact(f64),
}

/// Prices action counts; `seconds` is the time over which the chip leaks.
///
/// # Errors
/// If a price is missing for the chip's DAC or ADC resolution.
pub fn price(counts: &ActionCounts, program: &Program, array: ArrayEnergy, seconds: f64) -> Result<Energy, String> {
    let leakage_j = leakage_w(program)? * seconds;
    Ok(Energy { leakage_j, ..price_of(counts, program, Of::Program, array)? })
}

/// Prices the actions of one stage, without leakage.
///
/// # Errors
/// Those of [`price`].
pub fn price_stage(
    counts: &ActionCounts,
    program: &Program,
    stage: &str,
    array: ArrayEnergy,
) -> Result<Energy, String> {
    price_of(counts, program, Of::Stage(stage), array)
}

/// What weighted layer `layer` of a program is expected to take for an image, from the program alone: its own actions
/// ([`stage_actions`]), and its cells at the mean of their states, whose rows are driven as `drives` says. Without leakage.
///
/// # Errors
/// Those of [`price`], or if there is no such layer.
pub fn expected_energy(program: &Program, layer: usize, drives: &RowDrives) -> Result<Energy, String> {
    let array = ArrayEnergy::Exact(expected_array_energy_j(program, layer, drives)?);
    let stage = program.mvm_stages().nth(layer).map(|(_, stage)| stage);
    let stage = stage.ok_or_else(|| format!("there is no weighted layer {layer}"))?;
    price_stage(&stage_actions(program, stage), program, &stage.name, array)
}

fn price_of(counts: &ActionCounts, program: &Program, of: Of<'_>, array: ArrayEnergy) -> Result<Energy, String> {
    let (chip, unit) = (&program.chip, &program.chip.costs.energy_j);
    let times = |count: u64, energy_j: f64| count as f64 * energy_j;
    let factors = Factors::new(program, of)?;
    let converter_j = factors.conversion_j + unit.adc_conversion;
    let lookup_j = lookup_price(counts, program)?;
    Ok(Energy {
        array_j: match array {
            ArrayEnergy::PerCellRead => times(counts.cell_read, unit.cell_read) * factors.cell_read,
            ArrayEnergy::Exact(energy_j) => energy_j,
        },
        dac_j: times(counts.dac_drive, unit.dac_drive) * factors.drive,
        adc_j: times(counts.adc_conversion, converter_j) + times(counts.sample_hold, unit.sample_hold),
        shift_add_j: times(counts.shift_add, unit.shift_add),
        vector_j: times(counts.slice_scale, unit.slice_scale)
            + times(counts.merge_add, unit.merge_add)
            + times(counts.input_sum_add, unit.input_sum_add)
            + times(counts.offset_subtract, unit.offset_subtract)
            + times(counts.requantise, unit.requantise)
            + times(counts.compare, unit.compare)
            + times(counts.lookup, lookup_j)
            + times(counts.input_register_bit, unit.input_register_bit)
            + times(counts.output_register_word, unit.output_register_word),
        buffer_j: (times(counts.buffer_read, unit.buffer_read) + times(counts.buffer_write, unit.buffer_write))
            * chip.costs.word_factor(chip.tile.buffer.word_bits)
            + times(counts.bus_bit, unit.bus_bit),
        link_j: times(counts.flit_hop, unit.flit_hop) * chip.costs.flit_factor(chip.mesh.flit_bits),
        memory_j: times(counts.memory_bit, unit.memory_bit),
        write_j: times(counts.cell_write, unit.cell_write),
        leakage_j: 0.0,
    })
}

/// The price of a look-up, which must be known if there are any.
fn lookup_price(counts: &ActionCounts, program: &Program) -> Result<f64, String> {
    let costs = &program.chip.costs;
    let missing =
        || format!("energy_j.lookup is missing in cost table `{}`, but the program looks codes up", costs.name);
    match costs.energy_j.lookup {
        None if counts.lookup > 0 => Err(missing()),
        price => Ok(price.unwrap_or(0.0)),
    }
}

/// Leakage power of everything the program occupies, W.
///
/// # Errors
/// If there is no price for the resolution of the chip's ADC or DAC.
pub fn leakage_w(program: &Program) -> Result<f64, String> {
    let adc_w = program.chip.tile.adc.cost()?.leakage_w;
    Ok(occupied(program, &program.chip.costs.leakage_w, adc_w)?.total())
}

/// Area of everything the program occupies: its arrays with their peripherals, its converter banks, and its tiles' shared parts, m2; none if the
/// cost table has no areas.
///
/// # Errors
/// If there is no price for the resolution of the chip's ADC or DAC.
pub fn area_m2(program: &Program) -> Result<Option<f64>, String> {
    Ok(area(program)?.map(|area| area.total()))
}

/// As [`area_m2`], by component.
///
/// # Errors
/// Those of [`area_m2`].
pub fn area(program: &Program) -> Result<Option<Occupied>, String> {
    let adc_m2 = program.chip.tile.adc.cost()?.area_m2;
    program.chip.costs.area_m2.as_ref().map(|costs| occupied(program, costs, adc_m2)).transpose()
}
