//! Immunity: how little a state's variation disturbs a column current (Diware et al., AICAS 2023).
//!
//! The criterion is the error *current*, proportional to the absolute conductance error in level spacings, not the percentage.

use crate::device::States;

/// The states of a device from most to least immune; tied states form one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranking {
    /// Groups of tied levels, most immune first; levels within a group in ascending order.
    pub groups: Vec<Vec<usize>>,
}

impl Ranking {
    /// Ranks states by their error. Neighbours in the order whose errors differ by less than the fraction `tie_tolerance` are tied:
    /// banning one of two nearly equal bad states gains nothing, as the other takes its place.
    #[must_use]
    pub fn new(states: &States, tie_tolerance: f64) -> Self {
        let mut order: Vec<(f64, usize)> = states.states.iter().map(|s| (s.error(), s.level)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut previous = f64::NEG_INFINITY;
        for (error, level) in order {
            match groups.last_mut() {
                Some(group) if error <= previous * (1.0 + tie_tolerance) => group.push(level),
                _ => groups.push(vec![level]),
            }
            previous = error;
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
