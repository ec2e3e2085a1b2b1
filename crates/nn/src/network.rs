//! A float network: a chain of named layers with the scale in which each layer's weights are to be written as integers.
//!
//! Feature maps are stored channel-major (channel, row, column), as in ONNX; a batch is one contiguous `[image][feature]` slice.

use crate::argmax::argmax;
use crate::datasets::Split;
use crate::error::{Invalid, NetworkError, check_dimension, check_name, check_product};
use crate::layers::{Conv2d, Linear, MaxPool, relu_forward};
use std::collections::BTreeSet;
use std::fmt;

/// Images that [`Network::accuracy`] runs at a time.
const BATCH: usize = 64;

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

/// One layer: a name, unique in its network, and what it computes.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Name, unique in the network; file keys, reports and warnings use it.
    pub name: String,
    /// What the layer computes.
    pub op: Op,
}

/// The operations a network is made of; one file each in [`crate::layers`].
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Fully connected layer over all values of its input.
    Linear(Linear),
    /// Two-dimensional convolution.
    Conv2d(Conv2d),
    /// `max(x, 0)`.
    Relu,
    /// Maximum over windows of each channel.
    MaxPool(MaxPool),
}

impl Op {
    /// Shape of the result for an input of shape `input`.
    ///
    /// # Errors
    /// If the operation does not fit the input.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, Invalid> {
        match self {
            Self::Linear(linear) => linear.output_shape(input),
            Self::Conv2d(conv) => conv.output_shape(input),
            Self::Relu => Ok(input),
            Self::MaxPool(pool) => pool.output_shape(input),
        }
    }

    /// Weights and biases of the operation, if it has any; weights row-major, one row per output.
    #[must_use]
    pub fn parameters(&self) -> Option<(&[f32], &[f32])> {
        match self {
            Self::Linear(Linear { weight, bias, .. }) | Self::Conv2d(Conv2d { weight, bias, .. }) => {
                Some((weight, bias))
            }
            Self::Relu | Self::MaxPool(_) => None,
        }
    }

    /// The same, to be changed in place.
    pub fn parameters_mut(&mut self) -> Option<(&mut Vec<f32>, &mut Vec<f32>)> {
        match self {
            Self::Linear(Linear { weight, bias, .. }) | Self::Conv2d(Conv2d { weight, bias, .. }) => {
                Some((weight, bias))
            }
            Self::Relu | Self::MaxPool(_) => None,
        }
    }

    /// Numbers of weights and biases that the sizes of the operation ask for, if it has any, whether or not they are there.
    #[must_use]
    pub fn parameter_sizes(&self) -> Option<(usize, usize)> {
        match self {
            Self::Linear(Linear { inputs, outputs, .. }) => Some((outputs * inputs, *outputs)),
            Self::Conv2d(Conv2d { in_channels, out_channels, kernel, .. }) => {
                Some((out_channels * in_channels * kernel * kernel, *out_channels))
            }
            Self::Relu | Self::MaxPool(_) => None,
        }
    }

    /// Value of one integer step of the quantised weights, if the operation has weights.
    #[must_use]
    pub fn weight_scale(&self) -> Option<f32> {
        match self {
            Self::Linear(Linear { weight_scale, .. }) | Self::Conv2d(Conv2d { weight_scale, .. }) => {
                Some(*weight_scale)
            }
            Self::Relu | Self::MaxPool(_) => None,
        }
    }

    /// Checks the parameters of the operation, whatever its input.
    pub(crate) fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::Linear(linear) => linear.validate(),
            Self::Conv2d(conv) => conv.validate(),
            Self::Relu | Self::MaxPool(_) => Ok(()),
        }
    }

    /// Result for every image of a batch; shapes must have been checked.
    fn forward(&self, shape: Shape, input: &[f32], batch: usize) -> Vec<f32> {
        match self {
            Self::Linear(linear) => linear.forward(input, batch),
            Self::Conv2d(conv) => conv.forward(shape, input, batch),
            Self::Relu => relu_forward(input),
            Self::MaxPool(pool) => pool.forward(shape, input, batch),
        }
    }
}

/// A float network for one data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Name of the architecture, e.g. `digits-mlp`.
    pub name: String,
    /// Name of the data set it was made for, one of [`crate::datasets::DATASETS`].
    pub dataset: String,
    /// Shape of the input; values are pixels scaled to 0..=1.
    pub input: Shape,
    /// The chain of layers, first to last; the last one yields the class scores.
    pub layers: Vec<Layer>,
}

impl Network {
    /// Checks everything that inference and the files rely on: names, sizes, shapes along the chain, finite parameters, usable scales.
    ///
    /// # Errors
    /// The first value that is not allowed, with the name of its layer.
    pub fn validate(&self) -> Result<(), NetworkError> {
        check_name("name", &self.name).map_err(|invalid| self.error(invalid))?;
        check_name("dataset", &self.dataset).map_err(|invalid| self.error(invalid))?;
        let mut names = BTreeSet::new();
        for layer in &self.layers {
            let unique = names.insert(layer.name.as_str());
            let unique = unique.then_some(()).ok_or_else(|| Invalid::new("name", &layer.name, "names used only once"));
            check_name("name", &layer.name)
                .and(unique)
                .and_then(|()| layer.op.validate())
                .map_err(|invalid| self.layer_error(layer, invalid))?;
        }
        self.shapes().map(|_| ())
    }

    /// Shape of every layer's result, first to last.
    ///
    /// # Errors
    /// If there is no layer, or one does not fit the result of the one before it.
    pub fn shapes(&self) -> Result<Vec<Shape>, NetworkError> {
        self.input.validate().map_err(|invalid| self.error(invalid))?;
        if self.layers.is_empty() {
            return Err(self.error(Invalid::new("number of layers", 0, "at least 1")));
        }
        let mut shape = self.input;
        let infer = |layer: &Layer| {
            shape = layer.op.output_shape(shape).map_err(|invalid| self.layer_error(layer, invalid))?;
            Ok(shape)
        };
        self.layers.iter().map(infer).collect()
    }

    /// Class scores `[image][class]` of a batch `[image][feature]`.
    ///
    /// # Errors
    /// If the network is not valid or the batch does not hold whole images.
    pub fn forward(&self, batch: &[f32]) -> Result<Vec<f32>, NetworkError> {
        self.validate()?;
        self.run(&self.shapes()?, batch)
    }

    /// Fraction of the images whose highest score is at their label; ties go to the lowest class ([`argmax`]).
    ///
    /// # Errors
    /// If the network is not valid, or the split is empty or of another shape.
    pub fn accuracy(&self, split: &Split) -> Result<f64, NetworkError> {
        self.validate()?;
        let shapes = self.shapes()?;
        split.check(self.input).map_err(|invalid| self.error(invalid))?;
        let classes = shapes.last().map_or(1, |shape| shape.len());
        let mut correct = 0usize;
        for (images, labels) in split.images.chunks(BATCH * self.input.len()).zip(split.labels.chunks(BATCH)) {
            let scores = self.run(&shapes, images)?;
            correct += scores.chunks_exact(classes).zip(labels).filter(|(s, l)| argmax(s) == usize::from(**l)).count();
        }
        Ok(correct as f64 / split.len() as f64)
    }

    /// Number of weights and biases.
    #[must_use]
    pub fn parameter_count(&self) -> u64 {
        let count = |layer: &Layer| layer.op.parameters().map_or(0, |(weight, bias)| weight.len() + bias.len());
        self.layers.iter().map(|layer| count(layer) as u64).sum()
    }

    /// Multiply-accumulate operations of one image, biases not counted.
    ///
    /// # Errors
    /// If the shapes of the layers do not fit one another.
    pub fn mac_count(&self) -> Result<u64, NetworkError> {
        let weights = |layer: &Layer| layer.op.parameters().map_or(0, |(weight, _)| weight.len() as u64);
        let positions = |shape: &Shape| (shape.height * shape.width) as u64;
        Ok(self.layers.iter().zip(&self.shapes()?).map(|(layer, shape)| weights(layer) * positions(shape)).sum())
    }

    /// Runs the layers of a valid network, whose results have the shapes `shapes`.
    fn run(&self, shapes: &[Shape], batch: &[f32]) -> Result<Vec<f32>, NetworkError> {
        let features = self.input.len();
        if !batch.len().is_multiple_of(features) {
            let allowed = format!("multiples of {features}, the values of one image");
            return Err(self.error(Invalid::new("number of values of the batch", batch.len(), allowed)));
        }
        let (count, mut shape, mut values) = (batch.len() / features, self.input, batch.to_vec());
        for (layer, &next) in self.layers.iter().zip(shapes) {
            values = layer.op.forward(shape, &values, count);
            shape = next;
        }
        Ok(values)
    }

    fn error(&self, invalid: Invalid) -> NetworkError {
        NetworkError::Network { network: self.name.clone(), invalid: invalid.into() }
    }

    fn layer_error(&self, layer: &Layer, invalid: Invalid) -> NetworkError {
        NetworkError::Layer { network: self.name.clone(), layer: layer.name.clone(), invalid: invalid.into() }
    }
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
