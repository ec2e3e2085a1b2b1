//! The only unsafe code: calls of functions that are compiled for more than the baseline instruction set, and reads of table entries without a
//! check of their place. Both have a safe twin, [`Isa::Portable`], which runs the same source with checked reads; tests hold that the bits are
//! the same.
#![allow(unsafe_code)]

use super::lanes::Lanes;
use super::packed::{Packed, SLICES};
use super::sums::{Checked, Sums, place};
use super::task::Task;
use super::{Isa, LANES};

/// Sums of table entries, read without checks.
pub(super) struct Unchecked<'a> {
    lists: Checked<'a>,
}

/// What looks up sums in a table.
pub(super) trait Lookups<'a>: Sums {
    /// Sums of `packed` in `table`, which has all entries.
    fn new(packed: &'a Packed, table: &'a [Lanes<f32>]) -> Self;
}

impl<'a> Lookups<'a> for Checked<'a> {
    #[inline(always)]
    fn new(packed: &'a Packed, table: &'a [Lanes<f32>]) -> Self {
        Self { packed, table }
    }
}

impl<'a> Lookups<'a> for Unchecked<'a> {
    #[inline(always)]
    fn new(packed: &'a Packed, table: &'a [Lanes<f32>]) -> Self {
        assert!(table.len() >= packed.table_entries(), "the table has an entry for every place");
        Self { lists: Checked { packed, table } }
    }
}

impl Sums for Unchecked<'_> {
    #[inline(always)]
    fn of(&self, at: usize) -> [Lanes<f32>; SLICES] {
        let Checked { packed, table } = self.lists;
        let first = table.as_ptr().cast::<f32>();
        let mut sums = [Lanes::splat(0.0); SLICES];
        for pair in packed.list(at) {
            for (slice, sum) in sums.iter_mut().enumerate() {
                // SAFETY: `Packed` is the only maker of places, and each is `LANES` times the index of an entry below `table_entries()`: it asserts so
                // (bit by bit, an index has 4 bits by construction). The table has at least as many entries, which `new` asserts. So the 16 `f32`
                // read are one entry, which is aligned.
                let entry = unsafe { &*first.add(place(pair, slice)).cast::<Lanes<f32>>() };
                *sum = sum.plus(*entry);
            }
        }
        sums
    }
}

/// Runs a task on an instruction set that this machine has (others run as [`Isa::Portable`]).
pub(super) fn run(isa: Isa, task: Task<'_>) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the machine has the features, as was just found.
        Isa::Avx512 if isa.is_available() => unsafe { avx512(task) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Isa::Avx2 if isa.is_available() => unsafe { avx2(task) },
        _ => portable(task),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma,bmi1,bmi2,popcnt")]
fn avx512(task: Task<'_>) {
    task.run::<Unchecked<'_>, true>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt")]
fn avx2(task: Task<'_>) {
    task.run::<Unchecked<'_>, true>();
}

fn portable(task: Task<'_>) {
    task.run::<Checked<'_>, false>();
}

const _: () = assert!(size_of::<Lanes<f32>>() == LANES * size_of::<f32>());
