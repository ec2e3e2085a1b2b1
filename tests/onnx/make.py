# /// script
# requires-python = ">=3.11"
# dependencies = ["onnx==1.23.2", "onnxruntime==1.32.0", "numpy", "torch==2.15.0", "onnxscript==0.7.2", "safetensors"]
# ///
"""Writes the ONNX files that the tests import: one per operator and family of attributes, and three whole networks as
`torch.onnx.export` writes them. Inputs and the results of onnxruntime go to `references.safetensors` as NAME.in and NAME.out, images first.
The operators of QONNX, which onnxruntime does not know, are evaluated by a few lines of numpy below.

    uv run make.py        # or python3 make.py with the packages above
"""
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

HERE = Path(__file__).parent
REFERENCES = {}
IMAGES = 2
np.set_printoptions(suppress=True)


def numbers(name, *shape, scale=1.0):
    """Numbers that depend on the name only."""
    seed = int.from_bytes(name.encode(), "little") % (2**32)
    return (np.random.RandomState(seed).uniform(-1, 1, shape) * scale).astype(np.float32)


def constant(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def run(model, feed):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return ort.InferenceSession(model.SerializeToString(), options).run(None, feed)[0]


def build(name, nodes, shape, initializers, opset, ir, domains, batch, element, listed, output=TensorProto.FLOAT):
    x = helper.make_tensor_value_info("x", element, [batch, *shape] if batch else list(shape))
    inputs = [x]
    if listed:
        inputs += [helper.make_tensor_value_info(i.name, i.data_type, list(i.dims)) for i in initializers]
    y = helper.make_tensor_value_info("y", output, None)
    graph = helper.make_graph(nodes, name, inputs, [y], initializers)
    sets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    return helper.make_model(graph, ir_version=ir, opset_imports=sets, producer_name="ohmic")


def case(name, nodes, shape, initializers=(), opset=13, ir=8, domains=(), batch="N", element=TensorProto.FLOAT,
         listed=False, feed=None, reference=None, output=TensorProto.FLOAT, scale=1.0):
    """One file. `nodes` are (operator, inputs, output, attributes); the input is x, the result y."""
    made = []
    for op, inputs, result, *rest in nodes:
        attributes = dict(rest[0]) if rest else {}
        domain = attributes.pop("domain", "")
        made.append(helper.make_node(op, inputs.split(), result.split(), name=f"{op}_{result.split()[0]}", domain=domain, **attributes))
    # A blank input is written as `-`.
    for node in made:
        for index, value in enumerate(node.input):
            node.input[index] = "" if value == "-" else value
    initializers = list(initializers)
    model = build(name, made, shape, initializers, opset, ir, domains, batch, element, listed, output)
    count = batch if isinstance(batch, int) else IMAGES
    sizes = [count, *shape] if batch else list(shape)
    x = numbers(name + ".in", *sizes, scale=scale) if feed is None else feed
    y = run(model, {"x": x}) if reference is None else reference(x)
    model.graph.output[0].type.tensor_type.shape.CopyFrom(onnx.TensorShapeProto(dim=[onnx.TensorShapeProto.Dimension() for _ in y.shape]))
    finish(name, model, x, y, reference is None)


def finish(name, model, x, y, check=True):
    if check:
        onnx.checker.check_model(model)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
    assert f"{name}.in" not in REFERENCES, name
    REFERENCES[f"{name}.in"] = np.ascontiguousarray(x, np.float32)
    REFERENCES[f"{name}.out"] = np.ascontiguousarray(y, np.float32)


def conv(name, shape, weight, attributes=None, bias=True, **rest):
    initializers = [constant("w", numbers(name + "w", *weight))]
    if bias:
        initializers.append(constant("b", numbers(name + "b", weight[0])))
    case(name, [("Conv", "x w b" if bias else "x w", "y", attributes or {})], shape, initializers, **rest)


def convolutions():
    conv("conv_pads", (3, 7, 6), (4, 3, 3, 3), {"pads": [1, 1, 1, 1]})
    conv("conv_asymmetric_pads_strides", (2, 8, 7), (5, 2, 3, 3), {"pads": [0, 1, 2, 0], "strides": [2, 3]})
    conv("conv_dilations", (2, 9, 9), (4, 2, 3, 2), {"dilations": [2, 3], "pads": [2, 0, 1, 2]})
    conv("conv_groups", (4, 6, 6), (6, 2, 3, 3), {"group": 2, "pads": [1, 1, 1, 1]})
    conv("conv_depthwise", (5, 6, 7), (5, 1, 3, 3), {"group": 5, "strides": [2, 1], "pads": [1, 1, 1, 1]})
    conv("conv_depthwise_multiplier", (3, 6, 6), (6, 1, 3, 3), {"group": 3, "dilations": [2, 2]})
    conv("conv_same_upper", (2, 7, 8), (3, 2, 4, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 3]})
    conv("conv_same_lower", (2, 7, 8), (3, 2, 4, 3), {"auto_pad": "SAME_LOWER", "strides": [2, 3]})
    conv("conv_valid", (2, 7, 8), (3, 2, 3, 3), {"auto_pad": "VALID", "kernel_shape": [3, 3]})
    conv("conv_wide_pads", (2, 4, 5), (3, 2, 1, 2), {"pads": [1, 2, 2, 1]})
    conv("conv_rectangular", (2, 8, 9), (3, 2, 1, 5), {"pads": [0, 2, 0, 2]})
    conv("conv_no_bias", (2, 5, 5), (8, 2, 3, 3), bias=False)
    conv("conv_one_dimension", (3, 12), (4, 3, 5), {"pads": [2, 1], "strides": [2], "dilations": [2]})
    conv("conv_fixed_batch", (2, 5, 5), (3, 2, 3, 3), batch=3)
    conv("conv_opset_7_listed", (2, 5, 5), (3, 2, 3, 3), opset=7, ir=3, listed=True, batch=1)
    conv("conv_opset_26", (2, 5, 5), (3, 2, 3, 3), opset=26, ir=11)
    weight = numbers("conv_transposed_weight", 3, 3, 2, 4)
    case("conv_transposed_weight", [("Transpose", "w", "t", {"perm": [3, 2, 0, 1]}), ("Conv", "x t", "y")], (2, 6, 6),
         [constant("w", weight)])
    half = numbers("conv_half_weight", 3, 2, 2, 2).astype(np.float16)
    case("conv_half_weight", [("Cast", "w", "f", {"to": TensorProto.FLOAT}), ("Conv", "x f", "y")], (2, 4, 4),
         [constant("w", half, np.float16)])
    listed = helper.make_tensor("w", TensorProto.FLOAT, [2, 2, 1, 1], [0.5, -1.0, 0.25, 2.0])
    case("conv_listed_floats", [("Conv", "x w", "y")], (2, 3, 3), [listed])


def products():
    w = constant("w", numbers("gemm", 5, 6))
    wt = constant("w", numbers("gemm", 6, 5))
    c = constant("c", numbers("gemmc", 5))
    case("gemm_alpha_beta", [("Gemm", "x w c", "y", {"transB": 1, "alpha": 0.5, "beta": 2.0})], (6,), [w, c])
    case("gemm_no_bias", [("Gemm", "x w", "y")], (6,), [wt], opset=11)
    case("gemm_scalar_bias", [("Gemm", "x w c", "y")], (6,), [wt, constant("c", 0.75)])
    case("gemm_row_bias", [("Gemm", "x w c", "y")], (6,), [wt, constant("c", numbers("gr", 1, 5))], opset=7, batch=1)
    case("gemm_weight_first", [("Gemm", "w x c", "t", {"transB": 1}), ("Transpose", "t", "y")], (6,),
         [w, constant("c", numbers("gw", 5, 1))])
    case("gemm_transposed_map", [("Transpose", "x", "t"), ("Gemm", "t w c", "y", {"transA": 1})], (6,), [wt, c])
    case("matmul_right", [("MatMul", "x w", "m"), ("Add", "m c", "y")], (6,), [wt, c])
    case("matmul_vectors", [("MatMul", "x w", "m"), ("Add", "m c", "y")], (3, 6), [wt, c])
    case("matmul_channels_last", [("MatMul", "x w", "y")], (2, 3, 6), [wt])
    case("matmul_left", [("MatMul", "w x", "y")], (6, 4), [w])
    case("matmul_left_column", [("Unsqueeze", "x a", "u"), ("MatMul", "w u", "m"), ("Squeeze", "m a", "y")], (6,),
         [w, constant("a", [2], np.int64)])
    case("matmul_reshaped_weight", [("Reshape", "w s", "r"), ("MatMul", "x r", "y")], (6,),
         [constant("w", numbers("gemm", 2, 3, 5)), constant("s", [6, -1], np.int64)], opset=8, ir=3, batch=1, listed=True)


def arithmetic():
    channel = constant("c", numbers("ac", 3, 1, 1))
    full = constant("c", numbers("af", 1, 3, 4, 5))
    row = constant("c", numbers("ar", 5))
    scalar = constant("c", 1.5)
    for name, c in [("channel", channel), ("full", full), ("row", row), ("scalar", scalar)]:
        case(f"add_{name}", [("Add", "x c", "y")], (3, 4, 5), [c])
        case(f"mul_{name}", [("Mul", "c x", "y")], (3, 4, 5), [c])
    case("sub_constant", [("Sub", "x c", "y")], (3, 4, 5), [channel])
    case("sub_from_constant", [("Sub", "c x", "y")], (3, 4, 5), [channel])
    case("div_constant", [("Div", "x c", "y")], (3, 4, 5), [channel])
    case("neg", [("Neg", "x", "y")], (3, 4))
    case("add_maps", [("Relu", "x", "r"), ("Add", "x r", "y")], (3, 4, 5))
    case("sub_maps", [("Relu", "x", "r"), ("Sub", "x r", "y")], (3, 4, 5))
    case("sum_maps", [("Relu", "x", "r"), ("Tanh", "x", "t"), ("Sum", "x r t", "y")], (3, 4, 5))
    case("add_raises_rank", [("Add", "x c", "y")], (5,), [constant("c", numbers("rr", 1, 1, 5))])
    case("folded_arithmetic", [("Sqrt", "a", "b"), ("Div", "one b", "c"), ("Pow", "c two", "d"), ("Neg", "d", "e"),
                               ("Exp", "e", "f"), ("Max", "f half", "g"), ("Min", "g one", "h"), ("Sub", "h half", "i"),
                               ("Mul", "x i", "y")], (3, 4),
         [constant("a", np.abs(numbers("fa", 3, 1)) + 0.5), constant("one", 1.0), constant("two", 2.0), constant("half", 0.5)])


def normalisations():
    for opset, shape in [(7, (3, 4, 5)), (9, (3,)), (15, (3, 6))]:
        parts = [constant("s", numbers("bs", 3)), constant("b", numbers("bb", 3)), constant("m", numbers("bm", 3)),
                 constant("v", np.abs(numbers("bv", 3)) + 0.1)]
        case(f"batch_norm_opset_{opset}", [("BatchNormalization", "x s b m v", "y", {"epsilon": 1e-2})], shape, parts, opset=opset)
    case("softmax_opset_11", [("Softmax", "x", "y")], (3, 4, 5), opset=11)
    case("softmax_classes", [("Softmax", "x", "y")], (9,))
    case("softmax_channels", [("Softmax", "x", "y", {"axis": 1})], (3, 4, 5))
    case("softmax_columns", [("Softmax", "x", "y", {"axis": -1})], (3, 4, 5))
    case("log_softmax", [("LogSoftmax", "x", "y", {"axis": 1})], (9,), scale=4.0)


def activations():
    for op in ["Relu", "Sigmoid", "Tanh"]:
        case(op.lower(), [(op, "x", "y")], (3, 4, 5), scale=3.0)
    case("leaky_relu", [("LeakyRelu", "x", "y", {"alpha": 0.2})], (3, 4))
    case("leaky_relu_default", [("LeakyRelu", "x", "y")], (3, 4), opset=7)
    case("prelu", [("PRelu", "x s", "y")], (3, 4), [constant("s", [0.1])])
    case("clip_attributes", [("Clip", "x", "y", {"min": -0.5, "max": 0.25})], (3, 4), opset=10)
    case("clip_attributes_default", [("Clip", "x", "y", {"min": 0.0})], (3, 4), opset=7)
    case("clip_relu6", [("Clip", "x l h", "y")], (3, 4), [constant("l", 0.0), constant("h", 6.0)], scale=9.0)
    case("clip_high_only", [("Clip", "x - h", "y")], (3, 4), [constant("h", 0.25)])
    case("min_max", [("Min", "x h", "m"), ("Max", "l m", "y")], (3, 4), [constant("h", 0.5), constant("l", -0.25)])


def pools():
    k = {"kernel_shape": [3, 2]}
    case("max_pool_pads", [("MaxPool", "x", "y", {**k, "strides": [2, 1], "pads": [1, 0, 1, 1]})], (2, 7, 6))
    case("max_pool_ceil", [("MaxPool", "x", "y", {**k, "strides": [2, 3], "ceil_mode": 1})], (2, 8, 6))
    case("max_pool_ceil_gaps", [("MaxPool", "x", "y", {"kernel_shape": [2, 2], "strides": [3, 4], "ceil_mode": 1, "pads": [1, 0, 0, 1]})], (2, 8, 9))
    case("max_pool_dilations", [("MaxPool", "x", "y", {**k, "dilations": [2, 3]})], (2, 8, 9))
    case("max_pool_same", [("MaxPool", "x", "y", {**k, "strides": [2, 2], "auto_pad": "SAME_UPPER"})], (2, 7, 6))
    case("max_pool_one_dimension", [("MaxPool", "x", "y", {"kernel_shape": [3], "strides": [2]})], (2, 9))
    case("max_pool_opset_7", [("MaxPool", "x", "y", {"kernel_shape": [2, 2], "strides": [2, 2]})], (2, 6, 6), opset=7)
    pads = {"pads": [1, 1, 0, 1], "strides": [2, 2]}
    case("average_pool_without_pads", [("AveragePool", "x", "y", {**k, **pads})], (2, 7, 6))
    case("average_pool_with_pads", [("AveragePool", "x", "y", {**k, **pads, "count_include_pad": 1})], (2, 7, 6))
    case("average_pool_ceil", [("AveragePool", "x", "y", {**k, **pads, "ceil_mode": 1})], (2, 8, 6), opset=19, ir=9)
    case("average_pool_ceil_with_pads", [("AveragePool", "x", "y", {**k, **pads, "ceil_mode": 1, "count_include_pad": 1})], (2, 8, 6), opset=19, ir=9)
    case("average_pool_same_lower", [("AveragePool", "x", "y", {**k, "strides": [2, 2], "auto_pad": "SAME_LOWER"})], (2, 7, 6))
    case("average_pool_dilations", [("AveragePool", "x", "y", {**k, "dilations": [2, 2]})], (2, 8, 8), opset=19, ir=9)
    case("global_average_pool", [("GlobalAveragePool", "x", "y")], (3, 4, 5))
    case("global_max_pool", [("GlobalMaxPool", "x", "y")], (3, 4, 5))
    case("reduce_mean_attribute", [("ReduceMean", "x", "y", {"axes": [2, 3], "keepdims": 0})], (3, 4, 5))
    case("reduce_mean_input", [("ReduceMean", "x a", "y")], (3, 4, 5), [constant("a", [-1, -2], np.int64)], opset=18)
    case("reduce_mean_channels_last", [("ReduceMean", "x", "y", {"axes": [1, 2], "keepdims": 0})], (4, 5, 3))
    case("reduce_max_rows", [("ReduceMax", "x", "y", {"axes": [2]})], (3, 4, 5))


def layouts():
    case("pad_attributes", [("Pad", "x", "y", {"pads": [0, 0, 1, 2, 0, 0, 0, 1], "value": 0.5})], (2, 3, 4), opset=10)
    case("pad_inputs", [("Pad", "x p v", "y")], (2, 3, 4), [constant("p", [0, 1, 1, 0, 0, 2, 0, 1], np.int64), constant("v", -0.5)])
    case("pad_axes", [("Pad", "x p - a", "y")], (2, 3, 4), [constant("p", [1, 2], np.int64), constant("a", [-1], np.int64)], opset=18)
    shape = [("Shape", "x", "s"), ("Gather", "s i", "n"), ("Unsqueeze", "n", "u", {"axes": [0]}), ("Concat", "u m", "t", {"axis": 0}),
             ("Reshape", "x t", "y")]
    case("reshape_folded_shape", shape, (3, 4, 5), [constant("i", 0, np.int64), constant("m", [-1], np.int64)], opset=11)
    case("reshape_zero_and_minus_one", [("Reshape", "x s", "y")], (3, 4, 5), [constant("s", [0, -1, 5], np.int64)])
    case("flatten_gemm", [("Flatten", "x", "f"), ("Gemm", "f w", "y")], (3, 2, 2), [constant("w", numbers("fg", 12, 5))])
    case("flatten_last", [("Flatten", "x", "y", {"axis": -3})], (3, 2, 2))
    case("squeeze_attribute", [("Squeeze", "x", "y", {"axes": [2, 3]})], (3, 1, 1), opset=11)
    case("squeeze_unsqueeze_inputs", [("Squeeze", "x a", "s"), ("Unsqueeze", "s b", "y")], (3, 1, 5),
         [constant("a", [2], np.int64), constant("b", [3], np.int64)])
    case("transpose", [("Transpose", "x", "y", {"perm": [0, 3, 1, 2]})], (3, 4, 5))
    case("transpose_there_and_back", [("Transpose", "x", "t", {"perm": [0, 2, 3, 1]}), ("Relu", "t", "r"),
                                      ("Transpose", "r", "y", {"perm": [0, 3, 1, 2]})], (3, 4, 5))
    case("channel_shuffle", [("Reshape", "x s", "a"), ("Transpose", "a", "b", {"perm": [0, 2, 1, 3, 4]}), ("Reshape", "b t", "y")], (6, 3, 4),
         [constant("s", [-1, 2, 3, 3, 4], np.int64), constant("t", [-1, 6, 3, 4], np.int64)])
    case("concat_channels", [("Relu", "x", "r"), ("Tanh", "x", "t"), ("Concat", "x r t", "y", {"axis": 1})], (3, 4, 5))
    case("concat_features", [("Relu", "x", "r"), ("Concat", "r x", "y", {"axis": -1})], (5,))
    case("slice_every_second", [("Slice", "x a b c d", "y")], (3, 5, 6),
         [constant("a", [0, 0], np.int64), constant("b", [2**63 - 1, 2**63 - 1], np.int64), constant("c", [2, 3], np.int64), constant("d", [2, 2], np.int64)])
    case("identity_dropout_cast", [("Identity", "x", "a"), ("Dropout", "a", "b"), ("Cast", "b", "c", {"to": TensorProto.FLOAT}), ("Relu", "c", "y")], (3, 4))
    case("dropout_opset_7", [("Dropout", "x", "b", {"ratio": 0.3}), ("Relu", "b", "y")], (3, 4), opset=7)
    case("constants", [("Constant", "", "a", {"value_floats": [1.0, 2.0, 3.0]}), ("Constant", "", "b", {"value_float": 0.5}),
                       ("Constant", "", "s", {"value_ints": [3, 1]}), ("Reshape", "a s", "r"), ("Mul", "x r", "m"), ("Add", "m b", "y")], (3, 4))
    expand = [("Shape", "w", "s"), ("ConstantOfShape", "s", "o", {"value": helper.make_tensor("v", TensorProto.FLOAT, [1], [2.0])}),
              ("Equal", "w z", "e"), ("Where", "e o w", "c"), ("Expand", "c d", "f"), ("Slice", "f a b", "g"), ("Mul", "x g", "y")]
    case("folded_choices", expand, (3, 4),
         [constant("w", [[0.0], [1.0], [0.0]]), constant("z", 0.0), constant("d", [3, 5], np.int64), constant("a", [0, 1], np.int64), constant("b", [3, -1 + 6], np.int64)])
    case("range_gather", [("Range", "a b c", "r"), ("Cast", "r", "f", {"to": TensorProto.FLOAT}), ("Gather", "w r", "g"), ("Add", "x g", "m"), ("Mul", "m f", "y")],
         (3,), [constant("a", 0, np.int64), constant("b", 6, np.int64), constant("c", 2, np.int64), constant("w", numbers("rg", 6))])


def qdq(name, kind, bits, signed, opset=13, ir=8, per_channel=True):
    """A convolution and a linear layer between QuantizeLinear and DequantizeLinear."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    zero = 0 if signed else 2 ** (bits - 1) - 3
    step = 2.0 / (high - low)
    w = np.clip(np.round(numbers(name + "w", 4, 2, 3, 3, scale=100)), -127, 127)
    v = np.clip(np.round(numbers(name + "v", 5, 16, scale=100)), -127, 127)
    scales = np.abs(numbers(name + "s", 4)) * 0.01 + 0.002 if per_channel else np.float32(0.004)
    zeros = np.zeros(4) if per_channel else 3
    initializers = [constant("xs", step), constant("ws", scales), constant("wz", zeros, np.int8), constant("w", w, np.int8),
                    constant("v", v, np.int8), constant("vs", 0.01), constant("vz", 0, np.int8), constant("ys", 6 * step), constant("b", numbers(name + "b", 4))]
    initializers.append(helper.make_tensor("xz", kind, [], [zero]))
    nodes = [("QuantizeLinear", "x xs xz", "a"), ("DequantizeLinear", "a xs xz", "b1"),
             ("DequantizeLinear", "w ws wz", "wf", {"axis": 0} if per_channel else {}), ("Conv", "b1 wf b", "c"), ("Relu", "c", "r"),
             ("QuantizeLinear", "r ys xz", "d"), ("MaxPool", "d", "p", {"kernel_shape": [2, 2], "strides": [2, 2]}) if bits == 8 else ("Identity", "d", "p"),
             ("DequantizeLinear", "p ys xz", "e")]
    if bits == 8:
        nodes += [("Flatten", "e", "f"), ("DequantizeLinear", "v vs vz", "vf"), ("Transpose", "vf", "vt"), ("MatMul", "f vt", "g"),
                  ("QuantizeLinear", "g ys xz", "h"), ("DequantizeLinear", "h ys xz", "y")]
    else:
        nodes += [("Identity", "e", "y")]
    case(name, nodes, (2, 6, 6), initializers, opset=opset, ir=ir)


def quantised():
    qdq("qdq_unsigned", TensorProto.UINT8, 8, False)
    qdq("qdq_signed_per_tensor", TensorProto.INT8, 8, True, per_channel=False)
    qdq("qdq_16_bits", TensorProto.UINT16, 16, False, opset=21, ir=10)
    w4 = helper.make_tensor("w", TensorProto.INT4, [3, 5], [int(v) for v in np.round(numbers("w4", 15, scale=7))])
    case("qdq_4_bit_weight", [("DequantizeLinear", "w s z", "f", {"axis": 0}), ("Gemm", "x f", "y", {"transB": 1})], (5,),
         [w4, constant("s", [0.1, 0.2, 0.3]), helper.make_tensor("z", TensorProto.INT4, [3], [0, 0, 0])], opset=21, ir=10)
    case("quantised_weight_folded", [("QuantizeLinear", "w s z", "q"), ("DequantizeLinear", "q s z", "f"), ("Gemm", "x f", "y")], (5,),
         [constant("w", numbers("qwf", 5, 3)), constant("s", 0.02), constant("z", 0, np.int8)])
    codes = [constant("xs", 2 / 255), constant("xz", 120, np.uint8), constant("ys", 0.05), constant("yz", 130, np.uint8)]
    weight = lambda name, *shape: constant("w", np.round(numbers(name, *shape, scale=100)), np.int8)
    case("qlinear_conv", [("QuantizeLinear", "x xs xz", "a"), ("QLinearConv", "a xs xz w ws wz ys yz b", "c", {"pads": [1, 1, 1, 1]}), ("DequantizeLinear", "c ys yz", "y")],
         (2, 5, 5), codes + [weight("qlc", 3, 2, 3, 3), constant("ws", [0.01, 0.02, 0.005]), constant("wz", [0, 0, 0], np.int8), constant("b", [100, -50, 7], np.int32)])
    case("qlinear_matmul", [("QuantizeLinear", "x xs xz", "a"), ("QLinearMatMul", "a xs xz w ws wz ys yz", "c"), ("DequantizeLinear", "c ys yz", "y")],
         (6,), codes + [constant("w", np.round(numbers("qlm", 6, 4, scale=100)) + 110, np.uint8), constant("ws", 0.01), constant("wz", 110, np.uint8)])
    case("conv_integer", [("QuantizeLinear", "x xs xz", "a"), ("ConvInteger", "a w xz wz", "c", {"pads": [1, 1, 0, 0]}), ("Cast", "c", "f", {"to": 1}), ("Mul", "f s", "y")],
         (2, 5, 5), codes + [constant("w", np.round(numbers("ci", 3, 2, 3, 3, scale=100)) + 110, np.uint8), constant("wz", 110, np.uint8), constant("s", 0.01)])
    case("matmul_integer_input_codes", [("MatMulInteger", "x w xz wz", "c"), ("Cast", "c", "f", {"to": 1}), ("Mul", "f s", "y")], (6,),
         [weight("mi", 6, 4), constant("xz", 7, np.uint8), constant("wz", 3, np.int8), constant("s", 0.01)], element=TensorProto.UINT8,
         feed=np.random.RandomState(5).randint(0, 256, (IMAGES, 6)).astype(np.uint8))
    # The range of a dynamic quantisation is that of the whole batch in ONNX: one image here.
    case("dynamic_quantise_linear", [("DynamicQuantizeLinear", "x", "q s z"), ("MatMulInteger", "q w z wz", "c"), ("Cast", "c", "f", {"to": 1}),
                                     ("Mul", "s ws", "t"), ("Mul", "f t", "m"), ("Add", "m b", "y")], (6,),
         [weight("dq", 6, 4), constant("wz", 0, np.int8), constant("ws", 0.01), constant("b", numbers("dqb", 4))], batch=1)
    case("dynamic_quantise_convolution", [("DynamicQuantizeLinear", "x", "q s z"), ("ConvInteger", "q w z wz", "c", {"strides": [2, 2]}), ("Cast", "c", "f", {"to": 1}),
                                          ("Mul", "ws s", "t"), ("Mul", "f t", "y")], (2, 7, 7),
         [weight("dqc", 3, 2, 3, 3), constant("wz", 0, np.int8), constant("ws", 0.01)], batch=1)
    m = {"domain": "com.microsoft"}
    case("microsoft_operators", [("QuantizeLinear", "x xs xz", "a"), ("QLinearAdd", "a xs xz a xs xz ys yz", "c", m),
                                 ("QLinearGlobalAveragePool", "c ys yz ys yz", "p", m), ("Flatten", "p", "f"),
                                 ("QGemm", "f ys yz w ws wz b", "y", {**m, "transB": 1})], (3, 4, 4),
         codes + [weight("mo", 5, 3), constant("ws", 0.01), constant("wz", 0, np.int8), constant("b", [10, 0, -10, 3, 5], np.int32)], domains=["com.microsoft"])


ROUNDINGS = {"ROUND": np.round, "FLOOR": np.floor, "CEIL": np.ceil, "ROUND_TO_ZERO": np.fix, "UP": lambda v: np.sign(v) * np.ceil(np.abs(v)),
             "HALF_UP": lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5), "HALF_DOWN": lambda v: np.sign(v) * np.ceil(np.abs(v) - 0.5)}


def quant(x, scale, zero, bits, signed, narrow, mode="ROUND"):
    """Quant as the QONNX specification defines it."""
    low, high = (-(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1 - narrow)
    return (np.clip(ROUNDINGS[mode](x / np.float32(scale) + zero), low, high) - zero) * np.float32(scale)


def qonnx():
    domain = "qonnx.custom_op.general"
    parts = lambda scale, zero, bits: [constant("s", scale), constant("z", zero), constant("b", float(bits))]
    for mode in ROUNDINGS:
        case(f"qonnx_quant_{mode.lower()}", [("Quant", "x s z b", "y", {"domain": domain, "signed": 1, "narrow": 1, "rounding_mode": mode})], (3, 4),
             parts(0.25, 0.0, 3), domains=[domain], reference=lambda x, mode=mode: quant(x, 0.25, 0, 3, 1, 1, mode),
             feed=np.round(numbers("q" + mode, IMAGES, 3, 4) * 8) / 8)
    scale = np.abs(numbers("qch", 1, 3, 1, 1)) + 0.05
    case("qonnx_quant_channels", [("Quant", "x s z b", "y", {"domain": "onnx.brevitas", "signed": 0, "narrow": 0, "rounding_mode": "ROUND"})], (3, 4, 4),
         parts(scale, 2.0, 4), domains=["onnx.brevitas"], reference=lambda x: quant(x, scale, 2, 4, 0, 0))
    w = numbers("qw", 4, 6)
    ws = np.abs(numbers("qws", 4, 1)) * 0.2 + 0.1
    nodes = [("Quant", "w s z b", "f", {"domain": domain, "signed": 1, "narrow": 1}), ("Transpose", "f", "t"), ("MatMul", "x t", "m"), ("BipolarQuant", "m bs", "y", {"domain": domain})]
    case("qonnx_weights", nodes, (6,), parts(ws, 0.0, 2) + [constant("w", w), constant("bs", 0.5)], domains=[domain],
         reference=lambda x: np.where(x @ quant(w, ws, 0, 2, 1, 1).T >= 0, 0.5, -0.5))
    bw = numbers("bw", 4, 6)
    case("qonnx_bipolar_weights", [("BipolarQuant", "w bs", "f", {"domain": domain}), ("Gemm", "x f", "y", {"transB": 1})], (6,),
         [constant("w", bw), constant("bs", 0.125)], domains=[domain], reference=lambda x: x @ np.where(bw >= 0, 0.125, -0.125).T)


def precisions():
    """Casts of maps, around ties, small numbers without leading ones and the largest ones."""
    feed = np.array([[0.1, -0.1, 1 / 3, 2049.0, 2051.0, 1e-7, 3e-8, -2e-8, 65504.0, 65519.0, 65520.0 - 1e-2, 1.0009765625]], np.float32)
    case("cast_half", [("Cast", "x", "h", {"to": TensorProto.FLOAT16}), ("Cast", "h", "y", {"to": TensorProto.FLOAT})], (12,), feed=feed)
    case("cast_brain_float", [("Cast", "x", "h", {"to": TensorProto.BFLOAT16}), ("Cast", "h", "y", {"to": TensorProto.FLOAT})], (12,), feed=feed)


def small(name, *shape):
    return constant(name, numbers("e" + name, *shape, scale=0.5))


def endings():
    """Small networks that do not end in a fully connected layer, and one whose average leaves padding out."""
    body = [("Conv", "x w", "a", {"pads": [1, 1, 1, 1]}), ("Relu", "a", "r"), ("Conv", "r v", "c"), ("Relu", "c", "s")]
    parts = [small("w", 8, 2, 3, 3), small("v", 5, 8, 1, 1)]
    case("ends_in_average", body + [("GlobalAveragePool", "s", "g"), ("Flatten", "g", "f"), ("Softmax", "f", "y")], (2, 6, 6), parts)
    case("ends_in_maximum", body + [("GlobalMaxPool", "c", "g"), ("Flatten", "g", "y")], (2, 6, 6), parts)
    case("ends_in_relu", [("Conv", "x w", "a"), ("Relu", "a", "r"), ("Flatten", "r", "f"), ("Gemm", "f m b", "g"), ("Relu", "g", "y")], (2, 5, 5),
         [small("w", 4, 2, 3, 3), small("m", 36, 6), small("b", 6)])
    residual = [("Conv", "x w", "a"), ("Flatten", "a", "f"), ("Gemm", "f m", "g"), ("Relu", "g", "r"), ("Gemm", "r n", "h")]
    parts = [small("w", 4, 2, 3, 3), small("m", 36, 6), small("n", 6, 6)]
    case("ends_in_sum", residual + [("Add", "h r", "y")], (2, 5, 5), parts)
    case("ends_in_joined_maps", residual + [("Concat", "h r", "y", {"axis": 1})], (2, 5, 5), parts)
    uncounted = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    case("average_in_network", body[:2] + [("AveragePool", "r", "p", uncounted), ("Flatten", "p", "f"), ("Gemm", "f m", "y")], (2, 7, 7),
         [small("w", 8, 2, 3, 3), small("m", 128, 4)])


def binary():
    """A network whose weights are -1 and 1 times a scale; 0 counts as positive."""
    domain = "qonnx.custom_op.general"
    sign = lambda w, s: np.where(w >= 0, s, -s).astype(np.float32)
    w, v = numbers("binw", 6, 2, 3, 3), numbers("binv", 54, 4)
    w[0, 0, 0, 0] = 0.0
    nodes = lambda a, b: a + [("Conv", f"x {b[0]}", "c", {"pads": [0, 0, 0, 0]}), ("Relu", "c", "r"), ("Flatten", "r", "f"), ("Gemm", f"f {b[1]}", "y")]
    plain = build("binary", [helper.make_node(op, i.split(), [o], **(rest[0] if rest else {})) for op, i, o, *rest in nodes([], ["w", "v"])], (2, 5, 5),
                  [constant("w", sign(w, 0.125)), constant("v", sign(v, 0.25))], 13, 8, (), "N", TensorProto.FLOAT, False)
    quants = [("BipolarQuant", "w s", "p", {"domain": domain}), ("BipolarQuant", "v t", "q", {"domain": domain})]
    case("qonnx_binary_network", nodes(quants, ["p", "q"]), (2, 5, 5), [constant("w", w), constant("v", v), constant("s", 0.125), constant("t", 0.25)],
         domains=[domain], reference=lambda x: run(plain, {"x": x}))


def odd_zeros():
    """Quant rounds after its zero point is added, so that an odd one turns ties to the odd codes."""
    domain = "qonnx.custom_op.general"
    quantise = lambda i, o: ("Quant", f"{i} s z b", o, {"domain": domain, "signed": 0, "narrow": 0})
    relu = lambda x: np.where(x > 0, x, np.float32(0.5) * x)
    m, n = numbers("om", 8, 6, scale=0.5), numbers("on", 6, 4, scale=0.5)
    for name, scale in [("odd_zero", 0.037), ("odd_zero_ties", 0.25)]:
        mm, weights, quants = m, [constant("m", m), constant("n", n)], []
        if name == "odd_zero_ties":
            # Weights in steps of powers of two, and an input that is rounded to such.
            mm = quant(m, 0.125, 0, 4, 1, 1)
            weights += [constant("ws", 0.125), constant("wz", 0.0), constant("wb", 4.0)]
            quants = [("Quant", "m ws wz wb", "k", {"domain": domain, "signed": 1, "narrow": 1}), ("Quant", "x ws wz wb", "i", {"domain": domain, "signed": 1, "narrow": 1})]
        seen = (lambda x: quant(x, 0.125, 0, 4, 1, 1)) if quants else (lambda x: x)
        nodes = quants + [("Gemm", ("i k" if quants else "x m"), "g"), quantise("g", "q"), ("LeakyRelu", "q", "l", {"alpha": 0.5}), quantise("l", "p"), ("Gemm", "p n", "y")]
        if quants:
            # Of tables alone: what lies before them is no sum.
            case("qonnx_odd_zero_table", quants[1:] + [("LeakyRelu", "i", "l", {"alpha": 0.5}), quantise("l", "p"), ("Gemm", "p n2", "y")], (8,),
                 weights[2:] + [constant("n2", m[:, :4]), constant("s", 0.125), constant("z", 3.0), constant("b", 4.0)], domains=[domain],
                 reference=lambda x: quant(relu(seen(x)), 0.125, 3, 4, 0, 0) @ m[:, :4])
        case("qonnx_" + name, nodes, (8,), weights + [constant("s", scale), constant("z", 7.0), constant("b", 4.0)], domains=[domain],
             reference=lambda x, scale=scale, mm=mm, seen=seen: quant(relu(quant(seen(x) @ mm, scale, 7, 4, 0, 0)), scale, 7, 4, 0, 0) @ n)


def networks():
    """Three whole networks as the ordinary exporter writes them."""
    import torch
    from torch import nn
    torch.manual_seed(1)

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
            self.a = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8))
            self.b = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16))
            self.shortcut = nn.Sequential(nn.Conv2d(8, 16, 1, 2, bias=False), nn.BatchNorm2d(16))
            self.head = nn.Linear(16, 10)

        def forward(self, x):
            x = self.stem(x)
            x = torch.relu(x + self.a(x))
            x = torch.relu(self.b(x) + self.shortcut(x))
            return self.head(x.mean((2, 3)))

    def separable(inputs, outputs, stride):
        return [nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False), nn.BatchNorm2d(inputs), nn.ReLU6(),
                nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU6()]

    cnn = nn.Sequential(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.LeakyReLU(0.1), nn.AvgPool2d(2),
                        nn.Flatten(), nn.Dropout(), nn.Linear(16 * 6 * 6, 32), nn.Tanh(), nn.Linear(32, 10), nn.LogSoftmax(1))
    depthwise = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(), *separable(8, 16, 1), *separable(16, 24, 2),
                              nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 4), nn.Softmax(1))
    for name, network, shape in [("network_cnn", cnn, (1, 28, 28)), ("network_residual", Residual(), (3, 16, 16)), ("network_depthwise", depthwise, (3, 24, 24))]:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.2, 0.2)
                module.running_var.uniform_(0.5, 1.5)
        network.eval()
        x = numbers(name, IMAGES, *shape)
        path = HERE / f"{name}.onnx"
        batch = torch.export.Dim("batch", min=1)
        torch.onnx.export(network, (torch.from_numpy(x),), str(path), input_names=["image"], output_names=["scores"], external_data=False,
                          dynamic_shapes=({0: batch},), dynamo=True, verbose=False)
        model = onnx.load(path)
        strip(model)
        finish(name, model, x, run(model, {"image": x}))


def strip(model):
    """Removes what says where in which file a node was made."""
    model.doc_string = ""
    for item in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer, model.graph]:
        item.doc_string = ""
        if hasattr(item, "metadata_props"):
            del item.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]


def main():
    warnings.simplefilter("ignore")
    for old in HERE.glob("*.onnx"):
        old.unlink()
    for part in [convolutions, products, arithmetic, normalisations, activations, pools, layouts, quantised, qonnx, precisions, endings, binary, odd_zeros, networks]:
        part()
    save_file(REFERENCES, HERE / "references.safetensors")
    files = sorted(HERE.glob("*.onnx"))
    print(f"{len(files)} models, {sum(f.stat().st_size for f in files)} bytes", file=sys.stderr)


main()
