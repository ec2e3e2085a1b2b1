//! The description of a case. Every key is known; a value whose meaning the test does not implement is refused, never ignored.

use nn_compiler::mapping::{Digits, Encoding, Form, SliceCode, Subtraction};
use serde::Deserialize;
use std::ops::Range;
use std::path::Path;

/// A case as CrossSim's runner wrote it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(rename = "note")]
    _note: String,
    /// Largest input code.
    pub(crate) x_max: u32,
    /// Largest weight.
    w_max: i32,
    /// Row partitions (there is one column partition).
    #[serde(rename = "Ncores")]
    cores: usize,
    /// Root mean square and largest difference of CrossSim's results to the exact product, and the largest exact result.
    pub(crate) rms_err: f64,
    pub(crate) max_err: f64,
    pub(crate) max_abs_ideal: f64,
    pub(crate) params: Params,
    /// Index, first and end of each column partition.
    out_bounds: Option<Vec<[usize; 3]>>,
    /// Index, first and end of each row partition.
    in_bounds: Option<Vec<[usize; 3]>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Style {
    Balanced,
    BitslicedBalanced,
    Offset,
    BitslicedOffset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Partition {
    Equal,
    Max,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum AdcKind {
    #[serde(rename = "none")]
    None,
    QuantizerADC,
    SignMagnitudeADC,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum AdcRange {
    Calibrated,
    Max,
    Granular,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Ranges {
    One([f64; 2]),
    PerSlice(Vec<[f64; 2]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum OffsetStyle {
    #[serde(rename = "DIGITAL_OFFSET")]
    Digital,
    #[serde(rename = "UNIT_COLUMN_SUBTRACTION")]
    UnitColumn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum BalancedStyle {
    #[serde(rename = "ONE_SIDED")]
    OneSided,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum ProgrammingError {
    NormalIndependentDevice,
    NormalProportionalDevice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Data {
    Main,
}

/// CrossSim's parameters by its runner's names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    pub(crate) style: Style,
    wbits: u32,
    pub(crate) slices: usize,
    rows_max: usize,
    cols_max: usize,
    partition: Partition,
    pub(crate) gmin: f64,
    pub(crate) input_signed: bool,
    pub(crate) input_bits: u32,
    pub(crate) input_serial: bool,
    input_slice_size: u32,
    pub(crate) adc: AdcKind,
    pub(crate) adc_bits: u32,
    pub(crate) adc_range: AdcRange,
    pub(crate) adc_per_ibit: bool,
    pub(crate) calibrated_range: Option<Ranges>,
    subtract_in_xbar: bool,
    interleaved: bool,
    pub(crate) offset_style: OffsetStyle,
    #[serde(rename = "balanced_style")]
    _balanced_style: BalancedStyle,
    cell_bits: u32,
    prog_error: Option<ProgrammingError>,
    prog_mag: f64,
    /// The programmed conductances are saved, so nothing is drawn.
    #[serde(rename = "seed")]
    _seed: u64,
    pub(crate) parasitics: bool,
    #[serde(rename = "Rp_row")]
    pub(crate) row_ohm: f64,
    #[serde(rename = "Rp_col")]
    pub(crate) col_ohm: f64,
    #[serde(rename = "Rp_row_term")]
    row_terminal_ohm: f64,
    #[serde(rename = "Rp_col_term")]
    pub(crate) col_terminal_ohm: f64,
    #[serde(rename = "Rmin")]
    pub(crate) r_min_ohm: f64,
    /// Where CrossSim's iteration stops: largest violation of Kirchhoff's voltage law as a share of full scale.
    #[serde(rename = "Verr_th")]
    pub(crate) solver_error: f64,
    /// CrossSim's limit of iterations and its damping: how it got to the result, not what the result is.
    #[serde(rename = "Niters")]
    _iterations: u64,
    #[serde(rename = "gamma")]
    _damping: f64,
    shape: [usize; 2],
    pub(crate) batch: usize,
    #[serde(rename = "data")]
    _data: Data,
}

impl Case {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let case: Self = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let p = &case.params;
        if p.wbits != 8 || !(1..=8).contains(&p.slices) || !(2..=8).contains(&p.input_bits) {
            return Err("implemented are 8-bit weights in 1 to 8 slices and inputs of 2 to 8 bits".to_owned());
        }
        let refused: Vec<&str> =
            case.requirements().into_iter().filter_map(|(met, what)| (!met).then_some(what)).collect();
        if refused.is_empty() { Ok(case) } else { Err(format!("not implemented, or inconsistent: {refused:?}")) }
    }

    /// What the test relies on, with the name of each.
    fn requirements(&self) -> [(bool, &'static str); 14] {
        let p = &self.params;
        let (magnitude, bits) = (1_i32 << (p.wbits - 1), self.cell_bits());
        let cell_bits = if self.bit_sliced() { 0 } else { bits };
        let wires = [p.row_ohm, p.col_ohm, p.col_terminal_ohm];
        [
            (self.w_max == magnitude - 1, "w_max"),
            (self.x_max == (1 << self.magnitude_bits()) - 1, "x_max"),
            (!self.bit_sliced() || self.encoding().slices.len() == p.slices, "slices"),
            (p.cell_bits == cell_bits, "cell_bits"),
            (p.cols_max == 0, "cols_max"),
            (self.out_bounds.as_ref().is_none_or(|bounds| *bounds == [[0, 0, self.outputs()]]), "out_bounds"),
            (self.partitions().len() == self.cores && self.bounds_agree(), "in_bounds or Ncores"),
            (p.subtract_in_xbar || self.encoding().polarities() == 1, "subtract_in_xbar = false"),
            (!p.interleaved, "interleaved"),
            (p.row_terminal_ohm == 0.0, "Rp_row_term"),
            (p.parasitics == wires.iter().any(|&ohm| ohm != 0.0), "parasitics"),
            ((p.adc == AdcKind::None) == (p.adc_bits == 0), "adc_bits"),
            (p.prog_error.is_some() == (p.prog_mag != 0.0), "prog_mag"),
            ((0.0..1.0).contains(&p.gmin) && (1..=8).contains(&p.input_slice_size), "gmin or input_slice_size"),
        ]
    }

    pub(crate) fn bit_sliced(&self) -> bool {
        matches!(self.params.style, Style::BitslicedBalanced | Style::BitslicedOffset)
    }

    /// Whether the core is CrossSim's `balanced` one, which holds its conductances in `f32`.
    pub(crate) fn is_balanced(&self) -> bool {
        self.params.style == Style::Balanced
    }

    /// The same mapping in the product's terms.
    pub(crate) fn encoding(&self) -> Encoding {
        let Params { style, wbits, .. } = self.params;
        let bits = self.cell_bits();
        let paired = matches!(style, Style::Balanced | Style::BitslicedBalanced);
        let one_sided = || (0..1_u16 << bits).map(|digit| (digit as u8, 0)).collect();
        let form = if paired {
            Form::Pair { pairs: one_sided(), subtraction: Subtraction::BeforeAdc }
        } else {
            Form::Offset(1 << (wbits - 1))
        };
        let slices = (wbits - u32::from(paired)).div_ceil(bits);
        let slice = |index: u32| SliceCode { bits, significance: 1 << (index * bits) };
        let slices = (0..slices).map(slice).collect();
        Encoding { weight_bits: wbits, slices, digits: Digits::Positional, form, flip: None }
    }

    /// Bits of a cell.
    pub(crate) fn cell_bits(&self) -> u32 {
        let Params { style, wbits, slices, .. } = self.params;
        let even = wbits / slices as u32;
        let split = |bits: u32| if wbits.is_multiple_of(slices as u32) { even } else { bits.div_ceil(slices as u32) };
        match style {
            Style::Balanced => wbits - 1,
            Style::BitslicedBalanced => split(wbits - 1),
            Style::Offset => wbits,
            Style::BitslicedOffset => split(wbits),
        }
    }

    pub(crate) fn outputs(&self) -> usize {
        self.params.shape[0]
    }

    pub(crate) fn inputs(&self) -> usize {
        self.params.shape[1]
    }

    /// Whether the saved conductances differ from the nominal ones.
    pub(crate) fn is_noisy(&self) -> bool {
        self.params.prog_error.is_some()
    }

    /// Whether every array has one more output for the weight 0, which is subtracted from the others.
    pub(crate) fn has_unit_column(&self) -> bool {
        self.encoding().polarities() == 1 && self.params.offset_style == OffsetStyle::UnitColumn
    }

    /// Bits of an input without its sign.
    pub(crate) fn magnitude_bits(&self) -> u32 {
        self.params.input_bits - u32::from(self.params.input_signed)
    }

    /// Bits that the DAC applies at a time.
    pub(crate) fn dac_bits(&self) -> u32 {
        if self.params.input_serial { self.params.input_slice_size } else { self.magnitude_bits() }
    }

    /// Inputs of each array: equal parts if they come out even; else `EQUAL` rounds (half to even), `MAX` fills all arrays but the last.
    pub(crate) fn partitions(&self) -> Vec<Range<usize>> {
        let (inputs, rows_max) = (self.inputs(), self.params.rows_max);
        let count = if rows_max == 0 { 1 } else { inputs.div_ceil(rows_max) };
        let rows = match self.params.partition {
            _ if inputs.is_multiple_of(count) => inputs / count,
            Partition::Equal => (inputs as f64 / count as f64).round_ties_even() as usize,
            Partition::Max => rows_max,
        };
        (0..count).map(|k| k * rows..if k + 1 == count { inputs } else { (k + 1) * rows }).collect()
    }

    fn bounds_agree(&self) -> bool {
        let ours = self.partitions().into_iter().enumerate().map(|(index, range)| [index, range.start, range.end]);
        self.in_bounds.as_ref().map_or(self.cores == 1, |bounds| bounds.iter().copied().eq(ours))
    }
}
