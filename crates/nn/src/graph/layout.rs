//! Operations that move values and compute nothing.

use crate::Shape;
use crate::error::{Invalid, check_finite, check_length};

/// A border of one value around a map, in all three directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pad {
    /// Channels in front of the map and behind it.
    pub channels: [usize; 2],
    /// Rows above and below.
    pub height: [usize; 2],
    /// Columns on the left and on the right.
    pub width: [usize; 2],
    /// The value of the border.
    pub value: f32,
}

/// Value `i` of the result is value `order[i]` of the source: what a transposition in an imported network is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reorder {
    /// Shape of the result.
    pub shape: Shape,
    /// For every value of the result its place in the source; every place once.
    pub order: Vec<u32>,
}

impl Pad {
    /// Checks that the value is a number.
    ///
    /// # Errors
    /// If it is not finite.
    pub fn validate(&self) -> Result<(), Invalid> {
        check_finite("value", &[self.value])
    }

    /// Shape of the result.
    ///
    /// # Errors
    /// If it would be absurdly large.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, Invalid> {
        let size = |size: usize, border: [usize; 2]| size.saturating_add(border[0]).saturating_add(border[1]);
        let shape = Shape {
            channels: size(input.channels, self.channels),
            height: size(input.height, self.height),
            width: size(input.width, self.width),
        };
        shape.validate()?;
        Ok(shape)
    }
}

impl Reorder {
    /// Checks that the order names every place of the source once.
    ///
    /// # Errors
    /// The first place that is named twice or does not exist.
    pub fn validate(&self) -> Result<(), Invalid> {
        self.shape.validate()?;
        check_length("order", self.order.len(), self.shape.len())?;
        let mut seen = vec![false; self.order.len()];
        for (index, &place) in self.order.iter().enumerate() {
            match seen.get_mut(place as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => {
                    let allowed = format!("every number below {} once", self.order.len());
                    return Err(Invalid::new(format!("order[{index}]"), place, allowed));
                }
            }
        }
        Ok(())
    }

    /// Shape of the result.
    ///
    /// # Errors
    /// If the source does not hold as many values as the order names.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, Invalid> {
        check_length("order", self.order.len(), input.len())?;
        Ok(self.shape)
    }
}

/// Shape of a map seen as `shape`.
pub(super) fn reshape_shape(shape: Shape, input: Shape) -> Result<Shape, Invalid> {
    shape.validate()?;
    if shape.len() == input.len() {
        return Ok(shape);
    }
    Err(Invalid::new("shape", shape, format!("shapes with {} values, those of its input {input}", input.len())))
}

/// Shape of several maps, channels of one behind those of the other.
pub(super) fn concat_shape(first: Shape, rest: &[Shape]) -> Result<Shape, Invalid> {
    let mut shape = first;
    for next in rest {
        if (next.height, next.width) != (first.height, first.width) {
            let allowed = format!("maps of {} x {} pixels, as the first source", first.height, first.width);
            return Err(Invalid::new("shape of a source", next, allowed));
        }
        shape.channels = shape.channels.saturating_add(next.channels);
    }
    shape.validate()?;
    Ok(shape)
}

impl Pad {
    /// The padded map of every image of a batch; shapes must have been checked.
    pub(super) fn forward(&self, shape: Shape, values: &[f32]) -> Vec<f32> {
        let height = shape.height + self.height[0] + self.height[1];
        let width = shape.width + self.width[0] + self.width[1];
        let channels = shape.channels + self.channels[0] + self.channels[1];
        let mut result = vec![self.value; values.len() / shape.len() * channels * height * width];
        for (map, to) in values.chunks_exact(shape.len()).zip(result.chunks_exact_mut(channels * height * width)) {
            for (line, row) in map.chunks_exact(shape.width).enumerate() {
                let (channel, y) = (line / shape.height + self.channels[0], line % shape.height + self.height[0]);
                let start = (channel * height + y) * width + self.width[0];
                to[start..start + shape.width].copy_from_slice(row);
            }
        }
        result
    }
}

impl Reorder {
    /// The values of every image of a batch in the new order; shapes must have been checked.
    pub(super) fn forward(&self, values: &[f32]) -> Vec<f32> {
        let maps = values.chunks_exact(self.order.len());
        maps.flat_map(|map| self.order.iter().map(|&place| map[place as usize])).collect()
    }
}

/// The maps of all sources of every image, one behind the other; shapes must have been checked.
pub(super) fn concat(inputs: &[(Shape, &[f32])]) -> Vec<f32> {
    let images = inputs.first().map_or(0, |(shape, values)| values.len() / shape.len());
    let mut result = Vec::with_capacity(inputs.iter().map(|(_, values)| values.len()).sum());
    for image in 0..images {
        for (shape, values) in inputs {
            result.extend_from_slice(&values[image * shape.len()..(image + 1) * shape.len()]);
        }
    }
    result
}
