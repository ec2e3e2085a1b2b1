//! The analog part of the chip: DAC code in, ADC code out.
//!
//! ```text
//!  codes -> [dac] digits -> word lines -> [crossbar] of programmed [device] cells -> column sums -> [adc] codes
//! ```
//! Column sums are in units of one level spacing at one step of the DAC; conductances in siemens appear only in [`device`]
//! and in the array energy.
#![cfg_attr(test, allow(clippy::cast_precision_loss))]

pub mod actions;
pub mod adc;
pub mod address;
pub mod check;
pub mod cost;
pub mod crossbar;
pub mod curve;
pub mod dac;
pub mod device;
pub mod fault_map;
pub mod immunity;
pub mod kernel;
pub mod normal;
pub mod statistics;
pub mod variation;
pub mod wires;
mod ziggurat;
