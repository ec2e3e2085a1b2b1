//! One tidy table of everything: a line per stage, component and quantity.

use super::prices::Prices;
use super::run::CyclesReport;
use crate::error::ExploreError;
use chip::machine::account::Class;
use chip::machine::summary::Summary;
use serde::Serialize;

/// A number as it was counted or computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A count.
    Count(u64),
    /// A quantity with a unit.
    Real(f64),
}

/// A line of `cycles.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Stage of the program; `chip` for what stages share and for the run as a whole.
    pub stage: String,
    /// Kind of unit, region of a buffer, action, or part of the energy or the area.
    pub component: String,
    /// What is told of it.
    pub quantity: &'static str,
    /// How much.
    pub value: Value,
    /// Unit; `1` for counts.
    pub unit: &'static str,
}

/// Stage of what belongs to none.
const CHIP: &str = "chip";

/// Name of a class's quantity.
fn cycles_of(class: Class) -> &'static str {
    match class {
        Class::Busy => "cycles_busy",
        Class::Input => "cycles_waiting_for_input",
        Class::Adc => "cycles_waiting_for_adc",
        Class::OutputFull => "cycles_output_full",
        Class::Link => "cycles_link",
        Class::Idle => "cycles_idle",
    }
}

/// Lines under construction.
#[derive(Default)]
struct Table(Vec<Entry>);

impl Table {
    fn count(&mut self, (stage, component): (&str, &str), quantity: &'static str, value: u64, unit: &'static str) {
        self.push((stage, component), quantity, Value::Count(value), unit);
    }

    fn real(&mut self, (stage, component): (&str, &str), quantity: &'static str, value: f64, unit: &'static str) {
        self.push((stage, component), quantity, Value::Real(value), unit);
    }

    fn push(&mut self, (stage, component): (&str, &str), quantity: &'static str, value: Value, unit: &'static str) {
        self.0.push(Entry { stage: stage.to_owned(), component: component.to_owned(), quantity, value, unit });
    }

    fn run(&mut self, report: &CyclesReport) {
        let run = (CHIP, "run");
        self.count(run, "images", report.images, "1");
        self.real(run, "clock", report.clock_hz, "Hz");
        self.count(run, "cycles_first_image", report.first_image_cycles(), "cycles");
        self.count(run, "cycles_last_image", report.summary().cycles(), "cycles");
        self.count(run, "cycles_end", report.report.end, "cycles");
        self.real(run, "cycles_per_image", report.interval_cycles(), "cycles");
    }

    fn stages(&mut self, summary: &Summary<'_>) {
        for of in summary.stages() {
            let stage = (of.stage.as_str(), "run");
            self.count(stage, "cycles_first_start", of.first_start, "cycles");
            self.count(stage, "cycles_first_image", of.first_end, "cycles");
            self.count(stage, "cycles_last_image", of.last_end, "cycles");
            let (cycles, images) = of.interval;
            self.real(stage, "cycles_per_image", cycles as f64 / images as f64, "cycles");
        }
    }

    fn units(&mut self, summary: &Summary<'_>) {
        for row in summary.components() {
            let of = (row.stage.as_str(), row.component);
            self.count(of, "units", row.units, "1");
            for class in Class::ALL {
                self.count(of, cycles_of(class), row.cycles.of(class), "cycles");
            }
        }
        for share in summary.critical_path() {
            self.count((&share.stage, share.component), "critical_path_cycles", share.cycles, "cycles");
        }
    }

    fn buffers(&mut self, report: &CyclesReport) {
        for (region, &peak) in report.workload.regions.iter().zip(&report.report.peaks) {
            let Some(capacity) = region.capacity else { continue };
            let core = region.readers.first().and_then(|&core| report.workload.cores.get(core as usize));
            let of = (core.map_or(CHIP, |core| core.stage.as_str()), region.name.as_str());
            self.count(of, "peak_items", peak, "1");
            self.count(of, "capacity_items", capacity, "1");
        }
    }

    fn prices(&mut self, report: &CyclesReport) {
        let Some(prices) = &report.prices else { return };
        for stage in &prices.stages {
            let counts = stage.counts.entries();
            counts.iter().for_each(|&(action, count)| self.count((&stage.stage, action), "actions", count, "1"));
            let parts = stage.energy.entries();
            let parts = parts.iter().filter(|(part, _)| *part != "leakage");
            parts.for_each(|&(part, energy_j)| self.real((&stage.stage, part), "energy", energy_j, "J"));
        }
        self.real((CHIP, "leakage"), "energy", prices.energy.leakage_j, "J");
        let area = prices.area.iter().flat_map(|area| area.entries());
        area.for_each(|(part, area_m2)| self.real((CHIP, part), "area", area_m2, "m2"));
        self.writing(prices);
    }

    fn writing(&mut self, prices: &Prices) {
        let (of, writing) = ((CHIP, "weight-writing"), &prices.writing);
        self.real(of, "writing_time", writing.time_s(), "s");
        self.real(of, "writing_energy", prices.writing_energy.total_j(), "J");
        self.real(of, "writing_energy_in_cells", prices.writing_energy.write_j, "J");
        self.count(of, "writing_cells", writing.counts.cell_write, "1");
        self.count(of, "writing_cycles", writing.cycles, "cycles");
        self.count(of, "writing_cycles_of_memory_port", writing.port_cycles, "cycles");
        self.count(of, "writing_cycles_of_network", writing.network_cycles, "cycles");
        self.count(of, "writing_cycles_of_arrays", writing.writing_cycles, "cycles");
        for share in &writing.critical_path {
            self.count((CHIP, share.component), "writing_path_cycles", share.cycles, "cycles");
        }
    }
}

/// Everything that a report tells, line by line. Actions and energies are those of one inference; cycles those of the run.
#[must_use]
pub fn entries(report: &CyclesReport) -> Vec<Entry> {
    let mut table = Table::default();
    table.run(report);
    table.stages(&report.summary());
    table.units(&report.summary());
    table.buffers(report);
    table.prices(report);
    table.0
}

/// `cycles.csv`.
///
/// # Errors
/// If the table cannot be written.
pub fn cycles_csv(report: &CyclesReport) -> Result<String, ExploreError> {
    let table = |error: csv::Error| ExploreError::Table(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    for entry in entries(report) {
        writer.serialize(entry).map_err(table)?;
    }
    let bytes = writer.into_inner().map_err(|error| ExploreError::Table(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
