//! From a program to a workload of the machine.
//!
//! A stage of crossbars becomes one core per copy and tile: each loads its rows of a window, multiplies, and merges what its crossbars hold of an output.
//! The first tile of a copy, its home, receives the partial sums of the others, merges, requantises and sends. A stage of the vector unit is
//! one core. A tile gets the pixels of a map that windows in it need, and no others, in a region of its buffer for each copy that writes them,
//! whoever reads them there; partial sums of every foreign tile have one in the home tile. Images come through the off-chip memory port and the global buffer, or stand ready.

mod cores;
mod flow;
mod layout;
mod sizes;

pub(in crate::timing) use cores::bank_columns;
pub use cores::{Lowered, workload};
pub use layout::Role;
