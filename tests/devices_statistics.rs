//! Do programmed cells have the distribution of their states, independently of one another?

use crate::devices_support::{ROW, device, kolmogorov_smirnov, moments, normal, programmed};
use explore::config::{Kind, preset_names};
use rand_distr::{Distribution, StandardNormal};
use tile::address::{CellRow, Effect};
use tile::device::{RowPart, State, States};

const ROWS: u64 = 1000;

/// Mean, variance and fourth central moment of `clamp(N(mean, sigma), low, high)` by the trapezoidal rule over ten standard deviations.
fn clipped_normal(mean: f64, sigma: f64, (low, high): (f64, f64)) -> (f64, f64, f64) {
    const STEPS: i32 = 40_000;
    let points = (-STEPS..=STEPS).map(|step| f64::from(step) * 10.0 / f64::from(STEPS));
    let weighted: Vec<(f64, f64)> =
        points.map(|x| ((-x * x / 2.0).exp(), (mean + sigma * x).clamp(low, high))).collect();
    let total: f64 = weighted.iter().map(|(weight, _)| weight).sum();
    let average =
        |f: &dyn Fn(f64) -> f64| weighted.iter().map(|&(weight, value)| weight * f(value)).sum::<f64>() / total;
    let mean = average(&|value| value);
    (mean, average(&|value| (value - mean).powi(2)), average(&|value| (value - mean).powi(4)))
}

/// Four standard errors: of the mean `sqrt(variance / n)`, of the variance `sqrt((fourth - variance^2) / n)`. Cells are single precision.
fn check_moments(name: &str, values: &[f64], (mean, variance, fourth): (f64, f64, f64)) {
    let n = values.len() as f64;
    let (found_mean, found_variance) = moments(values);
    let mean_error = (variance / n).sqrt();
    let variance_error = ((fourth - variance.powi(2)).max(0.0) / n).sqrt();
    assert!((found_mean - mean).abs() <= 4.0 * mean_error + 1e-6, "{name}: mean {found_mean}, expected {mean}");
    let limit = 4.0 * variance_error + 1e-9;
    assert!((found_variance - variance).abs() <= limit, "{name}: variance {found_variance}, expected {variance}");
}

/// A normal law with atoms at the limits.
fn check_distribution(name: &str, values: &mut [f64], mean: f64, sigma: f64, (low, high): (f64, f64)) {
    // The limits as the cells hold them.
    let (low, high) = (f64::from(low as f32), f64::from(high as f32));
    let cumulative = |value: f64| {
        let inside = normal((value - mean) / sigma);
        (if value <= low { 0.0 } else { inside }, if value >= high { 1.0 } else { inside })
    };
    let distance = kolmogorov_smirnov(values, cumulative);
    assert!(distance < 2.2, "{name}: {distance}");
}

fn check_normal_states(name: &str, states: &States) -> usize {
    let (mut by_level, totals) = programmed(states, ROWS);
    assert_eq!(totals.write_pulses, 1000 * ROWS);
    let mut clipped = 0;
    for (State { level, mean_shift, sigma, .. }, values) in states.states.iter().zip(&mut by_level) {
        let (mean, name) = (*level as f64 + mean_shift, format!("{name} {level}"));
        check_moments(&name, values, clipped_normal(mean, *sigma, states.clip));
        let reaches = |limit: f64| (limit - mean).abs() < 4.0 * sigma;
        clipped += usize::from(reaches(states.clip.0) || reaches(states.clip.1));
        if *sigma > 1e-6 {
            check_distribution(&name, values, mean, *sigma, states.clip);
        }
    }
    clipped
}

/// A million cells of every shipped device when its variation was measured; states with a spread near single precision have moments only.
#[test]
fn programmed_cells_have_the_distribution_of_their_states() {
    let mut clipped = 0;
    for name in preset_names(Kind::Device) {
        let device = device(name, &[]);
        let states = device.states(2).or_else(|_| device.states(1)).unwrap();
        clipped += check_normal_states(name, &states);
    }
    assert!(clipped >= 4, "some states must reach the limits of their device");
}

/// Mean shifts, and cells that are clipped most of the time at one end or the other.
#[test]
fn clipped_cells_have_the_distribution_of_a_clipped_normal() {
    let changed = [
        "variation.sigma_levels=[0.2, 0.4, 0.3, 0.5]",
        "variation.mean_shift_levels=[-0.1, 0.25, -0.3, 0.4]",
        "g_clip_s=42e-6",
        "sigma_scale=1.5",
    ];
    assert_eq!(check_normal_states("changed", &device("paper-order", &changed).states(2).unwrap()), 4);
    // The expected moments by a closed form: E[min(x, 1)] = 1 - Phi(1) - phi(1) for a standard normal x.
    assert!((clipped_normal(0.0, 1.0, (f64::NEG_INFINITY, 1.0)).0 + 0.083_315_5).abs() < 1e-6);
}

#[test]
fn assumed_laws_have_their_moments_and_distributions() {
    let mut device = device("ideal", &["g_clip_s=1.0"]);
    device.variation = toml::from_str("model = \"proportional\"\nrelative_sigma = 0.1").unwrap();
    let states = device.states(2).unwrap();
    for state in &states.states {
        assert!((state.sigma * states.spacing_s / state.conductance_s - 0.1).abs() < 1e-12);
    }
    check_normal_states("proportional", &states);
    device.variation = toml::from_str("model = \"independent\"\nsigma_s = 2.6e-6").unwrap();
    assert!(device.states(2).unwrap().states.iter().all(|state| (state.sigma - 0.2).abs() < 1e-12));
    check_normal_states("independent", &device.states(2).unwrap());
}

/// Median at the target, mean `exp(s^2 / 2)` and variance `exp(s^2) (exp(s^2) - 1)` of it, and a normal logarithm.
#[test]
fn lognormal_cells_have_their_moments_and_distribution() {
    let mut device = device("ideal", &["g_clip_s=1.0"]);
    let s = 0.3_f64;
    device.variation = toml::from_str("model = \"lognormal\"\nlog_sigma = 0.3").unwrap();
    let states = device.states(2).unwrap();
    let (by_level, _) = programmed(&states, ROWS);
    for (state, values) in states.states.iter().zip(by_level) {
        let median = state.conductance_s / states.spacing_s;
        assert!((state.mean_shift / median - ((s * s / 2.0).exp() - 1.0)).abs() < 1e-12);
        assert!((state.sigma / median - ((s * s).exp() * ((s * s).exp() - 1.0)).sqrt()).abs() < 1e-12);
        let (mean, variance) = moments(&values);
        let n = values.len() as f64;
        let expected_mean = state.level as f64 + state.mean_shift;
        assert!((mean - expected_mean).abs() < 4.0 * state.sigma / n.sqrt());
        // The kurtosis is exp(4 s^2) + 2 exp(3 s^2) + 3 exp(2 s^2) - 3 = 4.645.
        assert!((variance / state.sigma.powi(2) - 1.0).abs() < 4.0 * (3.645 / n).sqrt());
        let mut logs: Vec<f64> =
            values.iter().map(|value| ((value - state.level as f64) / median + 1.0).ln() / s).collect();
        let distance = kolmogorov_smirnov(&mut logs, |x| (normal(x), normal(x)));
        assert!(distance < 2.2, "{}: {distance}", state.level);
    }
}

/// Draws of a million cells.
fn draws(row: impl Fn(u64) -> CellRow) -> Vec<f64> {
    let states = device("paper-order", &["g_clip_s=1.0"]).states(2).unwrap();
    let mut values = [0.0; 1000];
    let mut all = Vec::new();
    for index in 0..ROWS {
        states.program_row(row(index), [RowPart::new(&[2; 1000], &mut values, 1)]);
        all.extend(values.iter().map(|&value| (f64::from(value) - 2.0) / 0.30));
    }
    all
}

#[test]
fn neighbouring_cells_are_uncorrelated() {
    let at = |row: u64| CellRow { row, ..ROW };
    let cells = draws(at);
    let correlation = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() / a.len() as f64;
    let others = [
        ("column", cells[1..].to_vec()),
        ("row", cells[1000..].to_vec()),
        ("slice", draws(|row| CellRow { slice: 1, ..at(row) })),
        ("polarity", draws(|row| CellRow { polarity: 1, ..at(row) })),
        ("layer", draws(|row| CellRow { layer: 1, ..at(row) })),
        ("chip sample", draws(|row| CellRow { chip_sample: 1, ..at(row) })),
        ("seed", draws(|row| CellRow { seed: 6, ..at(row) })),
        ("drift", of_effect(Effect::Drift)),
        ("fault", of_effect(Effect::Fault)),
        ("retry", of_effect(Effect::Retry)),
    ];
    for (name, other) in &others {
        let found = correlation(&cells[..other.len()], other);
        assert!(found.abs() < 4.0 / (other.len() as f64).sqrt(), "{name}: {found}");
    }
    assert!((correlation(&cells, &cells) - 1.0).abs() < 0.01);
}

/// Normal draws along the streams of an effect.
fn of_effect(effect: Effect) -> Vec<f64> {
    let row = |row: u64| {
        let mut stream = CellRow { row, ..ROW }.stream_of(effect);
        (0..1000).map(move |_| -> f64 { StandardNormal.sample(&mut stream) })
    };
    (0..ROWS).flat_map(row).collect()
}
