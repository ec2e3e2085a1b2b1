//! What the timing engine simulates in a second of CPU time: whole networks, more images of them, and more channels.

use crate::Failure;
use crate::machine::peak_memory_bytes;
use chip::timing;
use cpu_time::ProcessTime;
use explore::config::{Kind, load};
use explore::cycles::CHIP_OF_OUTLINES;
use explore::outline::{Outline, Placement};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Command;

const BEGIN: &str = "<!-- begin of the table that `cargo bench -p benches --bench timing` writes -->";
const END: &str = "<!-- end of the second table -->";

/// Memory of a process that times one network, to stay below, bytes.
const MEMORY_GOAL_BYTES: u64 = 200_000_000;

/// A network with so many times its channels, and so many images of it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Name of its outline.
    network: &'static str,
    channels: usize,
    images: u64,
    /// Whether images come through the memory port, and do not stand ready.
    streamed: bool,
    /// CPU time to stay below, s.
    goal_s: Option<f64>,
}

const fn case(network: &'static str, channels: usize, images: u64, goal_s: Option<f64>) -> Case {
    Case { network, channels, images, streamed: false, goal_s }
}

const fn streamed(network: &'static str, images: u64, goal_s: Option<f64>) -> Case {
    Case { network, channels: 1, images, streamed: true, goal_s }
}

/// All cases.
pub const CASES: &[Case] = &[
    case("vgg-8", 1, 1, Some(0.1)),
    case("vgg-8", 1, 2, None),
    case("vgg-8", 1, 4, None),
    case("vgg-8", 1, 8, None),
    case("vgg-8", 2, 1, None),
    case("resnet-18", 1, 1, Some(1.0)),
    case("resnet-18", 1, 2, None),
    case("resnet-18", 1, 4, None),
    case("resnet-18", 1, 8, None),
    case("resnet-18", 2, 1, None),
    streamed("vgg-8", 1, Some(0.1)),
    streamed("vgg-8", 8, None),
    streamed("resnet-18", 1, Some(1.0)),
    streamed("resnet-18", 8, None),
];

/// What was measured of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Most memory that a process occupied that did nothing else, bytes; none where the system does not say.
    pub peak_memory_bytes: Option<u64>,
    /// Memory to stay below, bytes.
    pub goal_memory_bytes: Option<u64>,
}

impl Case {
    /// Name, kebab-case.
    #[must_use]
    pub fn name(&self) -> String {
        let channels = if self.channels == 1 { String::new() } else { format!("-channels-x{}", self.channels) };
        let streamed = if self.streamed { "-streamed" } else { "" };
        format!("{}{channels}-{}-images{streamed}", self.network, self.images)
    }

    /// Runs it so many times in this process, which had better do nothing else.
    ///
    /// # Errors
    /// If it does not fit the chip.
    pub fn measure(&self, times: usize) -> Result<Row, Failure> {
        // Room for every network; the partial sums of linear layers need more than the 64 KB of the default chip's tiles.
        let images = if self.streamed { "streamed" } else { "resident" };
        let set = [format!("memory.input_images={images}")];
        let outline: Outline = load(Kind::Outline, self.network, &[])?;
        let chip = load(Kind::Chip, CHIP_OF_OUTLINES, &set)?;
        let placement = Placement { mapping: "differential", replicate: None };
        let program = outline.with_channels_times(self.channels).program(&chip, placement)?;
        let mut seconds = Vec::new();
        let mut row = None;
        for _ in 0..times.max(1) {
            let start = ProcessTime::now();
            let timing = timing::run(&program, self.images)?;
            seconds.push(start.elapsed().as_secs_f64());
            let (cycles, events, flit_hops) = (timing.cycles(), timing.report.events, timing.counts.flit_hop);
            let (case, goal_s) = (self.name(), self.goal_s);
            let (peak_memory_bytes, goal_memory_bytes) = (None, self.goal_s.map(|_| MEMORY_GOAL_BYTES));
            row =
                Some(Row { case, cycles, events, flit_hops, cpu_s: 0.0, goal_s, peak_memory_bytes, goal_memory_bytes });
        }
        seconds.sort_unstable_by(f64::total_cmp);
        let row = row.ok_or("nothing was run")?;
        Ok(Row { cpu_s: seconds[seconds.len() / 2], peak_memory_bytes: peak_memory_bytes(), ..row })
    }

    /// Runs it in a process of its own, so that the memory is that of nothing else: this program again, which prints its row ([`measure_alone`]).
    ///
    /// # Errors
    /// If that process fails.
    pub fn measure_apart(&self, times: usize) -> Result<Row, Failure> {
        let (name, times) = (self.name(), times.to_string());
        let output = Command::new(std::env::current_exe()?).args([ALONE, &name, &times]).output()?;
        if !output.status.success() {
            return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The argument that tells a process to measure one case.
const ALONE: &str = "--alone";

/// The row of the one case that the arguments ask for, as JSON; none if they do not.
///
/// # Errors
/// If there is no such case, or it cannot be run.
pub fn measure_alone(arguments: &[String]) -> Result<Option<String>, Failure> {
    let [first, name, times] = arguments else { return Ok(None) };
    if first != ALONE {
        return Ok(None);
    }
    let case = CASES.iter().find(|case| case.name() == *name).ok_or_else(|| format!("there is no case {name}"))?;
    Ok(Some(serde_json::to_string(&case.measure(times.parse()?)?)?))
}

/// A table in Markdown.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text =
        "| case | cycles | events | flit hops | CPU time | goal | cycles/s | events/s | ns per event + hop | memory | goal |\n"
            .to_owned();
    text.push_str("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for row in rows {
        let millions = |count: f64| format!("{:.3} M", count / 1e6);
        let [cycles, events, hops] = [row.cycles, row.events, row.flit_hops].map(|count| count as f64);
        let judged = |reached: bool| if reached { "reached" } else { "missed" };
        let goal = row.goal_s.map_or_else(String::new, |goal| format!("{goal} s {}", judged(row.cpu_s < goal)));
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let memory = row.peak_memory_bytes.map_or_else(String::new, |peak| format!("{:.1} MB", megabytes(peak)));
        let memory_goal = row
            .peak_memory_bytes
            .zip(row.goal_memory_bytes)
            .map_or_else(String::new, |(peak, goal)| format!("{:.0} MB {}", megabytes(goal), judged(peak < goal)));
        let counts = [cycles, events, hops].map(millions).join(" | ");
        let rates = [cycles, events].map(|count| millions(count / row.cpu_s)).join(" | ");
        let each_ns = 1e9 * row.cpu_s / (events + hops);
        let (case, cpu_s) = (&row.case, row.cpu_s);
        text.push_str(&format!(
            "| {case} | {counts} | {cpu_s:.3} s | {goal} | {rates} | {each_ns:.1} | {memory} | {memory_goal} |\n"
        ));
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
            peak_memory_bytes: Some(10_000_000),
            goal_memory_bytes: Some(MEMORY_GOAL_BYTES),
        };
        let text = table(std::slice::from_ref(&row));
        assert!(
            text.contains("| a | 2.000 M | 0.500 M | 0.000 M | 0.500 s | 1 s reached | 4.000 M | 1.000 M | 1000.0 | 10.0 MB | 200 MB reached |"),
            "{text}"
        );
        assert!(table(&[Row { cpu_s: 2.0, ..row.clone() }]).contains("1 s missed"));
        assert!(table(&[Row { peak_memory_bytes: Some(MEMORY_GOAL_BYTES), ..row }]).contains("200 MB missed"));
        assert!(with_table(include_str!("../../docs/speed.md"), "").is_some(), "the page has lost its marks");
        assert_eq!(with_table("no marks", ""), None);
    }
}
