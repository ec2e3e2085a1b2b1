//! One program on many chip samples: accuracy, energy, latency, area.

use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::progress::Progress;
use crate::results::Row;
use crate::statistics::{mean, mean_interval, percentile, sd};
use crate::training::training_seed;
use chip::energy::{ArrayEnergy, Energy, area_m2, price};
use chip::functional::{Cells, ChipSample, ConverterUse, Inference, SampleAddress, Settings, infer_with};
use chip::program::Program;
use chip::timing;
use nn::datasets::Split;
use nn_compiler::compile::encode_images;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tile::actions::ActionCounts;
use tile::address::Purpose;
use tile::fault_map::FaultMap;

/// Parameters of an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Evaluator {
    /// Seed of the chip samples.
    pub seed: u64,
    /// What they are for: those of different purposes have nothing in common.
    pub purpose: Purpose,
    /// Number of chip samples.
    pub chips: u32,
    /// Images that are streamed to measure the throughput.
    pub timing_images: u32,
}

/// Where the cells of chip samples come from.
#[derive(Clone, Debug)]
pub enum CellSource {
    /// Drawn from the chip's device.
    Device,
    /// Drawn from the chip's device, with the faults of a map.
    Faulty(FaultMap),
    /// Given, for instance measured.
    Given(Cells),
}

/// One chip sample's result.
pub(crate) struct Simulated {
    pub(crate) accuracy: f64,
    inference: Inference,
}

/// What a program does on many chip samples.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evaluation {
    /// Accuracy of each chip sample.
    pub accuracies: Vec<f64>,
    /// Energy of one inference, mean over chip samples.
    pub energy: Energy,
    /// Actions of one inference.
    pub counts: ActionCounts,
    /// Cycles of one inference on its own.
    pub latency_cycles: u64,
    /// Steady rate, inferences per second.
    pub throughput_per_s: f64,
    /// Occupied area, m2; none if the cost table has none.
    pub area_m2: Option<f64>,
    /// What the converters saw, over all chip samples; their error statistics are those of the first one.
    pub converters: Vec<ConverterUse>,
    /// Outputs that were limited to the width of the accumulators, over all chip samples.
    pub saturated_outputs: u64,
    /// Bound on the error that solving the wires leaves in a column sum of full-scale inputs: the worst of all chip samples, in level
    /// spacings; 0 without wires.
    pub wire_error_bound: f64,
}

impl Evaluator {
    /// That of an experiment's test images, for the networks of a training seed.
    #[must_use]
    pub fn of(experiment: &Experiment, seed_index: u32) -> Self {
        let Experiment { chips, timing_images, .. } = *experiment;
        Self { seed: training_seed(experiment, seed_index), purpose: Purpose::Programming, chips, timing_images }
    }

    /// Simulates a program; chip samples run in parallel and are summed in their order. As many are under way as there are threads: one that
    /// waits for a part of its chip sample may begin another, so that otherwise their memory would have no bound.
    ///
    /// # Errors
    /// If the images are not the program's, the program cannot finish, or a price is missing.
    pub fn run(
        &self,
        program: &Program,
        images: &Split,
        source: &CellSource,
        progress: &dyn Progress,
    ) -> Result<Evaluation, ExploreError> {
        let mut samples = Vec::new();
        self.extend(&mut samples, program, images, source, progress)?;
        self.summarise(program, images.len() as u64, &samples)
    }

    /// The accuracy on each chip sample, which is all that is wanted where nothing else changes.
    ///
    /// # Errors
    /// If the images are not the program's, or the device cannot have its cells.
    pub fn accuracies(
        &self,
        program: &Program,
        images: &Split,
        progress: &dyn Progress,
    ) -> Result<Vec<f64>, ExploreError> {
        let mut samples = Vec::new();
        self.extend(&mut samples, program, images, &CellSource::Device, progress)?;
        Ok(samples.iter().map(|sample| sample.accuracy).collect())
    }

    /// Adds the chip samples that are missing to the first ones of them: what comes of it is what simulating all at once gives.
    ///
    /// # Errors
    /// As [`Self::run`], but for prices.
    pub(crate) fn extend(
        &self,
        samples: &mut Vec<Simulated>,
        program: &Program,
        images: &Split,
        source: &CellSource,
        progress: &dyn Progress,
    ) -> Result<(), ExploreError> {
        if images.is_empty() || images.features != program.input.len() {
            let what = format!(
                "the program takes images of {} values; given are {} images of {}",
                program.input.len(),
                images.len(),
                images.features
            );
            return Err(ExploreError::Request(what));
        }
        let codes = encode_images(program, &images.images);
        let chip_sample = |(cells, index): (&mut Cells, u32)| {
            let sample = self.sample(program, source, index.into(), cells).map_err(ExploreError::Request)?;
            let settings = Settings { errors: index == 0, ..Settings::default() };
            let inference = infer_with(program, &sample, &codes, settings).map_err(ExploreError::Request)?;
            progress.advance(1);
            let accuracy = inference.accuracy(&images.labels);
            Ok(Simulated { accuracy, inference })
        };
        let indices: Vec<u32> = (0..self.chips).skip(samples.len()).collect();
        let at_once = rayon::current_num_threads().min(indices.len());
        let mut cells = vec![self.blank(program, source); at_once];
        for some in indices.chunks(at_once.max(1)) {
            let run = cells.par_iter_mut().zip(some.par_iter().copied()).map(chip_sample);
            samples.extend(run.collect::<Result<Vec<Simulated>, ExploreError>>()?);
        }
        Ok(())
    }

    fn address(&self, chip_sample: u64) -> SampleAddress {
        SampleAddress { seed: self.seed, purpose: self.purpose, chip_sample }
    }

    /// Cells for chip samples, one after the other.
    fn blank(&self, program: &Program, source: &CellSource) -> Cells {
        match source {
            CellSource::Given(given) => given.clone(),
            CellSource::Device | CellSource::Faulty(_) => Cells::empty(program, self.address(0)),
        }
    }

    /// A chip sample, made in [`Self::blank`] cells or those of another sample; given cells stand for every index.
    fn sample(
        &self,
        program: &Program,
        source: &CellSource,
        index: u64,
        cells: &mut Cells,
    ) -> Result<ChipSample, String> {
        match source {
            CellSource::Device => cells.reprogram(program, self.address(index))?,
            CellSource::Faulty(map) => {
                cells.reprogram(program, self.address(index))?;
                cells.apply_faults(program, map)?;
            }
            CellSource::Given(_) => cells.address = self.address(index),
        }
        ChipSample::from_cells(program, cells)
    }

    /// The result of all chip samples, each of as many `images`.
    ///
    /// # Errors
    /// If the program cannot finish, or a price is missing.
    pub(crate) fn summarise(
        &self,
        program: &Program,
        images: u64,
        samples: &[Simulated],
    ) -> Result<Evaluation, ExploreError> {
        let clock_hz = program.chip.clock_hz;
        let latency_cycles = timing::run(program, 1)?.cycles();
        let (cycles, streamed) = timing::run(program, self.timing_images.into())?.steady_interval();
        let interval_s = cycles as f64 / streamed as f64 / clock_hz;
        let counts = samples.first().map(|sample| sample.inference.counts).unwrap_or_default();
        let array_j: Vec<f64> = samples.iter().map(|s| s.inference.array_energy_j / images as f64).collect();
        // Counts do not depend on the values of the images, so a batch is a whole multiple of one image.
        let per_image = counts.divided_by(images);
        let energy = price(&per_image, program, ArrayEnergy::Exact(mean(&array_j)), interval_s);
        Ok(Evaluation {
            accuracies: samples.iter().map(|sample| sample.accuracy).collect(),
            energy: energy.map_err(ExploreError::Request)?,
            counts: per_image,
            latency_cycles,
            throughput_per_s: 1.0 / interval_s,
            area_m2: area_m2(program).map_err(ExploreError::Request)?,
            converters: merge_converters(samples.iter().map(|sample| sample.inference.converters.as_slice())),
            saturated_outputs: samples.iter().map(|sample| sample.inference.saturated_outputs).sum(),
            wire_error_bound: samples.iter().map(|sample| sample.inference.wire_error_bound).fold(0.0, f64::max),
        })
    }
}

/// What the same converters saw, over several evaluations.
pub(crate) fn merge_converters<'a>(samples: impl Iterator<Item = &'a [ConverterUse]>) -> Vec<ConverterUse> {
    let mut merged: Vec<ConverterUse> = Vec::new();
    for sample in samples {
        if merged.is_empty() {
            merged = sample.to_vec();
            continue;
        }
        for (sum, one) in merged.iter_mut().zip(sample) {
            sum.merge(one);
        }
    }
    merged
}

/// One row of results from the evaluations of several networks (training seeds) of the same kind.
///
/// # Errors
/// If there is no program, or no evaluation of each.
pub fn row(programs: &[&Program], evaluations: &[&Evaluation], images: u64, seed: u64) -> Result<Row, ExploreError> {
    let program =
        *programs.first().ok_or_else(|| ExploreError::Request("there is no program to report on".to_owned()))?;
    let chip = &program.chip;
    let accuracies: Vec<Vec<f64>> = evaluations.iter().map(|e| e.accuracies.clone()).collect();
    let pooled: Vec<f64> = accuracies.iter().flatten().copied().collect();
    let interval = mean_interval(&accuracies).map_err(|error| ExploreError::Request(error.to_string()))?;
    let average = |value: &dyn Fn(&Evaluation) -> f64| mean(&evaluations.iter().map(|e| value(e)).collect::<Vec<_>>());
    let energy_j = average(&|e| e.energy.total_j());
    let latency_cycles = average(&|e| e.latency_cycles as f64);
    Ok(Row {
        network: program.network.clone(),
        dataset: program.dataset.clone(),
        training: program.training.clone(),
        mapping: program.mapping.clone(),
        device: chip.tile.cell.device.name.clone(),
        sigma_scale: chip.tile.cell.device.sigma_scale,
        array_rows: chip.tile.array.rows.into(),
        array_cols: chip.tile.array.cols.into(),
        cell_bits: chip.tile.cell.bits.into(),
        weight_bits: chip.format.weight_bits.into(),
        input_bits: chip.format.input_bits.into(),
        dac_bits: chip.tile.dac.bits.into(),
        adc_kind: chip.tile.adc.kind.name().to_owned(),
        adc_bits: chip.tile.adc.bits.into(),
        adc_range: chip.tile.adc.range_name(),
        adc_model: chip.tile.adc.model.clone(),
        cost_table: chip.costs.name.clone(),
        chips: pooled.len() as u64,
        images,
        seed,
        software_accuracy: mean(&programs.iter().map(|p| p.software_accuracy.unwrap_or(f64::NAN)).collect::<Vec<_>>()),
        accuracy_mean: mean(&pooled),
        accuracy_sd: sd(&pooled),
        accuracy_ci95_low: interval.low,
        accuracy_ci95_high: interval.high,
        accuracy_p5: percentile(&pooled, 5.0),
        energy_j,
        energy_array_j: average(&|e| e.energy.array_j),
        energy_dac_j: average(&|e| e.energy.dac_j),
        energy_adc_j: average(&|e| e.energy.adc_j),
        energy_digital_j: average(&|e| e.energy.digital_j()),
        energy_buffer_j: average(&|e| e.energy.buffer_j),
        energy_link_j: average(&|e| e.energy.link_j),
        energy_leakage_j: average(&|e| e.energy.leakage_j),
        latency_cycles: latency_cycles as u64,
        latency_s: latency_cycles / chip.clock_hz,
        throughput_per_s: average(&|e| e.throughput_per_s),
        area_m2: evaluations.iter().map(|e| e.area_m2).collect::<Option<Vec<f64>>>().map(|areas| mean(&areas)),
        wire_error_bound: evaluations.iter().map(|e| e.wire_error_bound).fold(0.0, f64::max),
        tops_per_w: 2.0 * program.macs as f64 / energy_j / 1e12,
    })
}
