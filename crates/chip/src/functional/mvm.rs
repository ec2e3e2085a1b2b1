//! One MVM stage in values: blocks of windows through its arrays.

use super::array::{Array, Solution};
use super::merge::{Outputs, unit_actions, window_actions};
use super::merged::Factors;
use super::noise::Addresses;
use super::plan::{Partition, StagePlan};
use super::probe::{ColumnProbe, show};
use super::totals::StageTotals;
use super::windows::Windows;
use std::ops::Range;
use tile::actions::ActionCounts;
use tile::address::Purpose;
use tile::kernel::{BlockResults, BlockSums, Conversions, Isa, Kernel, Lanes, Packed, ReadNoise};

/// Most codes of the windows that are worked on together: with what they are packed to they fit a second-level cache.
const BLOCK_CODES: usize = 128 << 10;
/// Fewest and most windows of a block. Making the tables takes as long as some 20 windows.
const BLOCK_WINDOWS: (usize, usize) = (32, 256);

/// Runs one stage over the images of a block.
pub(super) struct MvmRun<'a> {
    plan: &'a StagePlan<'a>,
    pub(super) totals: StageTotals,
    isa: Isa,
    kernel: Kernel,
    windows: Windows,
    packed: Packed,
    factors: Factors,
    accumulators: Vec<Lanes<f64>>,
    /// Sums of one array, per block of columns.
    sums: Vec<Vec<Lanes<f32>>>,
    read_keys: Vec<u64>,
    thermal_keys: Vec<u64>,
}

/// The images of a block.
pub(super) struct Images<'m> {
    /// Number of the first one in its batch.
    pub(super) first: u64,
    /// How many there are.
    pub(super) count: usize,
    /// The input map of each, one after the other.
    pub(super) maps: &'m [i32],
}

impl<'a> MvmRun<'a> {
    pub(super) fn new(plan: &'a StagePlan<'a>, isa: Isa, with_errors: bool) -> Self {
        let tables = !matches!(plan.sample.arrays.first(), Some(Array::Linear(_)));
        Self {
            plan,
            totals: StageTotals::new(plan, with_errors),
            isa,
            kernel: Kernel::new(isa),
            windows: Windows::new(plan),
            packed: Packed::new(plan.format, tables),
            factors: Factors::default(),
            accumulators: Vec::new(),
            sums: Vec::new(),
            read_keys: Vec::new(),
            thermal_keys: Vec::new(),
        }
    }

    /// Runs all windows of all images; the results of each window follow each other.
    pub(super) fn run(
        &mut self,
        images: &Images<'_>,
        counts: &mut ActionCounts,
        probe: &mut Option<&mut dyn ColumnProbe>,
    ) -> Result<Outputs, String> {
        let stage = self.plan.stage;
        let all = images.count * stage.window.count();
        let block = (BLOCK_CODES / stage.window.rows()).clamp(BLOCK_WINDOWS.0, BLOCK_WINDOWS.1);
        let mut outputs = Outputs::with_room(stage, all);
        self.windows.set_maps(images.maps);
        for start in (0..all).step_by(block) {
            let windows = start..all.min(start + block);
            self.windows.gather(windows.clone());
            self.book_inputs();
            outputs.begin(self.plan, &self.windows);
            *counts += window_actions(self.plan).times(windows.len() as u64);
            if let Some(merged) = &self.plan.merged {
                merged.add_products(&self.kernel, &self.windows, &mut self.factors, &mut outputs);
            }
            for partition in 0..self.plan.partitions.len() {
                if self.plan.merged.is_none() || probe.is_some() {
                    self.drive(partition, images.first, &windows);
                }
                self.read(
                    partition,
                    (images.first * stage.window.count() as u64 + start as u64, probe),
                    &mut outputs,
                    counts,
                )?;
            }
            // The first addend of every output needs no adder.
            counts.merge_add -= u64::from(stage.outputs) * windows.len() as u64;
            self.totals.saturated_outputs += outputs.finish(&self.kernel, self.plan);
        }
        Ok(outputs)
    }

    /// Counts how often every row is driven.
    fn book_inputs(&mut self) {
        let format = self.plan.format;
        self.windows.add_squares(&self.kernel, format, &mut self.totals.squares);
        let digits = &mut self.totals.digits;
        if !digits.is_empty() {
            self.windows.for_each_digit(format, |row, digit| digits[digit.unsigned_abs() as usize - 1][row] += 1);
        }
    }

    /// Prepares what all arrays of a row partition see.
    fn drive(&mut self, partition: usize, first_image: u64, windows: &Range<usize>) {
        let (plan, rows) = (self.plan, &self.plan.partitions[partition].rows);
        self.windows.pack(self.isa, rows, &mut self.packed);
        let at = Addresses { plan, first_image, windows: windows.clone(), row_start: rows.start };
        if plan.read_noise {
            at.keys(Purpose::ReadNoise, &mut self.read_keys);
        }
        if plan.thermal_noise {
            at.keys(Purpose::AdcNoise, &mut self.thermal_keys);
        }
    }

    /// Reads and converts all arrays of a row partition. The probe counts windows from `first` on.
    fn read(
        &mut self,
        partition: usize,
        (first, probe): (u64, &mut Option<&mut dyn ColumnProbe>),
        outputs: &mut Outputs,
        counts: &mut ActionCounts,
    ) -> Result<(), String> {
        let plan = self.plan;
        let rows = &plan.partitions[partition].rows;
        let complements = plan.merged.is_none() && plan.stage.flipped_columns() > 0;
        let input_sums = if complements { self.sums_of_groups(partition) } else { Vec::new() };
        for &index in &plan.partitions[partition].units {
            // Sums that are watched, noisy or solved are kept before they are converted; others stay in registers.
            let kept = probe.is_some() || plan.read_noise || plan.sample.arrays[index].cells(0).is_none();
            if kept {
                self.keep_sums(index, rows)?;
            }
            if let Some(probe) = probe {
                show(*probe, plan, index, (first, &self.windows, rows), &self.sums);
            }
            if plan.merged.is_some() {
                self.totals.units[index].conversions += self.windows.count() as u64 * u64::from(plan.format.cycles);
            } else {
                self.convert(index, kept, outputs);
                outputs.complement(plan, &plan.units[index], &input_sums);
            }
            *counts += unit_actions(plan, &plan.units[index]).times(self.windows.count() as u64);
        }
        Ok(())
    }

    /// Sums of the codes of a row partition under each window, group by group.
    fn sums_of_groups(&self, partition: usize) -> Vec<Vec<i64>> {
        let Partition { rows, units } = &self.plan.partitions[partition];
        let Some(placed) = units.first().map(|&unit| self.plan.placed(&self.plan.units[unit])) else {
            return Vec::new();
        };
        let groups = self.plan.stage.groups();
        let of_group = |group| {
            let part = groups.rows_in(placed, group);
            self.windows.sums(&(rows.start + part.start..rows.start + part.end))
        };
        groups.of(placed).map(of_group).collect()
    }

    /// Column sums of one array, with read noise.
    fn keep_sums(&mut self, index: usize, rows: &Range<usize>) -> Result<(), String> {
        let (plan, unit) = (self.plan, &self.plan.units[index]);
        if let Array::Solved(solved) = &plan.sample.arrays[index] {
            let solution = solved.solve(self.windows.digits(rows, plan.format)).map_err(|error| error.to_string())?;
            let Solution { blocks, power_w, error_bound } = solution;
            self.totals.solved_energy_j += power_w * plan.program.chip.tile.array.read_time_s;
            self.totals.wire_error_bound = self.totals.wire_error_bound.max(error_bound);
            self.sums = blocks;
        }
        self.sums.resize(unit.draws.len(), Vec::new());
        for (block, sums) in self.sums.iter_mut().enumerate() {
            if let Some(cells) = plan.sample.arrays[index].cells(block) {
                self.kernel.sums(&self.packed, cells, sums);
            }
            if let Some(variances) = &plan.sample.noise[index] {
                let noise =
                    ReadNoise { variances: variances.block(block), keys: &self.read_keys, columns: unit.draws[block] };
                self.kernel.add_noise(&self.packed, &noise, sums);
            }
        }
        Ok(())
    }

    /// Converts all columns of one array, shifts, adds and merges.
    fn convert(&mut self, index: usize, kept: bool, outputs: &mut Outputs) {
        let (plan, unit) = (self.plan, &self.plan.units[index]);
        let totals = &mut self.totals.units[index];
        self.accumulators.resize(self.packed.vectors(), Lanes::splat(0.0));
        totals.conversions += self.packed.vectors() as u64 * u64::from(plan.format.cycles);
        let per_block = totals.seen.blocks_mut().iter_mut().zip(&mut totals.saturated);
        for (block, (seen, saturated)) in per_block.enumerate() {
            let cells = plan.sample.arrays[index].cells(block).filter(|_| !kept);
            let sums = cells.map_or_else(|| BlockSums::Given(&self.sums[block]), BlockSums::Cells);
            let by = Conversions {
                adc: &plan.sample.banks[index].blocks()[block],
                thermal_keys: &self.thermal_keys,
                columns: unit.draws[block],
                limit: unit.limit,
            };
            let results = BlockResults { accumulators: &mut self.accumulators, seen, saturated };
            self.kernel.convert(&self.packed, sums, &by, results);
            outputs.merge(&self.kernel, unit, block, &self.accumulators);
        }
    }
}
