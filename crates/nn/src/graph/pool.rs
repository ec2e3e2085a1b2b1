//! Maxima and averages over windows of each channel.

use crate::axis::Axis;
use crate::error::Invalid;
use crate::network::Shape;
use crate::window::Window;

/// Maximum over windows; padding is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    /// Steps down the rows of the map.
    pub vertical: Axis,
    /// Steps along a row of the map.
    pub horizontal: Axis,
}

/// Average over windows. One window over everything is global average pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePool {
    /// Steps down the rows of the map.
    pub vertical: Axis,
    /// Steps along a row of the map.
    pub horizontal: Axis,
    /// Whether places of padding count as zeros (the divisor is the kernel's size) or not at all.
    pub count_padding: bool,
}

impl MaxPool {
    /// The windows over an input map; each channel of a window is reduced by itself.
    #[must_use]
    pub fn window(self, input: Shape) -> Window {
        Window { input, vertical: self.vertical, horizontal: self.horizontal }
    }

    /// Shape of the result.
    ///
    /// # Errors
    /// If the window does not fit into the input.
    pub fn output_shape(self, input: Shape) -> Result<Shape, Invalid> {
        pooled(self.window(input))
    }
}

impl AveragePool {
    /// The windows over an input map; each channel of a window is reduced by itself.
    #[must_use]
    pub fn window(self, input: Shape) -> Window {
        Window { input, vertical: self.vertical, horizontal: self.horizontal }
    }

    /// Shape of the result.
    ///
    /// # Errors
    /// If the window does not fit into the input.
    pub fn output_shape(self, input: Shape) -> Result<Shape, Invalid> {
        pooled(self.window(input))
    }
}

/// Shape of the values of one window each.
fn pooled(window: Window) -> Result<Shape, Invalid> {
    window.validate()?;
    let shape = Shape { channels: window.input.channels, height: window.out_height(), width: window.out_width() };
    shape.validate()?;
    Ok(shape)
}
