//! Favourable weights: the values whose significant slices sit in states that vary little.

use crate::mapping::{CellStates, Encoding, SliceCode, largest_weight};

/// The favourable set of a layer's encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Favourable {
    /// The favourable states, ascending.
    pub states: Vec<usize>,
    /// The weights whose constrained slices are all in favourable states, ascending.
    pub weights: Vec<i32>,
    /// `projection[i]`: nearest favourable weight of `i - (2^(B-1) - 1)`; the smaller magnitude of two equally near ones.
    projection: Vec<i32>,
    /// Whether a weight that can be stored is excluded.
    constrains: bool,
}

impl Favourable {
    /// The smallest nested set of most immune states whose weights have both signs and to which no weight that can be stored has farther than a
    /// quarter of the `2^B` codes: no run of excluded values between favourable ones is longer than half of them, none at the ends than a quarter (so that `{00, 01, 11}`, Config-3 of Diware et al., AICAS 2023, results from their order of states and the ISAAC encoding).
    /// All states are favourable where no smaller set qualifies.
    #[must_use]
    pub fn find(encoding: &Encoding, cells: &CellStates, constrained_slices: usize) -> Self {
        let largest = largest_weight(encoding.weight_bits);
        let qualifies = |set: &Self| {
            let both_signs = set.weights.iter().any(|&w| w < 0) && set.weights.iter().any(|&w| w > 0);
            let mut stored = (-largest..=largest).filter(|&weight| encoding.clip(weight) == weight);
            both_signs && stored.all(|weight| (set.project(weight) - weight).abs() <= (largest + 1) / 2)
        };
        // Slices of other widths have rankings of their own: the n-th set of each, or its last.
        let sets: Vec<Vec<Vec<usize>>> =
            encoding.slices.iter().map(|code| cells.ranking(code.bits).nested_sets()).collect();
        let nested = |index: usize| {
            let of_slice = |sets: &Vec<Vec<usize>>| sets.get(index).or(sets.last()).cloned().unwrap_or_default();
            Self::of_slices(encoding, &sets.iter().map(of_slice).collect::<Vec<_>>(), constrained_slices)
        };
        let most = sets.iter().map(Vec::len).max().unwrap_or(0);
        (0..most).map(nested).find(qualifies).unwrap_or_else(|| nested(most))
    }

    /// The set of given states; `constrained_slices` counts from the most significant slice.
    #[must_use]
    pub fn of_states(encoding: &Encoding, states: &[usize], constrained_slices: usize) -> Self {
        Self::of_slices(encoding, &vec![states.to_vec(); encoding.slices.len()], constrained_slices)
    }

    /// The set with given states of every slice.
    fn of_slices(encoding: &Encoding, states: &[Vec<usize>], constrained_slices: usize) -> Self {
        let largest = largest_weight(encoding.weight_bits);
        let slices = encoding.slices.len();
        let states: Vec<Vec<usize>> = states
            .iter()
            .zip(&encoding.slices)
            .map(|(states, code)| Self::either_way(encoding, *code, states))
            .collect();
        let allowed = |weight: &i32| {
            encoding.clip(*weight) == *weight
                && (slices - constrained_slices.min(slices)..slices).all(|slice| {
                    (0..encoding.polarities())
                        .all(|polarity| states[slice].contains(&usize::from(encoding.level(*weight, slice, polarity))))
                })
        };
        let weights: Vec<i32> = (-largest..=largest).filter(allowed).collect();
        let nearest = |weight: i32| {
            let above = weights.partition_point(|&w| w < weight);
            let neighbours = weights[above.saturating_sub(1)..].iter().take(2).copied();
            neighbours.min_by_key(|w| ((w - weight).abs(), w.abs())).unwrap_or(weight)
        };
        let projection = (-largest..=largest).map(nearest).collect();
        Self::new(encoding, states.last().cloned().unwrap_or_default(), weights, projection)
    }

    /// The states of a slice that stay favourable where columns may be stored complemented: whether one is depends on all its weights.
    fn either_way(encoding: &Encoding, code: SliceCode, states: &[usize]) -> Vec<usize> {
        let complement = |state: usize| (code.top() as usize).checked_sub(state);
        let favourable = |state: &usize| complement(*state).is_some_and(|other| states.contains(&other));
        states.iter().copied().filter(|state| encoding.flip.is_none() || favourable(state)).collect()
    }

    /// No fixed set: each weight goes to the value of the least squared distance plus `penalty`, the smaller magnitude of equally good ones; favourable
    /// are the values that something goes to.
    #[must_use]
    pub fn soft(encoding: &Encoding, penalty: impl Fn(i32) -> f64) -> Self {
        let largest = largest_weight(encoding.weight_bits);
        let values: Vec<(i32, f64)> = (-largest..=largest)
            .filter(|&weight| encoding.clip(weight) == weight)
            .map(|weight| (weight, penalty(weight)))
            .collect();
        let best = |weight: i32| {
            let cost = |&(value, penalty): &(i32, f64)| f64::from(value - weight).powi(2) + penalty;
            let better = |a: &&(i32, f64), b: &&(i32, f64)| cost(a).total_cmp(&cost(b)).then(a.0.abs().cmp(&b.0.abs()));
            values.iter().min_by(better).map_or(weight, |&(value, _)| value)
        };
        let projection: Vec<i32> = (-largest..=largest).map(best).collect();
        let mut weights = projection.clone();
        weights.sort_unstable();
        weights.dedup();
        Self::new(encoding, Vec::new(), weights, projection)
    }

    fn new(encoding: &Encoding, states: Vec<usize>, weights: Vec<i32>, projection: Vec<i32>) -> Self {
        let largest = largest_weight(encoding.weight_bits);
        let constrains = (-largest..=largest).zip(&projection).any(|(weight, &to)| to != encoding.clip(weight));
        Self { states, weights, projection, constrains }
    }

    /// The nearest favourable weight.
    #[must_use]
    pub fn project(&self, weight: i32) -> i32 {
        let largest = (self.projection.len() / 2) as i32;
        self.projection[(weight.clamp(-largest, largest) + largest) as usize]
    }

    /// Whether a weight is favourable.
    #[must_use]
    pub fn contains(&self, weight: i32) -> bool {
        self.weights.binary_search(&weight).is_ok()
    }

    /// Whether a weight that can be stored is excluded; those that the encoding clips are not.
    #[must_use]
    pub fn constrains(&self) -> bool {
        self.constrains
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{LayerStatistics, Mapping};
    use tile::device::Device;
    use tile::immunity::Ranking;

    /// States with these errors, known from so many cells each.
    fn ranking(errors: &[f64], samples: u32) -> Ranking {
        Ranking::new(&Device::of_sigmas(errors, samples).states(2).unwrap())
    }

    fn find(mapping: &str, errors: &[f64], samples: u32) -> Favourable {
        let device = Device::of_sigmas(errors, samples);
        let cells = CellStates::new((1..=2).map(|bits| device.states(bits)).collect());
        let histogram = vec![1; 255];
        let layer =
            LayerStatistics { weight_bits: 8, cell_bits: 2, histogram: &histogram, offset: None, cells: &cells };
        let encoding = Mapping::parse(mapping).unwrap().encoding(&layer).unwrap();
        Favourable::find(&encoding, &cells, 1)
    }

    #[test]
    fn the_papers_order_gives_the_papers_configuration() {
        let set = find("isaac", &[0.02, 0.06, 0.30, 0.10], 100);
        assert_eq!(set.states, [0, 1, 3]);
        // State 10 in the top slice holds 0..=63: these go to -1 or, from 32 on, to 64.
        assert_eq!(
            (set.project(0), set.project(31), set.project(32), set.project(-5), set.project(100)),
            (-1, -1, 64, -5, 100)
        );
        assert_eq!(set.weights.len(), 255 - 64);
    }

    /// Bias squared plus variance, by trying all values.
    #[test]
    fn soft_projections_are_the_least_of_bias_and_variance() {
        let device = Device::of_sigmas(&[0.02, 0.06, 0.30, 0.10], 100);
        let cells = CellStates::new((1..=2).map(|bits| device.states(bits)).collect());
        let histogram = vec![1; 255];
        let layer =
            LayerStatistics { weight_bits: 8, cell_bits: 2, histogram: &histogram, offset: None, cells: &cells };
        let encoding = Mapping::parse("isaac").unwrap().encoding(&layer).unwrap();
        let mut moved = Vec::new();
        for softness in [0.0, 0.1, 1.0, 10.0] {
            let penalty = |weight: i32| softness * encoding.error_variance(weight, &cells);
            let soft = Favourable::soft(&encoding, penalty);
            let cost = |weight: i32, value: i32| f64::from(value - weight).powi(2) + penalty(value);
            for weight in -127..=127 {
                let found = soft.project(weight);
                assert!((-127..=127).all(|value| cost(weight, found) <= cost(weight, value)), "{softness}: {weight}");
                assert!(soft.contains(found));
            }
            moved.push((-127..=127).filter(|&weight| soft.project(weight) != weight).count());
        }
        // Without a penalty nothing moves, and the more it counts the more does.
        assert!(moved[0] == 0 && moved.windows(2).all(|pair| pair[0] < pair[1]), "{moved:?}");
    }

    /// 01 becomes 10 in a complemented column, so that only 00 and 11 are sure.
    #[test]
    fn columns_that_may_be_complemented_are_favourable_either_way() {
        // NeuRRAM's order, by which 00 and 11 vary least, and the paper's, by which 01 is better than 11.
        let orders = [[0.0526, 0.2972, 0.2672, 0.1988], [0.02, 0.06, 0.30, 0.10]];
        for mapping in ["isaac+flip", "isaac+flip-error"] {
            for errors in orders {
                let set = find(mapping, &errors, 100);
                assert_eq!((set.states.as_slice(), set.weights.len()), ([0, 3].as_slice(), 128 - 1));
                assert!(set.weights.iter().all(|weight| !(-64..64).contains(weight)));
            }
        }
    }

    #[test]
    fn tied_bad_states_are_banned_together() {
        // NeuRRAM after a day: 01 and 10 are nearly equally bad.
        let errors = [0.0526, 0.2972, 0.2672, 0.1988];
        assert_eq!(find("isaac", &errors, 100).states, [0, 3]);
        assert_eq!(find("isaac", &errors, 100_000).states, [0, 3]);
        assert_eq!(ranking(&errors, 100).groups, [vec![0], vec![3], vec![1, 2]]);
        assert_eq!(ranking(&errors, 100_000).groups, [[0], [3], [2], [1]]);
    }

    /// Two slices in state 00 would leave a pair with weights of less than 16.
    #[test]
    fn no_weight_is_moved_by_more_than_a_quarter_of_the_codes() {
        let device = Device::of_sigmas(&[0.02, 0.06, 0.30, 0.10], 100);
        let cells = CellStates::new((1..=2).map(|bits| device.states(bits)).collect());
        let histogram = vec![1; 255];
        let layer =
            LayerStatistics { weight_bits: 8, cell_bits: 2, histogram: &histogram, offset: None, cells: &cells };
        let encoding = Mapping::parse("differential").unwrap().encoding(&layer).unwrap();
        assert_eq!(Favourable::of_states(&encoding, &[0], 2).weights.last(), Some(&15));
        let set = Favourable::find(&encoding, &cells, 2);
        assert_eq!((set.states.as_slice(), set.project(127), set.project(50)), ([0, 1].as_slice(), 95, 64));
        assert_eq!(Favourable::find(&encoding, &cells, 1).states, [0]);
    }

    #[test]
    fn a_pair_with_a_bad_lowest_state_cannot_be_constrained() {
        let set = find("differential", &[0.0742, 0.0651, 0.0560, 0.0469], 100_000);
        assert!(!set.constrains());
        assert_eq!(set.states, [0, 1, 2, 3]);
    }

    #[test]
    fn projection_is_idempotent_and_nearest() {
        for mapping in ["isaac", "differential", "offset", "twos-complement", "unbalanced", "unary"] {
            let set = find(mapping, &[0.02, 0.06, 0.30, 0.10], 100);
            for weight in -127..=127 {
                let projected = set.project(weight);
                assert_eq!(set.project(projected), projected);
                assert!(set.contains(projected) && set.contains(weight) == (projected == weight));
                let distance = (projected - weight).abs();
                assert!(set.weights.iter().all(|w| (w - weight).abs() >= distance));
            }
        }
    }
}
