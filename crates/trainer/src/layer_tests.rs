//! What a layer in training makes of its weights, against sums by hand.

use super::*;
use nn_compiler::favourable::Favourable;
use nn_compiler::mapping::{CellStates, LayerStatistics, Mapping};
use tile::address::{Purpose, stream};
use tile::device::Device;

/// A layer of one output under `isaac`, 8 bits in four cells whose states 00, 01, 10, 11 have deviations of 0.02, 0.06, 0.30, 0.10 level spacings,
/// and the favourable states of Config-3 in the top slice.
fn layer(weight: Vec<f32>, scale: f32, optimiser: Optimiser) -> LayerState {
    let device = Device::of_sigmas(&[0.02, 0.06, 0.30, 0.10], 100);
    let cells = CellStates::new((1..=2).map(|bits| device.states(bits)).collect());
    let statistics =
        LayerStatistics { weight_bits: 8, cell_bits: 2, histogram: &[1; 255], offset: None, cells: &cells };
    let encoding = Mapping::parse("isaac").unwrap().encoding(&statistics).unwrap();
    let deviation = (-127..=127).map(|weight| encoding.error_variance(weight, &cells).sqrt() as f32).collect();
    let favourable = Favourable::of_states(&encoding, &[0, 1, 3], 1);
    let rows = weight.len();
    let (partition, row_order) = (vec![0; rows], (0..rows).collect());
    let matrix = LayerMatrix { outputs: 1, rows, scale, partition, partitions: 1, row_order };
    let importance = ColumnImportance::new(&matrix, Importance::Gradient, &mut stream(1, Purpose::Control, &[0]));
    let parameters = LayerWeights { weight, bias: vec![0.0] };
    LayerState::new(
        matrix,
        parameters,
        (LayerTarget { encoding, deviation, favourable }, vec![0; rows]),
        optimiser,
        importance,
    )
}

/// Weights and the variance of what is stored: of weight w the digits of w + 128 to the base 4, least significant first, count 1, 16, 256 and 4096 times
/// the variance of their state.
const VARIANCES: [(i32, f64); 4] = [
    (0, 273.0 * 0.02 * 0.02 + 4096.0 * 0.30 * 0.30),  // 0, 0, 0, 2
    (-1, 273.0 * 0.10 * 0.10 + 4096.0 * 0.06 * 0.06), // 3, 3, 3, 1
    (64, 273.0 * 0.02 * 0.02 + 4096.0 * 0.10 * 0.10), // 0, 0, 0, 3
    (31, 17.0 * 0.10 * 0.10 + 256.0 * 0.06 * 0.06 + 4096.0 * 0.30 * 0.30), // 3, 3, 1, 2
];

#[test]
fn noise_has_the_deviation_of_the_states_that_store_a_weight() {
    const COUNT: usize = 20_000;
    let scale = 0.25;
    let layer = layer(vec![0.0; COUNT], scale, Optimiser::Adam);
    let mut random = stream(7, Purpose::Injection, &[0]);
    let mut weights = |weight: i32, noise: f32| {
        let mut weights = LayerWeights::default();
        layer.weights(&[weight; COUNT], noise, &mut random, &mut weights);
        weights.weight
    };
    for (weight, variance) in VARIANCES {
        assert!((f64::from(layer.target.deviation_of(weight)).powi(2) / variance - 1.0).abs() < 1e-5, "{weight}");
        for noise in [1.0, 0.5] {
            let errors: Vec<f64> =
                weights(weight, noise).into_iter().map(|w| f64::from(w / scale) - f64::from(weight)).collect();
            let mean = errors.iter().sum::<f64>() / COUNT as f64;
            let found = errors.iter().map(|error| error * error).sum::<f64>() / COUNT as f64;
            let expected = variance * f64::from(noise).powi(2);
            // Four standard errors of a mean and of a variance of normal numbers.
            assert!(mean.abs() < 4.0 * (expected / COUNT as f64).sqrt(), "{weight} {noise}: mean {mean}");
            assert!((found / expected - 1.0).abs() < 4.0 * (2.0 / COUNT as f64).sqrt(), "{weight} {noise}: {found}");
        }
    }
    assert!(weights(5, 0.0).into_iter().all(|w| w == 5.0 * scale));
}

/// State 10 in the top slice holds 0 to 63: 0 and 31 go to -1.
#[test]
fn the_benefit_is_half_of_what_the_squared_error_loses() {
    let target = layer(vec![0.0], 1.0, Optimiser::Adam).target;
    let [(_, of_zero), (_, of_minus_one), (_, of_64), (_, of_31)] = VARIANCES;
    for (weight, expected) in [
        (0, (of_zero - of_minus_one - 1.0) / 2.0),
        (31, (of_31 - of_minus_one - 32.0 * 32.0) / 2.0),
        (-1, 0.0),
        (64, 0.0),
        (63, (f64::from(target.deviation_of(63)).powi(2) - of_64 - 1.0) / 2.0),
    ] {
        assert!((target.benefit(weight) - expected).abs() < 1e-3, "{weight}: {} {expected}", target.benefit(weight));
    }
    assert!(target.benefit(0) > 100.0 && target.benefit(31) < -100.0);
}

/// Esser et al., ICLR 2020, equation 3: within the range the slope of `s * round(w / s)` by s is `round(w / s) - w / s`, beyond it the largest integer.
#[test]
fn a_learned_scale_goes_against_its_slope() {
    let sgd = Optimiser::Sgd { momentum: 0.0 };
    let (weights, gradient) = ([0.234_f32, -0.77, 20.0], [1.0_f32, 2.0, -3.0]);
    for sign in [1.0, -1.0] {
        let mut layer = layer(weights.to_vec(), 0.1, sgd);
        let gradient = gradient.map(|g| sign * g);
        let effective = [0.2, -0.8, 12.7];
        layer.learn_scale(&effective, &gradient, 127.0, Update { optimiser: sgd, rate: 0.1, step: 1, decay: 0.0 });
        // By the logarithm of the scale: 1 (0.2 - 0.234) + 2 (-0.8 + 0.77) - 3 x 12.7, over the root of 3 x 127.
        let slope = f64::from(sign) * (-0.034 - 0.06 - 38.1) / (3.0_f64 * 127.0).sqrt();
        let expected = 0.1 * (-0.1 * slope).exp();
        assert!((f64::from(layer.matrix.scale) / expected - 1.0).abs() < 1e-5, "{} {expected}", layer.matrix.scale);
    }
}
