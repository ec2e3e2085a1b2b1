//! What must hold of a stage of the vector unit before an engine may run it.

use super::validate::MOST_CODE_BITS;
use super::{LARGEST_MULTIPLIER, Overlap, PoolKind, Program, Stage, TableStage, Window};

impl Program {
    /// Checks a stage of the vector unit whose sources have been checked.
    pub(super) fn check_vector(&self, stage: &Stage) -> Result<(), String> {
        self.check_tile(stage.home_tile())?;
        match stage {
            Stage::Mvm(_) => Ok(()),
            Stage::Pool(pool) => match pool.kind {
                PoolKind::Max => Ok(()),
                PoolKind::Average { multiplier, count_padding, bits } => {
                    check_multiplier(multiplier)?;
                    let sign = pool.window.input.signed;
                    check_codes(bits.saturating_sub(sign.into()), sign, sign)?;
                    if count_padding { Ok(()) } else { check_windows(&pool.window) }
                }
            },
            Stage::Add(add) => {
                add.multipliers.into_iter().try_for_each(check_multiplier)?;
                check_codes(add.bits, add.signed, add.sign_bit)
            }
            Stage::Concat(concat) => {
                concat.multipliers.iter().copied().try_for_each(check_multiplier)?;
                check_codes(concat.bits, concat.signed, concat.sign_bit)
            }
            Stage::Table(table) => {
                check_codes(table.bits, table.signed, table.sign_bit)?;
                check_table(table)
            }
        }
    }
}

/// An average of no pixels has no value.
fn check_windows(window: &Window) -> Result<(), String> {
    let sees = |overlaps: Vec<Overlap>| overlaps.iter().all(|overlap| overlap.places().next().is_some());
    if sees(window.down()) && sees(window.across()) {
        return Ok(());
    }
    Err("its padding does not count, but a window of it has no pixel".to_owned())
}

fn check_multiplier(multiplier: f64) -> Result<(), String> {
    if multiplier.is_finite() && multiplier > 0.0 && multiplier <= LARGEST_MULTIPLIER {
        return Ok(());
    }
    Err(format!("multiplier {multiplier} is not a positive number of at most {LARGEST_MULTIPLIER}"))
}

/// What the vector unit may write.
fn check_codes(bits: u32, signed: bool, sign_bit: bool) -> Result<(), String> {
    if !(1..=MOST_CODE_BITS).contains(&bits) {
        return Err(format!("output bits must be 1 to {MOST_CODE_BITS}"));
    }
    if signed && !sign_bit { Err("signed codes need a sign bit".to_owned()) } else { Ok(()) }
}

/// A table must have a code of its result for every code of its source.
fn check_table(stage: &TableStage) -> Result<(), String> {
    let (lowest, highest) = stage.map.codes();
    let (entries, codes) = (stage.table.len(), (highest - lowest + 1) as usize);
    if entries != codes {
        return Err(format!("its table has {entries} entries; its source has codes {lowest} to {highest}: {codes}"));
    }
    let highest = (1_i32 << stage.bits) - 1;
    let lowest = if stage.signed { -highest } else { 0 };
    match stage.table.iter().find(|&code| !(lowest..=highest).contains(code)) {
        Some(code) => Err(format!("its table has code {code}; allowed is {lowest} to {highest}")),
        None => Ok(()),
    }
}
