//! Flash: one comparator per threshold, each with its own offset.

use crate::address::Stream;
use rand_distr::{Distribution, StandardNormal};

/// Thresholds of codes `1..codes`, codes counted from 0, in steps. The outputs are counted, not decoded by position: a comparator that has
/// overtaken its neighbour swaps with it, and the code never falls as the input rises. Hence sorted.
pub(super) fn thresholds(codes: usize, comparator_sigma: f64, stream: &mut Stream) -> Vec<f64> {
    let mut thresholds: Vec<f64> = (1..codes)
        .map(|code| {
            let draw: f64 = StandardNormal.sample(stream);
            code as f64 - 0.5 + comparator_sigma * draw
        })
        .collect();
    thresholds.sort_by(f64::total_cmp);
    thresholds
}
