//! The operators of ONNX that can be imported, a family a file.

mod activation;
mod arithmetic;
mod conv;
mod fold;
mod integer;
mod matmul;
mod normalise;
mod pad;
mod pool;
mod quantise;
mod reduce;
mod select;
mod shape;
mod window;

use super::builder::Builder;
use super::error::Problem;
use super::node::Node;
use super::value::Value;

/// Turns a node of the model into nodes of the graph or constants: one value per result, those at the end may be left out.
pub(super) type Import = fn(&mut Builder, &Node<'_>) -> Result<Vec<Value>, Problem>;

/// Operators of ONNX itself.
const STANDARD: &[(&str, Import)] = &[
    ("Abs", fold::unary),
    ("Add", arithmetic::add),
    ("AveragePool", pool::average_pool),
    ("BatchNormalization", normalise::batch_normalization),
    ("Cast", shape::cast),
    ("Ceil", fold::unary),
    ("Clip", activation::clip),
    ("Concat", select::concat),
    ("Constant", select::constant),
    ("ConstantOfShape", select::constant_of_shape),
    ("Conv", conv::conv),
    ("ConvInteger", integer::conv_integer),
    ("DequantizeLinear", quantise::dequantize_linear),
    ("Div", arithmetic::div),
    ("Dropout", shape::dropout),
    ("DynamicQuantizeLinear", quantise::dynamic_quantize_linear),
    ("Equal", fold::binary),
    ("Exp", fold::unary),
    ("Expand", select::expand),
    ("Flatten", shape::flatten),
    ("Floor", fold::unary),
    ("Gather", select::gather),
    ("Gemm", matmul::gemm),
    ("GlobalAveragePool", pool::global_average_pool),
    ("GlobalMaxPool", pool::global_max_pool),
    ("Identity", shape::identity),
    ("LeakyRelu", activation::leaky_relu),
    ("Log", fold::unary),
    ("LogSoftmax", normalise::softmax),
    ("MatMul", matmul::matmul),
    ("MatMulInteger", integer::matmul_integer),
    ("Max", arithmetic::max),
    ("MaxPool", pool::max_pool),
    ("Min", arithmetic::min),
    ("Mul", arithmetic::mul),
    ("Neg", arithmetic::neg),
    ("PRelu", activation::prelu),
    ("Pad", pad::pad),
    ("Pow", fold::binary),
    ("QLinearConv", integer::qlinear_conv),
    ("QLinearMatMul", integer::qlinear_matmul),
    ("QuantizeLinear", quantise::quantize_linear),
    ("Range", select::range),
    ("Reciprocal", fold::unary),
    ("ReduceMax", reduce::reduce_max),
    ("ReduceMean", reduce::reduce_mean),
    ("Relu", activation::relu),
    ("Reshape", shape::reshape),
    ("Round", fold::unary),
    ("Shape", shape::shape),
    ("Sigmoid", activation::sigmoid),
    ("Size", shape::size),
    ("Slice", select::slice),
    ("Softmax", normalise::softmax),
    ("Sqrt", fold::unary),
    ("Squeeze", shape::squeeze),
    ("Sub", arithmetic::sub),
    ("Sum", arithmetic::sum),
    ("Tanh", activation::tanh),
    ("Transpose", shape::transpose),
    ("Unsqueeze", shape::unsqueeze),
    ("Where", fold::choose),
];

/// Operators of QONNX.
const QONNX: &[(&str, Import)] = &[("BipolarQuant", quantise::bipolar_quant), ("Quant", quantise::quant)];

/// Domains under which the operators of QONNX are found.
const QONNX_DOMAINS: &[&str] =
    &["onnx.brevitas", "qonnx.custom_op.general", "finn.custom_op.general", "org.qonnx.custom_op.general"];

/// Operators of `onnxruntime`.
const MICROSOFT: &[(&str, Import)] = &[
    ("DequantizeLinear", quantise::dequantize_linear),
    ("QGemm", integer::qgemm),
    ("QLinearAdd", integer::qlinear_add),
    ("QLinearGlobalAveragePool", integer::qlinear_global_average_pool),
    ("QuantizeLinear", quantise::quantize_linear),
];

/// What could be done about operators that are not in the lists, by the beginning of their names.
const REMEDIES: &[(&str, &str)] = &[
    ("ConvTranspose", "upsampling networks are not supported"),
    ("GRU", "recurrent layers are not supported"),
    ("Gelu", "replace it by Relu or LeakyRelu and train again"),
    ("Elu", "replace it by Relu or LeakyRelu and train again"),
    ("Hard", "replace it by Relu or Clip and train again"),
    ("If", "export with fixed shapes, so that control flow folds away (onnxsim)"),
    ("InstanceNormalization", "replace it by BatchNormalization, which folds into weights, and train again"),
    ("LSTM", "recurrent layers are not supported"),
    ("LayerNormalization", "replace it by BatchNormalization, which folds into weights, and train again"),
    ("Loop", "export with fixed shapes, so that control flow folds away (onnxsim)"),
    ("Mish", "replace it by Relu or LeakyRelu and train again"),
    ("RNN", "recurrent layers are not supported"),
    ("Resize", "upsampling networks are not supported"),
    ("Scan", "export with fixed shapes, so that control flow folds away (onnxsim)"),
    ("Selu", "replace it by Relu or LeakyRelu and train again"),
    ("Softplus", "replace it by Relu or LeakyRelu and train again"),
    ("Split", "write the parts as convolutions of their own, or as one with groups"),
    ("Swish", "replace it by Relu or LeakyRelu and train again"),
    ("Trunc", "remove the truncation, or quantise with Quant"),
    ("Upsample", "upsampling networks are not supported"),
];

/// Whether a domain is that of ONNX itself.
pub(super) fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// How to import an operator, if it can be.
pub(super) fn find(domain: &str, operator: &str) -> Option<Import> {
    let list = match domain {
        _ if is_standard(domain) => STANDARD,
        "com.microsoft" => MICROSOFT,
        _ if QONNX_DOMAINS.contains(&domain) => QONNX,
        _ => return None,
    };
    list.iter().find(|(name, _)| *name == operator).map(|(_, import)| *import)
}

/// What could be done about an operator that cannot be imported.
pub(super) fn remedy(operator: &str) -> String {
    let known = REMEDIES.iter().find(|(beginning, _)| operator.starts_with(beginning));
    let known = known.map(|(_, remedy)| (*remedy).to_owned());
    known.unwrap_or_else(|| {
        let names: Vec<&str> = STANDARD.iter().chain(QONNX).map(|(name, _)| *name).collect();
        format!("rewrite the model with {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_every_operator_is_found() {
        for (domain, list) in [("", STANDARD), ("onnx.brevitas", QONNX), ("com.microsoft", MICROSOFT)] {
            assert!(list.is_sorted_by(|a, b| a.0 < b.0));
            assert!(list.iter().all(|(name, _)| find(domain, name).is_some()));
        }
        assert!(find("", "Gru").is_none() && find("elsewhere", "Conv").is_none());
    }

    #[test]
    fn remedies_are_for_what_is_not_supported() {
        for (beginning, _) in REMEDIES {
            assert!(!STANDARD.iter().any(|(name, _)| name.starts_with(beginning) && find("", name).is_none()));
        }
        assert_eq!(remedy("LSTM"), "recurrent layers are not supported");
        assert!(remedy("Einsum").contains("Conv, ConvInteger"));
    }
}
