//! Numbers of 16 bits: what of a number remains in them.

/// The nearest number of IEEE 754 half precision, ties to even; infinite from 65 520 on.
pub(crate) fn half_precision(value: f64) -> f64 {
    shortened(value, 10, -14, 65_504.0)
}

/// The nearest `bfloat16`, ties to even: the upper half of an `f32`.
pub(crate) fn brain_float(value: f64) -> f64 {
    shortened(value, 7, -126, f64::from(f32::from_bits(0x7f7f_0000)))
}

/// The nearest number with `fraction` bits behind the point, ties to even, whose exponent is `lowest` at least; beyond `largest` it is infinite.
fn shortened(value: f64, fraction: i32, lowest: i32, largest: f64) -> f64 {
    if !value.is_finite() {
        return value;
    }
    let exponent = (value.to_bits() >> 52 & 2047) as i32 - 1023;
    let step = 2f64.powi(exponent.max(lowest) - fraction);
    let nearest = (value / step).round_ties_even() * step;
    if nearest.abs() > largest { f64::INFINITY.copysign(value) } else { nearest }
}
