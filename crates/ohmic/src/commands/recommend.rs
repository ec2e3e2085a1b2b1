//! `ohmic recommend`: which mapping strategy, training method and converters keep a budget.

use super::{data_set, flags_of_places, print_json, quoted, warn, with_short_forms};
use crate::bar::Bar;
use crate::cli::{Format, Recommend};
use crate::table::table;
use explore::config::{Kind, load, to_toml};
use explore::model;
use explore::output::{records_csv, remove, write, write_run};
use explore::recommend::{Budget, Found, Judged, Recommendation, recommend};
use explore::tile::adc::AdcKind;
use explore::{ExploreError, Keeping};
use serde_json::json;

pub fn run(arguments: &Recommend, format: Format) -> Result<(), ExploreError> {
    let short = [
        ("budget.accuracy", &arguments.accuracy),
        ("budget.energy_j", &arguments.energy),
        ("budget.latency_s", &arguments.latency),
    ];
    let overrides = with_short_forms(&arguments.overrides.set, &short);
    let request: Recommendation = load(Kind::Recommendation, &arguments.search, &overrides)?;
    if request.experiment.operating_point.is_some() {
        warn(vec![super::operating_point_is_of_compare(&request.experiment)]);
    }
    let places = &arguments.places;
    let from = arguments.from.as_ref().map(|name| model::load(name, places.models.as_deref(), &[])).transpose()?;
    let dataset = explore::datasets::load(data_set(&request.experiment, from.as_ref()), places.data.data.as_deref())?;
    let unfinished = arguments.output.join("unfinished");
    let keeping = arguments.checkpoints.keeping(&unfinished);
    // An interrupted run needs its run.toml.
    keeping.as_ref().map_or(Ok(()), Keeping::begin)?;
    write_run(&arguments.output, Kind::Recommendation, &request, &repeat(arguments))?;
    let from = from.as_ref().map(|model| &model.graph);
    let found = recommend(&request, &dataset, from, keeping.as_ref(), &Bar::default())?;
    write(&arguments.output, "recommend.csv", &records_csv(&found.judged)?)?;
    match chosen(&request, &found) {
        Some(chosen) => {
            write(&arguments.output, RECOMMENDED, &to_toml(Kind::Experiment, &request.experiment_of(chosen))?)?;
        }
        // What an earlier search found is not of this one.
        None => remove(&arguments.output.join(RECOMMENDED))?,
    }
    match format {
        Format::Text => print_text(&request, &found, arguments),
        Format::Json => print_json(&json!({ "budget": request.budget, "judged": found.judged, "test": found.test }))?,
    }
    match found.test {
        Some(_) => Ok(()),
        None => Err(ExploreError::Disagreement(none_keeps(&request, &found))),
    }
}

/// What was asked for that no finalist has, and what came nearest.
fn none_keeps(request: &Recommendation, found: &Found) -> String {
    let finalists = || found.judged.iter().filter(|judged| judged.rung + 1 == request.halving.rungs);
    let most = |value: fn(&Judged) -> f64| finalists().map(value).fold(f64::NEG_INFINITY, f64::max);
    format!(
        "no candidate keeps the budget: {}. Of the last rung the highest lower end of an accuracy is {} %, the least energy {:.3} nJ, the least latency {:.3} us; more \
         chips and images make intervals narrower",
        budget(&request.budget),
        percent(most(|judged| judged.accuracy_ci95_low)),
        -1e9 * most(|judged| -judged.energy_j),
        -1e6 * most(|judged| -judged.latency_s),
    )
}

/// The file with the experiment of what is recommended.
const RECOMMENDED: &str = "recommended.toml";

/// The finalist that is recommended.
fn chosen<'a>(request: &Recommendation, found: &'a Found) -> Option<&'a Judged> {
    found.judged.iter().find(|judged| judged.rung + 1 == request.halving.rungs && judged.kept)
}

/// The command that repeats the search from `run.toml`.
fn repeat(arguments: &Recommend) -> String {
    let from = arguments.from.as_ref().map_or_else(String::new, |from| format!(" --from {}", quoted(from)));
    format!("ohmic recommend run.toml{from}{} -o DIR", flags_of_places(&arguments.places))
}

fn print_text(request: &Recommendation, found: &Found, arguments: &Recommend) {
    let last = request.halving.rungs - 1;
    for rung in 0..last {
        let of = || found.judged.iter().filter(move |judged| judged.rung == rung);
        let (all, kept) = (of().count(), of().filter(|judged| judged.kept).count());
        let effort = of().next().map_or_else(String::new, effort);
        say!("rung {}: {kept} of {all} candidates go on ({effort})", rung + 1);
    }
    let finalists: Vec<&Judged> = found.judged.iter().filter(|judged| judged.rung == last).collect();
    let header =
        ["mapping", "training", "ADC\nbits", "hardware\n% [95 % interval]", "energy\nnJ", "latency\nus", "front", ""];
    say!("{}", table(&header, 2, finalists.iter().map(|judged| line(judged))));
    if let Some(judged) = finalists.first() {
        say!(
            "rung {}: {}, validation images; front: no other is better in one and as good in the others",
            last + 1,
            effort(judged)
        );
    }
    if let (Some(chosen), Some(test)) = (chosen(request, found), &found.test) {
        let ideal = request.experiment.chip.tile.adc.kind == AdcKind::Ideal;
        say!(
            "recommended: {}, {}, {}: {} % [{}, {}] on {} test images, software {} %, {:.2} nJ ({}), {:.3} us",
            chosen.mapping,
            chosen.training,
            if ideal { "ideal converters".to_owned() } else { format!("converters of {} bits", chosen.adc_bits) },
            percent(test.accuracy_mean),
            percent(test.accuracy_ci95_low),
            percent(test.accuracy_ci95_high),
            test.images,
            percent(test.software_accuracy),
            1e9 * test.energy_j,
            test.cost_table,
            1e6 * test.latency_s
        );
        if let Some(least) = request.budget.accuracy.filter(|&least| test.accuracy_mean < least) {
            say!(
                "on test images it is below the accuracy of {} % that was asked for: ask for more, or for more chips and images",
                percent(least)
            );
        }
        let from = arguments.from.as_ref().map_or_else(String::new, |from| format!(" --from {}", quoted(from)));
        say!(
            "train it: ohmic train --config {} --method {} --mapping {}{from}{} -o DIR",
            quoted(&arguments.output.join(RECOMMENDED).display().to_string()),
            chosen.training,
            chosen.mapping,
            flags_of_places(&arguments.places)
        );
        say!("wrote recommend.csv, {RECOMMENDED} and run.toml to {}", arguments.output.display());
    } else {
        say!("wrote recommend.csv and run.toml to {}", arguments.output.display());
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

fn effort(judged: &Judged) -> String {
    format!("{} epochs, {} chip samples x {} images", judged.epochs, judged.chips, judged.images)
}

fn line(judged: &Judged) -> Vec<String> {
    let ends = [judged.accuracy_mean, judged.accuracy_ci95_low, judged.accuracy_ci95_high].map(percent);
    vec![
        judged.mapping.clone(),
        judged.training.clone(),
        judged.adc_bits.to_string(),
        format!("{} [{}, {}]", ends[0], ends[1], ends[2]),
        format!("{:.2}", 1e9 * judged.energy_j),
        format!("{:.3}", 1e6 * judged.latency_s),
        if judged.on_front { "yes" } else { "" }.to_owned(),
        if judged.kept { "recommended" } else { "" }.to_owned(),
    ]
}

fn budget(budget: &Budget) -> String {
    let accuracy = budget.accuracy.map(|least| format!("an interval of the accuracy from {} % up", percent(least)));
    let energy = budget.energy_j.map(|most| format!("{:.3} nJ or less", 1e9 * most));
    let latency = budget.latency_s.map(|most| format!("{:.3} us or less", 1e6 * most));
    [accuracy, energy, latency].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
