//! A node of the model with its inputs resolved.

use super::error::Problem;
use super::proto::{AttributeProto, NodeProto};
use super::tensor::Tensor;
use super::value::{Map, Value};
use std::rc::Rc;

/// Type codes of attributes (`AttributeProto.AttributeType`).
const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;
const TENSOR: i32 = 4;
const FLOATS: i32 = 6;
const INTS: i32 = 7;

/// A node of the model.
pub(super) struct Node<'a> {
    /// The name that its results have in the graph.
    pub(super) name: String,
    pub(super) proto: &'a NodeProto,
    pub(super) inputs: Vec<Value>,
    /// Version of the set of operators that it is from.
    pub(super) opset: i64,
}

impl Node<'_> {
    fn attribute(&self, name: &str, kinds: &[i32]) -> Result<Option<&AttributeProto>, Problem> {
        let found = self.proto.attribute.iter().find(|attribute| attribute.name == name);
        match found {
            // Files of the first IR versions do not state the type.
            Some(attribute) if attribute.r#type != 0 && !kinds.contains(&attribute.r#type) => {
                let problem = format!("attribute `{name}` has the type {}, allowed: {kinds:?}", attribute.r#type);
                Err(Problem::broken(problem))
            }
            found => Ok(found),
        }
    }

    pub(super) fn int(&self, name: &str, default: i64) -> Result<i64, Problem> {
        Ok(self.attribute(name, &[INT])?.map_or(default, |attribute| attribute.i))
    }

    pub(super) fn optional_int(&self, name: &str) -> Result<Option<i64>, Problem> {
        Ok(self.attribute(name, &[INT])?.map(|attribute| attribute.i))
    }

    pub(super) fn float(&self, name: &str, default: f32) -> Result<f32, Problem> {
        Ok(self.attribute(name, &[FLOAT])?.map_or(default, |attribute| attribute.f))
    }

    pub(super) fn ints(&self, name: &str) -> Result<Option<Vec<i64>>, Problem> {
        Ok(self.attribute(name, &[INTS])?.map(|attribute| attribute.ints.clone()))
    }

    pub(super) fn text(&self, name: &str, default: &str) -> Result<String, Problem> {
        let attribute = self.attribute(name, &[STRING])?;
        Ok(attribute.map_or(default.to_owned(), |attribute| String::from_utf8_lossy(&attribute.s).into_owned()))
    }

    /// The constant that a `Constant` node holds, in whichever attribute.
    pub(super) fn constant(&self) -> Result<Tensor, Problem> {
        use super::tensor::Kind;
        if let Some(tensor) = self.attribute("value", &[TENSOR])?.and_then(|attribute| attribute.t.as_ref()) {
            return Tensor::decode(tensor);
        }
        if let Some(attribute) = self.attribute("value_float", &[FLOAT])? {
            return Ok(Tensor::new(vec![], Kind::Float, vec![attribute.f.into()]));
        }
        if let Some(attribute) = self.attribute("value_int", &[INT])? {
            return Ok(Tensor::new(vec![], Kind::Int(64), vec![attribute.i as f64]));
        }
        if let Some(attribute) = self.attribute("value_floats", &[FLOATS])? {
            let values = attribute.floats.iter().map(|&value| value.into()).collect();
            return Ok(Tensor::new(vec![attribute.floats.len()], Kind::Float, values));
        }
        if let Some(ints) = self.ints("value_ints")? {
            return Ok(Tensor::new(vec![ints.len()], Kind::Int(64), ints.iter().map(|&value| value as f64).collect()));
        }
        Err(Problem::new("its constant is missing, sparse or text", "use a dense constant of numbers"))
    }

    /// The one-number tensor that `ConstantOfShape` repeats.
    pub(super) fn tensor(&self, name: &str) -> Result<Option<Tensor>, Problem> {
        self.attribute(name, &[TENSOR])?.and_then(|attribute| attribute.t.as_ref()).map(Tensor::decode).transpose()
    }

    pub(super) fn input(&self, index: usize) -> &Value {
        self.inputs.get(index).unwrap_or(&Value::Absent)
    }

    /// A map of the graph.
    pub(super) fn map(&self, index: usize) -> Result<&Map, Problem> {
        match self.input(index) {
            Value::Map(map) => Ok(map),
            Value::Absent => Err(Problem::broken(format!("input {index} is missing"))),
            Value::Constant(_) => Err(Problem::new(
                format!("input {index} is constant, but must depend on the image here"),
                "fold constants before the export (onnxsim)",
            )),
            Value::DynamicScale { .. } | Value::DynamicZero { .. } | Value::Unknown => Err(Problem::new(
                format!("input {index} is the scale or zero point of a dynamic range"),
                "use it with the codes of the same range only",
            )),
        }
    }

    /// A constant.
    pub(super) fn fixed(&self, index: usize) -> Result<&Rc<Tensor>, Problem> {
        self.optional(index)?.ok_or_else(|| Problem::broken(format!("input {index} is missing")))
    }

    /// A constant that may be left out.
    pub(super) fn optional(&self, index: usize) -> Result<Option<&Rc<Tensor>>, Problem> {
        match self.input(index) {
            Value::Constant(tensor) => Ok(Some(tensor)),
            Value::Absent => Ok(None),
            _ => Err(Problem::new(
                format!("input {index} depends on the image, but must be constant"),
                "export the model in evaluation mode and with fixed shapes",
            )),
        }
    }

    /// A list of integers that is an attribute in old sets of operators and an input in newer ones.
    pub(super) fn list(&self, name: &str, index: usize) -> Result<Option<Vec<i64>>, Problem> {
        match self.ints(name)? {
            Some(list) => Ok(Some(list)),
            None => Ok(self.optional(index)?.map(|tensor| tensor.integers())),
        }
    }

    /// Whether all inputs that are there are constants.
    pub(super) fn is_constant(&self) -> bool {
        self.inputs.iter().all(|input| matches!(input, Value::Constant(_) | Value::Absent))
    }
}
