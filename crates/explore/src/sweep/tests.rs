use std::collections::BTreeSet;
use std::sync::Mutex;

use super::*;
use crate::compare::compare;
use crate::config::{Kind, load, load_text, preset_names, to_toml};
use crate::error::ExploreError;
use crate::progress::{Progress, Silent};
use crate::results::{self, Row};

const SMALL: &str = r#"
    kind = "sweep"
    version = 1
    name = "small"
    [experiment]
    preset = "digits"
    mappings = ["isaac", "differential"]
    methods = ["conventional"]
    training_seeds = 1
    chips = 2
    images = 12
    timing_images = 2
    [experiment.network]
    name = "small"
    dataset = "digits-8x8"
    layers = [{ kind = "linear", name = "fc1", outputs = 10 }]
    [experiment.training]
    epochs = 2
    validation_chips = 1
    noise = { ramp_start = 0.0, ramp_end = 0.5 }
    biased = { warm_up = 0.0, freeze = 0.5, refresh_epochs = 1, shares = [0.5, 1.0] }
    [experiment.chip.tile.adc]
    calibration_images = 2
    calibration_chips = 1
"#;

const ARRAY: &str = r#"
    [[axes]]
    name = "array_size"
    keys = ["chip.tile.array.rows", "chip.tile.array.cols"]
    values = [32, 64]
"#;

const ADC: &str = r#"
    [[axes]]
    name = "adc_bits"
    keys = ["adc.bits"]
    values = [6, 5]
"#;

fn axis(name: &str, key: &str, values: &str) -> String {
    format!("[[axes]]\nname = \"{name}\"\nkeys = [\"{key}\"]\nvalues = {values}\n")
}

fn sweep_with(axes: &[&str], overrides: &[&str]) -> Sweep {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    load_text(Kind::Sweep, "small.toml", &format!("{SMALL}\n{}", axes.join("\n")), &overrides).unwrap()
}

fn sweep(axes: &[&str]) -> Sweep {
    sweep_with(axes, &[])
}

fn refusal(axes: &[&str]) -> String {
    sweep(axes).points().unwrap_err().to_string()
}

/// Every stage with its total and the steps that were made.
#[derive(Default)]
struct Recorder(Mutex<Vec<(String, u64, u64)>>);

impl Progress for Recorder {
    fn begin(&self, stage: &str, total: u64) {
        self.0.lock().unwrap().push((stage.to_owned(), total, 0));
    }

    fn advance(&self, steps: u64) {
        self.0.lock().unwrap().last_mut().unwrap().2 += steps;
    }

    fn note(&self, text: &str) {
        assert!(text.starts_with("loss "), "{text}");
    }

    fn end(&self) {}
}

/// Epochs of the trainings, which are counted in images, and chip samples of the simulations.
fn steps(sweep: &Sweep) -> (u64, u64) {
    let recorder = Recorder::default();
    run(sweep, &recorder).unwrap();
    let stages = recorder.0.into_inner().unwrap();
    let [(first, images, trained), (second, chips, simulated)] = &stages[..] else { panic!("{stages:?}") };
    assert_eq!((first.as_str(), second.as_str()), ("training", "simulating"));
    assert_eq!((images, chips), (trained, simulated));
    let of_epoch = nn::datasets::load("digits-8x8").unwrap().train.len() as u64;
    assert_eq!(images % of_epoch, 0);
    (images / of_epoch, *chips)
}

#[test]
fn shipped_sweeps_have_their_points_and_survive_writing() {
    for (name, points) in [("adc-precision-x-array-size", 20), ("device-x-sigma", 12)] {
        let sweep: Sweep = load(Kind::Sweep, name, &[]).unwrap();
        assert_eq!(sweep.points().unwrap().len(), points, "{name}");
        assert_eq!(
            load_text::<Sweep>(Kind::Sweep, "again", &to_toml(Kind::Sweep, &sweep).unwrap(), &[]).unwrap(),
            sweep
        );
    }
    for name in preset_names(Kind::Sweep) {
        let sweep: Sweep = load(Kind::Sweep, name, &[]).unwrap();
        assert!(!sweep.points().unwrap().is_empty() && sweep.plot.is_some(), "{name}");
    }
}

#[test]
fn points_are_the_product_with_the_first_axis_outside() {
    let points = sweep(&[ARRAY, ADC]).points().unwrap();
    let found: Vec<_> = points
        .iter()
        .map(|Point { experiment, .. }| {
            let tile = &experiment.chip.tile;
            (tile.array.rows, tile.array.cols, tile.adc.bits)
        })
        .collect();
    assert_eq!(found, [(32, 32, 6), (32, 32, 5), (64, 64, 6), (64, 64, 5)]);
    assert_eq!(points[1].label(), "array_size = 32, adc_bits = 5");
    assert_eq!(points[3].settings[0], Setting { axis: "array_size".to_owned(), value: 64.into() });
}

#[test]
fn an_axis_may_be_any_key() {
    let device = axis("device", "chip.tile.cell.device.preset", r#"["wan-2022", "milo-2021"]"#);
    let sigma = axis("sigma_scale", "chip.tile.cell.device.sigma_scale", "[0.5, 2]");
    // The preset comes first, whatever the order of the axes.
    for axes in [[&device, &sigma], [&sigma, &device]] {
        let points = sweep(&axes.map(String::as_str)).points().unwrap();
        let cells: Vec<_> = points.iter().map(|point| &point.experiment.chip.tile.cell.device).collect();
        let found: BTreeSet<String> = cells.iter().map(|d| format!("{} {}", d.name, d.sigma_scale)).collect();
        let expected = ["milo-2021 0.5", "milo-2021 2", "wan-2022 0.5", "wan-2022 2"];
        assert_eq!(found.iter().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    }
    for (key, values) in [
        ("training.learning_rate", "[1e-3, 2e-3]"),
        ("dac.bits", "[1, 2]"),
        ("adc.per_bank", "[1, 4]"),
        ("seed", "[1, 2]"),
        ("mappings", r#"[["isaac"], ["offset", "isaac"]]"#),
        ("training.weight_scale", r#"["fixed-point", "fan-in"]"#),
        ("network.layers.0.name", r#"["a", "b"]"#),
        ("network.preset", r#"["digits-mlp", "digits-cnn"]"#),
    ] {
        assert_eq!(sweep(&[&axis("any", key, values)]).points().unwrap().len(), 2, "{key}");
    }
}

#[test]
fn a_bad_point_is_refused_with_its_values() {
    let bits = axis("adc_bits", "chip.tile.adc.bits", "[8, 99]");
    let start = "sweep point array_size = 32, adc_bits = 99: chip.tile.adc.bits = 99: \
                 chip.tile.adc.bits = 99 is not allowed: an integer from 1 to ";
    assert!(refusal(&[ARRAY, &bits]).starts_with(start), "{}", refusal(&[ARRAY, &bits]));
    let key = axis("adc_bits", "chip.tile.adc.bit", "[8]");
    assert!(refusal(&[&key]).contains("unknown key chip.tile.adc.bit; nearest known key: chip.tile.adc.bits"));
    let device = axis("device", "chip.tile.cell.device.preset", r#"["wan-2021"]"#);
    assert!(refusal(&[&device]).contains("unknown device preset \"wan-2021\"; nearest: wan-2022"));
    let twice = axis("again", "chip.tile.adc.bits", "[6, 5]");
    assert_eq!(
        refusal(&[ADC, &twice]),
        "sweep points `adc_bits = 6, again = 6` and `adc_bits = 5, again = 6`: \
         the same experiment; two axes set one key, or a value is written twice"
    );
    let recorder = Recorder::default();
    assert!(matches!(run(&sweep(&[&bits]), &recorder), Err(ExploreError::Config(_))));
    assert!(recorder.0.into_inner().unwrap().is_empty(), "something ran before all points were known to be good");
}

#[test]
fn a_bad_plan_is_refused() {
    let refusal = |more: &str| {
        let text = format!("{SMALL}\n{more}");
        load_text::<Sweep>(Kind::Sweep, "small.toml", &text, &[]).unwrap_err().to_string()
    };
    for (more, expected) in [
        (&axis("a b", "seed", "[1]"), "axes[0].name = a b is not allowed: lower-case letters, digits, `_` and `-`"),
        (&axis("a", "seed", "[]"), "axes[0].values = no values is not allowed: at least one value"),
        (&axis("a", "seed", "[1, 1]"), "axes[0].values = 1 is not allowed: each value once"),
        (
            &format!("{}{}", axis("a", "seed", "[1]"), axis("a", "seed", "[2]")),
            "axes[1].keys = seed is not allowed: each key once, in one axis only",
        ),
        (
            &format!("{ADC}[plot]\nx = \"adc\"\nseries = []"),
            "plot.x = adc is not allowed: a column of the results: network,",
        ),
        (
            &format!("{ADC}[plot]\nx = \"adc_bits\"\nseries = [\"adc_bits\"]"),
            "plot.series = adc_bits is not allowed: each column once, and not that of x",
        ),
        (&format!("{ADC}chips = 3"), "unknown key axes.0.chips"),
    ] {
        let error = refusal(more);
        assert!(error.contains(expected), "{more}: {error}");
    }
    let mut none = sweep(&[ADC]);
    none.axes.clear();
    let mut problems = Problems::default();
    none.check(&mut problems);
    assert_eq!(problems.found[0].to_string(), "axes = no axes is not allowed: at least one axis");
    none.axes =
        (0..18).map(|_| Axis { name: "a".to_owned(), keys: vec![], values: vec![1.into(), 2.into()] }).collect();
    let mut problems = Problems::default();
    none.check(&mut problems);
    assert!(problems.found.iter().any(|problem| problem.value == "262144 points"));
}

#[test]
fn rows_carry_the_values_in_the_order_of_the_points() {
    let points = run_points(&sweep(&[ARRAY, ADC]), &Silent).unwrap();
    let rows: Vec<Row> = points.iter().flat_map(|point| point.rows.clone()).collect();
    let found: Vec<_> = rows.iter().map(|row| (row.array_rows, row.array_cols, row.adc_bits, &*row.mapping)).collect();
    let expected: Vec<_> = [(32, 6), (32, 5), (64, 6), (64, 5)]
        .iter()
        .flat_map(|&(size, bits)| ["isaac", "differential"].map(|mapping| (size, size, bits, mapping)))
        .collect();
    assert_eq!(found, expected);
    assert!(rows.iter().all(|row| row.chips == 2 && row.images == 12 && row.training == "conventional"));
    assert_eq!(run(&sweep(&[ARRAY, ADC]), &Silent).unwrap(), rows);
    // Both axes are columns of a row already.
    let table = to_csv(&sweep(&[ARRAY, ADC]).axes, &points).unwrap();
    assert_eq!(table, results::to_csv(&rows).unwrap());
}

#[test]
fn a_setting_that_no_column_shows_gets_its_own() {
    let sweep = sweep(&[&axis("rate", "training.learning_rate", "[0.001, 0.002]"), ADC]);
    let points = run_points(&sweep, &Silent).unwrap();
    let table = to_csv(&sweep.axes, &points).unwrap();
    assert!(table.starts_with("axis_rate,network,"), "{table}");
    let rows: Vec<Row> = points.into_iter().flat_map(|point| point.rows).collect();
    let plain = results::to_csv(&rows).unwrap();
    for (index, (with_axis, plain)) in table.lines().zip(plain.lines()).enumerate().skip(1) {
        let rate = if index <= rows.len() / 2 { "0.001" } else { "0.002" };
        assert_eq!(with_axis, format!("{rate},{plain}"));
    }
}

#[test]
fn a_point_gives_what_its_experiment_gives() {
    let methods = r#"experiment.methods=["conventional", "biased"]"#;
    let sweep = sweep_with(&[&axis("seed", "seed", "[7, 9]")], &[methods, "training_seeds=2", "images=60", "epochs=6"]);
    let points = run_points(&sweep, &Silent).unwrap();
    for (point, rows) in sweep.points().unwrap().iter().zip(&points) {
        let compared = compare(&point.experiment, None, &Silent).unwrap();
        assert_eq!(compared.rows.into_iter().map(|compared| compared.row).collect::<Vec<_>>(), rows.rows);
    }
}

#[test]
fn trainings_that_do_not_differ_are_shared() {
    let seed = "experiment.seed=5";
    // Conventional: two epochs in all, whatever the chip; 4 points x 2 mappings x 2 chips.
    assert_eq!(steps(&sweep(&[ARRAY, ADC])), (2, 16));
    // A different width of the weights is a different training; a second seed as well.
    let width = axis("weight_bits", "weight_bits", "[6, 8]");
    assert_eq!(steps(&sweep(&[&width, ADC])), (4, 16));
    assert_eq!(steps(&sweep_with(&[ADC], &[seed, "training_seeds=3"])), (6, 24));
    // Seeds 5 and 6, and 6 and 7: three trainings.
    assert_eq!(steps(&sweep_with(&[&axis("seed", "seed", "[5, 6]")], &["training_seeds=2"])), (6, 16));
    // Two shares per mapping strategy and chip.
    let biased = r#"experiment.methods=["biased"]"#;
    assert_eq!(steps(&sweep_with(&[ADC], &[biased])), (16, 8));
    let shares = axis("shares", "shares", "[[0.5], [0.5, 1.0]]");
    assert_eq!(steps(&sweep_with(&[&shares], &[biased])), (8, 8));
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let methods = r#"experiment.methods=["conventional", "noise-injection"]"#;
    let sweep = sweep_with(&[ARRAY, ADC], &[methods]);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        to_csv(&sweep.axes, &pool.install(|| run_points(&sweep, &Silent)).unwrap()).unwrap()
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_point_that_fails_while_it_runs_is_named() {
    // One array of 64 rows holds the network, one of 32 does not: that is found when it is compiled.
    let too_small = ["mesh.width=1", "mesh.height=1", "tile.arrays=1", r#"experiment.mappings=["isaac"]"#];
    let error = run(&sweep_with(&[ARRAY], &too_small), &Silent).unwrap_err().to_string();
    assert!(error.starts_with("sweep point array_size = 32: compiling: "), "{error}");
}
