//! Softmax cross-entropy.

use nn::argmax;

/// Loss of a batch and what follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Mean over the images of `-ln(softmax(logits)[label])`, in nats.
    pub mean: f64,
    /// Number of images whose largest logit is at their label, ties going to the lowest class.
    pub correct: usize,
    /// Gradient of the mean with respect to the logits, `[image][class]`.
    pub gradient: Vec<f32>,
}

/// Softmax cross-entropy of a batch of logits `[image][class]`, in `f64` with `libm`'s `exp` and `log`, so that it is the same bits on
/// every machine. Large logits cannot overflow it. An empty batch has loss 0.
///
/// # Panics
/// If there are not `classes` logits for every label or a label is not below `classes`; [`super::Chain`] checks both.
#[must_use]
pub fn softmax_cross_entropy(logits: &[f32], labels: &[u8], classes: usize) -> Loss {
    assert_eq!(logits.len(), labels.len() * classes, "one logit per image and class");
    let count = labels.len().max(1) as f64;
    let mut loss = Loss { mean: 0.0, correct: 0, gradient: Vec::with_capacity(logits.len()) };
    for (row, &label) in logits.chunks_exact(classes).zip(labels) {
        let label = usize::from(label);
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shifted = |logit: f32| f64::from(logit) - f64::from(largest);
        let exponentials: Vec<f64> = row.iter().map(|&logit| libm::exp(shifted(logit))).collect();
        let sum: f64 = exponentials.iter().sum();
        loss.mean += libm::log(sum) - shifted(row[label]);
        loss.correct += usize::from(argmax(row) == label);
        loss.gradient.extend(exponentials.iter().enumerate().map(|(class, exponential)| {
            let target = if class == label { 1.0 } else { 0.0 };
            ((exponential / sum - target) / count) as f32
        }));
    }
    loss.mean /= count;
    loss
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{TOLERANCE, relative_error, values};
    use super::*;

    #[test]
    fn the_gradient_is_the_slope() {
        let (logits, labels) = (values(4 * 5, 9), [0, 3, 4, 3]);
        let gradient = softmax_cross_entropy(&logits, &labels, 5).gradient;
        let loss = |logits: &[f32]| softmax_cross_entropy(logits, &labels, 5).mean;
        assert!(relative_error(&gradient, &logits, 1e-2, loss) < TOLERANCE);
        let flipped: Vec<f32> = gradient.iter().map(|g| -g).collect();
        assert!(relative_error(&flipped, &logits, 1e-2, loss) > TOLERANCE);
        let not_mean: Vec<f32> = gradient.iter().map(|g| g * 4.0).collect();
        assert!(relative_error(&not_mean, &logits, 1e-2, loss) > TOLERANCE);
    }

    #[test]
    fn known_values() {
        let loss = softmax_cross_entropy(&[0.0; 10], &[7], 10);
        assert!((loss.mean - 10f64.ln()).abs() < 1e-12);
        assert_eq!((loss.correct, loss.gradient[0], loss.gradient[7]), (0, 0.1, -0.9));
        // softmax(ln 1, ln 3) = 1/4, 3/4.
        let loss = softmax_cross_entropy(&[0.0, 3f32.ln()], &[1], 2);
        assert!((loss.mean - (4.0f64 / 3.0).ln()).abs() < 1e-7 && loss.correct == 1);
        assert_eq!(softmax_cross_entropy(&[], &[], 3).mean, 0.0);
    }

    #[test]
    fn huge_logits_stay_finite() {
        let loss = softmax_cross_entropy(&[3e38, -3e38, 0.0], &[1], 3);
        assert!(loss.mean.is_finite() && loss.gradient.iter().all(|g| g.is_finite()));
        assert_eq!(loss.gradient, [1.0, -1.0, 0.0]);
    }
}
