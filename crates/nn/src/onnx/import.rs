//! From the messages of a file to the graph: which nodes matter, in which order, and what each becomes.

use super::builder::Builder;
use super::error::{OnnxError, Problem, Refusal};
use super::input::start;
use super::node::Node;
use super::ops;
use super::proto::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use super::tensor::Tensor;
use super::value::{Map, Value};
use super::{OPSETS, Options, names};
use crate::graph::{Graph, Operation};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// First version of the format whose files can be read.
const FIRST_IR: i64 = 3;

/// The network that a model in a file of `bytes` bytes describes.
pub(super) fn import(model: &ModelProto, bytes: usize, options: &Options) -> Result<Graph, OnnxError> {
    let error = |problem: String| OnnxError::Model { name: options.name.clone(), problem };
    let graph = check_model(model).map_err(error)?;
    let reader = Reader::new(model, graph);
    let input = reader.input().map_err(error)?;
    let output = reader.output(options).map_err(error)?;
    let order = reader.order(output).map_err(error)?;
    let (mut builder, map) = start(input, options.layout, bytes).map_err(error)?;
    let input_shape = builder.shape(0);
    let result = reader.evaluate(&mut builder, &order, &input.name, map, output);
    let result = result.map_err(|nodes| OnnxError::Nodes { name: options.name.clone(), nodes })?;
    let map = match result {
        Value::Map(map) => builder.real(output, &map).map_err(|problem| error(problem.problem))?,
        _ => return Err(error(format!("its result `{output}` does not depend on its input"))),
    };
    let source = last(&mut builder, output, &map).map_err(|problem| error(problem.problem))?;
    let nodes = builder.finish(source);
    let graph = Graph { name: options.name.clone(), dataset: options.dataset.clone(), input: input_shape, nodes };
    graph.validate()?;
    Ok(graph)
}

/// The source of the result. A graph has at least one node, even if the model moves no value.
fn last(builder: &mut Builder, name: &str, map: &Map) -> Result<usize, Problem> {
    match builder.shaped(name, map, map.shape())? {
        0 => builder.push(name, &[0], Operation::Reshape(map.shape())),
        source => Ok(source),
    }
}

/// The graph of a model whose storage and versions can be read.
fn check_model(model: &ModelProto) -> Result<&GraphProto, String> {
    if model.ir_version < FIRST_IR {
        return Err(format!("its IR version is {}, allowed: {FIRST_IR} and above", model.ir_version));
    }
    if !model.training_info.is_empty() {
        return Err("it holds training information, allowed: inference models".to_owned());
    }
    let graph = model.graph.as_ref().ok_or("it holds no graph")?;
    if !graph.sparse_initializer.is_empty() {
        return Err("it holds sparse constants, allowed: dense ones".to_owned());
    }
    names::check(graph)?;
    let version = model.opset_import.iter().find(|set| ops::is_standard(&set.domain)).map(|set| set.version);
    match version {
        Some(version) if OPSETS.contains(&version) => Ok(graph),
        Some(version) => {
            let allowed = format!("{} to {}", OPSETS.start(), OPSETS.end());
            Err(format!(
                "its operator set is version {version}, allowed: {allowed} (convert it with onnx.version_converter)"
            ))
        }
        None => Err("it does not say which operator set it uses".to_owned()),
    }
}

/// A model with what is looked up in it.
struct Reader<'a> {
    model: &'a ModelProto,
    graph: &'a GraphProto,
    /// Constants by name.
    constants: BTreeMap<&'a str, &'a TensorProto>,
    /// Nodes by the names of their results.
    producers: BTreeMap<&'a str, usize>,
}

impl<'a> Reader<'a> {
    fn new(model: &'a ModelProto, graph: &'a GraphProto) -> Self {
        let constants = graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let results = graph
            .node
            .iter()
            .enumerate()
            .flat_map(|(index, node)| node.output.iter().map(move |name| (name.as_str(), index)));
        Self { model, graph, constants, producers: results.filter(|(name, _)| !name.is_empty()).collect() }
    }

    /// The one input that is no constant.
    fn input(&self) -> Result<&'a ValueInfoProto, String> {
        let inputs = self.graph.input.iter().filter(|input| !self.constants.contains_key(input.name.as_str()));
        let inputs: Vec<&ValueInfoProto> = inputs.collect();
        match inputs[..] {
            [input] => Ok(input),
            _ => {
                let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
                Err(format!("its inputs are [{}], allowed: exactly one", names.join(", ")))
            }
        }
    }

    /// The name of the result.
    fn output(&self, options: &Options) -> Result<&'a str, String> {
        let names: Vec<&str> = self.graph.output.iter().map(|output| output.name.as_str()).collect();
        let known = || format!("its results are [{}]", names.join(", "));
        match (&options.output, &names[..]) {
            (None, [name]) => Ok(name),
            (None, _) => Err(format!(
                "{}, allowed: exactly one; choose one of them by the key `output` of a document of kind `network`",
                known()
            )),
            (Some(wanted), _) => {
                let found = names.iter().find(|name| *name == wanted).copied();
                found.ok_or_else(|| format!("{}, but `{wanted}` was asked for", known()))
            }
        }
    }

    /// The nodes that the result `output` depends on, each behind those it depends on itself, otherwise in the order of the file.
    fn order(&self, output: &str) -> Result<Vec<usize>, String> {
        let mut needed = BTreeSet::new();
        let mut open: Vec<usize> = self.producers.get(output).copied().into_iter().collect();
        while let Some(index) = open.pop() {
            if needed.insert(index) {
                open.extend(self.sources(index));
            }
        }
        let mut waiting: BTreeMap<usize, usize> = BTreeMap::new();
        let mut readers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &index in &needed {
            let sources: BTreeSet<usize> = self.sources(index).collect();
            waiting.insert(index, sources.len());
            sources.into_iter().for_each(|source| readers.entry(source).or_default().push(index));
        }
        let mut ready: BTreeSet<usize> =
            waiting.iter().filter(|(_, count)| **count == 0).map(|(index, _)| *index).collect();
        let mut order = Vec::new();
        while let Some(index) = ready.pop_first() {
            order.push(index);
            for reader in readers.get(&index).into_iter().flatten() {
                if let Some(count) = waiting.get_mut(reader) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(*reader);
                    }
                }
            }
        }
        if order.len() < needed.len() {
            let done: BTreeSet<usize> = order.into_iter().collect();
            let node = needed.iter().find(|index| !done.contains(index)).map(|&index| name_of(&self.graph.node[index]));
            return Err(format!("node `{}` depends on its own result", node.unwrap_or_default()));
        }
        Ok(order)
    }

    /// The nodes whose results a node reads.
    fn sources(&self, index: usize) -> impl Iterator<Item = usize> {
        self.graph.node[index].input.iter().filter_map(|name| self.producers.get(name.as_str()).copied())
    }

    /// The result `output`, or all nodes that cannot be imported.
    fn evaluate(
        &self,
        builder: &mut Builder,
        order: &[usize],
        input: &'a str,
        map: Map,
        output: &str,
    ) -> Result<Value, Vec<Refusal>> {
        let read = order.iter().flat_map(|&index| &self.graph.node[index].input).map(String::as_str);
        let read: BTreeSet<&str> = read.chain([output]).collect();
        let mut values: BTreeMap<&str, Value> = BTreeMap::from([(input, Value::Map(map))]);
        let mut refused = Vec::new();
        for &index in order {
            let proto = &self.graph.node[index];
            let results = self.node(builder, proto, &mut values).and_then(|results| {
                let missing = proto.output.iter().skip(results.len()).find(|name| read.contains(name.as_str()));
                let problem = |name: &String| {
                    Problem::new(format!("its result `{name}` is not supported"), "use its first result only")
                };
                missing.map_or(Ok(results), |name| Err(problem(name)))
            });
            let results = results.unwrap_or_else(|problem| {
                refused.push(refusal(proto, problem));
                vec![Value::Unknown; proto.output.len()]
            });
            values.extend(proto.output.iter().map(String::as_str).zip(results));
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        let problem = Problem::broken(format!("nothing makes the result `{output}`"));
        self.value(output, &mut values).map_err(|_| vec![refusal(&NodeProto::default(), problem)])
    }

    /// The results of one node.
    fn node(
        &self,
        builder: &mut Builder,
        proto: &'a NodeProto,
        values: &mut BTreeMap<&'a str, Value>,
    ) -> Result<Vec<Value>, Problem> {
        let operator = proto.op_type.as_str();
        if self.model.functions.iter().any(|function| function.name == operator && function.domain == proto.domain) {
            return Err(Problem::new("it is a function of the file's own", "inline functions (onnx.inliner)"));
        }
        let import = ops::find(&proto.domain, operator);
        let import = import.ok_or_else(|| Problem::new("its operator is not supported", ops::remedy(operator)))?;
        let inputs: Result<Vec<Value>, Problem> = proto.input.iter().map(|name| self.value(name, values)).collect();
        let inputs = inputs?;
        if inputs.iter().any(|input| matches!(input, Value::Unknown)) {
            // Only the node that could not be imported is an error.
            return Ok(vec![Value::Unknown; proto.output.len()]);
        }
        let same = |domain: &str| domain == proto.domain || ops::is_standard(domain) && ops::is_standard(&proto.domain);
        let opset = self.model.opset_import.iter().find(|set| same(&set.domain)).map_or(1, |set| set.version);
        import(builder, &Node { name: name_of(proto), proto, inputs, opset })
    }

    /// The tensor `name`; constants are read when they are first needed.
    fn value(&self, name: &'a str, values: &mut BTreeMap<&'a str, Value>) -> Result<Value, Problem> {
        if name.is_empty() {
            return Ok(Value::Absent);
        }
        if let Some(value) = values.get(name) {
            return Ok(value.clone());
        }
        let proto =
            self.constants.get(name).ok_or_else(|| Problem::broken(format!("nothing makes its input `{name}`")))?;
        let value = Value::Constant(Rc::new(Tensor::decode(proto)?));
        values.insert(name, value.clone());
        Ok(value)
    }
}

/// The name of a node, or that of its first result.
fn name_of(node: &NodeProto) -> String {
    let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
    name.cloned().unwrap_or_default()
}

fn refusal(node: &NodeProto, Problem { problem, remedy }: Problem) -> Refusal {
    let operator = match node.domain.as_str() {
        domain if ops::is_standard(domain) => node.op_type.clone(),
        domain => format!("{domain}.{}", node.op_type),
    };
    Refusal { node: name_of(node), operator, problem, remedy }
}
