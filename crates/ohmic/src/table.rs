//! Tables for people.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};
use explore::chip::energy::Energy;
use explore::results::Row;
use explore::statistics::wilson_interval;

/// A table with a header; all columns but the first `left` are aligned to the right.
pub fn table(header: &[&str], left: usize, rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    // Lines around the table and below its header only.
    table.remove_style(TableComponent::HorizontalLines).remove_style(TableComponent::MiddleIntersections);
    for row in rows {
        // Lines of a cell are its own; the table keeps them within its column.
        table.add_row(row.iter().map(|cell| cell.split('\n').map(plain).collect::<Vec<_>>().join("\n")));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_cell_alignment(if index < left { CellAlignment::Left } else { CellAlignment::Right });
        column.set_padding((0, if index + 1 == header.len() { 0 } else { 1 }));
    }
    table
}

/// A text in which nothing moves a terminal's cursor or breaks a line; names come from files.
pub fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => plain.push(c),
            _ => plain.extend(c.escape_debug()),
        }
    }
    plain
}

/// The results table: one line per row; the energies are means over its networks.
pub fn results(rows: &[(Row, Energy)]) -> Table {
    let header = [
        "mapping",
        "training",
        "software\n%",
        "hardware\n% [95 % interval]",
        "p5\n%",
        "energy\nnJ",
        "array\nnJ",
        "DAC\nnJ",
        "ADC\nnJ",
        "S+A\nnJ",
        "buffer\nnJ",
        "leakage\nnJ",
        "other\nnJ",
        "latency\ncycles",
        "latency\nus",
        "throughput\n1/s",
        "area\nmm2",
        "TOPS/W",
    ];
    table(&header, 2, rows.iter().map(|(row, energy)| result(row, energy)))
}

fn result(row: &Row, energy: &Energy) -> Vec<String> {
    let percent = |share: f64| if share.is_nan() { "-".to_owned() } else { format!("{:.1}", 100.0 * share) };
    let nano = |joule: f64| format!("{:.2}", 1e9 * joule);
    vec![
        row.mapping.clone(),
        row.training.clone(),
        percent(row.software_accuracy),
        format!(
            "{} [{}, {}]",
            percent(row.accuracy_mean),
            percent(row.accuracy_ci95_low),
            percent(row.accuracy_ci95_high)
        ),
        percent(row.accuracy_p5),
        nano(row.energy_j),
        nano(energy.array_j),
        nano(energy.dac_j),
        nano(energy.adc_j),
        nano(energy.shift_add_j),
        nano(energy.buffer_j),
        nano(energy.leakage_j),
        nano(energy.vector_j + energy.link_j),
        row.latency_cycles.to_string(),
        format!("{:.3}", 1e6 * row.latency_s),
        format!("{:.0}", row.throughput_per_s),
        row.area_m2.map_or_else(|| "not priced".to_owned(), |area_m2| format!("{:.3}", 1e6 * area_m2)),
        format!("{:.2}", row.tops_per_w),
    ]
}

/// What the energy of the arrays is.
fn array_energy(rows: &[(Row, Energy)]) -> &'static str {
    if rows.iter().any(|(row, _)| row.wire_error_bound > 0.0) {
        "V^2 t sum(G x^2) with conductances behind the wires, without what undriven word lines sink"
    } else {
        "exact, V^2 t sum(G x^2)"
    }
}

/// Half the width of the interval that the number of images gives the accuracy of a row.
fn half_width(row: &Row) -> f64 {
    let interval = wilson_interval((row.accuracy_mean * row.images as f64).round() as u64, row.images);
    0.5 * (interval.high - interval.low)
}

/// What a results table's columns mean.
///
/// `software` says over which images the accuracy in software is.
pub fn legend(rows: &[(Row, Energy)], software: &str) -> String {
    let Some((row, _)) = rows.first() else { return String::new() };
    let binomial = rows.iter().map(|(row, _)| half_width(row)).fold(0.0, f64::max);
    format!(
        "Per inference; prices: cost table {}, ADC model {}. hardware: mean over {} chip samples x {} images; p5: 5th percentile over chip samples.\n\
         A share of {} images is known to {:.1} points or better (95 %, binomial), which intervals of the hardware do not hold.\n\
         software: the integers on {software}.\n\
         array: {}. leakage: at the stated throughput. other: registers, merging, requantisation, links.",
        row.cost_table,
        row.adc_model,
        row.chips,
        row.images,
        row.images,
        100.0 * binomial,
        array_energy(rows)
    )
}
