//! Writing the weights before the first image: cycles and actions, which no inference contains.

use super::TimingError;
use super::actions::movements;
use super::loading::loading;
use crate::machine::account::Class;
use crate::machine::report::{Report, UnitKind};
use crate::machine::summary::{PathShare, Summary};
use crate::machine::{Settings, run};
use crate::program::Program;
use tile::actions::ActionCounts;

/// What writing all cells of a program takes. Cycles are those of the base clock.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightWriting {
    /// Cells written, and what brings their levels from the off-chip memory to their tiles.
    pub counts: ActionCounts,
    /// Cycles until the last row is written and the port's tile knows.
    pub cycles: u64,
    /// Cycles in which the memory port works.
    pub port_cycles: u64,
    /// Cycles in which the busiest part of the network works: the network interface of the port's tile, or a link.
    pub network_cycles: u64,
    /// Cycles in which the busiest lane writes: the arrays of a tile that are written one after the other.
    pub writing_cycles: u64,
    /// For which components it took so long; their cycles sum to `cycles`.
    pub critical_path: Vec<PathShare>,
    clock_hz: f64,
}

impl WeightWriting {
    /// Time until all cells are written, s.
    #[must_use]
    pub fn time_s(&self) -> f64 {
        self.cycles as f64 / self.clock_hz
    }
}

/// What writing all cells of a program takes, copies of stages included.
///
/// # Errors
/// If a buffer is too small for a row; the text names it and the size it needs.
pub fn weight_writing(program: &Program) -> Result<WeightWriting, TimingError> {
    let (workload, hardware) = loading(program)?;
    workload.check(&hardware, 1)?;
    let report = run(&workload, &hardware, 1, Settings { critical_path: true, ..Settings::default() })?;
    let summary = Summary { workload: &workload, report: &report };
    Ok(WeightWriting {
        counts: counts(program, &report),
        cycles: summary.cycles(),
        port_cycles: busiest(&report, |kind| kind == UnitKind::Memory),
        network_cycles: busiest(&report, |kind| matches!(kind, UnitKind::Interface | UnitKind::Link(_))),
        writing_cycles: busiest(&report, |kind| matches!(kind, UnitKind::Arrays(_))),
        critical_path: summary.critical_path(),
        clock_hz: program.chip.clock_hz,
    })
}

/// Most cycles in which a unit of a kind works.
fn busiest(report: &Report, is: impl Fn(UnitKind) -> bool) -> u64 {
    let of_kind = report.units.iter().filter(|of| is(of.unit.kind));
    of_kind.map(|of| of.cycles.of(Class::Busy)).max().unwrap_or(0)
}

/// Cells of all copies, and the movements of all cores; a level crosses the port once, whatever the number of copies.
fn counts(program: &Program, report: &Report) -> ActionCounts {
    let mut counts = ActionCounts::default();
    report.cores.iter().for_each(|work| counts += movements(work));
    for (_, stage) in program.mvm_stages() {
        counts.cell_write += stage.cells() * stage.copies() as u64;
    }
    counts
}
