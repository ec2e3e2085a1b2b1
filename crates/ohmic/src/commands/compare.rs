//! `ohmic compare`: the main job.

use super::guess::guess;
use super::{flag, print_json, warn, why_nothing, with_short_forms};
use crate::bar::Bar;
use crate::cli::{Compare, Format};
use crate::table;
use explore::chip::energy::Energy;
use explore::compare::{ComparedRow, Comparison, compare};
use explore::config::{Kind, load};
use explore::diagnosis::converter_warnings;
use explore::experiment::Experiment;
use explore::nn::datasets::Split;
use explore::output::{write_comparison, write_run};
use explore::results::Row;
use explore::trainer::{Epoch, Method, Trained};
use explore::{ExploreError, Keeping};
use serde_json::json;
use std::collections::BTreeSet;

pub fn run(arguments: &Compare, format: Format) -> Result<(), ExploreError> {
    let overrides =
        with_short_forms(&arguments.overrides.set, &[("chips", &arguments.chips), ("seed", &arguments.seed)]);
    let experiment: Experiment = load(Kind::Experiment, &arguments.config, &overrides)?;
    let unfinished = arguments.output.join("unfinished");
    let keeping = arguments.checkpoints.keeping(&unfinished);
    let dataset = explore::datasets::load(&experiment.network.dataset, arguments.data.data.as_deref())?;
    // An interrupted run needs its run.toml.
    keeping.as_ref().map_or(Ok(()), Keeping::begin)?;
    let data = flag("data", arguments.data.data.as_deref());
    // Before the work, so that a directory that cannot be written to is refused at once.
    write_run(&arguments.output, Kind::Experiment, &experiment, &format!("ohmic compare --config run.toml{data}"))?;
    let comparison = compare(&experiment, &dataset, keeping.as_ref(), &Bar::default())?;
    write_comparison(&arguments.output, &comparison)?;
    let warnings: Vec<String> =
        warnings(&comparison).into_iter().chain(guesses(&comparison, &dataset.validation)).collect();
    warn(warnings.clone());
    match format {
        Format::Text => print_text(&comparison, arguments),
        Format::Json => print_json(&json!({
            "rows": comparison.rows.iter().map(|compared| &compared.row).collect::<Vec<_>>(),
            "ratios": comparison.ratios,
            "efficiencies": comparison.efficiencies(),
            "operating_point": comparison.tried,
            "sigmas": comparison.sigmas,
            "warnings": warnings,
        })),
    }
}

/// Of networks that do not even work in software. Conventional ones are the same for every mapping strategy.
fn guesses(comparison: &Comparison, validation: &Split) -> BTreeSet<String> {
    let of_row = |compared: &ComparedRow| {
        let Row { training, mapping, .. } = &compared.row;
        let knows_mapping = training != Method::Conventional.name();
        let mapping = if knows_mapping { format!(" for {mapping}") } else { String::new() };
        let who = |seed: usize| format!("the network trained by {training}{mapping}, training seed {seed},");
        let of_seed = |(seed, trained)| guess(&who(seed), trained, validation);
        compared.trained.iter().enumerate().filter_map(of_seed).collect::<Vec<_>>()
    };
    comparison.rows.iter().flat_map(of_row).collect()
}

/// By mapping strategy, over all methods and training seeds.
fn warnings(comparison: &Comparison) -> Vec<String> {
    let mut mappings: Vec<&str> = comparison.rows.iter().map(|compared| compared.row.mapping.as_str()).collect();
    mappings.dedup();
    let of_mapping = |mapping: &str| {
        let rows = comparison.rows.iter().filter(|compared| compared.row.mapping == mapping);
        let uses = rows.flat_map(|compared| &compared.evaluations).flat_map(|evaluation| &evaluation.converters);
        converter_warnings(uses).into_iter().map(|line| format!("{mapping}: {line}")).collect::<Vec<_>>()
    };
    mappings.into_iter().flat_map(of_mapping).collect()
}

fn print_text(comparison: &Comparison, arguments: &Compare) -> Result<(), ExploreError> {
    let rows: Vec<_> = comparison.rows.iter().map(|compared| (compared.row.clone(), mean_energy(compared))).collect();
    say!("{}", table::results(&rows));
    say!("{}", table::legend(&rows, "all test images"));
    for compared in comparison.rows.iter().filter(|compared| is_biased(&compared.row.training)) {
        say!("{}", shares(compared));
    }
    let chance = 100.0 / comparison.classes as f64;
    if let Some(at) = comparison.tried.last() {
        say!(
            "operating point: a sigma scale of {}, where conventional training is {:.1} % [{:.1}, {:.1}] accurate on validation images",
            at.sigma_scale,
            100.0 * at.validation_accuracy,
            100.0 * at.validation_accuracy_ci95_low,
            100.0 * at.validation_accuracy_ci95_high
        );
    }
    for ratio in &comparison.ratios {
        let value = ratio.ratio.map_or_else(
            || "not defined, the baseline classified nothing correctly".to_owned(),
            |r| format!("{:.2} [{:.2}, {:.2}]", r.value, r.low, r.high),
        );
        let of_seeds = ratio.seeds_ratio.map_or_else(String::new, |r| {
            format!(", over training seeds {:.2} [{:.2}, {:.2}]", r.value, r.low, r.high)
        });
        let points = |share: f64| format!("{:+.1}", 100.0 * share);
        let difference = ratio.difference;
        say!(
            "hardware accuracy under {}, {} against {}: ratio {value}{of_seeds}, difference {} [{}, {}] points; software {:.1} against {:.1} %",
            ratio.mapping,
            ratio.method,
            ratio.baseline,
            points(difference.value),
            points(difference.low),
            points(difference.high),
            100.0 * ratio.software[0],
            100.0 * ratio.software[1]
        );
    }
    for line in comparison.rows.iter().filter_map(clipping) {
        say!("{line}");
    }
    match comparison.rows.first().map_or(0, |compared| compared.accuracies.len()) {
        1 => say!("(95 % intervals over the chip samples of one training seed only; chance level {chance:.0} %)"),
        seeds @ 2..6 => say!(
            "(95 % intervals by bootstrap over training seeds and chip samples, narrow of no more than {seeds} seeds; chance level {chance:.0} %)"
        ),
        _ => say!(
            "(95 % intervals by bootstrap over training seeds and chip samples, over training seeds alone by Student's t; chance level {chance:.0} %)"
        ),
    }
    say!(
        "wrote compare.csv, compare.svg, ratios.csv, efficiency.csv, training.csv, converters.csv{}{} and run.toml to {}",
        if comparison.tried.is_empty() { "" } else { ", operating-point.csv" },
        if comparison.sigmas.is_empty() { "" } else { ", sigma.csv, sigma.svg" },
        arguments.output.display()
    );
    Ok(())
}

/// How many weights the encodings of a row cannot store, if any: those of the programs, and those that were clipped in training already.
fn clipping(compared: &ComparedRow) -> Option<String> {
    let stages = || compared.programs.iter().flat_map(|program| program.mvm_stages().map(|(_, stage)| stage));
    let clipped: u64 = stages().map(|stage| stage.clipped_weights).sum();
    let weights: u64 = stages().map(|stage| stage.window.rows() as u64 * u64::from(stage.outputs)).sum();
    let trained: f64 = compared.trained.iter().filter_map(chosen).map(|epoch| epoch.clipped_share).sum();
    let row = &compared.row;
    let share = clipped as f64 / weights.max(1) as f64 + trained / compared.trained.len().max(1) as f64;
    (share > 0.0)
        .then(|| format!("{} clips {:.1} % of the weights of {} training", row.mapping, 100.0 * share, row.training))
}

/// The epoch whose checkpoint was chosen.
fn chosen(trained: &Trained) -> Option<&Epoch> {
    trained.epochs.get(trained.chosen)
}

fn is_biased(method: &str) -> bool {
    Method::by_name(method).is_some_and(Method::is_biased)
}

/// What biased training constrained, per training seed.
fn shares(compared: &ComparedRow) -> String {
    let percent = |share: f64| format!("{:.0}", 100.0 * share);
    let list = |share: &dyn Fn(&Trained) -> f64| {
        compared.trained.iter().map(|t| percent(share(t))).collect::<Vec<_>>().join(", ")
    };
    let in_force = |trained: &Trained| chosen(trained).map_or(0.0, |epoch| epoch.effective_share);
    if compared.trained.iter().all(|trained| in_force(trained) == 0.0) {
        let (training, mapping) = (&compared.row.training, &compared.row.mapping);
        return format!("{training} under {mapping} constrains nothing: {}", why_nothing(&compared.trained));
    }
    format!(
        "{} under {}: constrained columns, chosen on validation images {} %, in force {} % (one value a training seed)",
        compared.row.training,
        compared.row.mapping,
        list(&|trained| trained.share),
        list(&in_force)
    )
}

/// Mean over the training seeds of a row.
fn mean_energy(compared: &ComparedRow) -> Energy {
    let count = compared.evaluations.len().max(1) as f64;
    let mean = |part: fn(&Energy) -> f64| compared.evaluations.iter().map(|e| part(&e.energy)).sum::<f64>() / count;
    Energy {
        array_j: mean(|e| e.array_j),
        dac_j: mean(|e| e.dac_j),
        adc_j: mean(|e| e.adc_j),
        shift_add_j: mean(|e| e.shift_add_j),
        vector_j: mean(|e| e.vector_j),
        buffer_j: mean(|e| e.buffer_j),
        link_j: mean(|e| e.link_j),
        memory_j: mean(|e| e.memory_j),
        write_j: mean(|e| e.write_j),
        leakage_j: mean(|e| e.leakage_j),
    }
}
