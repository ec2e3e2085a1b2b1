//! Cases of CrossSim: what its files hold, and the same array, inputs and converters through the product's parts.
//!
//! CrossSim's units are normalised: conductances in `G_max`, inputs in full scale. The product's are level spacings above `G_min` and steps of
//! the DAC. [`units::Units`] is the only place that converts.

pub(crate) mod arrays;
pub(crate) mod case;
pub(crate) mod chain;
pub(crate) mod compare;
pub(crate) mod converters;
pub(crate) mod npz;
pub(crate) mod units;
