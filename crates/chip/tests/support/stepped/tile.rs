//! Section 4: who gets the shared units of the tiles, and the memory port.

use super::account::{Accounts, Class, Unit};
use super::world::{Active, Request, Service, World};

/// What is free of a tile's units, or not claimed by an older request.
struct Free {
    load_bus: bool,
    store_bus: bool,
    ports: u32,
    adder: bool,
    vector: bool,
}

impl Free {
    /// At the beginning of the grants.
    fn of(tile: u32, world: &World<'_>) -> Self {
        let hardware = &world.hardware.tile;
        let used = |unit: fn(Service) -> bool| in_use(tile, unit, world);
        let (loads, stores) = (used(is_load), used(is_store));
        let ports = world.active.iter().filter(|active| active.request.tile == tile && active.port.is_some()).count();
        Self {
            load_bus: !loads && (hardware.duplex || !stores),
            store_bus: !stores && (hardware.duplex || !loads),
            ports: hardware.ports - ports as u32,
            adder: !used(|service| service == Service::Merge),
            vector: !used(|service| service == Service::Vector),
        }
    }

    fn serves(&self, service: Service) -> bool {
        match service {
            Service::Load { .. } => self.load_bus && self.ports > 0,
            Service::Store { .. } => self.store_bus && self.ports > 0,
            Service::Arrival { .. } => self.ports > 0,
            Service::Merge => self.adder,
            Service::Vector => self.vector,
            Service::Memory { .. } => false,
        }
    }

    /// A request takes what it needs, or keeps it from younger requests.
    fn claim(&mut self, service: Service, duplex: bool) {
        if is_load(service) || (is_store(service) && !duplex) {
            self.load_bus = false;
        }
        if is_store(service) || (is_load(service) && !duplex) {
            self.store_bus = false;
        }
        if service.bank().is_some() {
            self.ports = self.ports.saturating_sub(1);
        }
        self.adder &= service != Service::Merge;
        self.vector &= service != Service::Vector;
    }
}

fn is_load(service: Service) -> bool {
    matches!(service, Service::Load { .. })
}

fn is_store(service: Service) -> bool {
    matches!(service, Service::Store { .. })
}

fn is_memory(service: Service) -> bool {
    matches!(service, Service::Memory { .. })
}

fn in_use(tile: u32, unit: fn(Service) -> bool, world: &World<'_>) -> bool {
    world.active.iter().any(|active| active.request.tile == tile && unit(active.request.service))
}

/// Phase 4. Returns what was granted.
pub(crate) fn grant(tiles: u32, world: &mut World<'_>) -> Vec<Active> {
    world.requests.sort_by_key(|request| request.age);
    let mut granted = Vec::new();
    if world.is_digital() {
        for tile in 0..tiles {
            grant_tile(tile, world, &mut granted);
        }
    }
    if world.now.is_multiple_of(world.hardware.clocks.memory) {
        grant_memory(world, &mut granted);
    }
    world.requests.retain(|request| !granted.iter().any(|active| is_same(&active.request, request)));
    granted
}

fn is_same(one: &Request, other: &Request) -> bool {
    one.age == other.age
}

fn grant_tile(tile: u32, world: &mut World<'_>, granted: &mut Vec<Active>) {
    let mut free = Free::of(tile, world);
    let requests: Vec<Request> = world.requests.iter().filter(|request| request.tile == tile).copied().collect();
    for request in requests.into_iter().filter(|request| !is_memory(request.service)) {
        let phase = request.service.bank().map(|bank| phase(bank, world));
        if free.serves(request.service) && !meets(tile, phase, world) {
            let port = phase.map(|_| lowest_port(tile, world));
            let ends = world.now + request.cycles * world.hardware.clocks.digital;
            let active = Active { request, ends, port, phase };
            world.active.push(active);
            granted.push(active);
        }
        free.claim(request.service, world.hardware.tile.duplex);
    }
}

/// Phase of a transfer that starts now in a bank.
fn phase(bank: u64, world: &World<'_>) -> u64 {
    let banks = world.hardware.tile.banks.max(1);
    let cycle = world.now / world.hardware.clocks.digital;
    (bank + banks - cycle % banks) % banks
}

/// Whether a transfer in progress at the tile would be in the same banks in the same cycles.
fn meets(tile: u32, phase: Option<u64>, world: &World<'_>) -> bool {
    let banked = phase.is_some() && world.hardware.tile.banks > 0;
    banked && world.active.iter().any(|active| active.request.tile == tile && active.phase == phase)
}

fn lowest_port(tile: u32, world: &World<'_>) -> u32 {
    let is_free =
        |port: &u32| !world.active.iter().any(|active| active.request.tile == tile && active.port == Some(*port));
    (0..world.hardware.tile.ports).find(is_free).expect("a port is free")
}

fn grant_memory(world: &mut World<'_>, granted: &mut Vec<Active>) {
    if world.active.iter().any(|active| is_memory(active.request.service)) {
        return;
    }
    let oldest = world.requests.iter().find(|request| is_memory(request.service)).copied();
    if let Some(request) = oldest {
        let ends = world.now + request.cycles * world.hardware.clocks.memory;
        let active = Active { request, ends, port: None, phase: None };
        world.active.push(active);
        granted.push(active);
    }
}

pub(crate) fn account(tiles: u32, world: &World<'_>, accounts: &mut Accounts) {
    let class = |used: bool| if used { Class::Busy } else { Class::Idle };
    for tile in 0..tiles {
        let (loads, stores) = (in_use(tile, is_load, world), in_use(tile, is_store, world));
        if world.hardware.tile.duplex {
            accounts.count(Unit::LoadBus { tile }, class(loads));
            accounts.count(Unit::StoreBus { tile }, class(stores));
        } else {
            accounts.count(Unit::LoadBus { tile }, class(loads || stores));
        }
        for port in 0..world.hardware.tile.ports {
            let used = |active: &Active| active.request.tile == tile && active.port == Some(port);
            accounts.count(Unit::Port { tile, port }, class(world.active.iter().any(used)));
        }
        accounts.count(Unit::Adder { tile }, class(in_use(tile, |at| at == Service::Merge, world)));
        accounts.count(Unit::Vector { tile }, class(in_use(tile, |at| at == Service::Vector, world)));
    }
    let memory = world.active.iter().any(|active| is_memory(active.request.service));
    accounts.count(Unit::Memory, class(memory));
}
