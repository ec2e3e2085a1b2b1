//! The layer kinds: one file each.

mod conv2d;
mod linear;
mod max_pool;
mod relu;

pub use conv2d::{Conv2d, conv2d_forward};
pub use linear::{Linear, linear_forward};
pub use max_pool::MaxPool;
pub use relu::relu_forward;

use crate::error::Invalid;

/// Refuses a weight scale by which one cannot divide.
pub(crate) fn check_scale(scale: f32) -> Result<(), Invalid> {
    if scale.is_normal() && scale > 0.0 {
        return Ok(());
    }
    Err(Invalid::new("weight_scale", format!("{scale:e}"), "positive normal numbers"))
}
