//! Why a run is refused or stops.

use thiserror::Error;

/// An error of the machine.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MachineError {
    /// A network that cannot be.
    #[error("the network: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Hardware(Vec<tile::check::Problem>),
    /// A time does not fit into 64 bits.
    #[error("the time of the run exceeds 64 bits of cycles")]
    Overflow,
    /// The run does not end in time.
    #[error("the run takes longer than {until} cycles")]
    Late {
        /// The last cycle in which it might have ended.
        until: u64,
    },
    /// Nothing happens any more although work is left.
    #[error("core `{core}` stopped after {ended} of {total} steps: its regions wait for each other in a circle")]
    Stuck {
        /// Name of the core.
        core: String,
        /// Steps that it ended.
        ended: u64,
        /// Steps that it has to do.
        total: u64,
    },
}
