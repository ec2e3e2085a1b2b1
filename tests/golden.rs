//! Are published numbers met? ISAAC (Shafiee et al., ISCA 2016, configuration CE, Table 6); devices are in `devices.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

mod support;

use chip::config::Chip;
use chip::program::Program;
use chip::timing;
use explore::config::{Kind, load};
use nn_compiler::mapping::Mapping;
use support::chips;
use support::compiled::Compiled;
use support::networks::{dataset, single_layer};
use support::random::Random;
use tile::cost::{AdcModel, AdcPrices, CostTable};

fn isaac_costs() -> CostTable {
    load(Kind::Costs, "isaac-32nm", &[]).unwrap()
}

/// Sum of the published powers (mW) and areas (mm2) of a level of the hierarchy.
fn published(costs: &CostTable, level: &str) -> (f64, f64) {
    let rows = || costs.published.iter().filter(|row| row.level == level);
    (rows().map(|row| row.power_w * 1e3).sum(), rows().map(|row| row.area_m2 * 1e6).sum())
}

/// Equal to all digits printed: `decimals` of them stand behind the point.
fn assert_printed(value: f64, expected: f64, decimals: i32) {
    assert!((value - expected).abs() < 0.5001 * 10_f64.powi(-decimals), "{value}, published {expected}");
}

#[test]
fn the_published_table_adds_up() {
    let costs = isaac_costs();
    let (ima_mw, ima_mm2) = published(&costs, "ima");
    let (shared_mw, shared_mm2) = published(&costs, "tile");
    let (chip_mw, chip_mm2) = published(&costs, "chip");
    let (tile_mw, tile_mm2) = (12.0 * ima_mw + shared_mw, 12.0 * ima_mm2 + shared_mm2);
    for (value, expected, decimals) in [
        (ima_mw, 24.08, 2),
        (12.0 * ima_mw, 288.96, 2),
        (shared_mw, 40.85, 2),
        (tile_mw, 329.81, 2),
        (168.0 * tile_mw / 1e3, 55.41, 2),
        ((168.0 * tile_mw + chip_mw) / 1e3, 65.81, 2),
        (ima_mm2, 0.01312, 5),
        (12.0 * ima_mm2, 0.15744, 5),
        (shared_mm2, 0.21485, 5),
        (tile_mm2, 0.37229, 5),
        (168.0 * tile_mm2, 62.54, 2),
        (168.0 * tile_mm2 + chip_mm2, 85.42, 2),
    ] {
        assert_printed(value, expected, decimals);
    }
}

/// Power (W) and area (m2) of the published row of a unit whose name begins like this.
fn row(costs: &CostTable, component: &str) -> (f64, f64) {
    let row = costs.published.iter().find(|row| row.level == "ima" && row.component.starts_with(component)).unwrap();
    (row.power_w, row.area_m2)
}

fn assert_relative(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance * expected.abs(), "{value:e}, expected {expected:e}");
}

/// Price times rate is power: a unit of 8 arrays of 128 x 128 reads all of them once in 100 ns.
#[test]
fn prices_of_actions_reproduce_the_published_powers() {
    let costs = isaac_costs();
    let (arrays, rows, cols, cycle_s) = (8.0, 128.0, 128.0, 100e-9);
    let price = &costs.energy_j;
    for (component, per_cycle) in [
        ("crossbar", arrays * rows * cols * price.cell_read),
        ("DAC", arrays * rows * price.dac_drive),
        ("sample-and-hold", arrays * cols * price.sample_hold),
        ("shift-and-add", arrays * cols * price.shift_add),
        ("input register", arrays * rows * price.input_register_bit),
        // 16 outputs of 8 columns each.
        ("output register", arrays * 16.0 * price.output_register_word),
    ] {
        assert_relative(per_cycle / cycle_s, row(&costs, component).0, 1e-12);
    }
}

/// Powers of the DACs in MNSIM, uW, relative to the driver of one bit.
#[test]
fn wider_dacs_cost_what_mnsim_says() {
    let costs = isaac_costs();
    for (bits, power_uw) in [(1, 3.9), (2, 7.8), (3, 15.6), (4, 31.2), (6, 124.8)] {
        assert_relative(costs.dac_factor(bits).unwrap(), power_uw / 3.9, 1e-12);
    }
}

#[test]
fn areas_of_components_reproduce_the_published_areas() {
    let costs = isaac_costs();
    let (arrays, rows, cols) = (8.0, 128.0, 128.0);
    let area = costs.area_m2.unwrap();
    for (component, area_m2) in [
        ("crossbar", arrays * rows * cols * area.cell),
        ("DAC", arrays * rows * area.dac),
        ("sample-and-hold", arrays * cols * area.sample_hold),
        ("shift-and-add", arrays * area.shift_add),
        ("input register", arrays * area.input_register),
        ("output register", arrays * area.output_register),
    ] {
        assert_relative(area_m2, row(&costs, component).1, 1e-12);
    }
    let shared: f64 = costs.published.iter().filter(|row| row.level == "tile").map(|row| row.area_m2).sum();
    assert_relative(area.tile + area.router, shared, 1e-12);
}

/// 2 mW at 1.28 GS/s.
#[test]
fn the_converter_reproduces_its_published_power_and_area() {
    let adc: AdcModel = load(Kind::Adc, "isaac-table", &[]).unwrap();
    let cost = adc.prices.at(8).unwrap();
    assert_relative(cost.energy_j, 1.5625e-12, 1e-12);
    assert_relative(cost.conversion_time_s, 1.0 / 1.28e9, 1e-12);
    let (power_w, area_m2) = row(&isaac_costs(), "ADC");
    assert_relative(8.0 * cost.energy_j / cost.conversion_time_s, power_w, 1e-12);
    assert_relative(8.0 * cost.area_m2, area_m2, 1e-12);
    // More bits cost more, in energy and area.
    let AdcPrices::Table(table) = &adc.prices else { panic!("it is a table") };
    assert!(table.costs.is_sorted_by(|a, b| a.bits < b.bits && a.energy_j < b.energy_j && a.area_m2 < b.area_m2));
}

/// 128 inputs and 16 outputs of 16 bits in 2-bit cells: exactly one array.
fn one_array(chip: &Chip) -> Program {
    let network = single_layer(128, 16, |output, input| (output * 131 + input * 7) as i32 % 201 - 100, 0.0);
    let dataset = dataset(&mut Random(1), network.input, 16, 2, 1);
    Compiled::new(&network, &dataset, &Mapping::parse("isaac").unwrap(), chip).program
}

/// Base cycles (1.2 GHz) of a stage of the pipeline: 100 ns.
const STAGE: u64 = 120;

/// Its pipeline: fetch, 16 reads of one input bit each, converted one cycle later, shifted and added two later, three cycles to the buffer.
#[test]
fn isaac_takes_22_cycles_and_one_conversion_per_mac() {
    let program = one_array(&chips::chip("isaac_isca_2016"));
    let (_, stage) = program.mvm_stages().next().unwrap();
    assert_eq!((stage.crossbars.len(), stage.columns(&stage.crossbars[0]), stage.slices.len()), (1, 128, 8));
    let timing = timing::run(&program, 1).unwrap();
    assert_eq!(timing.cycles(), 22 * STAGE);
    assert_eq!((program.macs, timing.counts.adc_conversion), (2048, 2048));
    // Back to back one image leaves every 16 cycles.
    assert_eq!(timing::run(&program, 9).unwrap().steady_interval(), (4 * 16 * STAGE, 4));
}

/// All arrays of all tiles at that rate, two operations per multiply-accumulate: 41.288 TOPS, 0.627 TOPS/W and 483 GOPS/mm2 by the table.
#[test]
fn isaac_reaches_its_peak_rate() {
    let chip = chips::chip("isaac_isca_2016");
    let program = one_array(&chip);
    let (cycles, images) = timing::run(&program, 9).unwrap().steady_interval();
    let seconds = cycles as f64 / images as f64 / program.chip.clock_hz;
    let arrays = (u64::from(chip.tile.arrays) * chip.mesh.tiles()) as f64;
    let tops = arrays * 2.0 * program.macs as f64 / seconds / 1e12;
    assert_printed(tops, 41.288, 3);
    let costs = isaac_costs();
    let sum = |part: fn((f64, f64)) -> f64| {
        168.0 * (12.0 * part(published(&costs, "ima")) + part(published(&costs, "tile")))
            + part(published(&costs, "chip"))
    };
    assert_printed(tops / sum(|(mw, _)| mw / 1e3), 0.6274, 4);
    assert_printed(tops * 1e3 / sum(|(_, mm2)| mm2), 483.3, 1);
}

/// One layer takes 22 stages of 100 ns; between layers a packet crosses the mesh within a stage of its own.
#[test]
fn three_layers_on_isaac_take_three_pipelines() {
    let architecture: trainer::Architecture = load(Kind::Network, "digits-mlp", &[]).unwrap();
    let chip: Chip = load(Kind::Chip, "isaac_isca_2016", &["calibration_images=1".to_owned()]).unwrap();
    let mut data = nn::datasets::load("digits-8x8").unwrap();
    // Times do not depend on values; few images keep the compiler quick.
    (data.train, data.test) = (data.train.truncated(2), data.test.truncated(2));
    let scale = trainer::config::WeightScale::FixedPoint;
    let network = architecture.build(data.shape, chip.format.weight_bits, scale, 1).unwrap();
    let program = Compiled::new(&network, &data, &Mapping::parse("isaac").unwrap(), &chip).program;
    assert_eq!(timing::run(&program, 1).unwrap().cycles(), (3 * 22 + 2) * STAGE);
}

/// The committed table of the main job; continuous integration holds that the command still writes exactly these files.
#[test]
fn the_published_effect_is_in_the_shipped_table() {
    let column = |text: &str, keys: &[&str], name: &str| -> f64 {
        let mut reader = csv_lines(text);
        let header = reader.remove(0);
        let index = header.iter().position(|column| column == name).unwrap();
        let line = reader.iter().find(|line| keys.iter().all(|key| line.contains(&(*key).to_owned()))).unwrap();
        line[index].parse().unwrap()
    };
    let table = include_str!("../docs/results/digits/compare.csv");
    let ratios = include_str!("../docs/results/digits/ratios.csv");
    let accuracy = |keys: &[&str]| column(table, keys, "accuracy_mean");
    // Diware et al., AICAS 2023, on Fashion-MNIST: 35.4 % to 85.2 %, 2.4 times.
    assert!((0.3..0.45).contains(&accuracy(&["conventional", "isaac"])));
    assert!(accuracy(&["biased", "isaac"]) > 0.8);
    assert!(column(ratios, &["isaac", "biased"], "ratio") >= 2.0);
    assert!(column(ratios, &["isaac", "biased"], "ratio_ci95_low") > 1.5);
    for training in ["conventional", "noise-injection", "biased"] {
        assert!(accuracy(&[training, "differential"]) > 0.97);
    }
}

fn csv_lines(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Leakage must not exceed what the table publishes for the component in all: 8 arrays make an in-situ multiply-accumulate unit.
#[test]
fn leakage_stays_below_the_published_power() {
    let costs = isaac_costs();
    let published =
        |component: &str| costs.published.iter().find(|row| row.component.starts_with(component)).unwrap().power_w;
    assert!(8.0 * costs.leakage_w.input_register <= published("input register"));
    assert!(1024.0 * costs.leakage_w.dac <= published("DAC"));
    assert!(costs.leakage_w.tile <= published("eDRAM buffer") + published("eDRAM-to-IMA bus"));
    assert!(costs.leakage_w.router <= published("router"));
}
