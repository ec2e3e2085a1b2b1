//! What is wrong with a workload.

use crate::machine::work::Workload;
use std::fmt::{self, Display, Formatter};

/// A value of a workload that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what} = {value} is not allowed: {allowed}")]
pub struct WorkloadError {
    /// Where it is.
    pub place: Box<Place>,
    /// The quantity.
    pub what: &'static str,
    /// Its value.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

/// A place in a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The workload as a whole.
    Workload,
    /// A tile.
    Tile(u32),
    /// A region.
    Region {
        /// Its number.
        number: usize,
        /// Its name.
        name: String,
    },
    /// A core.
    Core {
        /// Its number.
        number: usize,
        /// Its name.
        name: String,
    },
    /// An instruction.
    Instruction {
        /// Number of the core.
        core: usize,
        /// Name of the core.
        name: String,
        /// Number of the instruction in the core's list, from 0.
        number: usize,
        /// The instruction as in traces.
        text: String,
        /// Name of the region that it is about, if there is such a region.
        region: Option<String>,
    },
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workload => write!(f, "workload"),
            Self::Tile(tile) => write!(f, "tile {tile}"),
            Self::Region { number, name } => write!(f, "region {number} `{name}`"),
            Self::Core { number, name } => write!(f, "core {number} `{name}`"),
            Self::Instruction { core, name, number, text, region } => {
                write!(f, "core {core} `{name}`, instruction {number} `{text}`")?;
                region.as_ref().map_or(Ok(()), |region| write!(f, " (region `{region}`)"))
            }
        }
    }
}

impl Place {
    /// A region of the workload.
    pub(super) fn region(work: &Workload, number: usize) -> Self {
        let name = work.regions.get(number).map_or_else(String::new, |region| region.name.clone());
        Self::Region { number, name }
    }

    /// A core of the workload.
    pub(super) fn core(work: &Workload, number: usize) -> Self {
        let name = work.cores.get(number).map_or_else(String::new, |core| core.name.clone());
        Self::Core { number, name }
    }

    /// An instruction of a core.
    pub(in crate::machine) fn instruction(work: &Workload, core: usize, number: usize) -> Self {
        let found = work.cores.get(core);
        let name = found.map_or_else(String::new, |core| core.name.clone());
        let instruction = found.and_then(|core| core.instructions.get(number));
        let text = instruction.map_or_else(String::new, ToString::to_string);
        let region = instruction.and_then(|instruction| instruction.region());
        let region = region.and_then(|region| work.regions.get(region as usize)).map(|region| region.name.clone());
        Self::Instruction { core, name, number, text, region }
    }
}

/// Refuses `value` unless `ok`; `place` is only asked for when it is needed.
pub(super) fn require(
    ok: bool,
    place: impl FnOnce() -> Place,
    what: &'static str,
    value: impl Display,
    allowed: impl Display,
) -> Result<(), WorkloadError> {
    if ok {
        return Ok(());
    }
    Err(WorkloadError { place: Box::new(place()), what, value: value.to_string(), allowed: allowed.to_string() })
}
