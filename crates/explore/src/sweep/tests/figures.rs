use super::*;
use crate::config::{load, preset_names};
use crate::plot::texts::demand_readable;
use crate::results::Row;

/// A row of a shipped sweep as its settings have it, with results that are made up.
fn made_up(plan: &Plan, planned: &PlannedRow, number: usize) -> RowResult {
    let experiment = plan.experiment(planned).unwrap();
    let (tile, format) = (&experiment.chip.tile, &experiment.chip.format);
    let (mapping, training) = plan.names(planned);
    let range = toml::Value::try_from(&tile.adc).unwrap();
    let word = |key: &str| {
        range.get(key).map_or_else(String::new, |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let accuracy = 0.1 + 0.85 * ((number * 37) % 100) as f64 / 100.0;
    let row = Row {
        network: experiment.network.name.clone(),
        dataset: experiment.network.dataset.clone(),
        training: training.to_owned(),
        mapping: mapping.to_owned(),
        device: tile.cell.device.name.clone(),
        sigma_scale: tile.cell.device.sigma_scale,
        array_rows: tile.array.rows as u64,
        array_cols: tile.array.cols as u64,
        cell_bits: tile.cell.bits.into(),
        weight_bits: format.weight_bits.into(),
        adc_bits: tile.adc.bits.into(),
        // As the evaluation writes it.
        adc_range: format!(
            "{}/{}{}",
            word("range"),
            word("criterion"),
            if word("per_column") == "true" { "+per-column" } else { "" }
        ),
        chips: experiment.chips.into(),
        software_accuracy: 0.97,
        accuracy_mean: accuracy,
        accuracy_ci95_low: accuracy - 0.02,
        accuracy_ci95_high: accuracy + 0.02,
        accuracy_p5: accuracy - 0.05,
        energy_j: 1e-8 * (1.0 + (number % 7) as f64),
        energy_adc_j: 1e-8 * (1.0 + (number % 7) as f64),
        latency_s: 1e-6 * (1.0 + (number % 5) as f64),
        area_m2: Some(1e-6 * (1.0 + (number % 4) as f64)),
        latency_cycles: 1000 + number as u64,
        ..Row::default()
    };
    RowResult { accuracies: vec![vec![accuracy - 0.01, accuracy, accuracy + 0.01]], row }
}

/// All figures of a sweep.
fn figures(plan: &Plan) -> Pictures {
    let mut points: Vec<PointRows> =
        (0..plan.len()).map(|point| PointRows { settings: plan.settings(point), rows: Vec::new() }).collect();
    for (number, planned) in plan.rows().iter().enumerate() {
        points[planned.point as usize].rows.push(made_up(plan, planned, number));
    }
    pictures(&plan.sweep().axes, plan.sweep().plot.as_ref(), &points)
}

/// Writes the figures for a look at them: `FIGURES=folder cargo test -p explore shipped_sweeps_are_drawn`.
fn keep(sweep: &str, found: &Pictures) {
    let Ok(folder) = std::env::var("FIGURES") else { return };
    for (name, svg) in &found.files {
        std::fs::write(format!("{folder}/{sweep}-{name}"), svg).unwrap();
    }
}

#[test]
fn shipped_sweeps_are_drawn_and_every_text_is_readable() {
    for name in preset_names(Kind::Sweep) {
        let sweep: Sweep = load(Kind::Sweep, name, &[]).unwrap();
        if !nn::datasets::info(&sweep.experiment.network.dataset).unwrap().files().is_empty() {
            continue;
        }
        let found = figures(&Plan::new(&sweep).unwrap());
        keep(name, &found);
        assert!(found.left_out.is_empty(), "{name}: {:?}", found.left_out);
        assert_eq!(found.files.len(), 2 * 5, "{name}");
        for (file, svg) in &found.files {
            demand_readable(&format!("{name}: {file}"), svg);
        }
    }
}

#[test]
fn sweeps_of_any_shape_are_drawn_and_every_text_is_readable() {
    let rate = axis("rate", "training.learning_rate", "[0.001, 0.002]");
    let conditional = axis("method", "methods", r#"[["conventional"], ["biased"]]"#);
    let share = axis("share", "training.biased.shares", "[[0.5], [1.0]]") + "when = { method = [[\"biased\"]] }\n";
    for (name, axes, plot) in [
        ("third", format!("{ARRAY}{ADC}{rate}"), ("adc_bits", vec!["array_rows"])),
        ("two-values", format!("{ARRAY}{ADC}"), ("adc_bits", vec!["array_rows"])),
        ("no-column", format!("{rate}{ADC}"), ("axis_rate", vec!["axis_adc_bits"])),
        ("words", format!("{conditional}{share}{ADC}"), ("axis_share", vec!["training"])),
        ("one", ADC.to_owned(), ("adc_bits", vec![])),
    ] {
        let plot = format!(
            "{axes}[plot]\nx = {:?}\nseries = {:?}\nmeasures = [\"latency_s\", \"energy_j\", \"area_m2\"]",
            plot.0, plot.1
        );
        let found = figures(
            &Plan::new(&sweep_with(
                &[&plot],
                &[r#"experiment.mappings=["isaac", "twos-complement", "differential", "offset"]"#],
            ))
            .unwrap(),
        );
        keep(name, &found);
        assert!(found.left_out.is_empty(), "{name}: {:?}", found.left_out);
        for (file, svg) in &found.files {
            demand_readable(&format!("{name}: {file}"), svg);
        }
    }
}

/// Lines for more seeds than there are marks: that one figure is left out, with the reason, and the others are there.
#[test]
fn a_figure_that_cannot_be_drawn_takes_nothing_with_it() {
    let seeds: Vec<String> = (0..40).map(|seed| seed.to_string()).collect();
    let text = format!(
        "{}[plot]\nx = \"adc_bits\"\nseries = [\"axis_seed\"]",
        axis("seed", "seed", &format!("[{}]", seeds.join(", ")))
    );
    let found = figures(&Plan::new(&sweep(&[&text])).unwrap());
    let left_out: Vec<&str> = found.left_out.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(left_out, ["sweep.svg"]);
    assert_eq!(found.left_out[0].1.to_string(), "more than 35 lines");
    assert_eq!(found.files.len(), 2 * 4);
}
