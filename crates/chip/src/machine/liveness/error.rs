//! Why a workload cannot finish.

use crate::machine::check::{Place, WorkloadError};
use crate::machine::work::Workload;

/// Why a workload cannot finish.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LivenessError {
    /// It makes no sense in the first place.
    #[error(transparent)]
    Malformed(WorkloadError),
    /// Regions are too small.
    #[error("{place} would wait for ever: {}", list(.regions))]
    Full {
        /// The instruction that waits.
        place: Box<Place>,
        /// Regions that are too small, with capacities that are enough together.
        regions: Vec<Grown>,
    },
    /// Something is waited for that comes only after what waits, however large the regions are.
    #[error(
        "{place} would wait for ever, whatever the capacities: what it waits for comes only behind it, or needs more registers"
    )]
    Waits {
        /// The instruction that waits.
        place: Box<Place>,
    },
}

/// A region that is too small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grown {
    /// Its number.
    pub region: u32,
    /// Its name.
    pub name: String,
    /// Its capacity, in items.
    pub capacity: u64,
    /// A capacity that is enough.
    pub required: u64,
}

fn list(regions: &[Grown]) -> String {
    let text = |Grown { region, name, capacity, required }: &Grown| {
        format!("region {region} `{name}` holds {capacity} items and needs {required}")
    };
    regions.iter().map(text).collect::<Vec<_>>().join("; ")
}

/// A core that stands still, and at which instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stuck {
    pub(super) core: usize,
    pub(super) instruction: usize,
}

impl Stuck {
    fn place(self, work: &Workload) -> Box<Place> {
        Box::new(Place::instruction(work, self.core, self.instruction))
    }

    pub(super) fn full(self, work: &Workload, regions: Vec<Grown>) -> LivenessError {
        LivenessError::Full { place: self.place(work), regions }
    }

    pub(super) fn waits(self, work: &Workload) -> LivenessError {
        LivenessError::Waits { place: self.place(work) }
    }
}
