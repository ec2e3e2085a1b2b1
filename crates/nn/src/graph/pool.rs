//! Maxima and averages over windows of each channel.

use crate::Shape;
use crate::axis::Axis;
use crate::error::Invalid;
use crate::window::{Run, Window};

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
    /// If the window does not fit into the input, or one would see nothing of it.
    pub fn output_shape(self, input: Shape) -> Result<Shape, Invalid> {
        let shape = pooled(self.window(input))?;
        all_see_the_map(self.window(input)).map(|()| shape)
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
    /// If the window does not fit into the input, or one would see nothing of it.
    pub fn output_shape(self, input: Shape) -> Result<Shape, Invalid> {
        let shape = pooled(self.window(input))?;
        if self.count_padding { Ok(shape) } else { all_see_the_map(self.window(input)).map(|()| shape) }
    }
}

/// Refuses windows that hold padding only, which has no maximum and no average: dilated ones may jump over a small map.
fn all_see_the_map(window: Window) -> Result<(), Invalid> {
    let axes = [("height", window.vertical, window.input.height), ("width", window.horizontal, window.input.width)];
    for (name, axis, size) in axes {
        let sees = |position: usize| {
            let start = position * axis.stride;
            let first = axis.before.saturating_sub(start).div_ceil(axis.dilation);
            first < axis.kernel && start + first * axis.dilation < size + axis.before
        };
        if let Some(position) = (0..axis.positions(size)).find(|&position| !sees(position)) {
            let allowed = "windows that see at least one place of the map";
            return Err(Invalid::new(format!("window in direction of the {name}"), position, allowed));
        }
    }
    Ok(())
}

/// Shape of the values of one window each.
fn pooled(window: Window) -> Result<Shape, Invalid> {
    window.validate()?;
    let shape = Shape { channels: window.input.channels, height: window.out_height(), width: window.out_width() };
    shape.validate()?;
    Ok(shape)
}

impl MaxPool {
    /// The maxima of every image of a batch; shapes must have been checked.
    pub(super) fn forward(self, shape: Shape, values: &[f32]) -> Vec<f32> {
        let maximum = |runs: &[Run], map: &[f32]| {
            let values = runs.iter().flat_map(|run| &map[run.map..run.map + run.len]);
            values.fold(f32::NEG_INFINITY, |largest, &value| largest.max(value))
        };
        reduce(self.window(shape), values, maximum)
    }
}

impl AveragePool {
    /// The averages of every image of a batch, rounded once; shapes must have been checked.
    pub(super) fn forward(self, shape: Shape, values: &[f32]) -> Vec<f32> {
        let size = self.vertical.kernel * self.horizontal.kernel;
        let average = |runs: &[Run], map: &[f32]| {
            let values = runs.iter().flat_map(|run| &map[run.map..run.map + run.len]);
            let sum: f64 = values.map(|&value| f64::from(value)).sum();
            let seen = if self.count_padding { size } else { runs.iter().map(|run| run.len).sum() };
            (sum / seen.max(1) as f64) as f32
        };
        reduce(self.window(shape), values, average)
    }
}

/// What `reduce` makes of every window of every channel of a batch.
fn reduce(window: Window, values: &[f32], reduce: impl Fn(&[Run], &[f32]) -> f32) -> Vec<f32> {
    let channel = Window { input: Shape { channels: 1, ..window.input }, ..window };
    let runs: Vec<Vec<Run>> = channel.outputs().map(|(oy, ox)| channel.runs(oy, ox).collect()).collect();
    let maps = values.chunks_exact(channel.input.len());
    maps.flat_map(|map| runs.iter().map(|runs| reduce(runs, map)).collect::<Vec<f32>>()).collect()
}
