//! Shape of feature maps. They are stored channel-major (channel, row, column), as in ONNX; a batch is one contiguous `[image][feature]` slice.

use crate::error::{Invalid, check_dimension, check_product};
use std::fmt;

/// Shape of one image's feature map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Number of channels.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl Shape {
    /// Number of values in one feature map.
    #[must_use]
    pub fn len(self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether the map holds no value.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.channels == 0 || self.height == 0 || self.width == 0
    }

    /// Refuses empty and absurdly large maps.
    ///
    /// # Errors
    /// The first size that is not allowed.
    pub fn validate(self) -> Result<(), Invalid> {
        check_dimension("channels", self.channels)?;
        check_dimension("height", self.height)?;
        check_dimension("width", self.width)?;
        check_product("feature map (channels x height x width)", &[self.channels, self.height, self.width])?;
        Ok(())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}
