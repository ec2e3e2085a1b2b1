use super::*;
use crate::config::{Kind, load};
use crate::datasets;
use crate::kept::tests::{Counts, StopsAt};
use crate::progress::Silent;
use crate::store::{self, Store};

/// A comparison at an operating point, small enough to be run several times.
fn experiment() -> Experiment {
    let set = [
        "mappings=[\"isaac\", \"differential\"]",
        "methods=[\"conventional\", \"biased+noise\"]",
        "training_seeds=2",
        "chips=3",
        "training.epochs=3",
        "training.validation_chips=2",
        "operating_point={mapping=\"isaac\", accuracy=0.5, chips=3, images=200}",
        "sigma_axis={factors=[0.0, 1.0, 3.0], chips=3, images=0}",
    ];
    load(Kind::Experiment, "digits", &set.map(str::to_owned)).unwrap()
}

fn run(dataset: &Dataset) -> Comparison {
    compare(&experiment(), dataset, None, &Silent).unwrap()
}

fn rows(comparison: &Comparison) -> Vec<Row> {
    comparison.rows.iter().map(|compared| compared.row.clone()).collect()
}

/// With all test labels wrong, networks and operating point are the same; only what is reported changes.
#[test]
fn test_labels_choose_nothing() {
    let honest = datasets::load("digits-8x8", None).unwrap();
    let mut swapped = honest.clone();
    swapped.test.labels.iter_mut().for_each(|label| *label = (*label + 1) % 10);
    let (a, b) = (run(&honest), run(&swapped));
    assert_eq!(a.tried, b.tried);
    for (a, b) in a.rows.iter().zip(&b.rows) {
        assert_eq!(a.trained, b.trained);
        assert!(a.row.accuracy_mean > b.row.accuracy_mean + 0.2, "{} {}", a.row.accuracy_mean, b.row.accuracy_mean);
    }
}

#[test]
fn the_operating_point_has_the_accuracy_that_was_asked_for() {
    let dataset = datasets::load("digits-8x8", None).unwrap();
    let comparison = run(&dataset);
    let chosen = comparison.tried.last().unwrap();
    assert!(chosen.chosen && (chosen.validation_accuracy - 0.5).abs() < 0.05, "{:?}", comparison.tried);
    let conventional = &comparison.rows[0].row;
    assert_eq!((conventional.mapping.as_str(), conventional.sigma_scale), ("isaac", chosen.sigma_scale));
    // Other chips and images, hence not the same.
    assert!((conventional.accuracy_mean - 0.5).abs() < 0.2, "{conventional:?}");
    // Without variation an ideal converter would give the software's accuracy; at the table's own scale its chips are the first of the table's.
    assert_eq!(comparison.sigmas.len(), 4 * 3);
    let of_row = |index: usize| &comparison.sigmas[3 * index..3 * index + 3];
    for (index, compared) in comparison.rows.iter().enumerate() {
        let sigmas = of_row(index);
        assert!((sigmas[0].accuracy_mean - compared.row.software_accuracy).abs() < 0.05);
        assert!((sigmas[1].accuracy_mean - compared.row.accuracy_mean).abs() < 1e-12);
        assert!(sigmas[2].accuracy_mean < sigmas[0].accuracy_mean);
    }
}

#[test]
fn measures_of_papers_follow_from_the_row() {
    let dataset = datasets::load("digits-8x8", None).unwrap();
    let comparison = run(&dataset);
    for (efficiency, compared) in comparison.efficiencies().iter().zip(&comparison.rows) {
        let row = &compared.row;
        assert!((efficiency.correct_tops_per_w - row.accuracy_mean * row.tops_per_w).abs() < 1e-12);
        let recovery = (row.accuracy_mean - 0.1) / (row.software_accuracy - 0.1);
        assert!((efficiency.recovery.unwrap() - recovery).abs() < 1e-12);
    }
}

/// What is done is taken as it is; what is not is done; the result is the same, and nothing is left behind.
#[test]
fn an_interrupted_comparison_goes_on() {
    let dataset = datasets::load("digits-8x8", None).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let unfinished = directory.path().join("unfinished");
    let keeping = |resume| Keeping { directory: &unfinished, every: 10, resume };
    let (whole, rest) = (Counts::default(), Counts::default());
    let expected = compare(&experiment(), &dataset, None, &whole).unwrap();
    let kept = || Store::open(&unfinished).ids(store::Kind::Evaluation).unwrap().len();
    // At every stage: stages after it have not begun, and what was done before it is there.
    let mut before = 0;
    for (stage, advances) in [("finding", 2), ("simulating,", 8), ("simulating other", 8)] {
        let stops = StopsAt::new(stage, advances);
        let run = || compare(&experiment(), &dataset, Some(&keeping(before > 0)), &stops).map(drop);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err(), "{stage}");
        assert!(kept() > before, "{stage}: nothing was kept");
        before = kept();
    }
    let resumed = compare(&experiment(), &dataset, Some(&keeping(true)), &rest).unwrap();
    // Neither the trainings nor what was simulated is done again.
    assert!(rest.steps() < whole.steps() / 8, "{} of {} steps", rest.steps(), whole.steps());
    assert_eq!((rows(&resumed), &resumed.tried, &resumed.sigmas), (rows(&expected), &expected.tried, &expected.sigmas));
    assert!(!unfinished.exists());
}

#[test]
fn an_accuracy_that_no_variation_gives_is_refused() {
    let dataset = datasets::load("digits-8x8", None).unwrap();
    let mut experiment = experiment();
    experiment.operating_point.as_mut().unwrap().accuracy = 0.01;
    let error = compare(&experiment, &dataset, None, &Silent).unwrap_err().to_string();
    assert!(error.contains("operating_point") && error.contains("64"), "{error}");
}
