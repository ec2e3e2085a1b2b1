//! Pass `emit`: every layer of a network in integers becomes a stage.

use crate::encode::{encodings, fill_levels};
use crate::error::CompileError;
use crate::flip::flip_columns;
use crate::mapping::{CellStates, Encoding, LayerMappings, Mapping};
use crate::partition::{Placer, row_order};
use crate::refusals::Refusals;
use chip::config::Chip;
use chip::program::{
    AddStage, Axis, ConcatStage, FeatureMap, Groups, MvmStage, Output, PoolKind, PoolStage, Slice, Stage, TableStage,
    Window,
};
use nn::Shape;
use nn::coding::CodeFormat;
use nn::quantised::{
    MvmOutput, QuantisedAdd, QuantisedConcat, QuantisedLayer, QuantisedMvm, QuantisedNetwork, QuantisedTable,
};
use tile::adc::AdcTransfer;

/// A map of codes of a format; they carry a sign where some may be negative, and in all maps of a chip with sign-magnitude inputs.
pub(crate) fn feature_map(shape: Shape, format: CodeFormat, chip: &Chip) -> FeatureMap {
    let signed = format.signed || chip.signed_inputs();
    let bits = format.bits.saturating_add(signed.into());
    FeatureMap { height: shape.height as u32, width: shape.width as u32, channels: shape.channels as u32, bits, signed }
}

/// The map that a source of a network holds on a chip; nothing reads scores.
pub(crate) fn source_map(network: &QuantisedNetwork, source: usize, chip: &Chip) -> FeatureMap {
    let format = network.format_of(source).unwrap_or(CodeFormat { bits: 1, signed: false });
    feature_map(network.shape_of(source), format, chip)
}

/// The windows of a layer over the map of its source.
pub(crate) fn chip_window(network: &QuantisedNetwork, source: usize, window: &nn::Window, chip: &Chip) -> Window {
    let axis = |axis: nn::Axis| Axis {
        kernel: axis.kernel as u32,
        stride: axis.stride as u32,
        dilation: axis.dilation as u32,
        before: axis.before as u32,
        after: axis.after as u32,
    };
    let input = source_map(network, source, chip);
    Window { input, vertical: axis(window.vertical), horizontal: axis(window.horizontal) }
}

/// The stages of a network that fits the chip; converters are left to be set. Layers without weights become crossbars without levels.
///
/// # Errors
/// If there are `refusals`, or layers do not fit the chip: all of them are named; or if `mappings` are not those of as many layers.
pub(crate) fn emit(
    network: &QuantisedNetwork,
    mappings: &dyn LayerMappings,
    chip: &Chip,
    mut refusals: Refusals,
) -> Result<Vec<Stage>, CompileError> {
    let encodings = encodings(network, mappings, chip, &mut refusals)?;
    let order: Vec<&str> = network.layers.iter().map(QuantisedLayer::name).collect();
    refusals.check(&network.name, &order)?;
    let (weighted, placer, stages) = (0, Placer::default(), Vec::new());
    let mut emitter = Emitter { network, mappings, encodings, weighted, chip, placer, stages };
    let mut of_chip = None;
    for layer in &network.layers {
        let emitted = match layer {
            _ if of_chip.is_none() => emitter.stage(layer).map(|stage| emitter.stages.push(stage)),
            QuantisedLayer::Mvm(mvm) => emitter.mvm(mvm).map(|_| ()),
            _ => Ok(()),
        };
        // Of a mesh that is too small the last layer tells how large it must be.
        of_chip = emitted.err().or(of_chip);
    }
    of_chip.map_or(Ok(emitter.stages), Err)
}

/// Emits stages in the order of the layers, one a layer.
struct Emitter<'a> {
    network: &'a QuantisedNetwork,
    mappings: &'a dyn LayerMappings,
    /// Of all weighted layers.
    encodings: Vec<Encoding>,
    /// Weighted layers so far.
    weighted: usize,
    chip: &'a Chip,
    placer: Placer,
    stages: Vec<Stage>,
}

impl Emitter<'_> {
    fn stage(&mut self, layer: &QuantisedLayer) -> Result<Stage, CompileError> {
        Ok(match layer {
            QuantisedLayer::Mvm(mvm) => Stage::Mvm(self.mvm(mvm)?),
            QuantisedLayer::MaxPool(pool) => self.pool(&pool.name, pool.input, &pool.window, PoolKind::Max),
            QuantisedLayer::AveragePool(pool) => {
                let signed = self.network.format_of(pool.input).is_some_and(|format| format.signed);
                let result = feature_map(layer.output_shape(), CodeFormat { bits: pool.bits, signed }, self.chip);
                let (multiplier, count_padding, bits) = (pool.multiplier, pool.count_padding, result.bits);
                let kind = PoolKind::Average { multiplier, count_padding, bits };
                self.pool(&pool.name, pool.input, &pool.window, kind)
            }
            QuantisedLayer::Add(add) => Stage::Add(self.add(add)),
            QuantisedLayer::Concat(concat) => Stage::Concat(self.concat(concat)),
            QuantisedLayer::Table(table) => Stage::Table(self.table(table)),
        })
    }

    fn pool(&self, name: &str, input: usize, of: &nn::Window, kind: PoolKind) -> Stage {
        let window = chip_window(self.network, input, of, self.chip);
        Stage::Pool(PoolStage { name: name.to_owned(), input: input as u32, kind, window, tile: self.tile(&[input]) })
    }

    fn add(&self, add: &QuantisedAdd) -> AddStage {
        AddStage {
            name: add.name.clone(),
            inputs: add.inputs.map(|input| input as u32),
            maps: add.inputs.map(|input| self.map(input)),
            multipliers: add.multipliers,
            bits: add.bits,
            signed: add.signed,
            sign_bit: add.signed || self.chip.signed_inputs(),
            tile: self.tile(&add.inputs),
        }
    }

    fn concat(&self, concat: &QuantisedConcat) -> ConcatStage {
        ConcatStage {
            name: concat.name.clone(),
            inputs: concat.inputs.iter().map(|&input| input as u32).collect(),
            maps: concat.inputs.iter().map(|&input| self.map(input)).collect(),
            multipliers: concat.multipliers.clone(),
            bits: concat.bits,
            signed: concat.signed,
            sign_bit: concat.signed || self.chip.signed_inputs(),
            tile: self.tile(&concat.inputs),
        }
    }

    fn table(&self, table: &QuantisedTable) -> TableStage {
        let map = self.map(table.input);
        // A map that carries a sign although its codes have none gets entries that nobody reads: one for every code but 0.
        let has_sign = self.network.format_of(table.input).is_some_and(|format| format.signed);
        let unread = if map.signed && !has_sign { table.table.len().saturating_sub(1) } else { 0 };
        let at_zero = table.table.first().copied().unwrap_or(0);
        TableStage {
            name: table.name.clone(),
            input: table.input as u32,
            map,
            bits: table.bits,
            signed: table.signed,
            sign_bit: table.signed || self.chip.signed_inputs(),
            tile: self.tile(&[table.input]),
            table: [vec![at_zero; unread], table.table.clone()].concat(),
        }
    }

    fn map(&self, source: usize) -> FeatureMap {
        source_map(self.network, source, self.chip)
    }

    /// Where a stage without arrays goes: to the last tile of the latest of its sources; what reads images only, to the first of all.
    fn tile(&self, sources: &[usize]) -> u32 {
        let latest = sources.iter().max().and_then(|source| source.checked_sub(1));
        latest.and_then(|index| self.stages[index].tiles().last().copied()).unwrap_or(0)
    }

    fn mvm(&mut self, mvm: &QuantisedMvm) -> Result<MvmStage, CompileError> {
        let window = chip_window(self.network, mvm.input, &mvm.window, self.chip);
        let (mapping, encoding) = (self.mappings.of(self.weighted), &self.encodings[self.weighted]);
        self.weighted += 1;
        let cells = CellStates::of(&self.chip.tile.cell);
        emit_mvm(mvm, window, &Encoded { mapping, encoding, cells: &cells }, self.chip, &mut self.placer)
    }
}

/// How the weights of a layer become cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoded<'a> {
    /// The strategy.
    pub(crate) mapping: &'a Mapping,
    /// What it makes of these weights.
    pub(crate) encoding: &'a Encoding,
    /// States of the chip's cells.
    pub(crate) cells: &'a CellStates,
}

/// The stage of a weighted layer over its windows; its converters are left to be set.
pub(crate) fn emit_mvm(
    mvm: &QuantisedMvm,
    window: Window,
    &Encoded { mapping, encoding, cells }: &Encoded<'_>,
    chip: &Chip,
    placer: &mut Placer,
) -> Result<MvmStage, CompileError> {
    let groups = Groups { count: mvm.groups, rows: mvm.group_rows(), outputs: mvm.outputs / mvm.groups };
    let mut crossbars = placer.place(&mvm.name, &groups, encoding, chip)?;
    let rows = row_order(&mvm.window, mvm.groups);
    for crossbar in crossbars.iter_mut().filter(|_| !mvm.weights.is_empty()) {
        fill_levels(crossbar, mvm, (&groups, &rows), encoding);
        flip_columns(crossbar, &groups, encoding, cells);
    }
    let input_offset = window.input.input_offset(chip);
    let (output, multipliers) = match &mvm.output {
        MvmOutput::Codes { multipliers, bits, signed } => {
            let sign_bit = *signed || chip.signed_inputs();
            (Output::Codes { bits: *bits, signed: *signed, sign_bit }, multipliers.clone())
        }
        MvmOutput::Scores => (Output::Scores {}, Vec::new()),
    };
    let unset = AdcTransfer { min_code: 0, max_code: 1, step: 1.0 };
    Ok(MvmStage {
        name: mvm.name.clone(),
        mapping: mapping.name().to_owned(),
        input: mvm.input as u32,
        window,
        input_offset,
        outputs: mvm.outputs as u32,
        groups: mvm.groups as u32,
        polarities: encoding.polarities() as u32,
        subtraction: encoding.subtraction(),
        offset: encoding.offset(),
        clipped_weights: mvm.weights.iter().filter(|&&weight| encoding.clip(weight) != weight).count() as u64,
        slices: encoding
            .slices
            .iter()
            .map(|slice| Slice { bits: slice.bits, significance: slice.significance, adc: unset })
            .collect(),
        output,
        crossbars,
        replicas: Vec::new(),
        bias: biases(mvm, input_offset, encoding),
        multipliers,
    })
}

/// The biases, less what the offset of the inputs adds: it is the same for every window, as padding has it too.
fn biases(mvm: &QuantisedMvm, input_offset: u32, encoding: &Encoding) -> Vec<i64> {
    let mut biases = mvm.bias.clone();
    for (bias, weights) in biases.iter_mut().zip(mvm.weights.chunks_exact(mvm.group_rows())) {
        let stored: i64 = weights.iter().map(|&weight| i64::from(encoding.clip(weight))).sum();
        *bias -= i64::from(input_offset) * stored;
    }
    biases
}
