//! Where the cycles went: units by stage and component, and the critical path.

use std::collections::BTreeMap;

use super::account::Cycles;
use super::report::{Report, Unit, UnitKind};
use super::work::{Core, Workload};

/// What all units of a kind did that work for one stage, or for the chip as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentRow {
    /// The stage; `chip` for what stages share.
    pub stage: String,
    /// The kind of unit.
    pub component: &'static str,
    /// How many there are.
    pub units: u64,
    /// Their cycles by class, summed: `units` times the cycles of the run.
    pub cycles: Cycles,
}

/// When a stage worked, all its copies and tiles together. Cycles of the base clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageTimes {
    /// The stage.
    pub stage: String,
    /// The first cycle in which one of its units was busy or waited for something shared.
    pub first_start: u64,
    /// When the first image ended: what it wrote had left it.
    pub first_end: u64,
    /// When the last image ended.
    pub last_end: u64,
    /// The pace as `(cycles, images)`: so many cycles after the first image the last of so many others ended. Of a single image the cycles from its
    /// start to its end. (Copies run at paces of their own as far as buffers let them, so that no half of a run has the pace of the whole.)
    pub interval: (u64, u64),
}

/// A part of the critical path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathShare {
    /// The stage that the run waited for.
    pub stage: String,
    /// The kind of unit.
    pub component: &'static str,
    /// For how many cycles.
    pub cycles: u64,
}

/// Components in the order of a signal's way.
const COMPONENTS: [&str; 13] = [
    "memory-port",
    "memory-latency",
    "fetch",
    "arrays",
    "converters",
    "write-back",
    "load-bus",
    "store-bus",
    "buffer-port",
    "adder-tree",
    "vector-unit",
    "network-interface",
    "link",
];

/// Place in [`COMPONENTS`] of the component that a unit is one of.
fn component(kind: UnitKind) -> usize {
    match kind {
        UnitKind::Memory => 0,
        UnitKind::MemoryLatency => 1,
        UnitKind::Fetch => 2,
        UnitKind::Arrays(_) => 3,
        UnitKind::Converters(_) => 4,
        UnitKind::WriteBack => 5,
        UnitKind::LoadBus => 6,
        UnitKind::StoreBus => 7,
        UnitKind::Port(_) => 8,
        UnitKind::Adder => 9,
        UnitKind::Vector => 10,
        UnitKind::Interface => 11,
        UnitKind::Link(_) => 12,
    }
}

/// A report with what was executed.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// What was executed.
    pub workload: &'a Workload,
    /// What the machine tells of it.
    pub report: &'a Report,
}

impl<'a> Summary<'a> {
    /// Cycles of the base clock until the last image is done.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.report.image_done.last().copied().unwrap_or(0)
    }

    /// The steady rate as `(cycles, images)`: the second half of the images took this many cycles.
    ///
    /// The first half is left out because the pipeline is still filling. A single image has no rate; it gives its own latency.
    #[must_use]
    pub fn steady_interval(&self) -> (u64, u64) {
        match self.report.image_done.as_slice() {
            [] => (0, 0),
            [only] => (*only, 1),
            [.., last] => {
                // Of an odd number the middle one belongs to the first half.
                let from = (self.report.image_done.len() - 1) / 2;
                let start = self.report.image_done.get(from).copied().unwrap_or(0);
                (last - start, (self.report.image_done.len() - 1 - from) as u64)
            }
        }
    }

    /// When every stage worked, in the order of the program.
    #[must_use]
    pub fn stages(&self) -> Vec<StageTimes> {
        let mut stages: BTreeMap<usize, StageTimes> = BTreeMap::new();
        let places = self.places();
        for ((core, place), times) in self.workload.cores.iter().zip(places).zip(&self.report.times) {
            let of = stages.entry(place).or_insert_with(|| {
                let (first_start, stage) = (times.first_start, core.stage.clone());
                StageTimes { stage, first_start, first_end: 0, last_end: 0, interval: (0, 1) }
            });
            of.first_start = of.first_start.min(times.first_start);
            of.first_end = of.first_end.max(times.first_end);
            of.last_end = of.last_end.max(times.last_end);
        }
        let more = self.report.image_done.len().saturating_sub(1) as u64;
        let paced = |of: StageTimes| {
            let from = if more > 0 { of.first_end } else { of.first_start };
            StageTimes { interval: (of.last_end.saturating_sub(from), more.max(1)), ..of }
        };
        stages.into_values().map(paced).collect()
    }

    /// Every unit's cycles, by stage in the order of the program and by component; what stages share comes last.
    #[must_use]
    pub fn components(&self) -> Vec<ComponentRow> {
        let mut rows: BTreeMap<(usize, usize), ComponentRow> = BTreeMap::new();
        let places = self.places();
        for of_unit in &self.report.units {
            let (place, component) = (place(of_unit.unit, &places), component(of_unit.unit.kind));
            let row = rows.entry((place, component)).or_insert_with(|| ComponentRow {
                stage: self.stage_name(of_unit.unit).to_owned(),
                component: COMPONENTS[component],
                units: 0,
                cycles: Cycles::default(),
            });
            let count = self.alike(of_unit.unit);
            row.units += count;
            row.cycles += of_unit.cycles.times(count);
        }
        rows.into_values().collect()
    }

    /// Where the time until the last image was done went, largest share first: for which stage and component the run waited. The cycles sum to
    /// [`Summary::cycles`]; empty if the machine was not asked for the critical path.
    #[must_use]
    pub fn critical_path(&self) -> Vec<PathShare> {
        let mut shares: BTreeMap<(usize, usize), PathShare> = BTreeMap::new();
        let places = self.places();
        for &(unit, cycles) in &self.report.critical_path {
            let (place, component) = (place(unit, &places), component(unit.kind));
            let share = shares.entry((place, component)).or_insert_with(|| PathShare {
                stage: self.stage_name(unit).to_owned(),
                component: COMPONENTS[component],
                cycles: 0,
            });
            share.cycles += cycles;
        }
        let mut shares: Vec<PathShare> = shares.into_values().collect();
        shares.sort_by_key(|share| std::cmp::Reverse(share.cycles));
        shares
    }

    /// The critical path in a sentence.
    #[must_use]
    pub fn bottleneck(&self) -> Option<String> {
        let shares = self.critical_path();
        let first = shares.first()?;
        let bound = match first.component {
            "converters" => "ADC-bound",
            "arrays" => "array-bound",
            "memory-port" => "memory-bound",
            "memory-latency" => "bound by the latency of the memory",
            "network-interface" | "link" => "network-bound",
            "load-bus" | "store-bus" | "buffer-port" => "buffer-bound",
            _ => "bound by its digital units",
        };
        let percent = 100.0 * first.cycles as f64 / self.cycles().max(1) as f64;
        Some(format!(
            "{} is {bound}: for {percent:.0} % of {} cycles the run waited for its {}",
            first.stage,
            self.cycles(),
            first.component
        ))
    }

    /// How many units there are: banks that work alike are one in the report, but all are counted here.
    #[must_use]
    pub fn units(&self) -> u128 {
        self.report.units.iter().map(|of| u128::from(self.alike(of.unit))).sum()
    }

    /// The core that a unit belongs to.
    fn core(&self, unit: Unit) -> Option<&'a Core> {
        unit.core.and_then(|core| self.workload.cores.get(core as usize))
    }

    fn stage_name(&self, unit: Unit) -> &'a str {
        self.core(unit).map_or("chip", |core| &core.stage)
    }

    /// Where the stage of every core stands: at its first core.
    fn places(&self) -> Vec<usize> {
        let mut first = BTreeMap::new();
        let stages = self.workload.cores.iter().enumerate();
        stages.map(|(number, core)| *first.entry(core.stage.as_str()).or_insert(number)).collect()
    }

    /// How many units the entry stands for: banks that work alike are one.
    fn alike(&self, unit: Unit) -> u64 {
        let (UnitKind::Arrays(bank) | UnitKind::Converters(bank)) = unit.kind else { return 1 };
        self.core(unit).and_then(|core| core.banks.get(bank as usize)).map_or(1, |bank| bank.count)
    }
}

/// Where a unit's stage stands; what stages share comes last.
fn place(unit: Unit, places: &[usize]) -> usize {
    unit.core.and_then(|core| places.get(core as usize)).copied().unwrap_or(usize::MAX)
}
