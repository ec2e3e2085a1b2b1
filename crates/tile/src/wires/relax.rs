//! The iteration over the two half steps: block over-relaxation with the weights of the cyclic Chebyshev method.
//!
//! The plain alternation of word and bit lines is block Gauss-Seidel on a matrix with two blocks; its error falls by the spectral radius
//! `rho` per sweep. With the weights `w_1 = 1`, `w_2 = 1 / (1 - rho / 2)`, `w_k+1 = 1 / (1 - rho w_k / 4)`, one per half step, it falls as
//! fast as conjugate gradients promise and needs no further vectors (G. H. Golub, R. S. Varga, "Chebyshev semi-iterative methods, successive
//! overrelaxation iterative methods, and second order Richardson iterative methods", Numer. Math. 3, 1961). Weights between 0 and 2
//! converge on any network of passive cells, so that an inexact `rho` costs time only.

use super::network::{Network, Source, State};

/// Sweeps after which a solve is given up: some 100 times what an array needs that loses 99 % of its current.
pub(super) const MAX_SWEEPS: u64 = 10_000;

/// The weights of successive half steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    rho: f64,
    step: u64,
    last: f64,
}

impl Weights {
    /// Weights for an alternation with the spectral radius `rho`, below 1.
    pub(super) fn new(rho: f64) -> Self {
        Self { rho, step: 0, last: 1.0 }
    }

    /// The weight of the next half step.
    pub(super) fn next(&mut self) -> f64 {
        self.last = match self.step {
            0 => 1.0,
            1 => 1.0 / (1.0 - self.rho / 2.0),
            _ => 1.0 / (1.0 - self.rho * self.last / 4.0),
        };
        self.step += 1;
        self.last
    }
}

/// No sources: what is left is the error itself.
struct Silent;

impl Source<1> for Silent {
    fn add(&self, _row: usize, _col: usize, _slope_s: f64, _currents: &mut [f64; 1]) {}
}

/// Spectral radius of the plain alternation, from Rayleigh quotients of a power iteration that starts with equal drops everywhere. The
/// quotient is a lower bound; the result is moved up by a share of the gap to 1, because a value too low slows the iteration down more than
/// one too high.
pub(super) fn spectral_radius(network: &Network) -> f64 {
    let mut state = State::<1>::new(network.rows, network.cols);
    state.bit_drop.fill([1.0]);
    network.relax_word(&mut state, &Silent, 1.0);
    let mut rho: f64 = 0.0;
    for _ in 0..POWER_STEPS {
        network.relax_bit(&mut state, &Silent, 1.0);
        let before = agreement(network, &state);
        network.relax_word(&mut state, &Silent, 1.0);
        let after = agreement(network, &state);
        if before == 0.0 {
            return 0.0;
        }
        let settled = (after / before - rho).abs() < 0.01 * (1.0 - rho);
        rho = (after / before).clamp(0.0, 1.0 - f64::EPSILON);
        if settled {
            break;
        }
    }
    rho + GAP_SHARE * (1.0 - rho)
}

/// Most steps of the power iteration.
const POWER_STEPS: usize = 30;
/// Share of `1 - rho` that is added to the estimate of `rho`.
const GAP_SHARE: f64 = 0.02;

/// `sum G x y` of the drops.
fn agreement(network: &Network, state: &State<1>) -> f64 {
    let drops = state.word_drop.iter().zip(&state.bit_drop);
    network.slope_s.iter().zip(drops).fold(0.0, |sum, (slope_s, ([x], [y]))| sum + slope_s * x * y)
}

#[cfg(test)]
mod tests {
    use super::super::{Sensing, Wires};
    use super::*;

    /// One cell `G` between `R` and `S` ohm: each half step keeps the share of its own loading, `R G / (1 + R G)`.
    #[test]
    fn the_spectral_radius_of_one_cell_is_that_of_two_dividers() {
        for sensing in [Sensing::OneEnd, Sensing::BothEnds] {
            let wires = Wires {
                word_line_ohm: 3.0,
                bit_line_ohm: 1.0,
                driver_ohm: 17.0,
                sense_ohm: 59.0,
                sensing,
                ..Wires::none()
            };
            let network = Network::new(&wires, 1, 1, vec![0.05]);
            let readout_ohm = if sensing == Sensing::OneEnd { 60.0 } else { 30.0 };
            let kept = |ohm: f64| ohm * 0.05 / (1.0 + ohm * 0.05);
            let rho = kept(20.0) * kept(readout_ohm);
            let expected = rho + GAP_SHARE * (1.0 - rho);
            assert!((spectral_radius(&network) - expected).abs() < 1e-14, "{sensing:?}");
        }
    }

    #[test]
    fn without_bit_line_resistance_one_sweep_is_exact() {
        let wires = Wires { word_line_ohm: 3.0, ..Wires::none() };
        assert_eq!(spectral_radius(&Network::new(&wires, 2, 3, vec![1e-4; 6])), 0.0);
    }

    /// The limit of the weights is the optimum of successive over-relaxation, `2 / (1 + sqrt(1 - rho))` (D. M. Young).
    #[test]
    fn the_weights_tend_to_the_best_constant_one() {
        for rho in [0.0, 0.2, 0.9, 0.999] {
            let mut weights = Weights::new(rho);
            assert_eq!(weights.next(), 1.0);
            assert_eq!(weights.next(), 1.0 / (1.0 - rho / 2.0));
            let limit = (0..2000).map(|_| weights.next()).last().unwrap();
            assert!((limit - 2.0 / (1.0 + (1.0_f64 - rho).sqrt())).abs() < 1e-12, "{rho}: {limit}");
        }
    }

    /// The acceleration is worth its code: far fewer sweeps than the plain alternation on an array that loses most of its current.
    #[test]
    fn weights_save_sweeps() {
        let wires = Wires { word_line_ohm: 20.0, bit_line_ohm: 20.0, ..Wires::none() };
        let network = Network::new(&wires, 64, 64, vec![1e-4; 64 * 64]);
        let sweeps = |rho: f64| {
            let mut state = State::<1>::new(64, 64);
            state.bit_drop.fill([1.0]);
            let mut weights = Weights::new(rho);
            (0..1000)
                .take_while(|_| {
                    network.relax_word(&mut state, &Silent, weights.next());
                    network.relax_bit(&mut state, &Silent, weights.next())[0] > 1e-9
                })
                .count()
        };
        let (plain, accelerated) = (sweeps(0.0), sweeps(spectral_radius(&network)));
        assert!(accelerated * 2 < plain, "{accelerated} sweeps, {plain} plain ones");
    }
}
