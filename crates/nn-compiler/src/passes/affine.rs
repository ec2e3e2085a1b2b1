//! Arithmetic of affine nodes, in `f64`.

use nn::Shape;
use nn::graph::{Affine, Coefficients};

/// The node that does what `first` and then `second` do to maps of shape `shape`.
pub(super) fn join(first: &Affine, second: &Affine, shape: Shape) -> Affine {
    let numbers =
        |of: &dyn Fn(usize) -> f64| Coefficients::compact((0..shape.len()).map(|i| of(i) as f32).collect(), shape);
    let at = |coefficients: &Coefficients, index| f64::from(coefficients.at(shape, index));
    Affine {
        factor: numbers(&|i| at(&first.factor, i) * at(&second.factor, i)),
        shift: numbers(&|i| at(&first.shift, i) * at(&second.factor, i) + at(&second.shift, i)),
    }
}

/// The coefficients of the channels of maps of shape `shape`, if all pixels of a channel have the same.
pub(super) fn per_channel(coefficients: &Coefficients, shape: Shape) -> Option<Vec<f32>> {
    match coefficients {
        Coefficients::Map(value) => Some(vec![*value; shape.channels]),
        Coefficients::Channel(values) => Some(values.clone()),
        Coefficients::Value(values) if shape.height * shape.width == 1 => Some(values.clone()),
        Coefficients::Value(_) => None,
    }
}
