//! Immunity: how little a state's variation disturbs a column current (Diware et al., AICAS 2023).
//!
//! The criterion is the error *current*, proportional to the absolute conductance error in level spacings, not the percentage.

use crate::device::{State, States};

/// The states of a device from most to least immune; tied states form one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranking {
    /// Groups of tied levels, most immune first; levels within a group in ascending order.
    pub groups: Vec<Vec<usize>>,
}

impl Ranking {
    /// Ranks states by their error. Neighbours in the order whose 95 % confidence intervals overlap are tied, and ties chain: measurements
    /// do not tell which of them is worse, and banning one of two nearly equal bad states gains nothing, as the other takes its place.
    #[must_use]
    pub fn new(states: &States) -> Self {
        let mut order: Vec<&State> = states.states.iter().collect();
        order.sort_by(|a, b| a.error().total_cmp(&b.error()).then(a.level.cmp(&b.level)));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut previous = f64::NEG_INFINITY;
        for state in order {
            let (low, high) = state.error_ci95;
            match groups.last_mut() {
                Some(group) if low <= previous => group.push(state.level),
                _ => groups.push(vec![state.level]),
            }
            // Of states with samples of their own the widest interval of a group counts.
            previous = previous.max(high);
        }
        for group in &mut groups {
            group.sort_unstable();
        }
        Self { groups }
    }

    /// The nested favourable sets: the first group, the first two, and so on up to all levels; each sorted.
    #[must_use]
    pub fn nested_sets(&self) -> Vec<Vec<usize>> {
        let mut set = Vec::new();
        let grow = |group: &Vec<usize>| {
            set.extend_from_slice(group);
            set.sort_unstable();
            set.clone()
        };
        self.groups.iter().map(grow).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    /// With n = 100 the interval is `e (1 -+ 0.1386)`: errors tie below a ratio of 1.1386 / 0.8614 = 1.3218.
    #[test]
    fn overlapping_intervals_tie_and_chain() {
        let groups = |sigmas: &[f64], samples| {
            let bits = sigmas.len().ilog2();
            Ranking::new(&Device::of_sigmas(sigmas, samples).states(bits).unwrap()).groups
        };
        assert_eq!(groups(&[0.1, 0.1321], 100), [[0, 1]]);
        assert_eq!(groups(&[0.1, 0.1323], 100), [[0], [1]]);
        assert_eq!(groups(&[0.16, 0.1, 0.13, 0.5], 100), [vec![0, 1, 2], vec![3]]);
        // The same errors, measured on more cells.
        assert_eq!(groups(&[0.16, 0.1, 0.13, 0.5], 1000), [[1], [2], [0], [3]]);
        assert_eq!(groups(&[0.0, 0.0, 0.1, 0.2], 100), [vec![0, 1], vec![2], vec![3]]);
    }

    #[test]
    fn sets_grow_by_whole_groups() {
        let ranking = Ranking { groups: vec![vec![3], vec![0, 2], vec![1]] };
        assert_eq!(ranking.nested_sets(), [vec![3], vec![0, 2, 3], vec![0, 1, 2, 3]]);
    }
}
