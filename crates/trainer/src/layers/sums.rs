//! Sums of many values in a fixed order that vectors of any width can follow.

/// Sums that are carried side by side: value `i` goes into sum `i % LANES`, and at last the sums are added in ascending order.
const LANES: usize = 16;

/// Sum of what `of` makes of the values.
pub(super) fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, &value)| *sum += of(value));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, &value)| *sum += of(value));
    sums.iter().sum()
}

/// Sum of what `of` makes of pairs of values.
pub(super) fn sum_pairs(first: &[f32], second: &[f32], of: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (chunks, rest) = first.as_chunks::<LANES>();
    let (others, other_rest) = second.as_chunks::<LANES>();
    for (chunk, others) in chunks.iter().zip(others) {
        sums.iter_mut().zip(chunk.iter().zip(others)).for_each(|(sum, (&a, &b))| *sum += of(a, b));
    }
    sums.iter_mut().zip(rest.iter().zip(other_rest)).for_each(|(sum, (&a, &b))| *sum += of(a, b));
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_left_out() {
        for count in [0, 1, 15, 16, 17, 40] {
            let values: Vec<f32> = (1..=count).map(|value| value as f32).collect();
            let expected = (count * (count + 1) / 2) as f32;
            assert_eq!(sum(&values, |value| value), expected);
            assert_eq!(sum_pairs(&values, &values, |a, b| 2.0 * a - b), expected);
        }
    }
}
