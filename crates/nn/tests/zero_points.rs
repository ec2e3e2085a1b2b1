//! `Quant` of QONNX on maps with zero points: `clip(round(x / scale + zero))`, for every way of rounding.

use crate::writer::{Writer, int, text};
use nn::onnx::{Options, import};

const SCALE: f32 = 0.25;
const VALUES: [f32; 12] = [-2.0, -0.8, -0.625, -0.375, -0.3, -0.1, 0.1, 0.125, 0.375, 0.6, 0.9, 3.0];

/// The whole number for a code, as the specification of QONNX words it.
fn whole(mode: &str, code: f32) -> f32 {
    let (low, high) = (code.floor(), code.ceil());
    let tie = code - low == 0.5;
    let nearest = if code - low < 0.5 { low } else { high };
    match mode {
        "CEIL" => high,
        "FLOOR" => low,
        "UP" if code < 0.0 => low,
        "UP" => high,
        "DOWN" | "ROUND_TO_ZERO" if code < 0.0 => high,
        "DOWN" | "ROUND_TO_ZERO" => low,
        "HALF_UP" if tie && code < 0.0 => low,
        "HALF_UP" if tie => high,
        "HALF_DOWN" if tie && code < 0.0 => high,
        "HALF_DOWN" if tie => low,
        "ROUND" if tie && low % 2.0 == 0.0 => low,
        "ROUND" if tie => high,
        _ => nearest,
    }
}

/// What the import of one `Quant` of 4 bits makes of the values.
fn quantised(mode: &str, zero: f32, signed: bool) -> Vec<f32> {
    let mut writer = Writer::new(&[0, VALUES.len() as i64]);
    let parts = [SCALE, zero, 4.0].map(|number| writer.constant(&[], &[number]));
    let inputs: Vec<&str> = ["x"].into_iter().chain(parts.iter().map(String::as_str)).collect();
    let result = writer.node(
        "Quant",
        &inputs,
        vec![int("signed", signed.into()), int("narrow", 0), text("rounding_mode", mode)],
    );
    writer.graph.node[0].domain = "qonnx.custom_op.general".to_owned();
    let graph =
        import(&writer.bytes(&result), &Options::new("net", "random")).unwrap_or_else(|error| panic!("{error}"));
    graph.forward(&VALUES).unwrap()
}

#[test]
fn zero_points_are_added_before_rounding() {
    let modes = ["ROUND", "HALF_UP", "HALF_DOWN", "UP", "DOWN", "ROUND_TO_ZERO", "CEIL", "FLOOR"];
    for (mode, zero) in modes.into_iter().flat_map(|mode| [-2.0, 0.0, 1.0, 3.0, 4.0].map(|zero| (mode, zero))) {
        for (signed, lowest, highest) in [(true, -8.0, 7.0), (false, 0.0, 15.0)] {
            let code = |value: f32| whole(mode, value / SCALE + zero).clamp(lowest, highest);
            let expected = VALUES.map(|value| (code(value) - zero) * SCALE);
            assert_eq!(quantised(mode, zero, signed), expected, "{mode}, zero {zero}, signed {signed}");
        }
    }
}
