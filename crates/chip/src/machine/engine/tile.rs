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
    /// Of a port: `(bank - cycle) mod banks` of its transfer, if the buffer has banks.
    phase: Option<u64>,
}

impl Unit {
    fn new(name: Name, accounts: &mut Accounts<'_>) -> Self {
        Self { name, account: accounts.add(name), until: None, op: NONE, phase: None }
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
    /// Requests for ports, for the adder tree, and for the vector unit.
    transfers: Requests,
    additions: Requests,
    operations: Requests,
    /// Load bus and store bus, or one bus for both.
    buses: Vec<Unit>,
    ports: Vec<Unit>,
    adder: Unit,
    vector: Unit,
    /// The edge for which the tile is scheduled already.
    pub(super) scheduled: u64,
}

/// What older transfers wait for.
#[derive(Default)]
struct Claims {
    buses: [bool; 2],
    ports: usize,
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
            transfers: Requests::default(),
            additions: Requests::default(),
            operations: Requests::default(),
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

    pub(super) fn request(&mut self, request: Request) {
        match request.wanted {
            Wanted::Add { .. } => self.additions.add(request),
            Wanted::Vector { .. } => self.operations.add(request),
            _ => self.transfers.add(request),
        }
    }

    /// Whether nobody waits.
    pub(super) fn is_idle(&self) -> bool {
        self.transfers.is_empty() && self.additions.is_empty() && self.operations.is_empty()
    }

    /// Grants what can be granted, oldest first. Whether a transfer waits for nothing but a bank.
    pub(super) fn grant(
        &mut self,
        edge: Edge,
        banks: u64,
        (accounts, causes): (&mut Accounts<'_>, &mut Causes),
        mut granted: impl FnMut(Request, Op),
    ) -> bool {
        for (requests, unit) in [(&mut self.additions, &mut self.adder), (&mut self.operations, &mut self.vector)] {
            if unit.until.is_none()
                && let Some(request) = requests.get(0)
            {
                requests.remove(0);
                granted(request, take(&request, &mut [unit], edge, (accounts, causes)));
            }
        }
        self.grant_transfers(edge, banks, (accounts, causes), granted)
    }

    /// Every transfer takes a free port or keeps one from the younger ones, so that no more are looked at than ports are free.
    fn grant_transfers(
        &mut self,
        edge: Edge,
        banks: u64,
        (accounts, causes): (&mut Accounts<'_>, &mut Causes),
        mut granted: impl FnMut(Request, Op),
    ) -> bool {
        let mut claims = Claims::default();
        let mut bank_conflict = false;
        while let Some(port) = self.free_port(claims.ports)
            && let Some(request) = self.transfers.get(claims.ports)
        {
            let bus = self.bus(request.wanted);
            let phase = phase(request.wanted, edge, banks);
            let bus_is_free = bus.is_none_or(|bus| self.buses[bus].until.is_none() && !claims.buses[bus]);
            let meets = phase.is_some() && self.ports.iter().any(|port| port.until.is_some() && port.phase == phase);
            bank_conflict |= bus_is_free && meets;
            if !bus_is_free || meets {
                claims.ports += 1;
                bus.into_iter().for_each(|bus| claims.buses[bus] = true);
                continue;
            }
            self.transfers.remove(claims.ports);
            self.ports[port].phase = phase;
            let port = &mut self.ports[port];
            let op = match bus {
                Some(bus) => take(&request, &mut [&mut self.buses[bus], port], edge, (accounts, causes)),
                None => take(&request, &mut [port], edge, (accounts, causes)),
            };
            granted(request, op);
        }
        bank_conflict
    }

    /// The first free port, if more are free than are kept.
    fn free_port(&self, kept: usize) -> Option<usize> {
        let mut free = self.ports.iter().enumerate().filter(|(_, port)| port.until.is_none());
        let first = free.next().map(|(port, _)| port)?;
        (free.count() >= kept).then_some(first)
    }

    /// The bus that a transfer uses.
    fn bus(&self, wanted: Wanted) -> Option<usize> {
        match wanted {
            Wanted::Load { .. } => Some(0),
            Wanted::Store { .. } => Some(self.buses.len() - 1),
            _ => None,
        }
    }
}

/// The phase of a transfer that starts now.
fn phase(wanted: Wanted, edge: Edge, banks: u64) -> Option<u64> {
    let (Wanted::Load { bank, .. } | Wanted::Store { bank, .. } | Wanted::Write { bank, .. }) = wanted else {
        return None;
    };
    let cycle = (edge.now / edge.clock).checked_rem(banks)?;
    Some((bank % banks + banks - cycle) % banks)
}

/// Takes the units that are wanted; the operation that this begins.
fn take(
    request: &Request,
    units: &mut [&mut Unit],
    edge: Edge,
    (accounts, causes): (&mut Accounts<'_>, &mut Causes),
) -> Op {
    let (occupied, cycles) = request.wanted.cycles();
    let until = edge.after(occupied);
    let op = begin(request, units, edge.after(cycles), edge.now, causes);
    units.iter_mut().for_each(|unit| unit.take(until, op, edge.now, accounts));
    op
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
        if self.unit.until.is_some() {
            return None;
        }
        let request = self.requests.get(0)?;
        self.requests.remove(0);
        // The latency behind the port is an operation of its own.
        let until = edge.after(request.wanted.cycles().0);
        let op = begin(&request, &[&mut self.unit], until, edge.now, causes);
        self.unit.take(until, op, edge.now, accounts);
        self.serves = Some(request.age.core);
        Some((request, op))
    }
}
