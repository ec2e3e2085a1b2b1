//! The order of candidates: budget, Pareto front, accuracy.

use super::{Budget, Judged};

/// Orders candidates, best first: those that may keep the budget, by the number of the Pareto front they lie on, by accuracy; marks the first front.
pub(super) fn rank(judged: &mut Vec<Judged>, budget: &Budget) {
    let fronts = fronts(judged);
    for (judged, &front) in judged.iter_mut().zip(&fronts) {
        judged.on_front = front == 0;
    }
    let mut order: Vec<usize> = (0..judged.len()).collect();
    let misses = |index: usize| !budget.may_be_kept(&judged[index], judged[index].accuracy_ci95_high);
    order.sort_by(|&a, &b| {
        let by_accuracy = judged[b].accuracy_mean.total_cmp(&judged[a].accuracy_mean);
        misses(a).cmp(&misses(b)).then(fronts[a].cmp(&fronts[b])).then(by_accuracy).then(a.cmp(&b))
    });
    *judged = order.into_iter().map(|index| judged[index].clone()).collect();
}

/// Orders ranked candidates for a rung that others follow: with a least accuracy, on which trainings that are not yet done say little, the most accurate
/// of a front and the one of the least energy take turns, so that a cheap candidate is not lost to expensive ones that are better than they need be.
pub(super) fn spread(judged: &mut Vec<Judged>, budget: &Budget) {
    if budget.accuracy.is_none() {
        return;
    }
    let mut ordered = Vec::with_capacity(judged.len());
    let mut rest = std::mem::take(judged);
    while !rest.is_empty() {
        // The front that is first in the order, without those that surely miss the budget.
        let free: Vec<usize> = (0..rest.len())
            .filter(|&index| !rest.iter().any(|other| dominates(other, &rest[index])))
            .filter(|&index| budget.costs_are_kept(&rest[index]))
            .collect();
        let (accuracy, energy) = (|index: usize| -rest[index].accuracy_mean, |index: usize| rest[index].energy_j);
        let by_accuracy = ordered.len().is_multiple_of(2);
        let cost = |index: usize| if by_accuracy { accuracy(index) } else { energy(index) };
        let next = free.into_iter().min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(0);
        ordered.push(rest.remove(next));
    }
    *judged = ordered;
}

/// Puts the candidate to recommend first, if one keeps the budget with the lower end of its interval: with a least accuracy that of the least energy,
/// otherwise the most accurate one.
pub(super) fn recommended(judged: &mut [Judged], budget: &Budget) -> bool {
    let keeps = |index: &usize| budget.may_be_kept(&judged[*index], judged[*index].accuracy_ci95_low);
    let cost = |index: usize| match budget.accuracy {
        Some(_) => (judged[index].energy_j, judged[index].latency_s),
        None => (-judged[index].accuracy_mean, judged[index].energy_j),
    };
    let best = (0..judged.len()).filter(keeps).min_by(|&a, &b| {
        let ((a, second_a), (b, second_b)) = (cost(a), cost(b));
        a.total_cmp(&b).then(second_a.total_cmp(&second_b))
    });
    best.iter().for_each(|&best| judged[..=best].rotate_right(1));
    best.is_some()
}

impl Budget {
    /// Whether a candidate keeps it if its accuracy is `accuracy`.
    fn may_be_kept(&self, of: &Judged, accuracy: f64) -> bool {
        self.accuracy.is_none_or(|least| accuracy >= least) && self.costs_are_kept(of)
    }

    /// Whether a candidate's energy and latency keep it.
    fn costs_are_kept(&self, of: &Judged) -> bool {
        self.energy_j.is_none_or(|most| of.energy_j <= most) && self.latency_s.is_none_or(|most| of.latency_s <= most)
    }
}

/// The number of the front of each: 0 for those that no other dominates, 1 for those that only such do, and so on.
fn fronts(judged: &[Judged]) -> Vec<usize> {
    let mut fronts: Vec<Option<usize>> = vec![None; judged.len()];
    for front in 0.. {
        let open: Vec<usize> = (0..judged.len()).filter(|&index| fronts[index].is_none()).collect();
        if open.is_empty() {
            break;
        }
        let free = |&&index: &&usize| !open.iter().any(|&other| dominates(&judged[other], &judged[index]));
        open.iter().filter(free).copied().collect::<Vec<_>>().into_iter().for_each(|index| fronts[index] = Some(front));
    }
    fronts.into_iter().map(Option::unwrap_or_default).collect()
}

/// Whether `a` is as good as `b` in accuracy, energy and latency and better in one.
fn dominates(a: &Judged, b: &Judged) -> bool {
    let costs = |of: &Judged| [-of.accuracy_mean, of.energy_j, of.latency_s];
    let pairs = || costs(a).into_iter().zip(costs(b));
    pairs().all(|(a, b)| a <= b) && pairs().any(|(a, b)| a < b)
}
