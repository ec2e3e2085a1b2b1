//! The shared units of a tile, and who gets them.

use super::accounts::Accounts;
use super::causes::{Causes, NONE, Op};
use super::request::{Request, Requests, Wanted};
use crate::machine::account::Class;
use crate::machine::hardware::TileHardware;
use crate::machine::report::{Unit as Name, UnitKind};

/// A unit that serves one request at a time.
#[derive(Clone, Copy, Debug)]
struct Unit {
    name: Name,
    /// Its number in the accounts.
    account: u32,
    /// Until when it is taken, if it is.
    until: Option<u64>,
    /// The operation that took it last.
    op: Op,
    /// Of a port: `(bank - cycle) mod banks` of its transfer.
    phase: u64,
}

impl Unit {
    fn new(name: Name, accounts: &mut Accounts<'_>) -> Self {
        Self { name, account: accounts.add(name), until: None, op: NONE, phase: 0 }
    }

    fn take(&mut self, until: u64, op: Op, now: u64, accounts: &mut Accounts<'_>) {
        (self.until, self.op) = (Some(until), op);
        accounts.set(self.account, Class::Busy, now);
    }

    /// Whether it was taken until now.
    fn release(&mut self, now: u64, accounts: &mut Accounts<'_>) -> bool {
        let ends = self.until.is_some_and(|until| until <= now);
        if ends {
            self.until = None;
            accounts.set(self.account, Class::Idle, now);
        }
        ends
    }
}

/// State of a tile's shared units.
#[derive(Debug)]
pub(super) struct Tile {
    pub(super) requests: Requests,
    /// Load bus and store bus, or one bus for both.
    buses: Vec<Unit>,
    ports: Vec<Unit>,
    adder: Unit,
    vector: Unit,
    /// The edge for which the tile is scheduled already.
    pub(super) scheduled: u64,
}

/// What the requests before have left.
#[derive(Default)]
struct Claims {
    buses: [bool; 2],
    ports: usize,
    adder: bool,
    vector: bool,
}

/// The clock edge at which a tile grants.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) now: u64,
    /// Base cycles per cycle.
    pub(super) clock: u64,
}

impl Edge {
    fn after(self, cycles: u64) -> u64 {
        self.now.saturating_add(cycles.saturating_mul(self.clock))
    }
}

impl Tile {
    pub(super) fn new(tile: u32, hardware: &TileHardware, accounts: &mut Accounts<'_>) -> Self {
        let mut unit = |kind| Unit::new(Name { tile, core: None, kind }, accounts);
        let buses = if hardware.duplex { &[UnitKind::LoadBus, UnitKind::StoreBus][..] } else { &[UnitKind::LoadBus] };
        Self {
            requests: Requests::default(),
            buses: buses.iter().map(|&kind| unit(kind)).collect(),
            ports: (0..hardware.ports).map(|port| unit(UnitKind::Port(port))).collect(),
            adder: unit(UnitKind::Adder),
            vector: unit(UnitKind::Vector),
            scheduled: 0,
        }
    }

    /// Frees what has been taken until now.
    pub(super) fn release(&mut self, now: u64, accounts: &mut Accounts<'_>) {
        let units = self.buses.iter_mut().chain(&mut self.ports).chain([&mut self.adder, &mut self.vector]);
        for unit in units {
            unit.release(now, accounts);
        }
    }

    /// Grants what can be granted, oldest first. Whether a transfer waits for nothing but a bank.
    pub(super) fn grant(
        &mut self,
        edge: Edge,
        banks: u64,
        (accounts, causes): (&mut Accounts<'_>, &mut Causes),
        mut granted: impl FnMut(Request, Op),
    ) -> bool {
        let mut claims = Claims::default();
        let mut bank_conflict = false;
        let mut requests = std::mem::take(&mut self.requests.0);
        requests.retain(|request| {
            let Some(free) = self.free(request.wanted, &claims) else {
                self.claim(request.wanted, &mut claims);
                return true;
            };
            if let Some(phase) = self.phase(request.wanted, edge, banks) {
                if self.ports.iter().any(|port| port.until.is_some() && port.phase == phase) {
                    bank_conflict = true;
                    self.claim(request.wanted, &mut claims);
                    return true;
                }
                self.ports[free].phase = phase;
            }
            let op = self.take(request, free, edge, (accounts, causes));
            granted(*request, op);
            false
        });
        self.requests.0 = requests;
        bank_conflict
    }

    /// The bus that a transfer uses.
    fn bus(&self, wanted: Wanted) -> Option<usize> {
        match wanted {
            Wanted::Load { .. } => Some(0),
            Wanted::Store { .. } => Some(self.buses.len() - 1),
            _ => None,
        }
    }

    /// Whether all that is wanted is free and not claimed; for a transfer, the free port.
    fn free(&self, wanted: Wanted, claims: &Claims) -> Option<usize> {
        match wanted {
            Wanted::Add { .. } => (self.adder.until.is_none() && !claims.adder).then_some(0),
            Wanted::Vector { .. } => (self.vector.until.is_none() && !claims.vector).then_some(0),
            _ => {
                let bus = self.bus(wanted);
                let bus_free = bus.is_none_or(|bus| self.buses[bus].until.is_none() && !claims.buses[bus]);
                let mut free = self.ports.iter().enumerate().filter(|(_, port)| port.until.is_none());
                let first = free.next().map(|(port, _)| port)?;
                (bus_free && free.count() >= claims.ports).then_some(first)
            }
        }
    }

    fn claim(&self, wanted: Wanted, claims: &mut Claims) {
        match wanted {
            Wanted::Add { .. } => claims.adder = true,
            Wanted::Vector { .. } => claims.vector = true,
            _ => {
                claims.ports += 1;
                if let Some(bus) = self.bus(wanted) {
                    claims.buses[bus] = true;
                }
            }
        }
    }

    /// The phase of a transfer that starts now.
    fn phase(&self, wanted: Wanted, edge: Edge, banks: u64) -> Option<u64> {
        let (Wanted::Load { bank, .. } | Wanted::Store { bank, .. } | Wanted::Write { bank, .. }) = wanted else {
            return None;
        };
        if banks == 0 {
            return None;
        }
        let cycle = edge.now / edge.clock % banks;
        Some((bank % banks + banks - cycle) % banks)
    }

    /// Takes what is wanted; the operation that this begins.
    fn take(
        &mut self,
        request: &Request,
        port: usize,
        edge: Edge,
        (accounts, causes): (&mut Accounts<'_>, &mut Causes),
    ) -> Op {
        let (occupied, cycles) = request.wanted.cycles();
        let until = edge.after(occupied);
        let bus = self.bus(request.wanted);
        let mut units: Vec<&mut Unit> = match request.wanted {
            Wanted::Add { .. } => vec![&mut self.adder],
            Wanted::Vector { .. } => vec![&mut self.vector],
            _ => self.buses.iter_mut().enumerate().filter(|(at, _)| Some(*at) == bus).map(|(_, unit)| unit).collect(),
        };
        if !matches!(request.wanted, Wanted::Add { .. } | Wanted::Vector { .. }) {
            units.push(&mut self.ports[port]);
        }
        let op = begin(request, &units, edge.after(cycles), edge.now, causes);
        units.into_iter().for_each(|unit| unit.take(until, op, edge.now, accounts));
        op
    }
}

/// Notes the operation that a request begins: caused by what led to the request or, if it had to wait, by what kept its units longest.
fn begin(request: &Request, units: &[&mut Unit], end: u64, now: u64, causes: &mut Causes) -> Op {
    let mut cause = request.cause;
    if request.age.since < now {
        cause = units.iter().fold(cause, |cause, unit| causes.latest(cause, unit.op));
    }
    units.first().map_or(NONE, |unit| causes.note(Name { core: Some(request.age.core), ..unit.name }, cause, end))
}

/// The chip's port to the off-chip memory.
#[derive(Debug)]
pub(super) struct MemoryPort {
    pub(super) requests: Requests,
    unit: Unit,
    /// The edge for which the port is scheduled already.
    pub(super) scheduled: u64,
    /// The core that it serves.
    serves: Option<u32>,
}

impl MemoryPort {
    pub(super) fn new(accounts: &mut Accounts<'_>) -> Self {
        let unit = Unit::new(Name { tile: 0, core: None, kind: UnitKind::Memory }, accounts);
        Self { requests: Requests::default(), unit, scheduled: 0, serves: None }
    }

    /// Frees the port if it was taken until now; for which core.
    pub(super) fn release(&mut self, now: u64, accounts: &mut Accounts<'_>) -> Option<u32> {
        self.unit.release(now, accounts).then(|| self.serves.take()).flatten()
    }

    /// Grants the port to the oldest request, if it is free.
    pub(super) fn grant(
        &mut self,
        edge: Edge,
        (accounts, causes): (&mut Accounts<'_>, &mut Causes),
    ) -> Option<(Request, Op)> {
        if self.unit.until.is_some() || self.requests.0.is_empty() {
            return None;
        }
        let request = self.requests.0.remove(0);
        let until = edge.after(request.wanted.cycles().0);
        let op = begin(&request, &[&mut self.unit], until, edge.now, causes);
        self.unit.take(until, op, edge.now, accounts);
        self.serves = Some(request.age.core);
        Some((request, op))
    }
}
