//! Programs of one stage by hand, for examples that were worked out on paper.

use chip::config::Chip;
use chip::program::{
    FeatureMap, InputCoding, MvmStage, Output, PlacedCrossbar, Program, Slice, Stage, Subtraction, Window,
};
use tile::adc::AdcTransfer;

/// A stage of crossbars that share one converter bank; every cell is at the lowest level, since only cycles and actions are wanted.
pub(crate) struct OneStage<'a> {
    pub(crate) chip: Chip,
    pub(crate) input: (u32, u32, u32),
    pub(crate) kernel: u32,
    pub(crate) padding: u32,
    pub(crate) outputs: u32,
    /// Columns per output.
    pub(crate) slices: usize,
    /// Rows of each crossbar.
    pub(crate) rows: &'a [u32],
}

impl OneStage<'_> {
    pub(crate) fn program(self) -> Program {
        let (height, width, channels) = self.input;
        let bits = self.chip.format.input_bits;
        let input = FeatureMap { height, width, channels, bits, signed: false };
        let window = Window::square(input, self.kernel, 1, self.padding);
        let adc = AdcTransfer { min_code: 0, max_code: 255, step: 1.0 };
        let stage = MvmStage {
            name: "layer".to_owned(),
            mapping: "none".to_owned(),
            input: 0,
            window,
            input_offset: 0,
            outputs: self.outputs,
            groups: 1,
            polarities: 1,
            subtraction: Subtraction::BeforeAdc,
            offset: 8,
            clipped_weights: 0,
            slices: (0..self.slices).map(|slice| Slice { bits: 2, significance: 1 << (2 * slice), adc }).collect(),
            output: Output::Codes { bits, signed: false, sign_bit: false },
            crossbars: self.crossbars(),
            replicas: Vec::new(),
            bias: vec![0; self.outputs as usize],
            multipliers: vec![1.0; self.outputs as usize],
        };
        Program {
            network: "worked".to_owned(),
            dataset: "none".to_owned(),
            training: "none".to_owned(),
            mapping: "none".to_owned(),
            software_accuracy: None,
            macs: window.rows() as u64 * u64::from(self.outputs) * window.count() as u64,
            chip: self.chip,
            input,
            coding: InputCoding { multipliers: vec![1.0], offsets: vec![0.0] },
            stages: vec![Stage::Mvm(stage)],
        }
    }

    fn crossbars(&self) -> Vec<PlacedCrossbar> {
        let start = |index: usize| self.rows[..index].iter().sum();
        let cells = |rows: u32| rows as usize * self.outputs as usize * self.slices;
        let placed = |(index, &rows): (usize, &u32)| PlacedCrossbar {
            tile: 0,
            array: index as u32,
            bank: 0,
            row_start: start(index),
            rows,
            output_start: 0,
            outputs: self.outputs,
            levels: vec![vec![0; cells(rows)]],
            flipped: Vec::new(),
            column_adcs: Vec::new(),
        };
        self.rows.iter().enumerate().map(placed).collect()
    }
}
