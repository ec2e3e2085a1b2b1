use super::super::canonical::Hashed;
use super::super::factors::tree;
use super::*;
use std::collections::BTreeMap;

/// The names of all rows, from their experiments in full.
fn slow_names(plan: &Plan) -> Vec<store::Id> {
    let digests = BTreeMap::from([("digits-8x8".to_owned(), crate::datasets::digest("digits-8x8", None).unwrap())]);
    let name = |row: &PlannedRow| {
        let tree: Hashed = tree(&plan.experiment(row).unwrap(), &digests).unwrap();
        store::Id::of("row", &[&tree.bytes, &[]])
    };
    plan.rows().iter().map(name).collect()
}

fn plan(text: &str) -> Plan {
    Plan::new(&sweep(&[text])).unwrap()
}

fn labels(plan: &Plan) -> Vec<String> {
    (0..plan.len()).map(|point| plan.point(point).unwrap().label()).collect()
}

#[test]
fn names_are_those_of_the_resolved_configurations() {
    let device = axis("device", "chip.tile.cell.device.preset", r#"["wan-2022", "milo-2021", "paper-order"]"#);
    let sigma = axis("sigma", "cell.device.sigma_scale", "[0.5, 1, 2.0]");
    let layers = axis("layer", "network.layers.0.name", r#"["a", "b"]"#);
    let network = axis("network", "network.preset", r#"["digits-mlp", "digits-cnn"]"#);
    let methods = axis("methods", "methods", r#"[["conventional"], ["biased", "noise-injection"]]"#);
    let mappings = axis("mappings", "mappings", r#"[["isaac"], ["offset", "isaac"]]"#);
    for axes in [
        vec![ARRAY, ADC],
        vec![&device, &sigma, ADC],
        vec![&sigma, &device],
        vec![&layers, ADC],
        vec![&network, ADC],
        vec![&methods, &mappings, ADC],
    ] {
        let plan = Plan::new(&sweep(&axes)).unwrap();
        let names: Vec<store::Id> = plan.rows().iter().map(|row| row.id).collect();
        assert_eq!(names, slow_names(&plan), "{axes:?}");
        // Rows of points that list the same mapping strategy are the same.
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert!(distinct.len() == names.len() || axes.contains(&mappings.as_str()));
    }
    let (one, other) = (plan(ADC), sweep_with(&[ADC], &["experiment.doc=another text"]));
    assert_eq!(one.rows(), Plan::new(&other).unwrap().rows(), "what a sweep is called does not count");
    let other = sweep_with(&[ADC], &["experiment.seed=2"]);
    assert!(one.rows().iter().zip(Plan::new(&other).unwrap().rows()).all(|(a, b)| a.id != b.id));
}

#[test]
fn zipped_axes_go_together() {
    let text = r#"
        [[axes]]
        name = "rows"
        keys = ["array.rows"]
        values = [32, 64, 32]
        zip = "size"
        [[axes]]
        name = "seed"
        keys = ["seed"]
        values = [1, 2]
        [[axes]]
        name = "cols"
        keys = ["array.cols"]
        values = [16, 32, 64]
        zip = "size"
    "#;
    let plan = plan(text);
    assert_eq!(
        labels(&plan)[..3],
        ["rows = 32, seed = 1, cols = 16", "rows = 32, seed = 2, cols = 16", "rows = 64, seed = 1, cols = 32"]
    );
    assert_eq!(plan.len(), 6);
    assert_eq!(plan.rows().iter().map(|row| row.id).collect::<Vec<_>>(), slow_names(&plan));
}

#[test]
fn an_axis_takes_part_where_its_condition_holds() {
    let plan = plan(METHODS_AND_SHARES);
    let found =
        ["method = [\"conventional\"]", "method = [\"biased\"], share = [0.5]", "method = [\"biased\"], share = [1.0]"];
    assert_eq!(labels(&plan), found);
    assert_eq!(plan.rows().iter().map(|row| row.id).collect::<Vec<_>>(), slow_names(&plan));
    let rows = vec![RowResult { accuracies: vec![vec![0.5]], row: crate::results::Row::default() }];
    let points: Vec<PointRows> =
        (0..plan.len()).map(|point| PointRows { settings: plan.settings(point), rows: rows.clone() }).collect();
    let table = to_csv(&plan.sweep().axes, &points).unwrap();
    let starts: Vec<&str> = table.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(starts, ["axis_share", "", "[0.5]", "[1.0]"]);
}

#[test]
fn ranges_hold_both_ends() {
    let range = |range: &str| {
        let plan = plan(&format!("[[axes]]\nname = \"x\"\nkeys = [\"sigma_scale\"]\nrange = {range}\n"));
        (0..plan.len()).map(|point| plan.settings(point)[0].value.as_float().unwrap()).collect::<Vec<f64>>()
    };
    assert_eq!(range("{ low = 1, high = 2, points = 5 }"), [1.0, 1.25, 1.5, 1.75, 2.0]);
    let logarithmic = range("{ low = 0.1, high = 10, points = 3, scale = \"logarithmic\" }");
    assert!(logarithmic[0] == 0.1 && (logarithmic[1] - 1.0).abs() < 1e-12 && logarithmic[2] == 10.0);
}

#[test]
fn samples_fill_their_ranges() {
    let text = |method: &str, points: usize| {
        format!(
            r#"
            [samples]
            method = "{method}"
            points = {points}
            seed = 3
            [[axes]]
            name = "sigma"
            keys = ["sigma_scale"]
            range = {{ low = 0.0, high = 2.0 }}
            sampled = true
            [[axes]]
            name = "bits"
            keys = ["adc.bits"]
            range = {{ low = 4, high = 8, integer = true }}
            sampled = true
            [[axes]]
            name = "array"
            keys = ["array.rows"]
            values = [32, 64]
            sampled = true
        "#
        )
    };
    let column = |plan: &Plan, axis: usize| {
        (0..plan.len()).map(|point| plan.settings(point)[axis].value.clone()).collect::<Vec<_>>()
    };
    let cube = plan(&text("latin-hypercube", 16));
    assert_eq!(cube.len(), 16);
    let mut parts: Vec<usize> =
        column(&cube, 0).iter().map(|value| (value.as_float().unwrap() * 8.0) as usize).collect();
    assert!(!parts.is_sorted());
    parts.sort_unstable();
    assert!(parts.into_iter().eq(0..16), "one value in each of 16 equal parts");
    let rows = column(&cube, 2);
    assert_eq!(rows.iter().filter(|value| value.as_integer() == Some(32)).count(), 8);
    assert_eq!(cube.rows().iter().map(|row| row.id).collect::<Vec<_>>(), slow_names(&cube));
    // At random, more points leave the others as they are.
    let (few, many) = (plan(&text("random", 8)), plan(&text("random", 40)));
    assert_eq!(column(&few, 0), column(&many, 0)[..8]);
    // Many numbers are named without resolving each of them.
    let many = plan(&text("random", 2500));
    let some: Vec<PlannedRow> = many.rows().iter().step_by(500).copied().collect();
    let digests = BTreeMap::from([("digits-8x8".to_owned(), crate::datasets::digest("digits-8x8", None).unwrap())]);
    for row in some {
        let tree = tree(&many.experiment(&row).unwrap(), &digests).unwrap();
        assert_eq!(store::Id::of("row", &[&tree.bytes, &[]]), row.id, "{}", many.label(&row));
    }
}

#[test]
fn bad_axes_are_refused() {
    let refusal = |more: &str| {
        load_text::<Sweep>(Kind::Sweep, "small.toml", &format!("{SMALL}\n{more}"), &[]).unwrap_err().to_string()
    };
    let sigma = "[[axes]]\nname = \"a\"\nkeys = [\"sigma_scale\"]\n";
    for (more, expected) in [
        (
            format!("{sigma}range = {{ low = 1, high = 1, points = 3 }}"),
            "axes[0].range.high = 1 is not allowed: a number above low",
        ),
        (
            format!("{sigma}range = {{ low = 0, high = 1, points = 3, scale = \"logarithmic\" }}"),
            "range.low = 0 is not allowed",
        ),
        (format!("{sigma}range = {{ low = 0, high = 1 }}"), "axes[0].range.points = no number is not allowed"),
        (format!("{sigma}values = [1]\nrange = {{ low = 0, high = 1, points = 2 }}"), "either `values` or `range`"),
        (format!("{sigma}values = [1]\nsampled = true"), "samples = missing is not allowed"),
        (format!("{ADC}[samples]\nmethod = \"random\"\npoints = 3"), "samples = there is not allowed"),
        (format!("{ADC}zip = \"z\"\n{sigma}values = [1]\nzip = \"z\""), "as many values as `adc_bits`: 2"),
        (format!("{sigma}range = {{ low = nan, high = 1, points = 3 }}"), "axes[0].range.low = NaN is not allowed"),
        (
            format!("{sigma}range = {{ low = 0, high = 1e300, points = 3, integer = true }}"),
            "axes[0].range.high = 1e300 is not allowed: a number above low that fits",
        ),
        (
            format!("{ADC}{}", axis("b", "chip.tile.adc.bits", "[6]")),
            "axes[1].keys = chip.tile.adc.bits is not allowed: each key once, in one axis only",
        ),
        (
            axis("a", "experiment.chips", "[1]"),
            "axes[0].keys = experiment.chips is not allowed: a key below [experiment], without that word",
        ),
        (format!("{ADC}{sigma}values = [1]\nwhen = {{ other = [1] }}"), "axes[1].when = other is not allowed"),
        (format!("{ADC}{sigma}values = [1]\nwhen = {{ adc_bits = [7] }}"), "a value of the axis `adc_bits`"),
    ] {
        let error = refusal(&more);
        assert!(error.contains(expected), "{more}: {error}");
    }
}

/// At every point an axis would overwrite it.
#[test]
fn what_an_axis_sets_is_not_set_beside_it() {
    let device = axis("device", "chip.tile.cell.device.preset", "[\"milo-2021\", \"wan-2022\"]");
    let sweep = sweep(&[ADC, METHODS_AND_SHARES, &device]);
    let refuse = |argument: &str| refuse_shadowed(&sweep, &[argument.to_owned()]).map_err(|error| error.to_string());
    for (argument, axis, number) in [
        ("tile.adc.bits=7", "adc_bits", 0),
        ("experiment.chip.tile.adc.bits = 7", "adc_bits", 0),
        ("methods=[\"biased\"]", "method", 1),
        ("cell.device.preset=paper-order", "device", 3),
        ("device.sigma_scale=2.0", "device", 3),
    ] {
        let said = refuse(argument).unwrap_err();
        assert!(said.contains(&format!("--set {argument}: has no effect: axis `{axis}`")), "{said}");
        assert!(said.contains(&format!("axes.{number}.values")), "{said}");
    }
    // What other keys say counts, and what an axis with a condition leaves to the experiment, and tables around those of axes.
    for argument in ["axes.0.values=[7]", "name=other", "chips=3", "shares=[0.25]", "chip.preset=default", "nothing=1"]
    {
        refuse(argument).unwrap();
    }
}
