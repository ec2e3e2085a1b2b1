//! Rectified linear unit `max(x, 0)`.

/// `max(x, 0)` of every value; what is not above zero (`-0`, `NaN`) gives `+0`.
#[must_use]
pub fn relu_forward(input: &[f32]) -> Vec<f32> {
    input.iter().map(|&x| if x > 0.0 { x } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::relu_forward;

    #[test]
    fn negative_values_become_plus_zero() {
        let output = relu_forward(&[-1.0, -0.0, 0.0, 2.5, f32::NAN]);
        assert_eq!(output.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), [0, 0, 0, 2.5f32.to_bits(), 0]);
    }
}
