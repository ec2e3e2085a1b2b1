//! Clock domains: each is clocked with a whole fraction of the base clock.

use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};

/// Cycles of the base clock per cycle of each domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockDividers {
    /// DACs, arrays, sample-and-hold, converters.
    pub array_cycles: u64,
    /// Buses, buffers, adders, vector units.
    pub digital_cycles: u64,
    /// Routers and links.
    pub network_cycles: u64,
    /// The port to the off-chip memory.
    pub memory_cycles: u64,
}

impl Check for ClockDividers {
    fn check(&self, problems: &mut Problems) {
        let domains = [
            ("array_cycles", self.array_cycles),
            ("digital_cycles", self.digital_cycles),
            ("network_cycles", self.network_cycles),
            ("memory_cycles", self.memory_cycles),
        ];
        for (domain, base_cycles) in domains {
            problems.integer(domain, base_cycles, 1..=1_000_000);
        }
    }
}
