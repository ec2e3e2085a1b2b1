//! What every unit does in every cycle.

use std::ops::AddAssign;

/// What a unit does in a cycle; `docs/timing.md` says which when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// It works.
    Busy,
    /// It waits for something to work on.
    Input,
    /// It waits for converters.
    Adc,
    /// It waits for room for its result.
    OutputFull,
    /// It waits for something shared: a bus, a port, a unit, the network.
    Link,
    /// It has nothing to do, or nothing any more.
    Idle,
}

impl Class {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 6] = [Self::Busy, Self::Input, Self::Adc, Self::OutputFull, Self::Link, Self::Idle];

    /// Its name in tables and traces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Input => "input",
            Self::Adc => "adc",
            Self::OutputFull => "output-full",
            Self::Link => "link",
            Self::Idle => "idle",
        }
    }
}

/// Cycles of a unit by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cycles([u64; Class::ALL.len()]);

impl Cycles {
    /// Cycles of one class.
    #[must_use]
    pub fn of(&self, class: Class) -> u64 {
        self.0[class as usize]
    }

    /// More cycles of one class.
    pub fn add(&mut self, class: Class, cycles: u64) {
        self.0[class as usize] += cycles;
    }

    /// The cycles of so many units that do the same.
    #[must_use]
    pub fn times(self, units: u64) -> Self {
        Self(self.0.map(|cycles| cycles * units))
    }

    /// All cycles.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl AddAssign for Cycles {
    fn add_assign(&mut self, other: Self) {
        for class in Class::ALL {
            self.add(class, other.of(class));
        }
    }
}
