//! What the timing engine simulates in a second of CPU time: whole networks, more images of them, and more channels.

use crate::Failure;
use crate::shapes::{Outline, RESNET18, VGG8};
use chip::program::Program;
use chip::timing;
use cpu_time::ProcessTime;
use explore::config::{Kind, load};
use nn_compiler::mapping::Mapping;
use nn_compiler::{Chip, outline};
use serde::Serialize;
use std::path::Path;

const BEGIN: &str = "<!-- begin of the table that `cargo bench -p benches --bench timing` writes -->";
const END: &str = "<!-- end of the second table -->";

/// A network with so many times its channels, and so many images of it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    network: Outline,
    channels: usize,
    images: u64,
    /// CPU time to stay below, s.
    goal_s: Option<f64>,
}

const fn case(network: Outline, channels: usize, images: u64, goal_s: Option<f64>) -> Case {
    Case { network, channels, images, goal_s }
}

/// All cases.
pub const CASES: &[Case] = &[
    case(VGG8, 1, 1, Some(0.1)),
    case(VGG8, 1, 2, None),
    case(VGG8, 1, 4, None),
    case(VGG8, 1, 8, None),
    case(VGG8, 2, 1, None),
    case(RESNET18, 1, 1, Some(1.0)),
    case(RESNET18, 1, 2, None),
    case(RESNET18, 1, 4, None),
    case(RESNET18, 1, 8, None),
    case(RESNET18, 2, 1, None),
];

/// What was measured of a case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Network, channels and images.
    pub case: String,
    /// Simulated cycles.
    pub cycles: u64,
    /// Ends of operations; flits are not among them.
    pub events: u64,
    /// Flits times links.
    pub flit_hops: u64,
    /// CPU time of lowering, checks and run, s: the median.
    pub cpu_s: f64,
    /// CPU time to stay below, s.
    pub goal_s: Option<f64>,
}

impl Case {
    /// Name, kebab-case.
    #[must_use]
    pub fn name(&self) -> String {
        let channels = if self.channels == 1 { String::new() } else { format!("-channels-x{}", self.channels) };
        format!("{}{channels}-{}-images", self.network.name, self.images)
    }

    /// Runs it so many times.
    ///
    /// # Errors
    /// If it does not fit the chip.
    pub fn measure(&self, times: usize) -> Result<Row, Failure> {
        let program = program(&(self.network.network)(self.network.size, self.channels))?;
        let mut seconds = Vec::new();
        let mut row = None;
        for _ in 0..times.max(1) {
            let start = ProcessTime::now();
            let timing = timing::run(&program, self.images)?;
            seconds.push(start.elapsed().as_secs_f64());
            let (cycles, events, flit_hops) = (timing.cycles(), timing.report.events, timing.counts.flit_hop);
            row = Some(Row { case: self.name(), cycles, events, flit_hops, cpu_s: 0.0, goal_s: self.goal_s });
        }
        seconds.sort_unstable_by(f64::total_cmp);
        let row = row.ok_or("nothing was run")?;
        Ok(Row { cpu_s: seconds[seconds.len() / 2], ..row })
    }
}

/// The default chip with room for every network. Partial sums of VGG-8's first linear layer, on 43 tiles, need more than the 64 KB of a tile.
fn program(network: &nn::quantised::QuantisedNetwork) -> Result<Program, Failure> {
    let overrides = ["mesh.width=64", "mesh.height=64", "tile.buffer.bytes=4000000"];
    let chip: Chip = load(Kind::Chip, "default", &overrides.map(str::to_owned))?;
    Ok(outline(network, &Mapping::parse("differential")?, &chip)?)
}

/// A table in Markdown.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text =
        "| case | cycles | events | flit hops | CPU time | goal | cycles/s | events/s | (events + hops)/s |\n"
            .to_owned();
    text.push_str("|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for row in rows {
        let millions = |count: f64| format!("{:.3} M", count / 1e6);
        let [cycles, events, hops] = [row.cycles, row.events, row.flit_hops].map(|count| count as f64);
        let goal = row.goal_s.map_or_else(String::new, |goal| {
            format!("{goal} s {}", if row.cpu_s < goal { "reached" } else { "missed" })
        });
        let counts = [cycles, events, hops].map(millions).join(" | ");
        let rates = [cycles, events, events + hops].map(|count| millions(count / row.cpu_s)).join(" | ");
        text.push_str(&format!("| {} | {counts} | {:.3} s | {goal} | {rates} |\n", row.case, row.cpu_s));
    }
    text
}

/// The page with the table between its marks replaced.
#[must_use]
pub fn with_table(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

/// Writes the rows as CSV.
///
/// # Errors
/// If the file cannot be written.
pub fn write(file: &Path, rows: &[Row]) -> Result<(), Failure> {
    let mut csv = csv::Writer::from_path(file)?;
    rows.iter().try_for_each(|row| csv.serialize(row))?;
    Ok(csv.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twice the images are twice the events and hops, so that cost is proportional to work.
    #[test]
    fn work_grows_with_images() {
        let rows: Vec<Row> = [CASES[0], CASES[1]].iter().map(|case| case.measure(1).unwrap()).collect();
        assert_eq!([rows[1].events, rows[1].flit_hops], [rows[0].events, rows[0].flit_hops].map(|count| 2 * count));
        assert!(rows[1].cycles < 2 * rows[0].cycles, "images overlap");
    }

    #[test]
    fn tables_go_between_their_marks() {
        let row = Row {
            case: "a".to_owned(),
            cycles: 2_000_000,
            events: 500_000,
            flit_hops: 0,
            cpu_s: 0.5,
            goal_s: Some(1.0),
        };
        let text = table(std::slice::from_ref(&row));
        assert!(
            text.contains("| a | 2.000 M | 0.500 M | 0.000 M | 0.500 s | 1 s reached | 4.000 M | 1.000 M |"),
            "{text}"
        );
        assert!(table(&[Row { cpu_s: 2.0, ..row }]).contains("missed"));
        assert!(with_table(include_str!("../../docs/speed.md"), "").is_some(), "the page has lost its marks");
        assert_eq!(with_table("no marks", ""), None);
    }
}
