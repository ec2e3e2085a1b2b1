//! `ohmic states`: immunity, favourable sets, and what every mapping strategy makes of them.

use super::print_json;
use crate::cli::{Format, States};
use crate::table::table;
use explore::ExploreError;
use explore::chip::config::Chip;
use explore::config::{Kind, load};
use explore::output::{write, write_run};
use explore::states::{StatesReport, states};

pub fn run(arguments: &States, format: Format) -> Result<(), ExploreError> {
    let chip: Chip = load(Kind::Chip, &arguments.chip, &arguments.overrides.set)?;
    let report = states(&chip, arguments.tie_tolerance, arguments.constrained_slices)?;
    if let Some(output) = &arguments.output {
        let repeat = format!(
            "ohmic states --chip run.toml --tie-tolerance {} --constrained-slices {}",
            arguments.tie_tolerance, arguments.constrained_slices
        );
        write_run(output, Kind::Chip, &chip, &repeat)?;
        write(output, "states.csv", &report.levels_csv()?)?;
        write(output, "weights.csv", &report.weights_csv()?)?;
    }
    match format {
        Format::Text => print_text(&report, arguments),
        Format::Json => {
            print_json(&serde_json::to_value(&report).map_err(|error| ExploreError::Table(error.to_string()))?)?;
        }
    }
    Ok(())
}

fn print_text(report: &StatesReport, arguments: &States) {
    say!(
        "device {} (sigma scale {}), {} bits per cell\n{}",
        report.device,
        report.sigma_scale,
        report.cell_bits,
        report.source
    );
    print_levels(report);
    let set =
        |states: &[usize]| format!("{{{}}}", states.iter().map(|&s| bits(report, s)).collect::<Vec<_>>().join(", "));
    let sets: Vec<String> = report.favourable_sets.iter().map(|states| set(states)).collect();
    say!("nested sets of most immune states (ties within {}): {}\n", report.tie_tolerance, sets.join(" < "));
    print_mappings(report);
    print_weights(report, if arguments.all_weights { 1 } else { 8 });
}

fn bits(report: &StatesReport, level: usize) -> String {
    format!("{level:0width$b}", width = report.cell_bits as usize)
}

const LEVELS: [&str; 10] = [
    "state",
    "G\nuS",
    "mean shift\nspacings",
    "sigma\nspacings",
    "error e\nspacings",
    "immunity\n1/e",
    "error current\nnA",
    "sigma / G\n%",
    "read error\nprobability",
    "rank",
];

fn print_levels(report: &StatesReport) {
    let rows = report.levels.iter().map(|level| {
        vec![
            level.bits.clone(),
            format!("{:.2}", 1e6 * level.conductance_s),
            format!("{:.4}", level.mean_shift_levels),
            format!("{:.4}", level.sigma_levels),
            format!("{:.4}", level.error_levels),
            format!("{:.1}", 1.0 / level.error_levels),
            format!("{:.2}", 1e9 * level.error_current_a),
            level.relative_error.map_or_else(|| "-".to_owned(), |e| format!("{:.1}", 100.0 * e)),
            format!("{:.2e}", level.read_error_probability),
            level.rank.to_string(),
        ]
    });
    say!("{}", table(&LEVELS, 1, rows));
    say!(
        "level spacing {:.3} uS, read at {} V; rank 1 = most immune (least error current)",
        1e6 * report.spacing_s,
        report.read_voltage_v
    );
}

const MAPPINGS: [&str; 9] = [
    "mapping",
    "weight 0 sits in\n(MSB slice first)",
    "favourable\nstates",
    "favourable\nweights",
    "0 goes\nto",
    "v(0)\nsteps^2",
    "mean v\nsteps^2",
    "max v\nsteps^2",
    "offset",
];

fn print_mappings(report: &StatesReport) {
    let rows = report.mappings.iter().map(|mapping| {
        let array = |levels: &Vec<usize>| levels.iter().map(|&l| bits(report, l)).collect::<Vec<_>>().join(" ");
        let states = mapping.favourable_states.iter().map(|&s| bits(report, s)).collect::<Vec<_>>();
        vec![
            mapping.mapping.clone(),
            mapping.zero_levels.iter().map(array).collect::<Vec<_>>().join(" | "),
            states.join(" "),
            format!("{} of {}", mapping.favourable_weights, mapping.all_weights),
            mapping.zero_projected_to.to_string(),
            format!("{:.3}", mapping.error_variance_zero),
            format!("{:.3}", mapping.error_variance_mean),
            format!("{:.3}", mapping.error_variance_max),
            mapping.offset.to_string(),
        ]
    });
    say!("{}", table(&MAPPINGS, 2, rows));
    say!("v: error variance of a stored weight; its mean is over {}\n", report.histogram);
}

/// Error variance by weight, every `step`-th weight around 0.
fn print_weights(report: &StatesReport, step: i32) {
    let names: Vec<&str> = report.mappings.iter().map(|mapping| mapping.mapping.as_str()).collect();
    let header: Vec<String> =
        std::iter::once("weight".to_owned()).chain(names.iter().map(|name| format!("v in {name}\nsteps^2"))).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let count = report.mappings.first().map_or(0, |mapping| mapping.weights.len());
    let weight = |index: usize| report.mappings[0].weights[index].weight;
    let rows = (0..count).filter(|&index| weight(index) % step == 0).map(|index| {
        let variance = report.mappings.iter().map(|mapping| format!("{:.3}", mapping.weights[index].error_variance));
        std::iter::once(weight(index).to_string()).chain(variance).collect()
    });
    say!("{}", table(&header, 0, rows));
    if step > 1 {
        say!("every {step}th weight; --all-weights shows all, -o DIR writes all to weights.csv");
    }
}
