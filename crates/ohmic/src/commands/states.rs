//! `ohmic states`: immunity, favourable sets, and what every mapping strategy makes of them; or the states of many devices.

mod survey;

use super::print_json;
use crate::cli::{Format, States};
use crate::table::table;
use explore::ExploreError;
use explore::chip::config::Chip;
use explore::config::{Kind, load};
use explore::output::{write, write_run};
use explore::states::{LevelReport, MappingReport, StatesReport, binary, states};

pub fn run(arguments: &States, format: Format) -> Result<(), ExploreError> {
    if !arguments.devices.is_empty() {
        return survey::run(arguments, format);
    }
    let chip: Chip = load(Kind::Chip, &arguments.chip, &arguments.overrides.set)?;
    let report = states(&chip, arguments.constrained_slices)?;
    if let Some(output) = &arguments.output {
        let repeat = format!("ohmic states --chip run.toml --constrained-slices {}", arguments.constrained_slices);
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
    if let Some(fit) = &report.fit_uncertainty {
        say!("another fit: {fit}");
    }
    print_levels(report);
    let set = |states: &[usize]| {
        format!("{{{}}}", states.iter().map(|&s| binary(s, report.cell_bits)).collect::<Vec<_>>().join(", "))
    };
    let sets: Vec<String> = report.favourable_sets.iter().map(|states| set(states)).collect();
    say!("nested sets of most immune states (tied where 95 % intervals overlap): {}\n", sets.join(" < "));
    print_mappings(report);
    print_weights(report, if arguments.all_weights { 1 } else { 8 });
}

const LEVELS: [&str; 12] = [
    "state",
    "G\nuS",
    "mean shift\nspacings",
    "sigma\nspacings",
    "error e\nspacings",
    "95 % interval\nof e",
    "e after\nclipping",
    "immunity\n1/e",
    "error current\nnA",
    "sigma / G\n%",
    "read error\nprobability",
    "rank",
];

/// What every table of states begins with: the state and its error.
fn error_columns(level: &LevelReport) -> Vec<String> {
    vec![
        level.bits.clone(),
        format!("{:.2}", 1e6 * level.conductance_s),
        format!("{:.4}", level.mean_shift_levels),
        format!("{:.4}", level.sigma_levels),
        format!("{:.4}", level.error_levels),
        format!("{:.4} .. {:.4}", level.error_ci95_low, level.error_ci95_high),
        format!("{:.4}", level.clipped_error_levels),
    ]
}

fn print_levels(report: &StatesReport) {
    let rows = report.levels.iter().map(|level| {
        let mut row = error_columns(level);
        row.extend([
            format!("{:.1}", 1.0 / level.error_levels),
            format!("{:.2}", 1e9 * level.error_current_a),
            level.relative_error.map_or_else(|| "-".to_owned(), |e| format!("{:.1}", 100.0 * e)),
            format!("{:.2e}", level.read_error_probability),
            level.rank.to_string(),
        ]);
        row
    });
    say!("{}", table(&LEVELS, 1, rows));
    say!(
        "level spacing {:.3} uS, read at {} V, {} measured cells per state; rank 1 = most immune (least error current)\n\
         all but `after clipping` (to 0 S and the device's highest conductance) is before clipping, the ranks too",
        1e6 * report.spacing_s,
        report.read_voltage_v,
        report.samples_per_state
    );
}

const MAPPINGS: [&str; 11] = [
    "mapping",
    "weight 0 sits in\n(MSB slice first)",
    "favourable\nstates",
    "favourable\nweights",
    "0 goes\nto",
    "v(0)\nsteps^2",
    "mean v\nsteps^2",
    "max v\nsteps^2",
    "offset",
    "cells",
    "conversions\nper input slice",
];

fn print_mappings(report: &StatesReport) {
    let rows = report.mappings.iter().map(|mapping| {
        let array =
            |levels: &Vec<usize>| runs(&levels.iter().map(|&l| binary(l, report.cell_bits)).collect::<Vec<_>>());
        let states = mapping.favourable_states.iter().map(|&s| binary(s, mapping.favourable_bits));
        let states = if mapping.constrains { states.collect::<Vec<_>>().join(" ") } else { "all".to_owned() };
        vec![
            mapping.mapping.clone(),
            mapping.zero_levels.iter().map(array).collect::<Vec<_>>().join(" | "),
            states,
            format!("{} of {}", mapping.favourable_weights, mapping.all_weights),
            mapping.zero_projected_to.to_string(),
            format!("{:.3}", mapping.error_variance_zero),
            format!("{:.3}", mapping.error_variance_mean),
            format!("{:.3}", mapping.error_variance_max),
            mapping.offset.to_string(),
            mapping.cells_per_weight.to_string(),
            mapping.converted_columns.to_string(),
        ]
    });
    say!("{}", table(&MAPPINGS, 2, rows));
    say!(
        "favourable: the smallest nested set of states of the {} most significant slices (--constrained-slices) that leaves weights of both signs and, for\n\
         every weight, one within a quarter of the codes; all: no smaller one does, and biased training constrains nothing. Favourable weights are\n\
         those that the strategy can store and that are in these states. cells, conversions: of one weight. v: error variance of a stored weight; its mean is over {}\n",
        report.constrained_slices,
        report.histogram
    );
}

/// Digits apart by spaces; of more than eight, runs of the same ones are counted, e.g. `01 x 42, 00`.
fn runs(digits: &[String]) -> String {
    const MOST: usize = 8;
    if digits.len() <= MOST {
        return digits.join(" ");
    }
    let run = |run: &[String]| match run {
        [one] => one.clone(),
        _ => format!("{} x {}", run[0], run.len()),
    };
    digits.chunk_by(|a, b| a == b).map(run).collect::<Vec<_>>().join(", ")
}

/// Error variance by weight, every `step`-th weight around 0, under strategies without options.
fn print_weights(report: &StatesReport, step: i32) {
    let plain: Vec<&MappingReport> =
        report.mappings.iter().filter(|mapping| !mapping.mapping.contains(['+', ':'])).collect();
    let names: Vec<&str> = plain.iter().map(|mapping| mapping.mapping.as_str()).collect();
    let header: Vec<String> =
        std::iter::once("weight".to_owned()).chain(names.iter().map(|name| format!("v in {name}\nsteps^2"))).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let count = plain.first().map_or(0, |mapping| mapping.weights.len());
    let weight = |index: usize| plain[0].weights[index].weight;
    let rows = (0..count).filter(|&index| weight(index) % step == 0).map(|index| {
        let variance = plain.iter().map(|mapping| format!("{:.3}", mapping.weights[index].error_variance));
        std::iter::once(weight(index).to_string()).chain(variance).collect()
    });
    say!("{}", table(&header, 0, rows));
    if step > 1 {
        say!(
            "every {step}th weight, strategies without options; --all-weights shows all weights, -o DIR writes all of both to weights.csv"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_digits_are_counted() {
        let digits = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(runs(&digits("10 00 00 00")), "10 00 00 00");
        assert_eq!(runs(&digits("11 11 11 01 00 00 00 00 00")), "11 x 3, 01, 00 x 5");
    }
}
