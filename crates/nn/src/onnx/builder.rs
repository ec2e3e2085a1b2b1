//! The graph under construction.

use super::error::Problem;
use super::tensor::Tensor;
use super::value::{Coding, Map, Value, shape_of};
use crate::Shape;
use crate::graph::{Affine, Coefficients, Node, Operation, Reorder};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Values that folded constants, weights, coefficients and orders may hold, whatever the size of the file: 128 MiB of `f64`.
const MAX_FOLDED: usize = 1 << 24;
/// Further ones for every byte of the file: a weight of one byte is held as an integer, as a number, transposed and in its node.
const PER_BYTE: usize = 8;

/// The graph under construction, with what every node of the model needs to know.
pub(super) struct Builder {
    pub(super) nodes: Vec<Node>,
    /// Shape of every source; that of the input comes first.
    shapes: Vec<Shape>,
    /// Every name with the number that the next one like it gets.
    names: BTreeMap<String, usize>,
    /// Images that the sizes of the model count.
    pub(super) images: usize,
    /// Values that may still be held.
    left: usize,
}

impl Builder {
    /// An empty graph for images of the shape `input` from a file of `bytes` bytes, whose sizes count `images` images.
    pub(super) fn new(input: Shape, images: usize, bytes: usize) -> Self {
        let left = MAX_FOLDED.saturating_add(PER_BYTE.saturating_mul(bytes));
        Self { nodes: Vec::new(), shapes: vec![input], names: BTreeMap::new(), images, left }
    }

    /// Counts values that are about to be held in memory.
    pub(super) fn hold(&mut self, values: usize) -> Result<(), Problem> {
        match self.left.checked_sub(values) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                let left = self.left;
                let problem = format!("it makes {values} values of constants, of which only {left} more are allowed");
                Err(Problem::new(
                    problem,
                    "fold constants before the export (onnxsim), and do not share them among so many nodes",
                ))
            }
        }
    }

    /// Adds a node to the graph and returns its number as a source.
    pub(super) fn push(&mut self, name: &str, inputs: &[usize], op: Operation) -> Result<usize, Problem> {
        let shapes: Vec<Shape> = inputs.iter().map(|&source| self.shapes[source]).collect();
        op.validate()?;
        self.shapes.push(op.output_shape(&shapes)?);
        let name = self.unique(name);
        self.nodes.push(Node { name, inputs: inputs.to_vec(), op });
        Ok(self.nodes.len())
    }

    /// The node that makes a source; none for the input.
    fn node(&self, source: usize) -> Option<&Node> {
        source.checked_sub(1).map(|index| &self.nodes[index])
    }

    pub(super) fn shape(&self, source: usize) -> Shape {
        self.shapes[source]
    }

    /// The source of a map in the shape that its sizes ask for.
    pub(super) fn shaped(&mut self, name: &str, map: &Map, shape: Shape) -> Result<usize, Problem> {
        let mut source = map.source;
        while let Some(Node { op: Operation::Reshape(_), inputs, .. }) = self.node(source) {
            source = inputs[0];
        }
        if self.shapes[source] == shape {
            return Ok(source);
        }
        // Values that are reordered anyway can take the shape at once; the first order drops out if nothing else reads it.
        if let Some(Node { op: Operation::Reorder(reorder), inputs, name }) = self.node(source).cloned() {
            self.hold(reorder.order.len())?;
            return self.push(&name, &inputs, Operation::Reorder(Reorder { shape, order: reorder.order }));
        }
        self.push(&format!("{name}.shape"), &[source], Operation::Reshape(shape))
    }

    /// A map with the model's own numbers.
    pub(super) fn real(&mut self, name: &str, map: &Map) -> Result<Map, Problem> {
        match &map.coding {
            Coding::Real => Ok(map.clone()),
            Coding::Codes { scale, zero } => {
                self.hold(scale.values().len() + zero.values().len())?;
                let affine = Affine { factor: scale.map(|scale| 1.0 / scale), shift: (**zero).clone() };
                self.same(&format!("{name}.codes"), map, Operation::Affine(affine))
            }
            Coding::Dynamic { .. } => Err(Problem::new(
                "it works on the codes of a dynamic range",
                "scale the codes back (Mul with the scale) in front of it",
            )),
        }
    }

    /// Adds an operation that keeps shape and sizes; the result has the model's own numbers.
    pub(super) fn same(&mut self, name: &str, map: &Map, op: Operation) -> Result<Map, Problem> {
        let source = self.shaped(name, map, map.shape())?;
        let source = self.push(name, &[source], op)?;
        Ok(Map { source, coding: Coding::Real, ..map.clone() })
    }

    /// The map with its axes in another order: axis `i` of the result is axis `order[i]`.
    pub(super) fn transpose(&mut self, name: &str, map: &Map, order: &[usize]) -> Result<Map, Problem> {
        let dims: Vec<usize> = order.iter().map(|&axis| map.dims[axis]).collect();
        let batch = map.batch.and_then(|batch| order.iter().position(|&axis| axis == batch));
        let image: Vec<usize> = order.iter().filter_map(|&axis| map.image_axis(axis)).collect();
        let image_dims = map.image_dims();
        let result = |source| Map { source, dims, batch, coding: map.coding.clone() };
        // Axes of a single place may stand anywhere.
        let moved: Vec<usize> = image.iter().copied().filter(|&axis| image_dims[axis] > 1).collect();
        if moved.is_sorted() {
            return Ok(result(map.source));
        }
        self.hold(image_dims.iter().product())?;
        let shape = shape_of(&image.iter().map(|&axis| image_dims[axis]).collect::<Vec<usize>>());
        let mut order: Vec<u32> = permuted(&image_dims, &image).into_iter().map(|place| place as u32).collect();
        let mut source = map.source;
        while let Some(Node { op, inputs, .. }) = self.node(source) {
            match op {
                Operation::Reshape(_) => {}
                Operation::Reorder(first) => order.iter_mut().for_each(|place| *place = first.order[*place as usize]),
                _ => break,
            }
            source = inputs[0];
        }
        if order.is_sorted() {
            return Ok(result(source));
        }
        Ok(result(self.push(name, &[source], Operation::Reorder(Reorder { shape, order }))?))
    }

    /// Coefficients for a map from a constant that is repeated along axes, as numpy does it.
    pub(super) fn coefficients(&mut self, map: &Map, constant: &Tensor) -> Result<Coefficients, Problem> {
        if let Some(value) = constant.single() {
            return Ok(Coefficients::Map(value as f32));
        }
        let missing = map.dims.len().checked_sub(constant.dims.len());
        let fits = missing.is_some_and(|missing| {
            let pairs = constant.dims.iter().zip(&map.dims[missing..]).enumerate();
            pairs.into_iter().all(|(axis, (&size, &of))| size == 1 || size == of && Some(axis + missing) != map.batch)
        });
        let (true, Some(missing)) = (fits, missing) else {
            let problem = format!("a constant of the sizes {:?} does not fit a map of {:?}", constant.dims, map.dims);
            return Err(Problem::new(
                problem,
                "use constants that repeat along axes of the map, the same for all images",
            ));
        };
        let dims = map.image_dims();
        self.hold(dims.iter().product())?;
        // Steps in the constant along every axis of one image; 0 repeats.
        let mut steps = vec![0; map.dims.len()];
        let mut step = 1;
        for (axis, &size) in constant.dims.iter().enumerate().rev() {
            steps[axis + missing] = if size == 1 { 0 } else { step };
            step *= size;
        }
        let steps: Vec<usize> =
            (0..map.dims.len()).filter(|&axis| Some(axis) != map.batch).map(|axis| steps[axis]).collect();
        let values = strided(&dims, &steps).into_iter().map(|place| constant.values[place] as f32).collect();
        Ok(Coefficients::compact(values, map.shape()))
    }

    /// A constant as a value of the model, whose numbers are counted.
    pub(super) fn constant(&mut self, tensor: Tensor) -> Result<Value, Problem> {
        self.hold(tensor.values.len())?;
        Ok(Value::Constant(Rc::new(tensor)))
    }

    /// The nodes that the source `result` depends on; it is the last one's.
    pub(super) fn finish(self, result: usize) -> Vec<Node> {
        let mut needed = vec![false; self.nodes.len() + 1];
        needed[result] = true;
        for source in (1..=result).rev().filter(|&source| source > 0) {
            if needed[source] {
                self.nodes[source - 1].inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        let mut renumbered = vec![0; self.nodes.len() + 1];
        let mut nodes: Vec<Node> = Vec::new();
        for (index, mut node) in self.nodes.into_iter().enumerate().filter(|(index, _)| needed[index + 1]) {
            node.inputs.iter_mut().for_each(|input| *input = renumbered[*input]);
            nodes.push(node);
            renumbered[index + 1] = nodes.len();
        }
        nodes
    }

    /// A name for a node of the graph: printable, short and new.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        const LONGEST: usize = 100;
        let printable = |c: char| if c.is_ascii_graphic() { c } else { '_' };
        let mut name: String = wanted.chars().map(printable).take(LONGEST).collect();
        if name.is_empty() {
            name = "node".to_owned();
        }
        let mut unique = name.clone();
        while self.names.contains_key(&unique) {
            let number = self.names.get(&name).copied().unwrap_or(2);
            self.names.insert(name.clone(), number + 1);
            unique = format!("{name}.{number}");
        }
        self.names.insert(unique.clone(), 2);
        unique
    }
}

/// Places of the values of a tensor with the sizes `dims` in the order that they have when its axes are in the order `order`.
pub(super) fn permuted(dims: &[usize], order: &[usize]) -> Vec<usize> {
    let mut steps = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        steps[axis - 1] = steps[axis] * dims[axis];
    }
    let sizes: Vec<usize> = order.iter().map(|&axis| dims[axis]).collect();
    let steps: Vec<usize> = order.iter().map(|&axis| steps[axis]).collect();
    strided(&sizes, &steps)
}

/// `sum(index[axis] * steps[axis])` for every index of a tensor with the sizes `dims`, the last axis changing fastest.
pub(super) fn strided(dims: &[usize], steps: &[usize]) -> Vec<usize> {
    let mut places = vec![0];
    if dims.contains(&0) {
        return Vec::new();
    }
    for (&size, &step) in dims.iter().zip(steps) {
        places = places.iter().flat_map(|&place| (0..size).map(move |index| place + index * step)).collect();
    }
    places
}
