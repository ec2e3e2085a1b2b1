//! What happens to cells between programming and reading: drift, faults, write-verify.

use crate::devices_support::{ROW, device, kolmogorov_smirnov, moments, normal, programmed};
use tile::address::CellRow;
use tile::device::{Device, FaultRates, RowPart, States, WriteVerify};

const ROWS: u64 = 1000;

/// Mean and standard deviation within four standard errors of the state's; none of these laws has a kurtosis above 3.5.
fn check_states(name: &str, states: &States, factor: f64) {
    let (by_level, _) = programmed(states, ROWS);
    for (state, values) in states.states.iter().zip(&by_level) {
        let n = values.len() as f64;
        let base = states.g_min_s / states.spacing_s;
        let read: Vec<f64> = values.iter().map(|value| (value + base) * factor - base).collect();
        let (mean, variance) = moments(&read);
        let expected = state.level as f64 + state.mean_shift;
        let level = state.level;
        assert!((mean - expected).abs() < 4.0 * state.sigma / n.sqrt() + 1e-6, "{name} {level}: {mean} {expected}");
        let ratio = variance / state.sigma.powi(2);
        assert!((ratio - 1.0).abs() < 4.0 * (2.5 / n).sqrt(), "{name} {level}: variance ratio {ratio}");
    }
}

/// Level 0 far from 0 S and a distant clip, so that the moments before clipping, which the states have, are those after it.
const DRIFTING: [(&str, &str); 5] = [
    ("pcm-like", "g_min_s=5e-6"),
    ("hermes-2-devices", "g_min_s=6e-6"),
    ("hermes-1-device", "g_min_s=4e-6"),
    ("cmo-2-percent", "g_min_s=9e-6"),
    ("cmo-0.2-percent", "g_min_s=9e-6"),
];

#[test]
fn drifted_cells_have_the_moments_of_their_states() {
    for (name, g_min) in DRIFTING {
        for time in ["read_after_s=3600", "read_after_s=2592000"] {
            let states = device(name, &[g_min, "g_clip_s=1e-3", time]).states(2).unwrap();
            check_states(name, &states, 1.0);
        }
    }
}

/// The factor of global compensation restores the sum of all conductances, and the states say what is left.
#[test]
fn global_compensation_restores_the_sum() {
    for (name, g_min) in DRIFTING {
        let keys = [g_min, "g_clip_s=1e-3", "read_after_s=86400", "drift.compensation=global"];
        let states = device(name, &keys).states(2).unwrap();
        assert!(states.compensates_drift());
        let sum = states.states.iter().map(|state| state.mean_shift).sum::<f64>();
        assert!(sum.abs() < 1e-9, "{name}: {sum}");
        let (_, totals) = programmed(&states, ROWS);
        assert!(totals.read_s < totals.written_s);
        check_states(name, &states, totals.written_s / totals.read_s);
    }
    assert!(!device("pcm-like", &["read_after_s=86400"]).states(2).unwrap().compensates_drift());
}

/// Without programming error, `-ln(G(t) / G) / ln(t / t0)` is the cell's exponent, a folded normal variable.
#[test]
fn drift_exponents_follow_a_folded_normal_law() {
    let fixed = ["sigma_scale=0.0", "g_min_s=5e-6", "read_after_s=2000.0", "drift.law.nu_sigma.low=0.045"];
    let states = device("pcm-like", &fixed).states(1).unwrap();
    let (by_level, _) = programmed(&states, 200);
    let mut exponents: Vec<f64> = by_level[1]
        .iter()
        .map(|value| -((value * states.spacing_s + states.g_min_s) / 25e-6).ln() / 100_f64.ln())
        .collect();
    // At x = 1 the law's mean is 0.049, and its standard deviation was raised to 0.045.
    let folded = |x: f64| normal((x - 0.049) / 0.045) - normal((-x - 0.049) / 0.045);
    let distance = kolmogorov_smirnov(&mut exponents, |x| (folded(x), folded(x)));
    assert!(distance < 2.2, "{distance}");
    assert!(exponents[0] >= 0.0);
}

#[test]
fn cells_read_at_once_have_not_drifted() {
    let cells = |overrides: &[&str]| programmed(&device("pcm-like", overrides).states(2).unwrap(), 10);
    let (at_once, totals) = cells(&[]);
    assert_eq!(totals.written_s, totals.read_s);
    assert_eq!(cells(&["read_after_s=20.0"]).0, at_once);
    assert_ne!(cells(&["read_after_s=21.0"]).0, at_once);
}

fn with_faults(mut device: Device, stuck_low: f64, stuck_high: f64) -> States {
    device.faults = Some(FaultRates { stuck_low, stuck_high });
    device.states(2).unwrap()
}

#[test]
fn stuck_cells_are_as_frequent_as_stated_and_leave_the_others_alone() {
    let device = device("milo-2021", &[]);
    let (healthy, _) = programmed(&device.states(2).unwrap(), ROWS);
    let (faulty, totals) = programmed(&with_faults(device.clone(), 0.0904, 0.0175), ROWS);
    let n = 1000.0 * ROWS as f64;
    for (found, rate) in [(totals.stuck_low, 0.0904), (totals.stuck_high, 0.0175)] {
        let deviation = (n * rate * (1.0_f64 - rate)).sqrt();
        assert!((found as f64 - n * rate).abs() < 4.0 * deviation, "{found} of {n}");
    }
    let cells = || healthy.iter().flatten().zip(faulty.iter().flatten());
    let changed = cells().filter(|(healthy, faulty)| healthy != faulty);
    assert_eq!(changed.clone().count() as u64, totals.stuck_low + totals.stuck_high);
    assert!(changed.clone().all(|(_, &value)| value == 0.0 || value == 3.0));
    let expected: f64 = faulty.iter().flatten().map(|value| 50e-6 + value * 175e-6 / 3.0).sum();
    assert!((totals.read_s / expected - 1.0).abs() < 1e-6);
    // A higher rate keeps the cells that were stuck before.
    let (worse, _) = programmed(&with_faults(device, 0.2, 0.0), 100);
    let stuck_before = faulty.iter().zip(&worse).flat_map(|(few, many)| few.iter().zip(many));
    assert!(stuck_before.filter(|(few, _)| **few == 0.0).all(|(_, many)| *many == 0.0));
}

#[test]
fn stuck_cells_do_not_drift() {
    let states = with_faults(device("pcm-like", &["read_after_s=1e6"]), 0.0, 1.0);
    let (by_level, totals) = programmed(&states, 10);
    assert!(by_level.iter().flatten().all(|&value| value == 3.0));
    assert_eq!((totals.stuck_high, totals.read_s), (10_000, totals.written_s));
}

fn verified(attempts: u32) -> States {
    let mut device =
        device("paper-order", &["g_clip_s=1.0", "g_min_s=20e-6", "variation.sigma_levels=[0.1,0.1,0.1,0.1]"]);
    device.write_verify = Some(WriteVerify { tolerance_levels: 0.08, attempts });
    device.states(2).unwrap()
}

/// With p = erf(a / (sqrt 2 sigma)): p of the cells are accepted at once, `(1 - (1 - p)^n) / p` pulses are needed on average, and what is
/// left has the moments of the states and, after many attempts, a truncated normal distribution.
#[test]
fn write_verify_follows_its_closed_forms() {
    let a = 0.8_f64;
    let p = libm::erf(a / 2_f64.sqrt());
    let cells = 1000.0 * ROWS as f64;
    let errors = |states: &States| -> Vec<f64> {
        let (by_level, _) = programmed(states, ROWS);
        by_level.iter().enumerate().flat_map(|(l, values)| values.iter().map(move |value| value - l as f64)).collect()
    };
    let accepted = errors(&verified(1)).iter().filter(|error| error.abs() <= 0.08).count() as f64;
    assert!((accepted - cells * p).abs() < 4.0 * (cells * p * (1.0 - p)).sqrt(), "{accepted}");
    for attempts in [1, 2, 5, 60] {
        let states = verified(attempts);
        let pulses = programmed(&states, ROWS).1.write_pulses as f64 / cells;
        let expected = (1.0 - (1.0 - p).powi(attempts as i32)) / p;
        // The variance of a truncated geometric count is at most that of the whole one, (1 - p) / p^2.
        assert!((pulses - expected).abs() <= 4.0 * ((1.0 - p) / p.powi(2) / cells).sqrt(), "{attempts}: {pulses}");
        check_states("write-verify", &states, 1.0);
    }
    let density = (-0.5 * a * a).exp() / std::f64::consts::TAU.sqrt();
    let truncated = 0.1 * (1.0 - 2.0 * a * density / p).sqrt();
    assert!((verified(60).states[0].sigma - truncated).abs() < 1e-12);
    let share = |x: f64| ((normal(x / 0.1) - normal(-a)) / p).clamp(0.0, 1.0);
    let distance = kolmogorov_smirnov(&mut errors(&verified(60)), |x| (share(x), share(x)));
    assert!(distance < 2.2, "{distance}");
}

/// All effects together: a cell's value depends neither on the number of columns nor on the states of its neighbours.
#[test]
fn a_cell_keeps_its_draws_whatever_its_neighbours() {
    let mut device = device("pcm-like", &["read_after_s=86400"]);
    device.write_verify = Some(WriteVerify { tolerance_levels: 0.05, attempts: 4 });
    device.faults = Some(FaultRates { stuck_low: 0.1, stuck_high: 0.05 });
    let states = device.states(2).unwrap();
    let (mut wide, mut narrow, mut other) = ([0.0; 300], [0.0; 37], [0.0; 300]);
    let levels: [u8; 300] = std::array::from_fn(|column| column as u8 % 4);
    let changed: [u8; 300] = std::array::from_fn(|column| if column % 2 == 0 { levels[column] } else { 3 });
    for row in 0..50 {
        let address = CellRow { row, ..ROW };
        states.program_row(address, [RowPart::new(&levels, &mut wide, 1)]);
        states.program_row(address, [RowPart::new(&levels[..37], &mut narrow, 1)]);
        assert_eq!(wide[..37], narrow);
        states.program_row(address, [RowPart::new(&changed, &mut other, 1)]);
        assert!(wide.iter().zip(&other).step_by(2).all(|(a, b)| a == b));
        assert!(wide.iter().zip(&other).any(|(a, b)| a != b));
    }
}

/// Results are a function of these values: a change of any stream's address would change published numbers.
#[test]
fn golden_cells_with_all_effects() {
    let mut device = device("pcm-like", &["read_after_s=86400"]);
    device.write_verify = Some(WriteVerify { tolerance_levels: 0.05, attempts: 4 });
    device.faults = Some(FaultRates { stuck_low: 0.2, stuck_high: 0.2 });
    let mut cells = [0.0; 8];
    device.states(2).unwrap().program_row(ROW, [RowPart::new(&[3, 2, 1, 0, 3, 2, 1, 0], &mut cells, 1)]);
    assert_eq!(cells, GOLDEN);
}
const GOLDEN: [f32; 8] = [2.1081207, 1.3038942, 3.0, 3.0, 1.9937276, 1.3689421, 0.65734065, 0.0];
