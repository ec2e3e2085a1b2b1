//! ONNX files of the tests' own making.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use nn::onnx::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use prost::Message;

/// A model under construction; its input is `x`.
pub(crate) struct Writer {
    pub(crate) graph: GraphProto,
    pub(crate) opset: i64,
}

impl Writer {
    /// A model for images of the sizes `dims`; a size of 0 is left open.
    pub(crate) fn new(dims: &[i64]) -> Self {
        Self { graph: GraphProto { input: vec![info("x", dims)], ..GraphProto::default() }, opset: 13 }
    }

    /// Adds a node and returns the name of its result.
    pub(crate) fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let result = format!("t{}", self.graph.node.len());
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![result.clone()],
            name: format!("{op}{}", self.graph.node.len()),
            op_type: op.to_owned(),
            attribute: attributes,
            domain: String::new(),
        });
        result
    }

    /// Adds a constant and returns its name.
    pub(crate) fn constant(&mut self, dims: &[usize], values: &[f32]) -> String {
        let name = format!("c{}", self.graph.initializer.len());
        self.graph.initializer.push(TensorProto {
            dims: dims.iter().map(|&size| size as i64).collect(),
            data_type: 1,
            name: name.clone(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ..TensorProto::default()
        });
        name
    }

    /// Adds a constant list of 64-bit integers and returns its name.
    pub(crate) fn list(&mut self, values: &[i64]) -> String {
        let name = format!("c{}", self.graph.initializer.len());
        self.graph.initializer.push(TensorProto {
            dims: vec![values.len() as i64],
            data_type: 7,
            name: name.clone(),
            int64_data: values.to_vec(),
            ..TensorProto::default()
        });
        name
    }

    /// The model with the result `output`.
    pub(crate) fn model(mut self, output: &str) -> ModelProto {
        self.graph.output.push(info(output, &[]));
        let set = OperatorSetIdProto { domain: String::new(), version: self.opset };
        ModelProto { ir_version: 8, graph: Some(self.graph), opset_import: vec![set], ..ModelProto::default() }
    }

    /// The bytes of the model with the result `output`.
    pub(crate) fn bytes(self, output: &str) -> Vec<u8> {
        self.model(output).encode_to_vec()
    }
}

fn info(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = dims.iter().map(|&size| DimensionProto {
        dim_value: (size != 0).then_some(size),
        dim_param: (size == 0).then(|| "n".to_owned()),
    });
    let shape = TensorShapeProto { dim: dim.collect() };
    let tensor = TensorTypeProto { elem_type: 1, shape: Some(shape) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
}

pub(crate) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i, r#type: 2, ..AttributeProto::default() }
}

pub(crate) fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), f, r#type: 1, ..AttributeProto::default() }
}

pub(crate) fn ints(name: &str, ints: &[usize]) -> AttributeProto {
    let ints = ints.iter().map(|&value| value as i64).collect();
    AttributeProto { name: name.to_owned(), ints, r#type: 7, ..AttributeProto::default() }
}

pub(crate) fn text(name: &str, text: &str) -> AttributeProto {
    AttributeProto { name: name.to_owned(), s: text.as_bytes().to_vec(), r#type: 3, ..AttributeProto::default() }
}
