//! Which number of copies is the fastest, found by timing.
//!
//! Numbers come from one series that no budget changes, so that a larger budget only adds to what is tried, and cannot end with a slower program. Trials run
//! side by side; one that cannot be the fastest any more is not begun, or ends early. Which one is kept depends on neither.

use super::{Demand, place};
use chip::machine::Settings;
use chip::program::{Program, Stage};
use chip::timing;
use rayon::iter::{ParallelBridge, ParallelIterator};
use std::sync::atomic::{AtomicU64, Ordering};

/// Images that numbers of copies are timed with.
const IMAGES: u64 = 4;

/// Each number of copies that is tried has a twentieth more than the one before.
const PART: usize = 20;

/// Places the program with as many of the further copies as make the run of the images end first, the wait for the first included; how many these are. Among equals the
/// fewest are kept.
pub(super) fn fastest(program: &mut Program, demands: &[Demand], copied: &[usize]) -> usize {
    let outline = without_levels(program);
    let least = AtomicU64::new(u64::MAX);
    let time = |number: usize| {
        let copies = copies_with(demands, &copied[..number]);
        let until = least.load(Ordering::Relaxed);
        // The longest stage alone is as slow.
        if busy(demands, &copies).saturating_mul(IMAGES.into()) > until.into() {
            return None;
        }
        let mut trial = outline.clone();
        place(&mut trial, &copies);
        let cycles = measured(&trial, until)?;
        least.fetch_min(cycles, Ordering::Relaxed);
        Some((cycles, number))
    };
    // Many copies first: they are the fastest more often than not, and then no others need to be timed to their end.
    let timed = series(demands.len(), copied.len()).into_iter().rev().par_bridge().filter_map(time).min();
    // If none can be timed, all stay: the buffer that is too small is refused later, with the size that it needs.
    let best = timed.map_or(copied.len(), |(_, number)| number);
    place(program, &copies_with(demands, &copied[..best]));
    best
}

/// Whether no larger number is tried.
pub(super) fn is_last(number: usize, stages: usize, most: usize) -> bool {
    series(stages, most).last().is_none_or(|&last| number >= last)
}

/// The numbers of further copies that are tried, up to `most`.
fn series(stages: usize, most: usize) -> Vec<usize> {
    let next = |&number: &usize| Some(number + ((stages + number) / PART).max(1)).filter(|&next| next <= most);
    std::iter::successors(Some(0), next).collect()
}

/// The program as far as its timing depends on it.
fn without_levels(program: &Program) -> Program {
    let mut outline = program.clone();
    for stage in &mut outline.stages {
        if let Stage::Mvm(mvm) = stage {
            mvm.crossbars.iter_mut().for_each(|crossbar| crossbar.levels = Vec::new());
        }
    }
    outline
}

/// Cycles until all is done for the images, with all contention; none if that is later than `until`, or a buffer is too small for so many copies.
fn measured(program: &Program, until: u64) -> Option<u64> {
    let settings = Settings { until, ..Settings::default() };
    timing::run_with(program, IMAGES, settings).ok().map(|timing| timing.report.end)
}

/// Copies of every stage with the given further ones.
fn copies_with(demands: &[Demand], copied: &[usize]) -> Vec<u64> {
    let mut copies = vec![1; demands.len()];
    copied.iter().for_each(|&stage| copies[stage] += 1);
    copies
}

/// Base cycles for which an image keeps the longest stage busy at least.
fn busy(demands: &[Demand], copies: &[u64]) -> u128 {
    let cycles = |(demand, &copies): (&Demand, &u64)| {
        u128::from(demand.windows).saturating_mul(demand.least_interval.into()).div_ceil(copies.into())
    };
    demands.iter().zip(copies).map(cycles).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::series;

    #[test]
    fn a_larger_budget_tries_what_a_smaller_one_does_and_more() {
        assert_eq!(series(8, 0), [0]);
        assert_eq!(series(8, 30), (0..=30).collect::<Vec<usize>>());
        assert_eq!(
            series(8, 75)[30..],
            [30, 31, 32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 55, 58, 61, 64, 67, 70, 73]
        );
        for most in 0..500 {
            assert!(series(5, 500).starts_with(&series(5, most)));
        }
    }
}
