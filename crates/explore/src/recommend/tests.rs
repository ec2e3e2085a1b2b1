use super::*;
use crate::config::{Kind, load};
use crate::datasets;
use crate::kept::tests::{Counts, StopsAt};
use crate::progress::Silent;

fn judged(accuracy: f64, energy_j: f64, latency_s: f64) -> Judged {
    Judged {
        rung: 0,
        mapping: "isaac".to_owned(),
        training: "biased".to_owned(),
        adc_bits: 8,
        epochs: 1,
        chips: 2,
        images: 100,
        accuracy_mean: accuracy,
        accuracy_ci95_low: accuracy - 0.02,
        accuracy_ci95_high: accuracy + 0.02,
        energy_j,
        latency_s,
        on_front: false,
        kept: false,
    }
}

fn accuracies(judged: &[Judged]) -> Vec<f64> {
    judged.iter().map(|judged| judged.accuracy_mean).collect()
}

#[test]
fn what_may_keep_the_budget_comes_first_then_fronts_then_accuracy() {
    let all = vec![judged(0.70, 1.0, 1.0), judged(0.90, 5.0, 1.0), judged(0.89, 6.0, 1.0), judged(0.80, 2.0, 1.0)];
    let mut ranked = all.clone();
    front::rank(&mut ranked, &Budget::default());
    // 0.89 costs more than 0.90 and is worse; the others are a trade.
    assert_eq!(accuracies(&ranked), [0.90, 0.80, 0.70, 0.89]);
    assert_eq!(ranked.iter().map(|judged| judged.on_front).collect::<Vec<_>>(), [true, true, true, false]);
    let mut ranked = all;
    // Within its interval 0.80 may be 0.82.
    front::rank(&mut ranked, &Budget { accuracy: Some(0.815), energy_j: Some(5.5), latency_s: None });
    assert_eq!(accuracies(&ranked), [0.90, 0.80, 0.70, 0.89]);
    front::rank(&mut ranked, &Budget { accuracy: None, energy_j: Some(2.5), latency_s: Some(1.0) });
    assert_eq!(accuracies(&ranked), [0.80, 0.70, 0.90, 0.89]);
}

/// Trainings of two epochs are all below the floor; the cheapest design of the front is the least accurate, and what will be recommended.
#[test]
fn cheap_candidates_of_the_front_are_not_lost_to_accurate_ones() {
    let mut all: Vec<Judged> =
        (0..10).map(|step| judged(0.80 - 0.01 * f64::from(step), 20.0 - f64::from(step), 1.0)).collect();
    all.push(judged(0.60, 30.0, 1.0));
    let budget = Budget { accuracy: Some(0.9), ..Budget::default() };
    front::rank(&mut all, &budget);
    front::spread(&mut all, &budget);
    let kept: Vec<f64> = all.iter().take(4).map(|judged| judged.energy_j).collect();
    assert_eq!(kept, [20.0, 11.0, 19.0, 12.0]);
    assert_eq!((all.len(), all[10].energy_j), (11, 30.0));
    // Without a floor accuracy is what is asked for.
    front::rank(&mut all, &Budget::default());
    front::spread(&mut all, &Budget::default());
    assert!(accuracies(&all).windows(2).all(|pair| pair[0] > pair[1]));
}

#[test]
fn the_least_energy_that_keeps_the_accuracy_is_recommended() {
    let all = [judged(0.90, 5.0, 1.0), judged(0.84, 2.0, 1.0), judged(0.80, 1.0, 1.0)];
    let first = |budget: Budget| {
        let mut judged = all.to_vec();
        front::recommended(&mut judged, &budget).then(|| judged[0].accuracy_mean)
    };
    // The lower end of 0.84 is 0.82.
    assert_eq!(first(Budget { accuracy: Some(0.815), ..Budget::default() }), Some(0.84));
    assert_eq!(first(Budget { accuracy: Some(0.825), ..Budget::default() }), Some(0.90));
    assert_eq!(first(Budget { accuracy: Some(0.99), ..Budget::default() }), None);
    assert_eq!(first(Budget { energy_j: Some(2.0), ..Budget::default() }), Some(0.84));
    assert_eq!(first(Budget::default()), Some(0.90));
}

fn small(set: &[&str]) -> Recommendation {
    let small = [
        "adc_bits=[4, 8]",
        "experiment.mappings=[\"isaac\", \"differential\"]",
        "experiment.methods=[\"conventional\", \"noise-injection\"]",
        "experiment.training_seeds=1",
        "experiment.chips=4",
        "experiment.training.epochs=4",
        "halving.rungs=2",
        "halving.keep=0.5",
    ];
    let overrides: Vec<String> = small.iter().chain(set).map(|&set| set.to_owned()).collect();
    load(Kind::Recommendation, "digits", &overrides).unwrap()
}

#[test]
fn a_search_ends_with_a_front_and_one_choice() {
    let request = small(&["budget.accuracy=0.8"]);
    let honest = datasets::load("digits-8x8", None).unwrap();
    let found = recommend(&request, &honest, None, None, &Silent).unwrap();
    // Test labels choose nothing.
    let mut swapped = honest.clone();
    swapped.test.labels.iter_mut().for_each(|label| *label = (*label + 1) % 10);
    let other = recommend(&request, &swapped, None, None, &Silent).unwrap();
    assert_eq!(other.judged, found.judged);
    assert!(other.test.unwrap().accuracy_mean < 0.5);
    let rung = |number: u32| found.judged.iter().filter(move |judged| judged.rung == number);
    assert_eq!((rung(0).count(), rung(1).count()), (8, 4));
    assert_eq!(rung(0).filter(|judged| judged.kept).count(), 4);
    let chosen: Vec<&Judged> = rung(1).filter(|judged| judged.kept).collect();
    assert_eq!(chosen.len(), 1);
    assert!(
        chosen[0].accuracy_ci95_low >= 0.8
            && rung(1).all(|other| { other.accuracy_ci95_low < 0.8 || other.energy_j >= chosen[0].energy_j })
    );
    let test = found.test.unwrap();
    assert_eq!(
        (&test.mapping, &test.training, test.adc_bits),
        (&chosen[0].mapping, &chosen[0].training, chosen[0].adc_bits)
    );
    assert!((test.accuracy_mean - chosen[0].accuracy_mean).abs() < 0.08, "{test:?} {:?}", chosen[0]);
    // Later rungs spend more.
    assert!(rung(0).all(|a| rung(1).all(|b| a.epochs < b.epochs && a.chips < b.chips && a.images < b.images)));
}

/// Killed while it judges and while it trains, a search ends with the result of one that was left alone.
#[test]
fn an_interrupted_search_goes_on() {
    let dataset = datasets::load("digits-8x8", None).unwrap();
    let request = small(&["budget.accuracy=0.05", "experiment.mappings=[\"isaac\"]", "experiment.images=100"]);
    let directory = tempfile::tempdir().unwrap();
    let unfinished = directory.path().join("unfinished");
    let keeping = |resume| Keeping { directory: &unfinished, every: 10, resume };
    let (whole, rest) = (Counts::default(), Counts::default());
    let expected = recommend(&request, &dataset, None, None, &whole).unwrap();
    for (resume, stage, steps) in [(false, "rung 1", 2), (true, "rung 2", 5), (true, "test images", 1)] {
        let stops = StopsAt::new(stage, steps);
        let run = || recommend(&request, &dataset, None, Some(&keeping(resume)), &stops).map(drop);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err(), "{stage}");
    }
    assert!(unfinished.join("rung-2").join("checkpoint-0.bin").exists());
    let found = recommend(&request, &dataset, None, Some(&keeping(true)), &rest).unwrap();
    // Neither the trainings nor what was judged is done again.
    assert!(rest.steps() < whole.steps() / 8, "{} of {} steps", rest.steps(), whole.steps());
    assert_eq!((found.judged, found.test), (expected.judged, expected.test));
    assert!(!unfinished.exists());
}

#[test]
fn a_network_is_trained_further() {
    let dataset = datasets::load("digits-8x8", None).unwrap();
    let request = small(&["experiment.mappings=[\"differential\"]", "experiment.training.epochs=1", "halving.rungs=1"]);
    let scratch = recommend(&request, &dataset, None, None, &Silent).unwrap();
    let network = crate::training::train_all(&small(&[]).experiment, &dataset, &Default::default(), &Silent).unwrap();
    let further = recommend(&request, &dataset, Some(&network[0].trained.network), None, &Silent).unwrap();
    let best = |found: &Found| found.judged[0].accuracy_mean;
    assert!(best(&further) > best(&scratch) + 0.05, "{} {}", best(&further), best(&scratch));
}

#[test]
fn what_cannot_be_kept_is_not_recommended() {
    let dataset = datasets::load("digits-8x8", None).unwrap();
    let found = recommend(&small(&["budget.accuracy=1.0", "halving.rungs=1"]), &dataset, None, None, &Silent).unwrap();
    assert!(found.test.is_none() && found.judged.iter().all(|judged| !judged.kept));
}

#[test]
fn widths_need_converters_that_have_one() {
    let overrides = ["experiment.chip.tile.adc.kind=\"ideal\"".to_owned()];
    let error = load::<Recommendation>(Kind::Recommendation, "digits", &overrides).unwrap_err().to_string();
    assert!(error.contains("adc_bits"), "{error}");
}
