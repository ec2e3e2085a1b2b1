//! Pass `fuse`: what follows a layer value by value becomes part of its requantisation, and of the rest tables.
//!
//! A chip's units write codes. A weighted layer and an addition requantise their sums, which is a ReLU too; a prescribed format says which codes
//! these are. Every other function of a value is a table over the codes of the map before it.

use crate::error::CompileError;
use crate::passes::only_reader;
use crate::refusals::Refusals;
use nn::Shape;
use nn::graph::{Activation, Affine, Coefficients, Graph, Node, Operation, Quantise, Rounding, WeightScale};
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
    /// What becomes of the result; pooling and tables leave it as it is.
    pub after: After,
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
    /// Averages over windows of so many values each.
    AveragePool(Window),
    /// The sum of two maps.
    Add,
    /// The channels of all sources.
    Concat,
    /// A function of single values.
    Table(Function),
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

/// Codes that a network prescribes: `step * code` for `lowest <= code <= highest`, 0 among them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    /// Value of one code.
    pub step: f64,
    /// Lowest code.
    pub lowest: i64,
    /// Highest code.
    pub highest: i64,
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

/// Joins the nodes of a graph that went through [`crate::passes`]. Nodes that no unit of the chip can do are noted in `refusals`; with any of them the
/// layers are of no use.
///
/// # Errors
/// If the graph is not valid.
pub fn fuse(graph: &Graph, refusals: &mut Refusals) -> Result<Layers, CompileError> {
    let (shapes, sources) = (graph.shapes()?, vec![None; graph.nodes.len() + 1]);
    let mut fuser = Fuser { graph, shapes, sources, layers: Vec::new(), refusals };
    fuser.sources[0] = Some(0);
    let (normalisation, input_format) = fuser.take_input();
    for index in 0..graph.nodes.len() {
        if fuser.sources[index + 1].is_none() {
            fuser.take(index);
        }
    }
    Ok(Layers { input: graph.input, normalisation, input_format, layers: fuser.layers })
}

struct Fuser<'a> {
    graph: &'a Graph,
    shapes: Vec<Shape>,
    /// For every source of the graph that has been taken its source among the layers.
    sources: Vec<Option<usize>>,
    layers: Vec<Layer>,
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
            format = prescribed(quantise).map_err(|refusal| self.refuse(reader, refusal)).ok();
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
            // What stands for it is not looked at.
            LayerKind::Table(Function::Activation(Activation::Relu))
        });
        let requantises = matches!(kind, LayerKind::Weighted(_) | LayerKind::Add | LayerKind::Concat);
        let mut layer = Layer {
            name: node.name.clone(),
            inputs: node.inputs.iter().map(|&source| self.sources[source].unwrap_or(0)).collect(),
            kind,
            after: After::default(),
            shape: self.shapes[index],
        };
        let mut joined = vec![index];
        while let (true, Some(next)) = (requantises, joined.last().and_then(|&last| only_reader(graph, last))) {
            match layer.after.absorb(&graph.nodes[next].op) {
                Ok(true) => {}
                Ok(false) => break,
                Err(reason) => self.refuse(next, reason),
            }
            joined.push(next);
        }
        self.layers.push(layer);
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
            }),
            Operation::Linear(linear) => LayerKind::Weighted(Weighted {
                window: Window::whole(input),
                groups: 1,
                weight: linear.weight.clone(),
                bias: linear.bias.clone(),
                scale: linear.weight_scale.clone(),
            }),
            Operation::MaxPool(pool) => LayerKind::MaxPool(pool.window(input)),
            Operation::AveragePool(pool) if pool.count_padding || !pool.window(input).is_padded() => {
                LayerKind::AveragePool(pool.window(input))
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

/// The format that a node prescribes.
fn prescribed(quantise: &Quantise) -> Result<Format, Reason> {
    let (Coefficients::Map(step), Coefficients::Map(zero)) = (&quantise.scale, &quantise.zero_point) else {
        return Err(reason(
            "it quantises a map with a scale per channel, but the chip's maps have one scale",
            "quantise activations per tensor",
        ));
    };
    let (lowest, highest) = quantise.codes();
    if quantise.rounding != Rounding::HalfEven {
        return Err(reason("it does not round half to even, as the chip does", "quantise with rounding_mode = ROUND"));
    }
    // Checked to be whole and small.
    let zero = *zero as i64;
    let format =
        Format { step: f64::from(*step), lowest: i64::from(lowest) - zero, highest: i64::from(highest) - zero };
    if format.lowest > 0 || format.highest < 1 {
        let problem = format!("its codes {} to {} do not hold 0 and a positive one", format.lowest, format.highest);
        return Err((problem, "choose a zero point among its codes, below the highest".to_owned()));
    }
    Ok(format)
}

/// The layers as text, one a line.
#[must_use]
pub fn dump(layers: &Layers) -> String {
    let coding = match (&layers.normalisation, &layers.input_format) {
        (None, None) => "pixels",
        (Some(_), None) => "normalised pixels",
        (None, Some(_)) => "pixels in a prescribed format",
        (Some(_), Some(_)) => "normalised pixels in a prescribed format",
    };
    let mut text = format!("input %0 {} {coding}\n", layers.input);
    for (index, Layer { name, inputs, kind, after, shape }) in layers.layers.iter().enumerate() {
        let sources: Vec<String> = inputs.iter().map(|source| format!("%{source}")).collect();
        let kind = match kind {
            LayerKind::Weighted(weighted) => {
                format!("weighted {} x {} in {} groups", weighted.bias.len(), weighted.window.rows(), weighted.groups)
            }
            LayerKind::MaxPool(_) => "max-pool".to_owned(),
            LayerKind::AveragePool(_) => "average-pool".to_owned(),
            LayerKind::Add => "add".to_owned(),
            LayerKind::Concat => "concat".to_owned(),
            LayerKind::Table(function) => format!("table {function:?}"),
        };
        let relu = if after.relu { " relu" } else { "" };
        let highest = after.highest.map_or_else(String::new, |highest| format!(" at most {highest}"));
        let format = after.format.map_or_else(String::new, |Format { step, lowest, highest }| {
            format!(" codes {lowest} to {highest} of {step}")
        });
        text += &format!("%{} {shape} = {kind} {} `{name}`{relu}{highest}{format}\n", index + 1, sources.join(" "));
    }
    text
}
