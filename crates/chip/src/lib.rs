//! The digital part of the chip: what is programmed into it, what it computes, and when.
//!
//! ```text
//!                    program (placed arrays with levels, dataflow, quantisation, chip)
//!                     /                                    \
//!   [functional] values of many chip samples      [timing] cycles, event-driven
//!                     \_______ equal action counts ________/
//!                                     |  x cost table
//!                          [energy] J, W, m2
//! ```
//! This crate does not know what a layer is: a stage reads windows of feature maps, multiplies them by a matrix that is stored in
//! crossbars or combines their codes in the vector unit, and writes pixels.

pub mod config;
pub mod energy;
pub mod functional;
pub mod machine;
pub mod program;
pub mod timing;
