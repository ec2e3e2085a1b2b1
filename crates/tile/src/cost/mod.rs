//! Cost tables: energy of an action, area and leakage of a component. Prices never live in code.

mod adc;

pub use adc::{
    AdcCost, AdcModel, AdcPrices, ComparatorPrices, MAX_ADC_BITS, PerBitPrices, SarNode, SarPowerPrices, SurveyArea,
    SurveyEnergy, SurveyFom, SurveyPrices, TablePrices, TableRow,
};

use crate::actions::ActionEnergies;
use crate::check::{Check, Problems};
use serde::{Deserialize, Serialize};

/// A cost table as its file in `configs/costs` states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostTable {
    /// Name, kebab-case; part of every result.
    pub name: String,
    /// Where the numbers come from.
    pub source: String,
    /// The published power and area table that the prices are derived from.
    #[serde(default)]
    pub published: Vec<PublishedRow>,
    /// Width of the words that `buffer_read` and `buffer_write` are the prices of, bits; words of other widths cost in proportion.
    pub word_bits: u32,
    /// Width of the flits that `flit_hop` is the price of, bits; flits of other widths cost in proportion.
    pub flit_bits: u32,
    /// Energy of a DAC of 1, 2, ... bits, relative to 1 bit; its area and leakage too, if they have no factors of their own.
    pub dac_bits_factor: Vec<f64>,
    /// Area and leakage of a DAC of 1, 2, ... bits, relative to 1 bit; left out: those of its energy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dac_size_factor: Vec<f64>,
    /// Energy of a cell read (at a flat price) by a digit of 1, 2, ... bits, relative to 1 bit; left out: the same for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cell_read_bits_factor: Vec<f64>,
    /// Energy of one action, J.
    pub energy_j: ActionEnergies,
    /// Area of one instance, m2; left out where none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_m2: Option<ComponentCosts>,
    /// Leakage power of one instance, W.
    pub leakage_w: ComponentCosts,
}

/// One row of a published table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRow {
    /// Level of the hierarchy the row belongs to.
    pub level: String,
    /// Component.
    pub component: String,
    /// Power of all instances of the component at that level, W.
    pub power_w: f64,
    /// Area of all instances, m2.
    pub area_m2: f64,
}

/// A cost of each kind of component; ADCs have their own files.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentCosts {
    /// One cell.
    pub cell: f64,
    /// One 1-bit DAC (word-line driver).
    pub dac: f64,
    /// Sample-and-hold of one column.
    pub sample_hold: f64,
    /// Shift-and-add unit of one array.
    pub shift_add: f64,
    /// Input register of one array.
    pub input_register: f64,
    /// Output register of one array.
    pub output_register: f64,
    /// Everything the arrays of one tile share: buffer, bus, output register, vector units.
    pub tile: f64,
    /// Share of one tile in the routers of the mesh.
    pub router: f64,
}

impl CostTable {
    /// Energy of a DAC of `dac_bits` relative to one of 1 bit.
    ///
    /// # Errors
    /// If the table has no factor for so many bits; the text says which it has.
    pub fn dac_factor(&self, dac_bits: u32) -> Result<f64, String> {
        self.factor(&self.dac_bits_factor, dac_bits, "DAC")
    }

    /// Area and leakage of a DAC of `dac_bits` relative to one of 1 bit.
    ///
    /// # Errors
    /// If the table has no factor for so many bits; the text says which it has.
    pub fn dac_size_factor(&self, dac_bits: u32) -> Result<f64, String> {
        let own = if self.dac_size_factor.is_empty() { &self.dac_bits_factor } else { &self.dac_size_factor };
        self.factor(own, dac_bits, "DAC")
    }

    /// Energy of a cell read by a digit of `digit_bits` relative to one of 1 bit.
    ///
    /// # Errors
    /// If the table has factors, but none for so many bits; the text says which it has.
    pub fn cell_read_factor(&self, digit_bits: u32) -> Result<f64, String> {
        if self.cell_read_bits_factor.is_empty() {
            return Ok(1.0);
        }
        self.factor(&self.cell_read_bits_factor, digit_bits, "digit")
    }

    /// Energy of an access to a word of a buffer, relative to a word of the width that the table prices.
    #[must_use]
    pub fn word_factor(&self, word_bits: u32) -> f64 {
        f64::from(word_bits) / f64::from(self.word_bits)
    }

    /// Energy of a hop of a flit, relative to a flit of the width that the table prices.
    #[must_use]
    pub fn flit_factor(&self, flit_bits: u32) -> f64 {
        f64::from(flit_bits) / f64::from(self.flit_bits)
    }

    fn factor(&self, factors: &[f64], bits: u32, of: &str) -> Result<f64, String> {
        let factor = bits.checked_sub(1).and_then(|index| factors.get(index as usize));
        let known = || format!("1 to {} (cost table `{}` prices no other {of})", factors.len(), self.name);
        factor.copied().ok_or_else(known)
    }
}

impl Check for CostTable {
    fn check(&self, problems: &mut Problems) {
        for (name, value) in self.energy_j.entries() {
            // A missing price is an error where its action happens.
            problems.within("energy_j", |p| p.number(name, value.unwrap_or(0.0), 0.0..=1e-3, "J"));
        }
        let area = self.area_m2.as_ref().map(|costs| ("area_m2", costs, 1e-2, "m2"));
        for (table, costs, limit, unit) in area.into_iter().chain([("leakage_w", &self.leakage_w, 1e2, "W")]) {
            problems.within(table, |p| {
                for (name, value) in costs.entries() {
                    p.number(name, value, 0.0..=limit, unit);
                }
            });
        }
        let factors = self.dac_bits_factor.len();
        problems.require("dac_bits_factor", format!("{factors} values"), factors > 0, "at least one value");
        problems.integer("word_bits", self.word_bits.into(), 1..=65_536);
        problems.integer("flit_bits", self.flit_bits.into(), 1..=65_536);
        for (key, factors) in [
            ("dac_bits_factor", &self.dac_bits_factor),
            ("dac_size_factor", &self.dac_size_factor),
            ("cell_read_bits_factor", &self.cell_read_bits_factor),
        ] {
            factors.iter().for_each(|&factor| problems.number(key, factor, 0.0..=1e6, ""));
        }
    }
}

impl ComponentCosts {
    fn entries(&self) -> [(&'static str, f64); 8] {
        [
            ("cell", self.cell),
            ("dac", self.dac),
            ("sample_hold", self.sample_hold),
            ("shift_add", self.shift_add),
            ("input_register", self.input_register),
            ("output_register", self.output_register),
            ("tile", self.tile),
            ("router", self.router),
        ]
    }
}
