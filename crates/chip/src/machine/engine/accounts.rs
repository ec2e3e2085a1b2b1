//! Meters of all units: what each does since when.

use crate::machine::account::{Class, Cycles};
use crate::machine::report::{Unit, UnitReport};

/// A meter: the class a unit is in, since when, and the cycles before.
#[derive(Clone, Debug)]
struct Meter {
    unit: Unit,
    class: Class,
    since: u64,
    cycles: Cycles,
    /// The first cycle in which it was busy or waited for something shared.
    started: Option<u64>,
}

impl Meter {
    /// Counts the cycles up to `now`, if there are any.
    fn count(&mut self, now: u64) -> bool {
        let counts = now > self.since;
        if counts {
            self.cycles.add(self.class, now - self.since);
            if matches!(self.class, Class::Busy | Class::Link) {
                self.started = self.started.or(Some(self.since));
            }
        }
        counts
    }
}

/// The meters, numbered by unit.
pub(super) struct Accounts<'r> {
    meters: Vec<Meter>,
    pub(super) recorder: Option<&'r mut dyn Recorder>,
}

/// Who wants to know what happens when.
pub trait Recorder {
    /// The unit was in this class from `start` to before `end`. Units are numbered as in the report. Of network interfaces and links only cycles in
    /// which they are not idle are told, in no particular order.
    fn span(&mut self, unit: u32, class: Class, start: u64, end: u64);
    /// An item left a core's write-back (the unit `from`) at `start`, or its fetch requested it from the memory, and was in the region at `end`.
    fn item(&mut self, from: u32, region: u32, start: u64, end: u64);
}

impl<'r> Accounts<'r> {
    pub(super) fn new(recorder: Option<&'r mut dyn Recorder>) -> Self {
        Self { meters: Vec::new(), recorder }
    }

    /// The number of a new unit, idle until something is said of it.
    pub(super) fn add(&mut self, unit: Unit) -> u32 {
        self.meters.push(Meter { unit, class: Class::Idle, since: 0, cycles: Cycles::default(), started: None });
        (self.meters.len() - 1) as u32
    }

    /// From `now` on the unit is in `class`.
    pub(super) fn set(&mut self, unit: u32, class: Class, now: u64) {
        let meter = &mut self.meters[unit as usize];
        if meter.class != class {
            if meter.count(now)
                && let Some(recorder) = &mut self.recorder
            {
                recorder.span(unit, meter.class, meter.since, now);
            }
            (meter.class, meter.since) = (class, now);
        }
    }

    /// Closes all meters at the end of the run.
    pub(super) fn close(&mut self, end: u64) -> Vec<UnitReport> {
        for unit in 0..self.meters.len() {
            let meter = &mut self.meters[unit];
            if meter.count(end)
                && let Some(recorder) = &mut self.recorder
            {
                recorder.span(unit as u32, meter.class, meter.since, end);
            }
        }
        self.meters.iter().map(|meter| UnitReport { unit: meter.unit, cycles: meter.cycles }).collect()
    }

    /// The first cycle in which any unit of each core was busy or waited for something shared; of closed meters.
    pub(super) fn starts(&self, cores: usize) -> Vec<Option<u64>> {
        let mut starts = vec![None; cores];
        for Meter { unit, started, .. } in &self.meters {
            if let Some(start) = unit.core.and_then(|core| starts.get_mut(core as usize)) {
                *start = [*start, *started].into_iter().flatten().min();
            }
        }
        starts
    }

    /// How many units have meters; those of the network are numbered behind them.
    pub(super) fn len(&self) -> u32 {
        self.meters.len() as u32
    }
}
