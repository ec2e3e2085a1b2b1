//! Pass `fuse`: what follows a layer value by value becomes part of its requantisation, and of the rest tables.
//!
//! A chip's units write codes. A weighted layer and an addition requantise their sums, which is a ReLU too; a prescribed format says which codes
//! these are. Every other function of a value is a table over the codes of the map before it.

mod dump;
mod format;

pub use dump::dump;
pub use format::Format;

use crate::error::CompileError;
use crate::passes::only_reader;
use crate::refusals::Refusals;
use format::{even, prescribed};
use nn::Shape;
use nn::graph::{Activation, Affine, Coefficients, Graph, Node, Operation, WeightScale};
use nn::window::Window;

/// A network of layers that each write one map of codes; sources as in the graph: 0 is the input, `k` the result of `layers[k - 1]`.
#[derive(Clone, Debug)]
pub struct Layers {
    /// Shape of the input.
    pub input: Shape,
    /// What pixels are multiplied with and what is added before they become codes.
    pub normalisation: Option<Affine>,
    /// The format that the network prescribes for its input.
    pub input_format: Option<Format>,
    /// For every source whether something of it is refused, so that its values are not known.
    pub refused: Vec<bool>,
    /// The layers, every one behind its sources.
    pub layers: Vec<Layer>,
}

/// One layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Name, that of the node it came from.
    pub name: String,
    /// Its sources.
    pub inputs: Vec<usize>,
    /// What it computes.
    pub kind: LayerKind,
    /// What becomes of the result; pooling leaves it as it is, of tables only an activation may have a format.
    pub after: After,
    /// Name of the node that prescribes the format of the result, if one does.
    pub quantiser: Option<String>,
    /// Shape of the result.
    pub shape: Shape,
}

/// What a layer computes.
#[derive(Clone, Debug)]
pub enum LayerKind {
    /// Weighted sums over windows.
    Weighted(Weighted),
    /// Maxima over windows.
    MaxPool(Window),
    /// Averages over windows.
    AveragePool {
        /// The windows.
        window: Window,
        /// Whether padding counts as zeros, or not at all.
        count_padding: bool,
    },
    /// The sum of two maps.
    Add,
    /// The channels of all sources.
    Concat,
    /// A function of single values.
    Table(Function),
    /// What no unit of the chip can do.
    Refused,
}

/// A weighted layer.
#[derive(Clone, Debug)]
pub struct Weighted {
    /// Windows over the map, all channels.
    pub window: Window,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// `outputs x (rows / groups)`, row-major.
    pub weight: Vec<f32>,
    /// One per output.
    pub bias: Vec<f32>,
    /// The integers that the weights were made for.
    pub scale: WeightScale,
    /// What is added to the integers before they are stored, where the weights were trained so.
    pub offset: Option<i64>,
}

/// What a requantisation does beside rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct After {
    /// Whether negative values become 0.
    pub relu: bool,
    /// The highest value, if the network names one.
    pub highest: Option<f32>,
    /// The codes, if the network prescribes them.
    pub format: Option<Format>,
}

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// An activation.
    Activation(Activation),
    /// Rounding to a prescribed format.
    Round(Format),
    /// `step` where a value is 0 or above, `-step` below.
    Sign(f64),
}

/// Joins the nodes of a graph that went through [`crate::passes`]. Nodes that no unit of the chip can do are noted in `refusals`.
///
/// # Errors
/// If the graph is not valid.
pub fn fuse(graph: &Graph, refusals: &mut Refusals) -> Result<Layers, CompileError> {
    let (shapes, sources) = (graph.shapes()?, vec![None; graph.nodes.len() + 1]);
    let mut fuser = Fuser { graph, shapes, sources, layers: Vec::new(), refused: vec![false], refusals };
    fuser.sources[0] = Some(0);
    let (normalisation, input_format) = fuser.take_input();
    for index in 0..graph.nodes.len() {
        if fuser.sources[index + 1].is_none() {
            fuser.take(index);
        }
    }
    Ok(Layers { input: graph.input, normalisation, input_format, refused: fuser.refused, layers: fuser.layers })
}

struct Fuser<'a> {
    graph: &'a Graph,
    shapes: Vec<Shape>,
    /// For every source of the graph that has been taken its source among the layers.
    sources: Vec<Option<usize>>,
    layers: Vec<Layer>,
    /// Of every source of the layers.
    refused: Vec<bool>,
    refusals: &'a mut Refusals,
}

impl Fuser<'_> {
    /// The affine node and the format with which the network receives its input.
    fn take_input(&mut self) -> (Option<Affine>, Option<Format>) {
        let alone = |source: usize| match crate::passes::readers(self.graph)[source].as_slice() {
            [reader] => Some(*reader),
            _ => None,
        };
        let (mut at, mut normalisation, mut format) = (0, None, None);
        if let Some(reader) = alone(at)
            && let Operation::Affine(affine) = &self.graph.nodes[reader].op
        {
            (normalisation, at) = (Some(affine.clone()), reader + 1);
            self.sources[at] = Some(0);
        }
        if let Some(reader) = alone(at)
            && let Operation::Quantise(quantise) = &self.graph.nodes[reader].op
        {
            format = prescribed(quantise).and_then(even).map_err(|reason| self.refuse(reader, reason)).ok();
            self.refused[0] = format.is_none();
            self.sources[reader + 1] = Some(0);
        }
        (normalisation, format)
    }

    /// Notes that a node cannot be done, if a pass has not said so already.
    fn refuse(&mut self, index: usize, (problem, remedy): Reason) {
        let Node { name, op, .. } = &self.graph.nodes[index];
        if !self.refusals.has(name) {
            self.refusals.push((name, op.kind()), problem, remedy);
        }
    }

    fn take(&mut self, index: usize) {
        let graph = self.graph;
        let node = &graph.nodes[index];
        let kind = self.kind(node).unwrap_or_else(|reason| {
            self.refuse(index, reason);
            LayerKind::Refused
        });
        let mut refused = matches!(kind, LayerKind::Refused);
        let requantises = matches!(kind, LayerKind::Weighted(_) | LayerKind::Add | LayerKind::Concat);
        let is_function = matches!(kind, LayerKind::Table(Function::Activation(_)));
        let mut layer = Layer {
            name: node.name.clone(),
            inputs: node.inputs.iter().map(|&source| self.sources[source].unwrap_or(0)).collect(),
            kind,
            after: After::default(),
            quantiser: None,
            shape: self.shapes[index],
        };
        let mut joined = vec![index];
        while let Some(next) = joined.last().and_then(|&last| only_reader(graph, last)) {
            let op = &graph.nodes[next].op;
            // The results of a function are rounded once, to the codes that are prescribed.
            let taken = requantises || (is_function && matches!(op, Operation::Quantise(_)));
            match if taken { layer.after.absorb(op) } else { Ok(false) } {
                Ok(true) => {}
                Ok(false) => break,
                Err(reason) => {
                    self.refuse(next, reason);
                    refused = true;
                }
            }
            if matches!(op, Operation::Quantise(_)) {
                layer.quantiser = Some(graph.nodes[next].name.clone());
            }
            joined.push(next);
        }
        self.layers.push(layer);
        self.refused.push(refused);
        for node in joined {
            self.sources[node + 1] = Some(self.layers.len());
        }
    }

    fn kind(&self, node: &Node) -> Result<LayerKind, Reason> {
        let input = node.inputs[0].checked_sub(1).map_or(self.graph.input, |index| self.shapes[index]);
        Ok(match &node.op {
            Operation::Conv(conv) => LayerKind::Weighted(Weighted {
                window: Window { input, vertical: conv.vertical, horizontal: conv.horizontal },
                groups: conv.groups,
                weight: conv.weight.clone(),
                bias: conv.bias.clone(),
                scale: conv.weight_scale.clone(),
                offset: conv.weight_offset,
            }),
            Operation::Linear(linear) => LayerKind::Weighted(Weighted {
                window: Window::whole(input),
                groups: 1,
                weight: linear.weight.clone(),
                bias: linear.bias.clone(),
                scale: linear.weight_scale.clone(),
                offset: linear.weight_offset,
            }),
            Operation::MaxPool(pool) => LayerKind::MaxPool(pool.window(input)),
            Operation::AveragePool(pool) => {
                let window = pool.window(input);
                LayerKind::AveragePool { window, count_padding: pool.count_padding || !window.is_padded() }
            }
            Operation::Add => LayerKind::Add,
            Operation::Concat => LayerKind::Concat,
            Operation::Activation(activation) => LayerKind::Table(Function::Activation(*activation)),
            Operation::Quantise(quantise) => LayerKind::Table(Function::Round(prescribed(quantise)?)),
            Operation::Sign(sign) => match sign.scale {
                Coefficients::Map(scale) => LayerKind::Table(Function::Sign(scale.into())),
                _ => return Err(reason("its sign has a scale per channel", "give all channels one scale")),
            },
            op => return Err(refusal(op)),
        })
    }
}

/// What is wrong with a node, and what could be done.
type Reason = (String, String);

fn reason(problem: &str, remedy: &str) -> Reason {
    (problem.to_owned(), remedy.to_owned())
}

/// Why no unit of the chip can do an operation that the passes have left.
fn refusal(op: &Operation) -> Reason {
    match op {
        Operation::Softmax(_) => reason(
            "it compares the values of a map with each other, which no unit of the chip does; only a last one is left out, as it changes no order of scores",
            "end the network with it, or cut the network in front of it",
        ),
        _ => reason("the chip has no unit for it", "remove it where the network is exported"),
    }
}

impl After {
    /// Takes in what follows, if it still can.
    fn absorb(&mut self, op: &Operation) -> Result<bool, Reason> {
        match op {
            _ if self.format.is_some() => Ok(false),
            Operation::Activation(Activation::Relu) => {
                self.relu = true;
                Ok(true)
            }
            Operation::Activation(Activation::Clip { low: 0.0, high }) if *high > 0.0 => {
                self.relu = true;
                self.highest = Some(self.highest.map_or(*high, |highest| highest.min(*high)));
                Ok(true)
            }
            Operation::Quantise(quantise) if self.highest.is_none() => {
                self.format = Some(prescribed(quantise)?);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
