//! Published numbers of the shipped devices.

use crate::devices_support::{assert_printed, device};
use explore::config::{Kind, preset_names};
use tile::device::{CurrentVoltage, Device, DriftLaw, ReadNoise};
use tile::immunity::Ranking;
use tile::variation::NominalState;

/// Sigma in uS of a cell of `device` at `conductance_us`, whatever the fitted range.
fn sigma_us(device: &Device, conductance_us: f64) -> f64 {
    let read_after_s = device.read_after_s;
    let state =
        NominalState { level: 0, levels: 4, conductance_s: conductance_us * 1e-6, spacing_s: 1e-6, read_after_s };
    device.variation.model().moments(&state).sigma_s * 1e6
}

/// The fits of CrossSim 3.2 and aihwkit evaluated by other programs, rounded. SONOS in nA at 0.1 V.
#[test]
fn fits_have_their_published_sigma() {
    for (name, conductance_us, expected, decimals) in [
        ("milo-2021", 50.0, 4.3270, 4),
        ("milo-2021", 225.0, 2.7332, 4),
        ("wan-2022", 20.0, 2.3618, 4),
        ("wan-2022", 14.1, 2.511, 3),
        ("wan-2022-quartic-1s", 20.0, 2.0229, 4),
        ("wan-2022-quartic-1day", 20.0, 3.9090, 4),
        // 0.782 + 10.137 - 10.87675 + 4.63275 - 0.745875.
        ("wan-2022-quartic-2days", 20.0, 3.9291, 4),
        ("joshi-2020", 25.0, 1.0655, 4),
        ("joshi-2020", 21.2, 1.0911, 4),
        ("pcm-like", 25.0, 1.0554, 4),
        ("pcm-like", 20.94, 1.0863, 4),
        ("hermes-2-devices", 20.7, 1.0927, 4),
        ("hermes-1-device", 10.35, 1.0076, 4),
        ("cmo-0.2-percent", 50.0, 0.05425, 5),
        ("cmo-2-percent", 50.0, 0.57573, 5),
    ] {
        assert_printed(sigma_us(&device(name, &[]), conductance_us), expected, decimals);
    }
    let sonos_na = |overrides: &[&str]| sigma_us(&device("agrawal-2022", overrides), 16.0) * 100.0;
    assert_printed(sonos_na(&[]), 19.8844, 4);
    assert_printed(sonos_na(&["read_after_s=432000.0"]), 34.5637, 4);
    // Half a day: A and B half way between their tabulated values.
    let (a, b) = ((19.88665 + 25.59102) / 2.0, (176.3115_f64 + 186.85544) / 2.0);
    assert_printed(sonos_na(&["read_after_s=43200.0"]), a * (1.0 - (-1600.0 / b).exp()), 9);
}

/// Sigma of the four states of a 2-bit cell in level spacings, and their order from most to least immune.
#[test]
fn two_bit_cells_have_their_published_errors_and_order() {
    for (name, overrides, errors, order) in [
        ("milo-2021", &[][..], [0.0742, 0.0651, 0.0560, 0.0469], [3, 2, 1, 0]),
        ("wan-2022", &[], [0.0805, 0.1914, 0.1548, 0.1284], [0, 3, 2, 1]),
        ("wan-2022-quartic-1s", &[], [0.0261, 0.1719, 0.1255, 0.0827], [0, 3, 2, 1]),
        ("wan-2022-quartic-1day", &[], [0.0526, 0.2972, 0.2672, 0.1988], [0, 3, 2, 1]),
        ("pcm-like", &[], [0.0316, 0.0946, 0.1263, 0.1266], [0, 1, 2, 3]),
        ("hermes-2-devices", &[], [0.0241, 0.1406, 0.1350, 0.1584], [0, 2, 1, 3]),
        ("hermes-1-device", &[], [0.0457, 0.2081, 0.2754, 0.2920], [0, 1, 2, 3]),
        ("cmo-2-percent", &[], [0.0043, 0.0156, 0.0269, 0.0381], [0, 1, 2, 3]),
        ("agrawal-2022", &[], [0.0, 0.0355, 0.0372, 0.0373], [0, 1, 2, 3]),
        ("agrawal-2022", &["read_after_s=432000"], [0.0, 0.0599, 0.0645, 0.0648], [0, 1, 2, 3]),
        // Of the states of Diware et al., AICAS 2023, only the order is published.
        ("paper-order", &[], [0.02, 0.06, 0.30, 0.10], [0, 1, 3, 2]),
    ] {
        let states = device(name, overrides).states(2).unwrap();
        for (state, expected) in states.states.iter().zip(errors) {
            assert_printed(state.error(), expected, 4);
        }
        let mut by_error: Vec<usize> = (0..4).collect();
        by_error.sort_by(|&a, &b| states.states[a].error().total_cmp(&states.states[b].error()));
        assert_eq!(by_error, order, "{name}");
    }
}

/// States whose intervals overlap. With 100 cells a state, errors that differ by less than 32 % are tied.
#[test]
fn states_tie_where_the_measurements_cannot_tell_them_apart() {
    let groups = |name: &str| Ranking::new(&device(name, &[]).states(2).unwrap()).groups;
    assert_eq!(groups("pcm-like"), [vec![0], vec![1], vec![2, 3]]);
    assert_eq!(groups("wan-2022-quartic-1day"), [vec![0], vec![3], vec![1, 2]]);
    assert_eq!(groups("paper-order"), [vec![0], vec![1], vec![3], vec![2]]);
    assert_eq!(groups("agrawal-2022"), [vec![0], vec![1, 2, 3]]);
    assert_eq!(groups("milo-2021"), [[0, 1, 2, 3]], "neighbours differ by 14 to 19 %");
    let many = device("milo-2021", &["samples_per_state=1000"]).states(2).unwrap();
    assert_eq!(Ranking::new(&many).groups, [[3], [2], [1], [0]]);
}

#[test]
fn cells_of_other_widths_use_the_same_variation_in_siemens() {
    let sigmas = |name: &str, bits: u32| -> Vec<f64> {
        device(name, &[]).states(bits).unwrap().states.iter().map(|state| state.sigma).collect()
    };
    for (value, expected) in sigmas("paper-order", 1).iter().zip([0.02 / 3.0, 0.10 / 3.0]) {
        assert!((value - expected).abs() < 1e-15);
    }
    assert_printed(sigmas("milo-2021", 1)[0], 4.3270 / 175.0, 6);
    assert_printed(sigmas("wan-2022", 3)[0], 1.053 / (39.26 / 7.0), 6);
    assert_printed(sigmas("wan-2022-quartic-1s", 3)[7], 1.103 / (40.0 / 7.0), 6);
    assert_eq!(sigmas("radar-2021", 5).len(), 32);
    assert_eq!(device("radar-2021", &[]).states(6).unwrap_err(), "1 to 5 (its table has 32 states)");
    assert_eq!(device("ideal", &[]).states(0).unwrap_err(), "an integer from 1 to 8");
}

/// By other programs: Q(1) = 0.0088 and sqrt(ln(20.00000025 s / 500 ns)) = 4.1838; sqrt(ln(500000.5)) = 3.62248; 1 - exp(-1600 / 215.36557).
#[test]
fn read_noise_has_its_published_size() {
    let sigma_us =
        |name: &str, g_us: f64, time_s: f64| device(name, &[]).read_noise.unwrap().sigma_s(g_us * 1e-6, time_s) * 1e6;
    assert_printed(sigma_us("pcm-like", 25.0, 0.0), 25.0 * 0.0088 * 4.183_823, 6);
    assert_eq!(sigma_us("pcm-like", 25.0, 0.0), sigma_us("pcm-like", 25.0, 20.0), "measured after 20 s");
    // Q(0.01) = 0.0088 / 0.01^0.65 = 0.175583, one day: sqrt(ln(86400 / 500e-9)) = 5.08679.
    assert_printed(sigma_us("pcm-like", 0.25, 86400.0), 0.25 * 0.175_583 * 5.086_79, 5);
    assert_printed(sigma_us("agrawal-2022", 16.0, 0.0), 0.125_729, 6);
    assert_printed(sigma_us("cmo-2-percent", 10.0, 0.0), 0.027_731_65 * 3.622_480, 6);
    assert_printed(sigma_us("cmo-2-percent", 100.0, 0.0), 2.0 * 0.027_731_65 * 3.622_480, 6);
    assert_eq!(sigma_us("cmo-2-percent", 0.5, 0.0), 0.0);
    // Q(1) = 0.0123 + 0.0211 - 0.0280 + 0.0069 and 0.0088 + 0.0768 - 0.1352 + 0.0664; sqrt(ln(t0 / 1024 ns)) after 300 and 200 s.
    assert_printed(sigma_us("hermes-2-devices", 20.7, 0.0), 20.7 * 0.0123 * 4.415380, 6);
    assert_printed(sigma_us("hermes-1-device", 10.35, 0.0), 10.35 * 0.0168 * 4.369223, 6);
    // The variance of a cell, in squared spacings of 25 / 3 uS.
    let states = device("pcm-like", &[]).states(2).unwrap();
    assert!(states.has_read_noise() && !device("ideal", &[]).states(2).unwrap().has_read_noise());
    let expected = (3.0_f64 * 0.0088 * 4.183_823).powi(2);
    assert!((f64::from(states.read_noise_variance(3.0)) / expected - 1.0).abs() < 1e-6);
    assert_eq!(states.read_noise_variance(0.0), 0.0);
    let relative = ReadNoise::Relative { relative_sigma: 0.01 };
    assert!((relative.sigma_s(40e-6, 0.0) - 0.4e-6).abs() < 1e-18);
}

/// The laws at single points, by hand from the published coefficients.
#[test]
fn drift_exponents_have_their_published_values() {
    let exponents = |name: &str, x: f64| {
        let Some(DriftLaw::Power { nu_mean, nu_sigma, t0_s, .. }) = device(name, &[]).drift.map(|drift| drift.law)
        else {
            panic!("{name} drifts")
        };
        (nu_mean.at(x), nu_sigma.at(x), t0_s)
    };
    for (name, x, mean, sigma, t0_s) in [
        ("pcm-like", 1.0, 0.049, 0.008, 20.0),
        ("pcm-like", 0.1, 0.0155 * 10_f64.ln() + 0.0244, 0.0125 * 10_f64.ln() - 0.0059, 20.0),
        ("pcm-like", 0.001, 0.1, 0.045, 20.0),
        ("hermes-2-devices", 0.5, 0.0564, 0.009, 300.0),
        ("hermes-2-devices", 0.05, 0.0387 * 20_f64.ln() - 0.0182, 0.0117 * 20_f64.ln() - 0.0057, 300.0),
        ("hermes-1-device", 1.0, 0.0174, 0.0055, 200.0),
        ("hermes-1-device", 0.01, 0.13, 0.04, 200.0),
    ] {
        let (found_mean, found_sigma, found_t0_s) = exponents(name, x);
        assert!((found_mean - mean).abs() < 1e-12 && (found_sigma - sigma).abs() < 1e-12, "{name} {x}");
        assert_eq!(found_t0_s, t0_s);
    }
}

/// One day, ln 86400 = 11.366743: a mean of -0.08900206 and a deviation of 0.04201137 uS per unit of it, 0.41183342 uS from the start.
#[test]
fn relaxation_has_its_published_size() {
    for name in ["cmo-2-percent", "cmo-0.2-percent"] {
        let states = device(name, &["read_after_s=86400"]).states(2).unwrap();
        let programmed = device(name, &[]).states(2).unwrap();
        for (state, before) in states.states.iter().zip(&programmed.states) {
            assert_printed(state.mean_shift * 26.4, -0.08900206 * 11.366_743, 6);
            let relaxation = 0.04201137 * 11.366_743 + 0.41183342;
            assert_printed(state.sigma * 26.4, ((before.sigma * 26.4_f64).powi(2) + relaxation * relaxation).sqrt(), 6);
        }
    }
}

/// CrossSim's fit of Milo et al., IRPS 2021, at 100 uS, where log10 G = -4.
#[test]
fn the_current_voltage_relation_has_its_published_coefficients() {
    let states = device("milo-2021-nonlinear", &[]).states(2).unwrap();
    let iv: &CurrentVoltage = states.current_voltage().unwrap();
    let quadratic = 0.0001388 * -64.0 + 0.001541 * 16.0 + 0.005711 * -4.0 + 0.007063;
    let cubic = 8.8710e-5 * 16.0 + 6.7919e-4 * -4.0 + 1.2968e-3;
    let expected = 100e-6 * 0.2 + quadratic * 0.04 + cubic * 0.008;
    assert!((iv.current_a(100e-6, 0.2) - expected).abs() < 1e-14, "{}", iv.current_a(100e-6, 0.2));
    assert_eq!(iv.max_voltage_v(), 0.5);
    assert_eq!(device("wan-2022", &[]).states(2).unwrap().current_voltage(), None);
}

/// What a preset says of another fit is what the two files give, to the digits printed.
#[test]
fn stated_differences_between_fits_are_those_of_the_files() {
    let mut stated = 0;
    for name in preset_names(Kind::Device) {
        let own = device(name, &[]);
        let Some(uncertainty) = &own.fit_uncertainty else { continue };
        let other = device(&uncertainty.other, &[]);
        let columns = uncertainty.sigma_s.iter().zip(&uncertainty.other_sigma_s);
        for (&conductance_s, (&sigma_s, &other_sigma_s)) in uncertainty.conductances_s.iter().zip(columns) {
            assert_printed(sigma_us(&own, conductance_s * 1e6), sigma_s * 1e6, 4);
            assert_printed(sigma_us(&other, conductance_s * 1e6), other_sigma_s * 1e6, 4);
            stated += 1;
        }
    }
    assert_eq!(stated, 4 * 3);
    let ratio = |g: f64| sigma_us(&device("wan-2022", &[]), g) / sigma_us(&device("wan-2022-quartic-1s", &[]), g);
    assert_printed(ratio(0.0), 3.03, 2);
    assert_printed(ratio(40.0), 1.55, 2);
}
