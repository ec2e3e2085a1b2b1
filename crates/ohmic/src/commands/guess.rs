//! Networks that have learned nothing: what chips make of them says nothing about chips.

use explore::nn::datasets::Split;
use explore::trainer::Trained;

/// Share of the images that the commonest class leaves wrong which a network has right at least if it has learned something.
const LEARNED: f64 = 0.05;

/// What is told of a network that in software is hardly better than the name of the commonest class, whatever the image.
pub fn guess(who: &str, trained: &Trained, validation: &Split) -> Option<String> {
    let right = trained.epochs.get(trained.chosen)?.validation_software;
    let commonest = commonest(validation);
    is_hardly_better(right, commonest).then(|| {
        format!(
            "{who} has learned next to nothing: {:.1} % of validation images are right in software, {:.1} % would be by always naming their \
             commonest class, so that its accuracy on chips says nothing about them; a lower training.learning_rate, \
             training.weight_scale = \"fan-in\" where it is another, or more favourable states may help",
            100.0 * right,
            100.0 * commonest
        )
    })
}

fn is_hardly_better(right: f64, commonest: f64) -> bool {
    right < commonest + LEARNED * (1.0 - commonest)
}

/// Share of the commonest label.
fn commonest(split: &Split) -> f64 {
    let mut counts = [0_usize; 256];
    split.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    let most = counts.iter().max().copied().unwrap_or(0);
    most as f64 / split.labels.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_common_class_is_no_merit() {
        let labels = vec![1, 1, 1, 0, 1, 2, 1, 1, 3, 1];
        let split = Split { features: 1, images: vec![0.0; labels.len()], labels };
        assert_eq!(commonest(&split), 0.7);
        // Of ten classes, of two, and of two of which one is rare.
        for (commonest, least) in [(0.1, 0.145), (0.5, 0.525), (0.7, 0.715)] {
            assert!(is_hardly_better(commonest, commonest) && is_hardly_better(least - 1e-9, commonest));
            assert!(!is_hardly_better(least + 1e-9, commonest) && !is_hardly_better(1.0, commonest));
        }
    }
}
