//! What the import knows of a tensor of the model.

use super::tensor::Tensor;
use crate::Shape;
use crate::graph::Coefficients;
use std::rc::Rc;

/// A tensor of the model.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// An optional input that is left out.
    Absent,
    /// A number that does not depend on the image.
    Constant(Rc<Tensor>),
    /// A map of the graph.
    Map(Map),
    /// The step that a range of each image's own has (`DynamicQuantizeLinear`), times a constant.
    DynamicScale {
        /// The node of the graph that rounds to the range.
        source: usize,
        /// The constant.
        factor: Rc<Tensor>,
    },
    /// The code of the value 0 in such a range.
    DynamicZero {
        /// The node of the graph that rounds to the range.
        source: usize,
    },
    /// The result of a node that has been refused.
    Unknown,
}

/// A map of the graph, as the model sees it.
#[derive(Clone, Debug)]
pub(super) struct Map {
    /// Its source in the graph, whose values are in the order of the model's (the batch left out).
    pub(super) source: usize,
    /// Sizes in the model, the batch included.
    pub(super) dims: Vec<usize>,
    /// The axis that counts images; none if the model has dropped it.
    pub(super) batch: Option<usize>,
    /// What the model's numbers are.
    pub(super) coding: Coding,
}

/// How the numbers of the model follow from those of the graph.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Coding {
    /// They are the same.
    Real,
    /// `value / scale + zero`, whole numbers.
    Codes {
        /// Value of one step; shared, as maps are copied for every node that reads them.
        scale: Rc<Coefficients>,
        /// The code of the value 0.
        zero: Rc<Coefficients>,
    },
    /// Codes in the range that each image has for itself.
    Dynamic {
        /// The node of the graph that rounds to the range.
        source: usize,
        /// Whether the code of the value 0 has been taken off.
        centred: bool,
    },
}

impl Map {
    /// Sizes of one image's part.
    pub(super) fn image_dims(&self) -> Vec<usize> {
        let axes = self.dims.iter().enumerate();
        axes.filter(|(axis, _)| Some(*axis) != self.batch).map(|(_, &size)| size).collect()
    }

    /// The shape of one image's part as a map of the graph.
    pub(super) fn shape(&self) -> Shape {
        shape_of(&self.image_dims())
    }

    /// Position of an axis of the model among those of one image; none for the batch.
    pub(super) fn image_axis(&self, axis: usize) -> Option<usize> {
        match self.batch {
            Some(batch) if axis == batch => None,
            Some(batch) if axis > batch => Some(axis - 1),
            _ => Some(axis),
        }
    }
}

/// The map that holds the values of a tensor with the sizes `dims` in the same order: the first axis counts channels, the last one columns.
pub(super) fn shape_of(dims: &[usize]) -> Shape {
    match *dims {
        [] => Shape { channels: 1, height: 1, width: 1 },
        [channels] => Shape { channels, height: 1, width: 1 },
        [channels, ref rows @ .., width] => Shape { channels, height: rows.iter().product(), width },
    }
}

/// Axis `axis` of a tensor of `rank` axes, where negative ones count from the end.
pub(super) fn axis_of(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis.checked_add(rank as i64)? } else { axis };
    usize::try_from(axis).ok().filter(|&axis| axis < rank)
}
