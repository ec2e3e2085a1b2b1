//! What network interfaces and links do when, for who wants to know: the cycles that `usage` sums, as spans.

use super::{NONE, Network};

/// Cycles `start..end` in which a network interface or a link was busy or blocked; between them it was neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkSpan {
    /// Interfaces are numbered by tile; behind them come the links in the order of [`Network::links`].
    pub unit: u32,
    /// Whether flits left; otherwise some waited.
    pub busy: bool,
    /// First base cycle.
    pub start: u64,
    /// Base cycle behind the last one.
    pub end: u64,
}

/// An interface or a link.
#[derive(Clone, Copy, Debug, Default)]
struct Meter {
    /// The last cycles `start..until` without a gap in which flits left.
    start: u64,
    until: u64,
    /// Whether something waits when no flit leaves, and since when at most.
    open: bool,
    since: u64,
}

/// All interfaces and links, and the spans that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Watch {
    meters: Vec<Meter>,
    /// Flits in the queue of each interface.
    queued: Vec<u64>,
    /// By output: the number of its link, or [`NONE`].
    links: Vec<u32>,
    spans: Vec<NetworkSpan>,
}

impl Watch {
    /// Flits are appended to the queue of a tile's interface.
    pub(super) fn append(&mut self, tile: u32, now: u64, flits: u64) {
        let queued = &mut self.queued[tile as usize];
        *queued += flits;
        if *queued == flits {
            self.open(tile, now);
        }
    }

    /// Flits leave the queue of a tile's interface, without a gap for so many base cycles.
    pub(super) fn leave(&mut self, tile: u32, now: u64, cycles: u64, flits: u64) {
        self.flits(tile, now, cycles);
        let queued = &mut self.queued[tile as usize];
        *queued -= flits;
        if *queued == 0 {
            self.meters[tile as usize].open = false;
        }
    }

    /// An output belongs to a packet from now on.
    pub(super) fn grant(&mut self, output: u32, now: u64) {
        if self.links[output as usize] != NONE {
            self.open(self.links[output as usize], now);
        }
    }

    /// Flits leave an output, without a gap for so many base cycles.
    pub(super) fn pass(&mut self, output: u32, now: u64, cycles: u64) {
        if self.links[output as usize] != NONE {
            self.flits(self.links[output as usize], now, cycles);
        }
    }

    /// The last flit of the packet has left the output.
    pub(super) fn release(&mut self, output: u32) {
        if let Some(meter) = self.meters.get_mut(self.links[output as usize] as usize) {
            meter.open = false;
        }
    }

    fn open(&mut self, unit: u32, now: u64) {
        let meter = &mut self.meters[unit as usize];
        (meter.open, meter.since) = (true, now);
    }

    fn flits(&mut self, unit: u32, now: u64, cycles: u64) {
        let meter = &mut self.meters[unit as usize];
        let end = now + cycles;
        if now > meter.until {
            let last = *meter;
            (meter.start, meter.until) = (now, end);
            self.close(unit, last, now);
        } else {
            meter.until = meter.until.max(end);
        }
    }

    /// Tells what a meter has counted up to `now`.
    fn close(&mut self, unit: u32, meter: Meter, now: u64) {
        let waits = meter.until.max(meter.since);
        let waits = if meter.open { (waits, now) } else { (now, now) };
        for (busy, (start, end)) in [(true, (meter.start, meter.until)), (false, waits)] {
            if start < end {
                self.spans.push(NetworkSpan { unit, busy, start, end });
            }
        }
    }
}

impl Network {
    /// Notes spans from now on; to be called before anything is sent.
    pub fn watch(&mut self) {
        let mut unit = self.plan.tiles();
        let link = |port: u32| {
            let is_link = self.plan.entry(port) != NONE;
            unit += u32::from(is_link);
            if is_link { unit - 1 } else { NONE }
        };
        let links: Vec<u32> = (0..self.plan.ports_in_all()).map(link).collect();
        let queued = vec![0; self.plan.tiles() as usize];
        let meters = vec![Meter::default(); unit as usize];
        self.watch = Some(Box::new(Watch { meters, queued, links, spans: Vec::new() }));
    }

    /// Takes the spans that are complete, in no particular order; none if nobody watches.
    pub fn watched(&mut self) -> Vec<NetworkSpan> {
        self.watch.as_mut().map(|watch| std::mem::take(&mut watch.spans)).unwrap_or_default()
    }

    /// Completes all spans at the end of the run.
    pub fn end_watch(&mut self, end: u64) {
        let Some(watch) = &mut self.watch else { return };
        for unit in 0..watch.meters.len() {
            let last = std::mem::take(&mut watch.meters[unit]);
            watch.close(unit as u32, last, end);
        }
    }
}
