use std::collections::BTreeSet;

use super::*;
use crate::config::{load, preset_names, to_toml};

#[test]
fn shipped_sweeps_have_their_points_and_survive_writing() {
    for (name, count) in [("adc-precision-x-array-size", 20), ("device-x-sigma", 12)] {
        let sweep: Sweep = load(Kind::Sweep, name, &[]).unwrap();
        assert_eq!(points(&sweep).unwrap().len(), count, "{name}");
        assert_eq!(
            load_text::<Sweep>(Kind::Sweep, "again", &to_toml(Kind::Sweep, &sweep).unwrap(), &[]).unwrap(),
            sweep
        );
    }
    for name in preset_names(Kind::Sweep) {
        let sweep: Sweep = load(Kind::Sweep, name, &[]).unwrap();
        assert!(sweep.plot.is_some(), "{name}");
        // Data sets that are not in the program may not be there; a name of a row depends on them.
        if nn::datasets::info(&sweep.experiment.network.dataset).unwrap().files().is_empty() {
            assert!(!points(&sweep).unwrap().is_empty(), "{name}");
        }
    }
}

#[test]
fn points_are_the_product_with_the_first_axis_outside() {
    let points = points(&sweep(&[ARRAY, ADC])).unwrap();
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
        let points = points(&sweep(&axes.map(String::as_str))).unwrap();
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
        assert_eq!(points(&sweep(&[&axis("any", key, values)])).unwrap().len(), 2, "{key}");
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
    let directory = tempfile::tempdir().unwrap();
    let (plan, store) = (Plan::new(&sweep(&[&bits])).unwrap(), Store::open(directory.path()));
    assert!(matches!(run(&plan, &store, RunOptions::default(), &Silent), Err(ExploreError::Config(_))));
    assert!(
        store.ids(store::Kind::Training).unwrap().is_empty(),
        "something ran before all points were known to be good"
    );
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
            "plot.x = adc is not allowed: an axis (axis_adc_bits) or a column of the results: network,",
        ),
        (
            &format!("{ADC}[plot]\nx = \"adc_bits\"\nseries = [\"adc_bits\"]"),
            "plot.series = adc_bits is not allowed: each column once, and not that of x",
        ),
        (
            &format!("{ADC}[plot]\nx = \"axis_adc_bits\"\nseries = []\nmeasures = [\"adc_bits\"]"),
            "plot.measures = adc_bits is not allowed: a result, each once: software_accuracy,",
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
        (0..20).map(|_| Axis { name: "a".to_owned(), values: vec![1.into(), 2.into()], ..Axis::default() }).collect();
    let mut problems = Problems::default();
    none.check(&mut problems);
    assert!(problems.found.iter().any(|problem| problem.value == "1048576 points"));
}
