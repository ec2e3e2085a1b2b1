//! Whether a workload can finish, or cores wait for each other in a circle.
//!
//! It depends on items, places and registers only, and not on time. Buses, units, ports and the network always serve what was requested;
//! a core stands still only in `sync wait`, `sync room` and `receive`, or because it has no input or output register. All of these wait for a count to
//! be reached that never falls again (items written or given back, steps that have let go of a register), and registers and places are taken in an order that
//! is fixed beforehand. So nothing that one core does can take away what another could have done: in whatever order things happen,
//! the same set of them happens in the end. It is found here by playing them in no time, each core as far as it can, until none can go on.
//!
//! **One image is enough.** If it can be played to its end, all registers are free, all places have been given back (`Workload::check` requires it),
//! and the next image begins as the first did, with the counts shifted by one image. So there is an order in which any number of images ends, and, as
//! the order does not matter, they end in every order, overlapped as the chip overlaps them. If one image cannot be played to its end, a run
//! of one image stands still, and so does the last image of a longer run, behind which none comes.
//!
//! `receive` takes items in the order of the program: the second one of a core for the same region gets item 1 even if its step overtakes the first one's.

mod back;
mod core;
mod error;
mod play;
mod region;

pub use error::{Grown, LivenessError};

use super::hardware::Hardware;
use super::work::Workload;
use play::Play;

impl Workload {
    /// Requires that the workload can finish.
    ///
    /// # Errors
    /// [`LivenessError::Full`] names the core that stands still, what it waits for, and the regions that are too small with capacities that are enough;
    /// the capacity is the least one if it is a single region. [`LivenessError::Waits`] if no capacity is enough.
    /// [`LivenessError::Malformed`] if the workload does not pass [`Workload::check`].
    pub fn check_liveness(&self, hardware: &Hardware) -> Result<(), LivenessError> {
        self.check(hardware, 1).map_err(LivenessError::Malformed)?;
        let mut play = Play::new(self, &hardware.tile);
        play.run();
        let Some(stuck) = play.stuck() else { return Ok(()) };
        // A place more lets at least one core go on, and an image has finitely many items, so this ends.
        while let Some(region) = play.blocking() {
            play.grow(region);
            play.run();
        }
        Err(match play.stuck() {
            None => stuck.full(self, play.grown()),
            Some(stuck) => stuck.waits(self),
        })
    }
}
