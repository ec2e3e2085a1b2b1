//! Do the shipped cost models of converters give the published numbers, and does a chip refuse what they do not price?
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

use chip::config::Chip;
use explore::config::{Kind, load, preset_names};
use tile::adc::AdcKind;
use tile::cost::{AdcCost, AdcModel};

fn model(name: &str, set: &[&str]) -> AdcModel {
    let set: Vec<String> = set.iter().map(|&key| key.to_owned()).collect();
    load(Kind::Adc, name, &set).unwrap()
}

fn cost(name: &str, set: &[&str], bits: u32) -> AdcCost {
    model(name, set).prices.at(bits).unwrap()
}

/// Equal to all digits printed.
fn assert_printed(value: f64, printed: &str) {
    let decimals = printed.split_once('.').map_or(0, |(_, decimals)| decimals.len()) as i32;
    let expected: f64 = printed.parse().unwrap();
    assert!((value - expected).abs() < 0.5001 * 10_f64.powi(-decimals), "{value}, published {printed}");
}

fn assert_relative(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance * expected.abs(), "{value:e}, expected {expected:e}");
}

/// Energy in pJ and area in um2 by the regression's implementation (Andrulis et al., arXiv 2404.06553), as printed.
#[test]
fn the_survey_gives_its_published_prices() {
    let slow = ["prices.throughput_hz=1e8"];
    let fast = ["prices.throughput_hz=1.28e9"];
    for (set, tech, bits, energy_pj, area_um2) in [
        (slow, "32", 4, "0.9237", "3274"),
        (slow, "32", 5, "0.9363", "3287"),
        (slow, "32", 6, "1.0651", "3417"),
        (slow, "32", 7, "1.3122", "3637"),
        (slow, "32", 8, "1.7137", "3939"),
        (slow, "32", 9, "2.3401", "4324"),
        (slow, "32", 10, "3.3097", "4796"),
        (slow, "32", 12, "29.06", "9185"),
        (fast, "32", 6, "1.0651", "5416"),
        (fast, "32", 7, "1.3122", "5765"),
        (fast, "32", 8, "1.9292", "6469"),
        (fast, "32", 9, "5.530", "8865"),
        (fast, "32", 10, "16.42", "12275"),
        (slow, "22", 4, "0.4567", "1828"),
        (slow, "22", 6, "0.5266", "1907"),
        (slow, "22", 8, "0.8472", "2199"),
        (slow, "65", 8, "6.4945", "11862"),
    ] {
        let cost = cost("survey-2024", &[set[0], &format!("prices.tech_nm={tech}")], bits);
        assert_printed(cost.energy_j * 1e12, energy_pj);
        assert_printed(cost.area_m2 * 1e12, area_um2);
        assert_eq!(cost.leakage_w, 0.0);
    }
    assert_relative(cost("survey-2024", &fast, 8).conversion_time_s, 1.0 / 1.28e9, 1e-15);
}

/// (1.1294 x 8 + 8.8998) uW x 9 ns, without the current of the column: at 10^12 Ohm 5e-9 of the power.
#[test]
fn neurosim_gives_its_published_energy() {
    let no_column = "prices.column_resistance_ohm=1e12";
    let sar = cost("neurosim-sar", &[no_column], 8);
    assert_printed(sar.energy_j * 1e12, "0.1614");
    assert_relative(sar.energy_j, (1.1294 * 8.0 + 8.8998) * 1e-6 * 9e-9, 1e-7);
    assert_relative(sar.conversion_time_s, 9e-9, 1e-15);
    let high_performance = cost("neurosim-sar", &[no_column, "prices.node=hp-22"], 6);
    assert_relative(high_performance.energy_j, (0.7213 * 6.0 + 3.3041) * 1e-6 * 7e-9, 1e-7);
}

/// The current of a column of R Ohm: 0.079449 e^(-2.297 log10 R) W; at 10 kOhm e^(-9.188).
#[test]
fn a_column_of_low_resistance_costs_power() {
    let of = |ohm: &str| cost("neurosim-sar", &[&format!("prices.column_resistance_ohm={ohm}")], 8).energy_j / 9e-9;
    let without = of("1e12");
    assert_relative(of("1e4") - without, 0.079449 * (-2.297_f64 * 4.0).exp(), 1e-6);
    assert!(of("1e3") > of("1e4"));
    // 0.13 % per kelvin.
    let warm = cost("neurosim-sar", &["prices.column_resistance_ohm=1e12", "prices.temperature_k=350"], 8).energy_j;
    assert_relative(warm / 9e-9, without * 1.065, 1e-9);
}

/// 28 F x 7.6 F for each of the 478 + 7 x 182 transistors at 32 nm.
#[test]
fn neurosims_area_counts_transistors() {
    let area_um2 = cost("neurosim-sar", &[], 8).area_m2 * 1e12;
    assert_relative(area_um2, 28.0 * 7.6 * 0.032 * 0.032 * 1752.0, 1e-5);
    assert_printed(area_um2, "381.8");
}

/// 255 comparators of 41.7 fJ and 40 um2 (Li et al., ISCA 2020).
#[test]
fn a_flash_converter_costs_its_comparators() {
    for bits in 1..=8 {
        let cost = cost("flash", &[], bits);
        let comparators = f64::from((1 << bits) - 1);
        assert_relative(cost.energy_j, comparators * 41.7e-15, 1e-12);
        assert_relative(cost.area_m2, comparators * 40e-12, 1e-12);
        assert_eq!(cost.conversion_time_s, 1e-9);
    }
}

/// `base + step x bits`, here with every coefficient set.
#[test]
fn a_price_per_bit_is_linear_in_the_bits() {
    let set =
        ["prices.base_time_s=2e-7", "prices.base_energy_j=3e-12", "prices.bit_energy_j=5e-13", "prices.leakage_w=2e-6"];
    for bits in 1..=10 {
        let cost = cost("neurram-neuron", &set, bits);
        assert_relative(cost.conversion_time_s, 2e-7 + 3e-7 * f64::from(bits), 1e-12);
        assert_relative(cost.energy_j, 3e-12 + 5e-13 * f64::from(bits), 1e-12);
        assert_eq!((cost.leakage_w, cost.area_m2), (2e-6, 1270e-12));
    }
}

/// 2 mW at 1.28 GS/s, 0.0096 mm2 / 8 (Shafiee et al., ISCA 2016).
#[test]
fn isaac_gives_its_published_price() {
    let cost = cost("isaac-table", &[], 8);
    assert_relative(cost.energy_j, 1.5625e-12, 1e-12);
    assert_relative(cost.area_m2, 1200e-12, 1e-12);
    assert_relative(cost.conversion_time_s, 0.78125e-9, 1e-12);
}

#[test]
fn resolutions_without_a_price_are_refused() {
    for (name, bits, allowed) in [
        ("survey-2024", 3, "an integer from 4 to 12"),
        ("survey-2024", 13, "an integer from 4 to 12"),
        ("flash", 9, "an integer from 1 to 8"),
        ("neurram-neuron", 11, "an integer from 1 to 10"),
        ("neurosim-sar", 13, "an integer from 1 to 12"),
        ("neurosim-sar", 0, "an integer from 1 to 12"),
        ("isaac-table", 3, "one of 4, 5, 6, 7, 8, 9, 10"),
    ] {
        assert_eq!(model(name, &[]).prices.at(bits).unwrap_err(), allowed, "{name}, {bits} bits");
    }
}

/// A converter of more bits takes more energy and area, where the regression says so: from 5 bits on it does.
#[test]
fn more_bits_cost_more() {
    // Models of one chip have a single resolution, or a price that is not the converter's own.
    let of_one_chip = ["hermes-cco", "neurram-neuron", "puma-table"];
    for name in preset_names(Kind::Adc).into_iter().filter(|name| !of_one_chip.contains(name)) {
        let prices = model(name, &[]).prices;
        let costs: Vec<AdcCost> = (5..=12).filter_map(|bits| prices.at(bits).ok()).collect();
        assert!(costs.len() >= 4, "{name}");
        assert!(costs.is_sorted_by(|a, b| a.energy_j < b.energy_j && a.area_m2 < b.area_m2), "{name}");
        assert!(costs.iter().all(|cost| cost.conversion_time_s == prices.conversion_time_s(cost.bits)), "{name}");
    }
}

fn chip(set: &[&str]) -> Result<Chip, String> {
    let set: Vec<String> = set.iter().map(|key| format!("tile.{key}")).collect();
    load(Kind::Chip, "default", &set).map_err(|error| error.to_string())
}

#[test]
fn a_chip_takes_every_model_that_prices_its_converters() {
    for (preset, kind) in [
        ("isaac-table", AdcKind::Sar),
        ("isaac-table", AdcKind::Ideal),
        ("neurosim-sar", AdcKind::Sar),
        ("flash", AdcKind::Flash),
        ("flash", AdcKind::Ideal),
        ("survey-2024", AdcKind::Sar),
        ("survey-2024", AdcKind::Flash),
        ("survey-2024", AdcKind::Ramp),
    ] {
        let chip = chip(&[&format!("adc.preset={preset}"), &format!("adc.kind={}", kind.name())]).unwrap();
        assert_eq!((chip.tile.adc.kind, chip.tile.adc.model.as_str()), (kind, preset));
        assert_eq!(chip.tile.adc.cost().unwrap(), cost(preset, &[], 8));
        assert_eq!(chip.tile.adc.conversion_time_s(), cost(preset, &[], 8).conversion_time_s);
    }
}

#[test]
fn a_chip_refuses_what_its_model_does_not_price() {
    for (set, texts) in [
        (
            &["adc.kind=flash"][..],
            &[
                "tile.adc.kind = \"flash\" is not allowed: one of sar, ideal (ADC model `isaac-table` prices no other; tile.adc.preset chooses another)",
            ][..],
        ),
        (&["adc.preset=flash"], &["tile.adc.kind = \"sar\" is not allowed: one of flash, ideal (ADC model `flash`"]),
        (
            &["adc.preset=survey-2024", "adc.bits=3"],
            &["tile.adc.bits = 3 is not allowed: an integer from 4 to 12 (ADC model `survey-2024` covers no other)"],
        ),
        (
            &["adc.preset=neurosim-sar", "adc.prices.node=lstp-33"],
            &["tile.adc.prices.node", "one of lstp-130, lstp-90"],
        ),
        (&["adc.prices.conversion_time_s=-1.0"], &["tile.adc.prices.conversion_time_s"]),
        (&["adc.nonideal={comparator_sigma_codes = 0.5}"], &["tile.adc.nonideal.comparator_sigma_codes", "\"flash\""]),
        (&["adc.nonideal={capacitor_sigma = 0.3}"], &["tile.adc.nonideal.capacitor_sigma", "from 0e0 to 2e-1"]),
        (&["adc.range=full", "adc.per_column=true"], &["tile.adc.per_column = true is not allowed: false unless"]),
    ] {
        let error = chip(set).unwrap_err();
        assert!(texts.iter().all(|text| error.contains(text)), "{set:?}: {error}");
    }
    assert!(chip(&["adc.range=full"]).is_ok() && chip(&["adc.per_column=true"]).is_ok());
    let error = load::<Chip>(
        Kind::Chip,
        "default",
        &["tile.dac.format=sign-magnitude".to_owned(), "format.input_bits=1".to_owned()],
    );
    assert!(error.unwrap_err().to_string().contains("format.input_bits = 1 is not allowed: at least 2"));
}

#[test]
fn non_idealities_and_signed_inputs_are_keys_of_the_chip() {
    let chip =
        chip(&["adc.nonideal={gain_sigma = 0.01, capacitor_sigma = 0.002}", "dac.format=sign-magnitude"]).unwrap();
    assert_eq!((chip.tile.adc.nonideal.gain_sigma, chip.tile.adc.nonideal.capacitor_sigma), (0.01, 0.002));
    // 8-bit inputs: 7 bits of magnitude, one a cycle.
    assert_eq!(chip.input_cycles(chip.magnitude_bits()), 7);
}
