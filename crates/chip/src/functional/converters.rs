//! The converters of a chip sample: which instance converts which column, and what each instance is like.

use super::cells::SampleAddress;
use super::plan::program_column;
use crate::program::{MvmStage, Program};
use std::collections::BTreeMap;
use std::sync::Arc;
use tile::adc::{AdcBank, AdcKind, AdcTransfer, Converter};
use tile::address::{Purpose, stream};

/// The transfer of every converted column of every array of a stage, array by array.
pub(super) fn transfers(stage: &MvmStage) -> Vec<Vec<AdcTransfer>> {
    let arrays = stage.converted_arrays() as usize;
    let mut transfers = Vec::with_capacity(stage.crossbars.len() * arrays);
    for placed in &stage.crossbars {
        let columns = stage.columns(placed) as usize;
        for array in 0..arrays {
            let own = |column: usize| {
                let adc = stage.slices[column % stage.slices.len()].adc;
                let step = placed.column_adcs.get(array * columns + column).map_or(adc.step, |own| own.step);
                AdcTransfer { step, ..adc }
            };
            transfers.push((0..columns).map(own).collect());
        }
    }
    transfers
}

/// The columns of a converted array in the order of computation.
fn computed_order<T: Clone>(stage: &MvmStage, columns: &[T]) -> Vec<T> {
    let (slices, outputs) = (stage.slices.len(), columns.len() / stage.slices.len());
    (0..columns.len()).map(|column| columns[program_column(column, outputs, slices)].clone()).collect()
}

/// One set of converters per array. The converters of a bank take its columns in turn (round robin), array by array; every instance
/// has its own draw, addressed by chip sample, layer, bank and instance.
pub(super) fn converter_banks(program: &Program, layer: u64, stage: &MvmStage, address: SampleAddress) -> Vec<AdcBank> {
    let adc = &program.chip.tile.adc;
    let transfers = transfers(stage);
    if adc.kind != AdcKind::Ideal && adc.nonideal.is_none() {
        let bank = |columns: &Vec<AdcTransfer>| AdcBank::ideal_transfers(computed_order(stage, columns).into_iter());
        return transfers.iter().map(bank).collect();
    }
    let mut instances = Instances { program, layer, address, drawn: BTreeMap::new() };
    let arrays = stage.converted_arrays() as usize;
    let mut next_column = vec![0_u64; stage.banks().len()];
    let mut banks = Vec::with_capacity(transfers.len());
    for (index, columns) in transfers.into_iter().enumerate() {
        let bank = stage.crossbars[index / arrays].bank;
        let next = &mut next_column[bank as usize];
        let with_instance = |transfer: AdcTransfer| {
            let instance = *next % u64::from(adc.per_bank);
            *next += 1;
            (transfer, instances.get(bank.into(), instance, (transfer.min_code, transfer.max_code)))
        };
        let columns: Vec<(AdcTransfer, Arc<Converter>)> = columns.into_iter().map(with_instance).collect();
        banks.push(AdcBank::with_converters(adc.kind, computed_order(stage, &columns).into_iter()));
    }
    banks
}

/// The converters of a stage drawn so far.
struct Instances<'a> {
    program: &'a Program,
    layer: u64,
    address: SampleAddress,
    drawn: BTreeMap<(u64, u64, (i32, i32)), Arc<Converter>>,
}

impl Instances<'_> {
    fn get(&mut self, bank: u64, instance: u64, codes: (i32, i32)) -> Arc<Converter> {
        let Self { program, layer, address, drawn } = self;
        let adc = &program.chip.tile.adc;
        let draw = || {
            let at = [address.purpose as u64, address.chip_sample, *layer, bank, instance];
            let mut draws = stream(address.seed, Purpose::Converter, &at);
            Arc::new(Converter::draw(adc.kind, &adc.nonideal, codes, &mut draws))
        };
        Arc::clone(drawn.entry((bank, instance, codes)).or_insert_with(draw))
    }
}
