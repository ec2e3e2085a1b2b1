//! Where the cycles of every unit went.

/// Classes of section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Busy,
    Input,
    Adc,
    OutputFull,
    Link,
    Idle,
}

/// Base cycles of one unit by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cycles {
    pub(crate) busy: u64,
    pub(crate) input: u64,
    pub(crate) adc: u64,
    pub(crate) output_full: u64,
    pub(crate) link: u64,
    pub(crate) idle: u64,
    /// The first cycle that was busy or a wait for something shared.
    pub(crate) started: Option<u64>,
}

impl Cycles {
    pub(crate) fn count(&mut self, class: Class) {
        if matches!(class, Class::Busy | Class::Link) {
            self.started = self.started.or(Some(self.total()));
        }
        let cell = match class {
            Class::Busy => &mut self.busy,
            Class::Input => &mut self.input,
            Class::Adc => &mut self.adc,
            Class::OutputFull => &mut self.output_full,
            Class::Link => &mut self.link,
            Class::Idle => &mut self.idle,
        };
        *cell += 1;
    }

    pub(crate) fn total(&self) -> u64 {
        self.busy + self.input + self.adc + self.output_full + self.link + self.idle
    }
}

/// A unit of section 6. Numbers are those of cores, bank groups in a core, tiles, ports in a tile, routers (row by row).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Fetch {
        core: u32,
    },
    Arrays {
        core: u32,
        bank: usize,
    },
    Converters {
        core: u32,
        bank: usize,
    },
    WriteBack {
        core: u32,
    },
    /// The only bus of a tile that is not duplex.
    LoadBus {
        tile: u32,
    },
    /// Of a duplex tile.
    StoreBus {
        tile: u32,
    },
    Port {
        tile: u32,
        port: u32,
    },
    Adder {
        tile: u32,
    },
    Vector {
        tile: u32,
    },
    Interface {
        tile: u32,
    },
    /// From a router (column, row) towards a neighbour.
    Link {
        from: (u32, u32),
        to: (u32, u32),
    },
    Memory,
}

/// The accounts of all units, in the order in which they are visited.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    rows: Vec<(Unit, Cycles)>,
    at: usize,
}

impl Accounts {
    /// Counts one cycle of the next unit; every unit is visited once per cycle, always in the same order.
    pub(crate) fn count(&mut self, unit: Unit, class: Class) {
        if self.at == self.rows.len() {
            self.rows.push((unit, Cycles::default()));
        }
        let (known, cycles) = &mut self.rows[self.at];
        assert_eq!(*known, unit, "units are visited in one order");
        cycles.count(class);
        self.at += 1;
    }

    pub(crate) fn next_cycle(&mut self) {
        self.at = 0;
    }

    pub(crate) fn into_rows(self) -> Vec<(Unit, Cycles)> {
        self.rows
    }
}
