//! What cores share: the instant, regions, requests that wait, and what is in progress.

use chip::machine::hardware::Hardware;

use super::network::Packet;
use super::region::RegionState;

/// Order of requests of section 4. Younger is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Age {
    pub(crate) instant: u64,
    /// Arriving packets come before cores.
    pub(crate) from_core: bool,
    pub(crate) core: u32,
    /// Of the run.
    pub(crate) step: u64,
    /// In the step: fetch instructions, then write-back instructions.
    pub(crate) place: usize,
}

/// The shared unit that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Load bus and a port; begins in a bank.
    Load { bank: u64 },
    /// Store bus and a port; writes an item of a region.
    Store { region: u32, item: u64, bank: u64 },
    /// A port; writes an item of a region.
    Arrival { region: u32, item: u64, bank: u64 },
    /// The adder tree.
    Merge,
    /// The vector unit.
    Vector,
    /// The chip's memory port; brings an item of a region.
    Memory { region: u32, item: u64, bits: u64 },
}

impl Service {
    /// The bank in which a transfer begins.
    pub(crate) fn bank(self) -> Option<u64> {
        match self {
            Self::Load { bank } | Self::Store { bank, .. } | Self::Arrival { bank, .. } => Some(bank),
            Self::Merge | Self::Vector | Self::Memory { .. } => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) age: Age,
    pub(crate) tile: u32,
    pub(crate) service: Service,
    /// Cycles of the domain of the service, in which it occupies its units.
    pub(crate) cycles: u64,
}

/// A request that was granted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Active {
    pub(crate) request: Request,
    /// Instant.
    pub(crate) ends: u64,
    /// The port of its tile that it uses.
    pub(crate) port: Option<u32>,
    /// What must differ between transfers in progress.
    pub(crate) phase: Option<u64>,
}

pub(crate) struct World<'w> {
    pub(crate) hardware: &'w Hardware,
    pub(crate) now: u64,
    pub(crate) regions: Vec<RegionState<'w>>,
    pub(crate) requests: Vec<Request>,
    pub(crate) active: Vec<Active>,
    /// Items from the memory that arrive at an instant.
    pub(crate) delivering: Vec<(u64, Request)>,
    /// Packets that were sent at this instant.
    pub(crate) sent: Vec<(Age, Packet)>,
}

impl World<'_> {
    pub(crate) fn ask(&mut self, age: Age, tile: u32, service: Service, cycles: u64) {
        assert!(cycles >= 1, "everything that is granted takes time");
        self.requests.push(Request { age, tile, service, cycles });
    }

    /// An item from the memory that arrives asks for a port of the buffer.
    pub(crate) fn deliver(&mut self, access: Request) {
        let Service::Memory { region, item, bits } = access.service else { panic!("only memory delivers") };
        let age = Age { instant: self.now, from_core: false, ..access.age };
        let bank = self.first_bank(region, item);
        let cycles = self.words(bits);
        self.ask(age, access.tile, Service::Arrival { region, item, bank }, cycles);
    }

    /// Cycles in which bits pass the buffer of a tile.
    pub(crate) fn words(&self, bits: u64) -> u64 {
        bits.div_ceil(self.hardware.tile.word_bits).div_ceil(self.hardware.tile.words_per_cycle)
    }

    /// Bank of the first word of transfer number `number` of a region.
    pub(crate) fn first_bank(&self, region: u32, number: u64) -> u64 {
        (u64::from(region) + number) % self.hardware.tile.banks.max(1)
    }

    /// Whether units of the digital domain may start now.
    pub(crate) fn is_digital(&self) -> bool {
        self.now.is_multiple_of(self.hardware.clocks.digital)
    }

    /// Whether arrays and converters may start now.
    pub(crate) fn is_arrays(&self) -> bool {
        self.now.is_multiple_of(self.hardware.clocks.arrays)
    }
}
