//! What must hold of a program before an engine may run it. Engines index without checks of their own, so nothing may slip through here.

use super::dataflow::check_format;
use super::{InputCoding, MOST_SLICES, MvmStage, Output, PlacedCrossbar, Program, Stage, Subtraction};
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
        // One after the other, since a source is only asked for its result when nothing is wrong with it.
        for (index, stage) in self.stages.iter().enumerate() {
            self.check_stage(index, stage, contents).map_err(|what| format!("stage `{}`: {what}", stage.name()))?;
        }
        self.check_readers()?;
        self.check_arrays()?;
        self.check_coding(contents).map_err(|what| format!("input: {what}"))?;
        Ok(())
    }

    /// The first stage reads the input, so that its sizes have been checked.
    fn check_coding(&self, contents: Contents) -> Result<(), String> {
        match contents {
            Contents::Weights => self.coding.check(&self.input),
            Contents::Nothing if self.coding == InputCoding::default() => Ok(()),
            Contents::Nothing => Err("it has multipliers; an outline has none".to_owned()),
        }
    }

    fn check_stage(&self, index: usize, stage: &Stage, contents: Contents) -> Result<(), String> {
        self.check_sources(index, stage)?;
        match stage {
            Stage::Mvm(mvm) => self.check_mvm(mvm, index + 1 == self.stages.len(), contents),
            _ => self.check_vector(stage),
        }
    }

    pub(super) fn check_tile(&self, tile: u32) -> Result<(), String> {
        let tiles = self.chip.mesh.tiles();
        if u64::from(tile) < tiles { Ok(()) } else { Err(format!("tile {tile} does not exist; the chip has {tiles}")) }
    }

    fn check_mvm(&self, stage: &MvmStage, last: bool, contents: Contents) -> Result<(), String> {
        let require = |ok: bool, what: &str| if ok { Ok(()) } else { Err(what.to_owned()) };
        require((1..=65_536).contains(&stage.outputs), "outputs must be 1 to 65536")?;
        let groups = stage.groups;
        let divides = |count: u32| groups > 0 && count.is_multiple_of(groups);
        require(
            divides(stage.outputs) && divides(stage.window.input.channels),
            "groups must divide its outputs and the channels of its input",
        )?;
        require((1..=2).contains(&stage.polarities), "polarities must be 1 or 2")?;
        require(
            stage.polarities == 2 || stage.subtraction == Subtraction::BeforeAdc,
            "only a pair can be subtracted after conversion",
        )?;
        require((1..=MOST_SLICES).contains(&stage.slices.len()), "it must have 1 to 256 slices")?;
        require(stage.offset.unsigned_abs() <= 1 << 20, "the offset is out of range")?;
        check_outputs(stage, contents, last)?;
        self.check_input(stage)?;
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
        for crossbar in &stage.crossbars {
            self.check_crossbar(stage, crossbar, contents)?;
        }
        check_cover(stage)?;
        self.check_replicas(stage)
    }

    /// How codes are applied must be what the DACs can do.
    fn check_input(&self, stage: &MvmStage) -> Result<(), String> {
        let input = stage.window.input;
        let offset = input.input_offset(&self.chip);
        if stage.input_offset != offset {
            return Err(format!("input_offset = {}, but its inputs take {offset}", stage.input_offset));
        }
        if self.chip.signed_inputs() && !input.signed {
            let dac = "the chip's tile.dac.format = \"sign-magnitude\"";
            return Err(format!("its input has no sign, but {dac} reads maps that have one"));
        }
        let bits = stage.applied_bits();
        let priced = self.chip.conversion_energy_j(bits);
        priced.map(|_| ()).map_err(|what| format!("inputs of {bits} bits take conversions without a price: {what}"))
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

/// What is wrong with biases, multipliers and what becomes of the outputs.
fn check_outputs(stage: &MvmStage, contents: Contents, last: bool) -> Result<(), String> {
    let require = |ok: bool, what: &str| if ok { Ok(()) } else { Err(what.to_owned()) };
    let outputs = stage.outputs as usize;
    let multipliers = match stage.output {
        Output::Codes { bits, signed, sign_bit } => {
            require((1..=MOST_CODE_BITS).contains(&bits), "output bits must be 1 to 16")?;
            require(sign_bit || !signed, "signed codes need a sign bit")?;
            outputs
        }
        Output::Scores {} => {
            require(last, "only the last stage can yield scores")?;
            0
        }
    };
    if contents == Contents::Nothing {
        let empty = stage.bias.is_empty() && stage.multipliers.is_empty();
        return require(empty, "it has biases or multipliers; an outline has none");
    }
    require(stage.bias.len() == outputs, "it must have one bias per output")?;
    require(stage.bias.iter().all(|bias| bias.unsigned_abs() <= 1 << 52), "a bias is out of range")?;
    require(stage.multipliers.len() == multipliers, "it must have one multiplier per output that becomes codes")?;
    let positive = |multiplier: &f64| multiplier.is_finite() && *multiplier > 0.0;
    require(stage.multipliers.iter().all(positive), "a multiplier is not a positive number")
}

/// What is wrong with the levels of a crossbar of the right size.
fn check_levels(stage: &MvmStage, placed: &PlacedCrossbar) -> Option<String> {
    let (slices, columns) = (stage.slices.len(), stage.columns(placed) as usize);
    for levels in &placed.levels {
        for (column, &level) in levels.iter().enumerate() {
            let top = stage.top_level(column % slices);
            if u32::from(level) > top {
                let bits = stage.slices[column % slices].bits;
                return Some(format!("level {level} is above {top}, the highest of a {bits}-bit cell"));
            }
        }
        let groups = stage.groups();
        let unused = |group: usize| {
            let outputs = groups.outputs_in(placed, group);
            let own = outputs.start * slices..outputs.end * slices;
            let beside = move |row: usize| {
                let row = &levels[row * columns..(row + 1) * columns];
                row[..own.start].iter().chain(&row[own.end..]).any(|&level| level != 0)
            };
            groups.rows_in(placed, group).any(beside)
        };
        if groups.of(placed).len() > 1 && groups.of(placed).any(unused) {
            return Some("a cell beside the groups is not at level 0".to_owned());
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

/// Every weight must be in exactly one crossbar, and banks must be numbered without gaps.
fn check_cover(stage: &MvmStage) -> Result<(), String> {
    let (rows, outputs) = (stage.window.rows() as u64, u64::from(stage.outputs));
    let groups = stage.groups();
    let end = |start: u32, count: u32| u64::from(start) + u64::from(count);
    let mut weights = 0_u64;
    for (index, a) in stage.crossbars.iter().enumerate() {
        let (row, output) = (a.row_start, a.output_start);
        if end(row, a.rows) > rows || end(output, a.outputs) > outputs {
            return Err(format!("a crossbar covers row {row} or output {output} beyond the matrix"));
        }
        if !groups.fit(a) {
            return Err(format!("the crossbar at row {row}, output {output} holds parts of several groups"));
        }
        weights += groups.weights(a);
        // Crossbars that fit the groups and overlap have a weight in common.
        let overlaps = |b: &PlacedCrossbar| {
            u64::from(row) < end(b.row_start, b.rows)
                && u64::from(b.row_start) < end(row, a.rows)
                && u64::from(output) < end(b.output_start, b.outputs)
                && u64::from(b.output_start) < end(output, a.outputs)
        };
        if stage.crossbars[..index].iter().any(overlaps) {
            return Err(format!("two crossbars hold row {row}, output {output}"));
        }
    }
    let all = groups.rows as u64 * outputs;
    if weights != all {
        return Err(format!("its crossbars hold {weights} of {all} weights"));
    }
    if stage.crossbars.iter().any(|crossbar| crossbar.bank as usize >= stage.crossbars.len()) {
        return Err("a bank number is too high".to_owned());
    }
    match stage.banks().iter().position(Vec::is_empty) {
        Some(bank) => Err(format!("bank {bank} has no crossbar")),
        None => Ok(()),
    }
}
