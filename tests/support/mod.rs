//! What the cross-crate tests share: chips, random networks, hand-made programs and oracles.
//!
//! An oracle says the same as the product by another way: logical matrices instead of placed crossbars, loops over single cells instead
//! of sums over word lines. It shares no code with the engines it is compared with.
#![allow(dead_code, reason = "every test binary uses a part of it")]

pub(crate) mod cells;
pub(crate) mod chips;
pub(crate) mod compiled;
pub(crate) mod counts;
pub(crate) mod energy;
pub(crate) mod graphs;
pub(crate) mod networks;
pub(crate) mod random;
pub(crate) mod worked;
