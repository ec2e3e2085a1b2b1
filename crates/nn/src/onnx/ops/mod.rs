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

/// Operators of ONNX itself that work on maps.
const STANDARD: &[(&str, Import)] = &[
    ("Add", arithmetic::add),
    ("AveragePool", pool::average_pool),
    ("BatchNormalization", normalise::batch_normalization),
    ("Cast", shape::cast),
    ("Clip", activation::clip),
    ("Concat", select::concat),
    ("Conv", conv::conv),
    ("ConvInteger", integer::conv_integer),
    ("DequantizeLinear", quantise::dequantize_linear),
    ("Div", arithmetic::div),
    ("Dropout", shape::dropout),
    ("DynamicQuantizeLinear", quantise::dynamic_quantize_linear),
    ("Flatten", shape::flatten),
    ("Gemm", matmul::gemm),
    ("GlobalAveragePool", pool::global_average_pool),
    ("GlobalMaxPool", pool::global_max_pool),
    ("Identity", shape::identity),
    ("LeakyRelu", activation::leaky_relu),
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
    ("QLinearConv", integer::qlinear_conv),
    ("QLinearMatMul", integer::qlinear_matmul),
    ("QuantizeLinear", quantise::quantize_linear),
    ("ReduceMax", reduce::reduce_max),
    ("ReduceMean", reduce::reduce_mean),
    ("Relu", activation::relu),
    ("Reshape", shape::reshape),
    ("Sigmoid", activation::sigmoid),
    ("Slice", select::slice),
    ("Softmax", normalise::softmax),
    ("Squeeze", shape::squeeze),
    ("Sub", arithmetic::sub),
    ("Sum", arithmetic::sum),
    ("Tanh", activation::tanh),
    ("Transpose", shape::transpose),
    ("Unsqueeze", shape::unsqueeze),
];

/// Operators of ONNX itself that work on constants and sizes only.
const FOLDED: &[(&str, Import)] = &[
    ("Abs", fold::unary),
    ("Ceil", fold::unary),
    ("Constant", select::constant),
    ("ConstantOfShape", select::constant_of_shape),
    ("Equal", fold::binary),
    ("Exp", fold::unary),
    ("Expand", select::expand),
    ("Floor", fold::unary),
    ("Gather", select::gather),
    ("Log", fold::unary),
    ("Pow", fold::binary),
    ("Range", select::range),
    ("Reciprocal", fold::unary),
    ("Round", fold::unary),
    ("Shape", shape::shape),
    ("Size", shape::size),
    ("Sqrt", fold::unary),
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
    let (list, folded) = match domain {
        _ if is_standard(domain) => (STANDARD, FOLDED),
        "com.microsoft" => (MICROSOFT, &[][..]),
        _ if QONNX_DOMAINS.contains(&domain) => (QONNX, &[][..]),
        _ => return None,
    };
    list.iter().chain(folded).find(|(name, _)| *name == operator).map(|(_, import)| *import)
}

/// The remedy for operators of which nothing else is known; the list that it refers to is long and so stands once, at the end of the error.
pub(super) const REWRITE: &str = "rewrite it with the operators named at the end";

/// What could be done about an operator that cannot be imported.
pub(super) fn remedy(operator: &str) -> &'static str {
    REMEDIES.iter().find(|(beginning, _)| operator.starts_with(beginning)).map_or(REWRITE, |(_, remedy)| remedy)
}

/// The operators that a map can be rewritten with.
pub(super) fn of_maps() -> String {
    let names: Vec<&str> = STANDARD.iter().chain(QONNX).map(|(name, _)| *name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_every_operator_is_found() {
        for (domain, list) in [("", STANDARD), ("", FOLDED), ("onnx.brevitas", QONNX), ("com.microsoft", MICROSOFT)] {
            assert!(list.is_sorted_by(|a, b| a.0 < b.0));
            assert!(list.iter().all(|(name, _)| find(domain, name).is_some()));
        }
        assert!(find("", "Gru").is_none() && find("elsewhere", "Conv").is_none());
    }

    #[test]
    fn remedies_are_for_what_is_not_supported() {
        for (beginning, _) in REMEDIES {
            assert!(
                !STANDARD.iter().chain(FOLDED).any(|(name, _)| name.starts_with(beginning) && find("", name).is_none())
            );
        }
        assert_eq!(remedy("LSTM"), "recurrent layers are not supported");
        assert_eq!(remedy("Einsum"), REWRITE);
        assert!(of_maps().contains("Conv, ConvInteger") && of_maps().ends_with("Quant"));
        assert!(FOLDED.iter().all(|(name, _)| !STANDARD.iter().any(|(other, _)| name == other)));
    }
}
