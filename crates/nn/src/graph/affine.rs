//! `factor * x + shift` with constants: batch normalisation, and arithmetic with constants in imported networks.

use crate::Shape;
use crate::error::{Invalid, check_finite, check_length};

/// Parameters of `factor * x + shift`, one rounded product and one rounded sum per value.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// What a value is multiplied with.
    pub factor: Coefficients,
    /// What is added to the product.
    pub shift: Coefficients,
}

/// One number for every value of a map.
#[derive(Clone, Debug, PartialEq)]
pub enum Coefficients {
    /// The same for the whole map.
    Map(f32),
    /// One per channel.
    Channel(Vec<f32>),
    /// One per value, in the order of the map.
    Value(Vec<f32>),
}

impl Coefficients {
    /// The numbers that are stored: one, one per channel or one per value.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        match self {
            Self::Map(value) => std::slice::from_ref(value),
            Self::Channel(values) | Self::Value(values) => values,
        }
    }

    /// The number for the value `index` of a map of shape `shape`.
    ///
    /// # Panics
    /// If the coefficients were not made for the shape, or there is no such value.
    #[must_use]
    pub fn at(&self, shape: Shape, index: usize) -> f32 {
        match self {
            Self::Map(value) => *value,
            Self::Channel(values) => values[index / (shape.height * shape.width)],
            Self::Value(values) => values[index],
        }
    }

    /// The same with every number changed.
    #[must_use]
    pub fn map(&self, change: impl FnMut(f32) -> f32) -> Self {
        let changed: Vec<f32> = self.values().iter().copied().map(change).collect();
        match self {
            Self::Map(value) => Self::Map(changed.first().copied().unwrap_or(*value)),
            Self::Channel(_) => Self::Channel(changed),
            Self::Value(_) => Self::Value(changed),
        }
    }

    /// The shortest coefficients with the numbers `values`, one per value of a map of shape `shape`.
    #[must_use]
    pub fn compact(values: Vec<f32>, shape: Shape) -> Self {
        let same = |values: &[f32]| values.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits());
        let pixels = (shape.height * shape.width).max(1);
        match values.first() {
            Some(&first) if same(&values) => Self::Map(first),
            Some(_) if values.chunks(pixels).all(same) => {
                Self::Channel(values.iter().step_by(pixels).copied().collect())
            }
            _ => Self::Value(values),
        }
    }

    /// Checks that the numbers are finite.
    pub(super) fn validate(&self, key: &str) -> Result<(), Invalid> {
        check_finite(key, self.values())
    }

    /// Checks that there is a number for every value of a map of shape `input`.
    pub(super) fn fits(&self, key: &str, input: Shape) -> Result<(), Invalid> {
        match self {
            Self::Map(_) => Ok(()),
            Self::Channel(values) => check_length(key, values.len(), input.channels),
            Self::Value(values) => check_length(key, values.len(), input.len()),
        }
    }
}

impl Affine {
    /// Checks that the numbers are finite.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn validate(&self) -> Result<(), Invalid> {
        self.factor.validate("factor")?;
        self.shift.validate("shift")
    }

    /// Shape of the result: that of the input.
    ///
    /// # Errors
    /// If there is not one number per channel or value.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, Invalid> {
        self.factor.fits("factor", input)?;
        self.shift.fits("shift", input)?;
        Ok(input)
    }
}

impl Coefficients {
    /// The number of every value of a map of shape `shape`, in its order.
    pub(super) fn expand(&self, shape: Shape) -> Vec<f32> {
        match self {
            Self::Map(value) => vec![*value; shape.len()],
            Self::Channel(values) => {
                values.iter().flat_map(|&value| std::iter::repeat_n(value, shape.height * shape.width)).collect()
            }
            Self::Value(values) => values.clone(),
        }
    }
}

impl Affine {
    /// The result for every image of a batch; shapes must have been checked.
    pub(super) fn forward(&self, shape: Shape, values: &[f32]) -> Vec<f32> {
        let coefficients: Vec<(f32, f32)> =
            self.factor.expand(shape).into_iter().zip(self.shift.expand(shape)).collect();
        let maps = values.chunks_exact(shape.len());
        maps.flat_map(|map| map.iter().zip(&coefficients).map(|(&value, (factor, shift))| factor * value + shift))
            .collect()
    }
}
