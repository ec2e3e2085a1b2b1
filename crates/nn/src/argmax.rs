//! The predicted class.

/// Index of the largest score; equal scores go to the lowest index, so that every engine picks the same class. `NaN` never wins
/// against a number. An empty slice gives 0.
#[must_use]
pub fn argmax<T: PartialOrd + Copy>(scores: &[T]) -> usize {
    let mut best: Option<(usize, T)> = None;
    for (index, &score) in scores.iter().enumerate() {
        // A value that equals nothing, not even itself, is NaN; anything may replace it, and it replaces nothing.
        let is_number = score.partial_cmp(&score).is_some();
        if is_number && best.is_none_or(|(_, best)| score > best) {
            best = Some((index, score));
        }
    }
    best.map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::argmax;

    #[test]
    fn ties_go_to_the_lowest_index() {
        assert_eq!(argmax(&[1, 5, 5, 2]), 1);
        assert_eq!(argmax(&[-3i64, -3, -3]), 0);
        assert_eq!(argmax(&[0.0f32, -0.0]), 0);
    }

    #[test]
    fn nan_never_wins() {
        assert_eq!(argmax(&[f32::NAN, f32::NEG_INFINITY, -1.0]), 2);
        assert_eq!(argmax(&[0.5, f32::NAN, 0.25]), 0);
        assert_eq!(argmax(&[f32::NAN, f32::NEG_INFINITY]), 1);
        assert_eq!(argmax::<f32>(&[]), 0);
    }
}
