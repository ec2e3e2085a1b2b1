use super::*;
use crate::config::{Kind, load_text};
use crate::error::ExploreError;
use crate::progress::Silent;
use crate::store::{self, Store};

mod axes;
mod comparisons;
mod damage;
mod figures;
mod model;
mod plans;
mod runs;

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

/// An axis of methods, and one that takes part only with one of them.
const METHODS_AND_SHARES: &str = r#"
        [[axes]]
        name = "method"
        keys = ["methods"]
        values = [["conventional"], ["biased"]]
        [[axes]]
        name = "share"
        keys = ["training.biased.shares"]
        values = [[0.5], [1.0]]
        when = { method = [["biased"]] }
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

/// All points, checked.
fn points(sweep: &Sweep) -> Result<Vec<Point>, ExploreError> {
    let plan = Plan::new(sweep)?;
    plan.check()?;
    (0..plan.len()).map(|point| plan.point(point)).collect()
}

fn refusal(axes: &[&str]) -> String {
    points(&sweep(axes)).unwrap_err().to_string()
}

/// The rows of a sweep, and what its store holds: trainings, programs, rows.
fn run_in(store: &Store, sweep: &Sweep) -> (Vec<PointRows>, [usize; 3]) {
    let plan = Plan::new(sweep).unwrap();
    let summary = run(&plan, store, RunOptions::default(), &Silent).unwrap();
    assert!(summary.failed.is_empty(), "{summary:?}");
    let count = |kind| store.ids(kind).unwrap().len();
    let counts = [store::Kind::Training, store::Kind::Program, store::Kind::Row].map(count);
    (collect(&plan, store, false).unwrap(), counts)
}

fn run_alone(sweep: &Sweep) -> (Vec<PointRows>, [usize; 3]) {
    let directory = tempfile::tempdir().unwrap();
    run_in(&Store::open(directory.path()), sweep)
}

fn rows(points: &[PointRows]) -> Vec<crate::results::Row> {
    points.iter().flat_map(|point| &point.rows).map(|result| result.row.clone()).collect()
}

/// What only a comparison searches would otherwise be left out without a word.
#[test]
fn an_operating_point_is_refused() {
    let text = format!("{SMALL}\n{ADC}");
    let point = "experiment.operating_point={mapping=\"isaac\", accuracy=0.5, chips=2, images=0}".to_owned();
    let error = load_text::<Sweep>(Kind::Sweep, "small.toml", &text, &[point]).unwrap_err().to_string();
    assert!(error.contains("experiment.operating_point"), "{error}");
}
