//! What must hold of a program before an engine may run it. Engines index without checks of their own, so nothing may slip through here.

use super::dataflow::check_format;
use super::{AddStage, LARGEST_MULTIPLIER, MOST_SLICES, MvmStage, Output};
use super::{PlacedCrossbar, PoolKind, PoolStage, Program, Stage, Subtraction};
use tile::check::{Check, Problems};

/// Most bits of a code, a sign not counted.
pub(super) const MOST_CODE_BITS: u32 = 16;

/// What crossbars are to hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contents {
    /// Levels and what belongs to them.
    Weights,
    /// None of it.
    Nothing,
}

impl Program {
    /// Checks the whole program.
    ///
    /// # Errors
    /// The first thing that is wrong, with the stage's name.
    pub fn validate(&self) -> Result<(), String> {
        self.validate_with(Contents::Weights)
    }

    /// Checks an outline: a program without levels, biases and converters of single columns, which can be timed and nothing else.
    ///
    /// # Errors
    /// The first thing that is wrong, with the stage's name.
    pub fn validate_outline(&self) -> Result<(), String> {
        self.validate_with(Contents::Nothing)
    }

    fn validate_with(&self, contents: Contents) -> Result<(), String> {
        let mut problems = Problems::default();
        self.chip.check(&mut problems);
        if let Some(problem) = problems.found.first() {
            return Err(format!("chip: {problem}"));
        }
        if self.stages.is_empty() {
            return Err("it has no stages".to_owned());
        }
        check_format(&self.input).map_err(|what| format!("input: {what}"))?;
        let last = self.stages.len() - 1;
        // One after the other, since a source is only asked for its result when nothing is wrong with it.
        for (index, stage) in self.stages.iter().enumerate() {
            self.check_stage(index, stage, contents).map_err(|what| format!("stage `{}`: {what}", stage.name()))?;
        }
        self.check_readers()?;
        self.check_arrays()?;
        if !matches!(self.stages[last], Stage::Mvm(MvmStage { output: Output::Scores {}, .. })) {
            return Err("the last stage must be an MVM stage that yields scores".to_owned());
        }
        Ok(())
    }

    fn check_stage(&self, index: usize, stage: &Stage, contents: Contents) -> Result<(), String> {
        self.check_sources(index, stage)?;
        match stage {
            Stage::Mvm(mvm) => self.check_mvm(mvm, index + 1 == self.stages.len(), contents),
            Stage::Pool(pool) => self.check_pool(pool),
            Stage::Add(add) => self.check_add(add),
        }
    }

    fn check_pool(&self, stage: &PoolStage) -> Result<(), String> {
        self.check_tile(stage.tile)?;
        match stage.kind {
            PoolKind::Max => Ok(()),
            PoolKind::Average { multiplier } => check_multiplier(multiplier),
        }
    }

    fn check_add(&self, stage: &AddStage) -> Result<(), String> {
        self.check_tile(stage.tile)?;
        stage.multipliers.into_iter().try_for_each(check_multiplier)?;
        if !(1..=MOST_CODE_BITS).contains(&stage.bits) {
            return Err(format!("output bits must be 1 to {MOST_CODE_BITS}"));
        }
        if stage.signed && !stage.sign_bit { Err("signed codes need a sign bit".to_owned()) } else { Ok(()) }
    }

    pub(super) fn check_tile(&self, tile: u32) -> Result<(), String> {
        let tiles = self.chip.mesh.tiles();
        if u64::from(tile) < tiles { Ok(()) } else { Err(format!("tile {tile} does not exist; the chip has {tiles}")) }
    }

    fn check_mvm(&self, stage: &MvmStage, last: bool, contents: Contents) -> Result<(), String> {
        let require = |ok: bool, what: &str| if ok { Ok(()) } else { Err(what.to_owned()) };
        require((1..=65_536).contains(&stage.outputs), "outputs must be 1 to 65536")?;
        require((1..=2).contains(&stage.polarities), "polarities must be 1 or 2")?;
        require(
            stage.polarities == 2 || stage.subtraction == Subtraction::BeforeAdc,
            "only a pair can be subtracted after conversion",
        )?;
        require((1..=MOST_SLICES).contains(&stage.slices.len()), "it must have 1 to 256 slices")?;
        require(stage.offset.unsigned_abs() <= 1 << 20, "the offset is out of range")?;
        match contents {
            Contents::Weights => {
                require(stage.bias.len() == stage.outputs as usize, "it must have one bias per output")?;
            }
            Contents::Nothing => require(stage.bias.is_empty(), "it has biases; an outline has none")?,
        }
        require(stage.bias.iter().all(|bias| bias.unsigned_abs() <= 1 << 52), "a bias is out of range")?;
        require(
            stage.window.input.bits == self.chip.format.input_bits,
            "its input is not as wide as the chip's format.input_bits",
        )?;
        require(
            stage.window.input.signed == self.chip.signed_inputs(),
            "its input must be signed where the chip's tile.dac.format is \"sign-magnitude\", and unsigned elsewhere",
        )?;
        for slice in &stage.slices {
            let significance = slice.significance.unsigned_abs();
            require((1..=1 << 20).contains(&significance), "a slice's significance is out of range")?;
            require((1..=self.chip.tile.cell.bits).contains(&slice.bits), "a slice has more bits than a cell")?;
            require(positive_step(slice.adc.step), "an ADC step is not a positive number of moderate size")?;
            let codes = -(1 << 21)..=1 << 21;
            require(
                codes.contains(&slice.adc.min_code) && codes.contains(&slice.adc.max_code),
                "an ADC code is out of range",
            )?;
            require(slice.adc.min_code <= 0 && slice.adc.max_code > 0, "an ADC must have code 0 and a positive code")?;
        }
        match stage.output {
            Output::Codes { multiplier, bits, signed: _ } => {
                require(multiplier.is_finite() && multiplier > 0.0, "its multiplier is not a positive number")?;
                require((1..=MOST_CODE_BITS).contains(&bits), "output bits must be 1 to 16")?;
                require(!last, "the last stage must yield scores")?;
            }
            Output::Scores {} => require(last, "only the last stage can yield scores")?,
        }
        for crossbar in &stage.crossbars {
            self.check_crossbar(stage, crossbar, contents)?;
        }
        check_cover(stage)?;
        self.check_replicas(stage)
    }

    fn check_crossbar(&self, stage: &MvmStage, placed: &PlacedCrossbar, contents: Contents) -> Result<(), String> {
        let fail =
            |what: String| Err(format!("crossbar at row {}, output {}: {what}", placed.row_start, placed.output_start));
        let tile = &self.chip.tile;
        let (rows, columns) = (u64::from(placed.rows), stage.columns(placed));
        if rows == 0 || columns == 0 || rows > tile.array.rows.into() || columns > tile.array.cols.into() {
            return fail(format!(
                "{rows} x {columns} cells do not fit an array of {} x {}",
                tile.array.rows, tile.array.cols
            ));
        }
        self.check_place(stage, placed.place()).or_else(fail)?;
        if contents == Contents::Nothing {
            let empty = placed.levels.is_empty() && placed.flipped.is_empty() && placed.column_adcs.is_empty();
            return if empty { Ok(()) } else { fail("it has levels; an outline has none".to_owned()) };
        }
        if placed.levels.len() != stage.polarities as usize
            || placed.levels.iter().any(|l| l.len() as u64 != rows * columns)
        {
            return fail("its matrix of levels has another size".to_owned());
        }
        check_levels(stage, placed).map_or(Ok(()), fail)?;
        check_columns(stage, placed).map_or(Ok(()), fail)
    }
}

/// What is wrong with the levels of a crossbar of the right size.
fn check_levels(stage: &MvmStage, placed: &PlacedCrossbar) -> Option<String> {
    let slices = stage.slices.len();
    for levels in &placed.levels {
        for (column, &level) in levels.iter().enumerate() {
            let top = stage.top_level(column % slices);
            if u32::from(level) > top {
                let bits = stage.slices[column % slices].bits;
                return Some(format!("level {level} is above {top}, the highest of a {bits}-bit cell"));
            }
        }
    }
    None
}

/// Converters multiply by the inverse of the step, as `f32`.
fn positive_step(step: f64) -> bool {
    step > 0.0 && ((1.0 / step) as f32).is_normal()
}

/// What is wrong with what single columns have of their own.
fn check_columns(stage: &MvmStage, placed: &PlacedCrossbar) -> Option<String> {
    let (columns, converted) = (stage.columns(placed), stage.converted_columns(placed));
    if !placed.flipped.is_empty() && (placed.flipped.len() as u64 != columns || stage.polarities == 2) {
        return Some("its flags of complemented columns do not fit its columns".to_owned());
    }
    if !placed.column_adcs.is_empty() && placed.column_adcs.len() as u64 != converted {
        return Some(format!("it has converters for {} of {converted} columns", placed.column_adcs.len()));
    }
    let positive = |value: f64| value.is_finite() && value > 0.0;
    let bad = placed.column_adcs.iter().any(|adc| !positive_step(adc.step) || !positive(adc.gain));
    bad.then(|| "a step or gain of a column is not a positive number".to_owned())
}

fn check_multiplier(multiplier: f64) -> Result<(), String> {
    if multiplier.is_finite() && multiplier > 0.0 && multiplier <= LARGEST_MULTIPLIER {
        return Ok(());
    }
    Err(format!("multiplier {multiplier} is not a positive number of at most {LARGEST_MULTIPLIER}"))
}

/// Every (row, output) must be in exactly one crossbar, and banks must be numbered without gaps.
fn check_cover(stage: &MvmStage) -> Result<(), String> {
    let (rows, outputs) = (stage.window.rows() as u64, u64::from(stage.outputs));
    let end = |start: u32, count: u32| u64::from(start) + u64::from(count);
    let mut area = 0_u64;
    for (index, a) in stage.crossbars.iter().enumerate() {
        if end(a.row_start, a.rows) > rows || end(a.output_start, a.outputs) > outputs {
            return Err(format!(
                "a crossbar covers row {} or output {} beyond the matrix",
                a.row_start, a.output_start
            ));
        }
        area += u64::from(a.rows) * u64::from(a.outputs);
        let overlaps = |b: &PlacedCrossbar| {
            u64::from(a.row_start) < end(b.row_start, b.rows)
                && u64::from(b.row_start) < end(a.row_start, a.rows)
                && u64::from(a.output_start) < end(b.output_start, b.outputs)
                && u64::from(b.output_start) < end(a.output_start, a.outputs)
        };
        if stage.crossbars[..index].iter().any(overlaps) {
            return Err(format!("two crossbars hold row {}, output {}", a.row_start, a.output_start));
        }
    }
    if area != rows * outputs {
        return Err(format!("its crossbars hold {area} of {} weights", rows * outputs));
    }
    if stage.crossbars.iter().any(|crossbar| crossbar.bank as usize >= stage.crossbars.len()) {
        return Err("a bank number is too high".to_owned());
    }
    match stage.banks().iter().position(Vec::is_empty) {
        Some(bank) => Err(format!("bank {bank} has no crossbar")),
        None => Ok(()),
    }
}
