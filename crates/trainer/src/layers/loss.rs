//! Softmax cross-entropy.

use nn::argmax;

/// Loss of some images.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Loss {
    /// Sum over the images of `-ln(softmax(logits)[label])`, in nats.
    pub(crate) sum: f64,
    /// Number of images whose largest logit is at their label, ties going to the lowest class.
    pub(crate) correct: usize,
}

/// Softmax cross-entropy of logits `[image][class]`, in `f64` with `libm`'s `exp` and `log`, so that it is the same bits on every machine.
/// Large logits cannot overflow it. `slope` becomes the gradient of the mean over `batch` images, of which these are a part.
///
/// # Panics
/// If a label is not a class.
pub(super) fn softmax_cross_entropy(logits: &[f32], labels: &[u8], batch: usize, slope: &mut [f32]) -> Loss {
    let mut loss = Loss::default();
    let classes = logits.len() / labels.len().max(1);
    let rows = logits.chunks_exact(classes.max(1)).zip(slope.chunks_exact_mut(classes.max(1)));
    for ((row, slope), &label) in rows.zip(labels) {
        let label = usize::from(label);
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shifted = |logit: f32| f64::from(logit) - f64::from(largest);
        let sum: f64 = row.iter().map(|&logit| libm::exp(shifted(logit))).sum();
        loss.sum += libm::log(sum) - shifted(row[label]);
        loss.correct += usize::from(argmax(row) == label);
        for (class, (slope, &logit)) in slope.iter_mut().zip(row).enumerate() {
            let target = if class == label { 1.0 } else { 0.0 };
            *slope = ((libm::exp(shifted(logit)) / sum - target) / batch as f64) as f32;
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{TOLERANCE, relative_error, values};
    use super::*;

    /// Mean loss and its gradient.
    fn mean(logits: &[f32], labels: &[u8]) -> (f64, Vec<f32>, usize) {
        let mut slope = vec![0.0; logits.len()];
        let loss = softmax_cross_entropy(logits, labels, labels.len(), &mut slope);
        (loss.sum / labels.len() as f64, slope, loss.correct)
    }

    #[test]
    fn the_gradient_is_the_slope() {
        let (logits, labels) = (values(4 * 5, 9), [0, 3, 4, 3]);
        let gradient = mean(&logits, &labels).1;
        let loss = |logits: &[f32]| mean(logits, &labels).0;
        assert!(relative_error(&gradient, &logits, 1e-2, loss) < TOLERANCE);
        let flipped: Vec<f32> = gradient.iter().map(|g| -g).collect();
        assert!(relative_error(&flipped, &logits, 1e-2, loss) > TOLERANCE);
        let not_mean: Vec<f32> = gradient.iter().map(|g| g * 4.0).collect();
        assert!(relative_error(&not_mean, &logits, 1e-2, loss) > TOLERANCE);
    }

    #[test]
    fn known_values() {
        let (loss, gradient, correct) = mean(&[0.0; 10], &[7]);
        assert!((loss - 10f64.ln()).abs() < 1e-12);
        assert_eq!((correct, gradient[0], gradient[7]), (0, 0.1, -0.9));
        // softmax(ln 1, ln 3) = 1/4, 3/4.
        let (loss, _, correct) = mean(&[0.0, 3f32.ln()], &[1]);
        assert!((loss - (4.0f64 / 3.0).ln()).abs() < 1e-7 && correct == 1);
    }

    #[test]
    fn huge_logits_stay_finite() {
        let (loss, gradient, _) = mean(&[3e38, -3e38, 0.0], &[1]);
        assert!(loss.is_finite() && gradient.iter().all(|g| g.is_finite()));
        assert_eq!(gradient, [1.0, -1.0, 0.0]);
    }
}
