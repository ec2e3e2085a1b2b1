//! `ohmic states --devices`: the states of many devices at several numbers of bits per cell.

use super::error_columns;
use crate::cli::{Format, States};
use crate::commands::print_json;
use crate::table::table;
use explore::ExploreError;
use explore::chip::config::Chip;
use explore::config::{Kind, load};
use explore::output::{write, write_run};
use explore::plot::state_errors;
use explore::states::{CellSurvey, DeviceSurvey, LevelReport, Survey, survey};

pub fn run(arguments: &States, format: Format) -> Result<(), ExploreError> {
    let chip: Chip = load(Kind::Chip, &arguments.chip, &[])?;
    let report = survey(&chip, &arguments.devices, &arguments.bits, &arguments.overrides.set)?;
    if let Some(output) = &arguments.output {
        write_run(output, Kind::Chip, &chip, &repeat(arguments))?;
        write(output, "states.csv", &report.states_csv()?)?;
        write(output, "sets.csv", &report.sets_csv()?)?;
        write(output, "unavailable.csv", &report.unavailable_csv()?)?;
        write(output, "states.svg", &state_errors(&report)?)?;
    }
    match format {
        Format::Text => {
            say_raw!("{}", text(&report, arguments.details));
        }
        Format::Json => {
            print_json(&serde_json::to_value(&report).map_err(|error| ExploreError::Table(error.to_string()))?)?;
        }
    }
    Ok(())
}

/// The command that repeats a survey beside its `run.toml`.
fn repeat(arguments: &States) -> String {
    let bits: Vec<String> = arguments.bits.iter().map(u32::to_string).collect();
    let set: String = arguments.overrides.set.iter().map(|set| format!(" --set '{set}'")).collect();
    format!("ohmic states --chip run.toml --devices {} --bits {}{set}", arguments.devices.join(","), bits.join(","))
}

/// The survey as text: 2-bit cells in full, the others by their order; what there is not; with `details` every state.
fn text(report: &Survey, details: bool) -> String {
    let mut parts = Vec::new();
    if report.devices.iter().any(|device| two_bit(device).is_some()) {
        parts.push(format!("2-bit cells: error e of each state in level spacings\n{}", two_bit_table(report)));
    }
    let clipped = clipped(report);
    if !clipped.is_empty() {
        parts.push(format!("clipping changes e of 2-bit cells by more than 1 %:\n{}", clipped.join("\n")));
    }
    parts.push(format!("states from most to least immune (least error current first)\n{}", order_table(report)));
    parts.push(LEGEND.to_owned());
    let missing = unavailable(report);
    if !missing.is_empty() {
        parts.push(format!("no such cells:\n{}", missing.join("\n")));
    }
    if details {
        parts.extend(every_state(report));
    } else {
        parts.push(
            "--details shows every state; -o DIR writes states.csv, sets.csv, unavailable.csv and states.svg"
                .to_owned(),
        );
    }
    parts.iter().map(|part| format!("{part}\n")).collect::<Vec<_>>().join("\n")
}

const LEGEND: &str = "a = b: tied, the 95 % intervals of their errors overlap; a < b: told apart. The nested immune sets are the states before each <.\n\
    e: root mean square of mean shift and sigma, before clipping to 0 S and the highest conductance; orders rest on it. Misreading does not depend on clipping.\n\
    misread: probability that a cell read on its own is taken for another state, if its error were normal.";

fn two_bit(device: &DeviceSurvey) -> Option<&CellSurvey> {
    device.cells.iter().find(|cell| cell.cell_bits == 2 && !cell.levels.is_empty())
}

fn two_bit_table(report: &Survey) -> String {
    const HEADER: [&str; 7] = ["device", "range\nuS", "00", "01", "10", "11", "order, best < worst"];
    let rows = report.devices.iter().filter_map(|device| {
        let cell = two_bit(device)?;
        let errors = cell.levels.iter().map(|level| format!("{:.4}", level.error_levels));
        let name = [device.device.clone(), range(device)];
        Some(name.into_iter().chain(errors).chain([cell.order.clone()]).collect())
    });
    trimmed(&table(&HEADER, 1, rows).to_string())
}

/// A line per device whose 2-bit states have another error after clipping.
fn clipped(report: &Survey) -> Vec<String> {
    let changed = |level: &&LevelReport| {
        (level.clipped_error_levels - level.error_levels).abs() > 0.01 * level.error_levels
            // Not at the four decimals that are shown.
            && level.error_levels >= 5e-5
    };
    let state =
        |level: &LevelReport| format!("{} {:.4} -> {:.4}", level.bits, level.error_levels, level.clipped_error_levels);
    let line = |device: &DeviceSurvey| {
        let states: Vec<String> = two_bit(device)?.levels.iter().filter(changed).map(state).collect();
        (!states.is_empty()).then(|| format!("  {}: {}", device.device, states.join(", ")))
    };
    report.devices.iter().filter_map(line).collect()
}

fn range(device: &DeviceSurvey) -> String {
    format!("{} to {}", micro(device.g_min_s), micro(device.g_max_s))
}

/// Two digits; a tail of the normal distribution so small says nothing of a real device.
fn probability(value: f64) -> String {
    const LEAST: f64 = 1e-15;
    if value > 0.0 && value < LEAST { format!("<{LEAST:e}") } else { format!("{value:.1e}") }
}

/// Siemens in uS with at most three decimals.
fn micro(siemens: f64) -> String {
    let text = format!("{:.3}", 1e6 * siemens);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The widest order in one line; more states continue in the next.
const ORDER_WIDTH: usize = 46;

fn order_table(report: &Survey) -> String {
    const HEADER: [&str; 8] = [
        "device",
        "bits",
        "order, best < worst",
        "sizes of\nimmune sets",
        "best e",
        "worst e",
        "misread,\nworst state",
        "misread,\nmean",
    ];
    let rows = report.devices.iter().flat_map(|device| {
        device.cells.iter().filter(|cell| !cell.levels.is_empty()).map(|cell| order_row(&device.device, cell))
    });
    trimmed(&table(&HEADER, 3, rows).to_string())
}

fn order_row(device: &str, cell: &CellSurvey) -> Vec<String> {
    let sizes: Vec<String> = cell.favourable_sets.iter().map(|set| set.len().to_string()).collect();
    vec![
        device.to_owned(),
        cell.cell_bits.to_string(),
        folded(&cell.order, ORDER_WIDTH),
        folded(&sizes.join(" < "), 16),
        format!("{:.4}", cell.error_levels_best),
        format!("{:.4}", cell.error_levels_worst),
        probability(cell.read_error_probability_worst),
        probability(cell.read_error_probability_mean),
    ]
}

/// Breaks a text at spaces into lines of at most `width` characters where words allow it.
fn folded(text: &str, width: usize) -> String {
    let (mut lines, mut length) = (String::new(), 0);
    for word in text.split(' ') {
        if length > 0 && length + 1 + word.len() > width {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += word.len();
    }
    lines
}

/// A line per device, with its numbers of bits that have the same reason.
fn unavailable(report: &Survey) -> Vec<String> {
    let line = |device: &DeviceSurvey| {
        let missing: Vec<&CellSurvey> = device.cells.iter().filter(|cell| cell.unavailable.is_some()).collect();
        let allowed = missing.first()?.unavailable.as_deref()?;
        let bits: Vec<String> = missing.iter().map(|cell| cell.cell_bits.to_string()).collect();
        Some(format!("  {}, {} bits: its cells have {allowed}", device.device, bits.join(", ")))
    };
    report.devices.iter().filter_map(line).collect()
}

const DETAILS: [&str; 12] = [
    "state",
    "G\nuS",
    "mean shift\nspacings",
    "sigma\nspacings",
    "error e\nspacings",
    "95 % interval\nof e",
    "e after\nclipping",
    "error current\nnA",
    "misread",
    "rank",
    "tie\ngroup",
    "smallest immune\nset with it",
];

/// A table per device and number of bits.
fn every_state(report: &Survey) -> Vec<String> {
    let of_cell = |device: &DeviceSurvey, cell: &CellSurvey| {
        let head = format!(
            "{}, {} bits per cell, {} uS between levels, {} measured cells per state, read at {} V",
            device.device,
            cell.cell_bits,
            micro(cell.spacing_s),
            device.samples_per_state,
            report.read_voltage_v
        );
        format!("{head}\n{}", trimmed(&table(&DETAILS, 1, cell.levels.iter().map(state_row)).to_string()))
    };
    let cells = report.devices.iter().flat_map(|device| device.cells.iter().map(move |cell| (device, cell)));
    cells.filter(|(_, cell)| !cell.levels.is_empty()).map(|(device, cell)| of_cell(device, cell)).collect()
}

fn state_row(level: &LevelReport) -> Vec<String> {
    let mut row = error_columns(level);
    row.extend([
        format!("{:.2}", 1e9 * level.error_current_a),
        probability(level.read_error_probability),
        level.rank.to_string(),
        level.tie_group.to_string(),
        level.immune_set_size.to_string(),
    ]);
    row
}

/// A table without the spaces that fill its last column.
fn trimmed(table: &str) -> String {
    table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn surveyed(devices: &[&str], bits: &[u32]) -> Survey {
        let chip: Chip = load(Kind::Chip, "default", &[]).unwrap();
        let devices: Vec<String> = devices.iter().map(|name| (*name).to_owned()).collect();
        survey(&chip, &devices, bits, &[]).unwrap()
    }

    /// The words of the line that starts with these words.
    fn line(text: &str, start: &str) -> String {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(words).find(|line| line.starts_with(start)).unwrap_or_default()
    }

    #[test]
    fn devices_are_compared_line_by_line() {
        let text = text(&surveyed(&["paper-order", "pcm-like", "wan-2022-quartic-1day"], &[1, 2, 3]), false);
        for (start, expected) in [
            ("paper-order 1 ", "paper-order 1 to 40 0.0200 0.0600 0.3000 0.1000 00 < 01 < 11 < 10"),
            ("pcm-like 0 ", "pcm-like 0 to 25 0.0316 0.0946 0.1263 0.1266 00 < 01 < 10 = 11"),
            ("wan-2022-quartic-1day 0 ", "wan-2022-quartic-1day 0 to 40 0.0526 0.2972 0.2672 0.1988 00 < 11 < 10 = 01"),
            ("paper-order 2", "paper-order 2 00 < 01 < 11 < 10 1 < 2 < 3 < 4 0.0200 0.3000 9.6e-2 2.4e-2"),
            ("paper-order, 3", "paper-order, 3 bits: its cells have 1 to 2 (its table has 4 states)"),
        ] {
            assert_eq!(line(&text, start), expected, "{text}");
        }
        assert!(text.contains("before clipping") && !text.contains("after\nclipping"));
        assert_eq!(line(&text, "pcm-like: "), "pcm-like: 00 0.0316 -> 0.0224");
        assert_eq!(line(&text, "paper-order: "), "");
    }

    #[test]
    fn details_show_every_state() {
        let text = text(&surveyed(&["wan-2022"], &[2]), true);
        assert_eq!(
            line(&text, "wan-2022, 2 bits"),
            "wan-2022, 2 bits per cell, 13.087 uS between levels, 100 measured cells per state, read at 0.2 V"
        );
        assert_eq!(line(&text, "00 0.00"), "00 0.00 0.0000 0.0805 0.0805 0.0693 .. 0.0916 0.0569 210.60 2.6e-10 1 1 1");
    }

    #[test]
    fn tiny_probabilities_are_only_bounded() {
        for (value, text) in [(0.0, "0.0e0"), (1e-16, "<1e-15"), (1e-15, "1.0e-15"), (0.0716, "7.2e-2")] {
            assert_eq!(probability(value), text);
        }
    }

    #[test]
    fn long_orders_are_folded() {
        assert_eq!(folded("00 < 01 = 10", 7), "00 < 01\n= 10");
        assert_eq!(folded("0000", 2), "0000");
        let text = text(&surveyed(&[explore::states::ALL_DEVICES], &[1, 2, 3, 4]), true);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 160, "{widest}");
    }

    /// `docs/states.md` shows what `ohmic states --devices all` prints.
    #[test]
    fn the_documentation_shows_this_table() {
        let page = include_str!("../../../../../docs/states.md");
        let survey = surveyed(&[explore::states::ALL_DEVICES], &[1, 2, 3, 4]);
        assert!(page.contains(&two_bit_table(&survey)), "{}", two_bit_table(&survey));
    }
}
