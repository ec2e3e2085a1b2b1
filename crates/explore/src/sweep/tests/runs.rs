use super::super::compute::{Outcome, Worker, unwound};
use super::*;
use crate::compare::compare;
use crate::results;

#[test]
fn rows_carry_the_values_in_the_order_of_the_points() {
    let (points, _) = run_alone(&sweep(&[ARRAY, ADC]));
    let rows = rows(&points);
    let found: Vec<_> = rows.iter().map(|row| (row.array_rows, row.array_cols, row.adc_bits, &*row.mapping)).collect();
    let expected: Vec<_> = [(32, 6), (32, 5), (64, 6), (64, 5)]
        .iter()
        .flat_map(|&(size, bits)| ["isaac", "differential"].map(|mapping| (size, size, bits, mapping)))
        .collect();
    assert_eq!(found, expected);
    assert!(rows.iter().all(|row| row.chips == 2 && row.images == 12 && row.training == "conventional"));
    // Both axes are columns of a row already.
    let table = to_csv(&sweep(&[ARRAY, ADC]).axes, &points).unwrap();
    assert_eq!(table, results::to_csv(&rows).unwrap());
}

#[test]
fn a_setting_that_no_column_shows_gets_its_own() {
    let sweep = sweep(&[&axis("rate", "training.learning_rate", "[0.001, 0.002]"), ADC]);
    let (points, _) = run_alone(&sweep);
    let table = to_csv(&sweep.axes, &points).unwrap();
    assert!(table.starts_with("axis_rate,network,"), "{table}");
    let rows = rows(&points);
    let plain = results::to_csv(&rows).unwrap();
    for (index, (with_axis, plain)) in table.lines().zip(plain.lines()).enumerate().skip(1) {
        let rate = if index <= rows.len() / 2 { "0.001" } else { "0.002" };
        assert_eq!(with_axis, format!("{rate},{plain}"));
    }
}

#[test]
fn a_point_gives_what_its_experiment_gives() {
    let methods = r#"experiment.methods=["conventional", "biased"]"#;
    let sweep = sweep_with(&[&axis("seed", "seed", "[7, 9]")], &[methods, "training_seeds=2", "images=60", "epochs=6"]);
    let (found, _) = run_alone(&sweep);
    for (point, rows) in points(&sweep).unwrap().iter().zip(&found) {
        let dataset = crate::datasets::load(&point.experiment.network.dataset, None).unwrap();
        let compared = compare(&point.experiment, &dataset, None, &Silent).unwrap();
        let compared = compared.rows.into_iter().map(|row| RowResult { accuracies: row.accuracies, row: row.row });
        assert_eq!(compared.collect::<Vec<_>>(), rows.rows);
    }
}

#[test]
fn trainings_that_do_not_differ_are_shared() {
    let counts = |sweep: &Sweep| run_alone(sweep).1;
    let seed = "experiment.seed=5";
    // Conventional: one training, whatever the chip; 4 points x 2 mappings.
    assert_eq!(counts(&sweep(&[ARRAY, ADC])), [1, 8, 8]);
    // A different width of the weights is a different training; a second seed as well.
    let width = axis("weight_bits", "weight_bits", "[6, 8]");
    assert_eq!(counts(&sweep(&[&width, ADC])), [2, 8, 8]);
    assert_eq!(counts(&sweep_with(&[ADC], &[seed, "training_seeds=3"])), [3, 12, 4]);
    // Seeds 5 and 6, and 6 and 7: three trainings, one network of which is compiled for both.
    assert_eq!(counts(&sweep_with(&[&axis("seed", "seed", "[5, 6]")], &["training_seeds=2"])), [3, 6, 4]);
    // Two shares per mapping strategy and chip.
    let biased = r#"experiment.methods=["biased"]"#;
    assert_eq!(counts(&sweep_with(&[ADC], &[biased])), [8, 4, 4]);
    let shares = axis("shares", "shares", "[[0.5], [0.5, 1.0]]");
    assert_eq!(counts(&sweep_with(&[&shares], &[biased])), [4, 4, 4]);
    // What is not compiled in is simulated with the same programs.
    assert_eq!(counts(&sweep(&[&axis("chips", "chips", "[1, 2, 3]")])), [1, 2, 6]);
}

#[test]
fn a_point_that_fails_while_it_runs_is_named() {
    // One array of 64 rows holds the network, one of 32 does not: that is found when it is compiled.
    let too_small = ["mesh.width=1", "mesh.height=1", "tile.arrays=1", r#"experiment.mappings=["isaac"]"#];
    let sweep = sweep_with(&[ARRAY], &too_small);
    let directory = tempfile::tempdir().unwrap();
    let (plan, store) = (Plan::new(&sweep).unwrap(), Store::open(directory.path()));
    for (options, computed) in [
        (RunOptions::default(), 1),
        (RunOptions::default(), 0),
        (RunOptions { retry: true, ..RunOptions::default() }, 0),
    ] {
        let Summary { failed, computed: found, .. } = run(&plan, &store, options, &Silent).unwrap();
        assert_eq!((failed.len(), found), (1, computed));
        assert!(failed[0].starts_with("sweep point array_size = 32, isaac, conventional: compiling: "), "{failed:?}");
        assert_eq!(store.failure(&plan.rows()[0].id).unwrap().unwrap().tries, 4);
    }
    // Another sweep in the same store keeps what it knows.
    let other = sweep_with(&[&axis("size", "array.rows", "[16]")], &too_small);
    let other = Plan::new(&other).unwrap();
    assert_eq!(run(&other, &store, RunOptions::default(), &Silent).unwrap().failed.len(), 1);
    run(&plan, &store, RunOptions { retry: true, ..RunOptions::default() }, &Silent).unwrap();
    assert!(store.failure(&other.rows()[0].id).unwrap().is_some());
    let state = status(&plan, &store, false).unwrap();
    assert_eq!((state.rows, state.present, state.failed, state.running), (2, 1, 1, 0));
    let error = collect(&plan, &store, false).unwrap_err().to_string();
    assert!(error.starts_with("1 of 2 rows are not in"), "{error}");
    assert_eq!(rows(&collect(&plan, &store, true).unwrap()).len(), 1);
}

#[test]
fn a_new_value_computes_its_own_rows_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path());
    let plan = |bits: &str| Plan::new(&sweep(&[ARRAY, &axis("adc_bits", "adc.bits", bits)])).unwrap();
    let found = |bits: &str| {
        let Summary { present, computed, .. } = run(&plan(bits), &store, RunOptions::default(), &Silent).unwrap();
        (present, computed)
    };
    assert_eq!(found("[6]"), (0, 4));
    assert_eq!(found("[5, 6]"), (4, 4));
    assert_eq!(found("[5, 6]"), (8, 0));
    assert_eq!(status(&plan("[5, 6]"), &store, false).unwrap().trainings, 1);
    let (_, counts) = run_alone(&sweep(&[ARRAY, &axis("adc_bits", "adc.bits", "[5, 6]")]));
    assert_eq!(counts, [1, 8, 8]);
}

#[test]
fn garbage_is_what_can_be_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path());
    let (small, large) = (sweep(&[&axis("adc_bits", "adc.bits", "[6]")]), sweep(&[ADC]));
    let (expected, _) = run_in(&store, &large);
    let (small, large) = (Plan::new(&small).unwrap(), Plan::new(&large).unwrap());
    let removed = |plan, others| collect_garbage(plan, &store, others).unwrap();
    assert_eq!(removed(&large, false), Removed { programs: 4, ..Removed::default() });
    assert_eq!(removed(&small, true), Removed { rows: 2, trainings: 1, ..Removed::default() });
    assert_eq!(run_in(&store, large.sweep()).0, expected);
    // Programs of other rows in the same store stay, unless those go as well.
    let apart = Plan::new(&sweep(&[&axis("adc_bits", "adc.bits", "[4]")])).unwrap();
    assert_eq!(run_in(&store, apart.sweep()).1, [1, 4, 6]);
    assert_eq!(removed(&apart, false), Removed { programs: 2, ..Removed::default() });
    assert_eq!(store.ids(store::Kind::Program).unwrap().len(), 2);
    assert_eq!(removed(&apart, true), Removed { rows: 4, programs: 2, trainings: 1, ..Removed::default() });
}

/// A training that was interrupted after its network had been stored, used and lost.
#[test]
fn a_complete_sweep_needs_no_states_of_its_trainings() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path());
    let sweep = sweep(&[ADC]);
    run_in(&store, &sweep);
    let trained = store.ids(store::Kind::Training).unwrap();
    let foreign = store::Id::of("training", &[b"of another sweep"]);
    trained.iter().for_each(|id| store.forget(store::Kind::Training, id).unwrap());
    // The second time there are no programs any more.
    for _ in 0..2 {
        for id in trained.iter().chain([&foreign]) {
            let lock = store.lock(id).unwrap().unwrap();
            let state = store.adopt_checkpoints(id, &lock).unwrap();
            std::fs::create_dir_all(&state).unwrap();
            std::fs::write(state.join("checkpoint-0.bin"), "1").unwrap();
        }
        let removed = collect_garbage(&Plan::new(&sweep).unwrap(), &store, false).unwrap();
        assert_eq!((removed.leftovers, removed.trainings), (trained.len(), 0));
        assert_eq!(store.interrupted_trainings().unwrap(), [foreign], "what another sweep has begun stays");
    }
}

#[test]
fn rows_simulate_as_many_chip_samples_as_it_takes() {
    let (plain, _) = run_alone(&sweep(&[ADC]));
    let wanted = sweep_with(&[ADC], &["target_ci=0.02", "most_chips=40"]);
    let (found, _) = run_alone(&wanted);
    let results = |points: &[PointRows]| points.iter().flat_map(|point| point.rows.clone()).collect::<Vec<_>>();
    for (plain, found) in results(&plain).iter().zip(results(&found)) {
        let width = found.row.accuracy_ci95_high - found.row.accuracy_ci95_low;
        assert!(width <= 0.04 || found.row.chips == 40, "{width} with {} chips", found.row.chips);
        assert_eq!(plain.accuracies[0], found.accuracies[0][..2], "the first chip samples are the same");
    }
    let (place, longest) = results(&found).into_iter().enumerate().max_by_key(|(_, result)| result.row.chips).unwrap();
    assert!(longest.row.chips > 10, "the first chip samples were enough for all");
    let at_once = sweep_with(&[ADC], &[&format!("experiment.chips={}", longest.row.chips)]);
    assert_eq!(results(&run_alone(&at_once).0)[place], longest, "samples that were added are those of all at once");
    let names = |sweep: &Sweep| Plan::new(sweep).unwrap().rows().iter().map(|row| row.id).collect::<Vec<_>>();
    assert!(names(&wanted).iter().all(|id| !names(&sweep(&[ADC])).contains(id)));
}

#[test]
fn work_that_is_left_is_estimated() {
    let seconds = |set: &[&str]| estimate(&Plan::new(&sweep_with(&[ADC], set)).unwrap(), None).unwrap().seconds;
    let little = seconds(&[]);
    assert!(
        little > 0.0
            && seconds(&["experiment.chips=100000"]) > 2.0 * little
            && seconds(&["epochs=20000"]) > 2.0 * little
    );
    let bounded = sweep_with(&[ADC], &["target_ci=0.01", "most_chips=2000"]);
    let most = estimate(&Plan::new(&bounded).unwrap(), None).unwrap().most_seconds.unwrap();
    assert!(most > 20.0 * little, "a thousand times the chip samples: {most}");
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path());
    run_in(&store, &sweep(&[ADC]));
    let work = |bits: &str| {
        estimate(&Plan::new(&sweep(&[&axis("adc_bits", "adc.bits", bits)])).unwrap(), Some(&store)).unwrap()
    };
    assert_eq!(work("[6, 5]"), Work { present: 4, seconds: 0.0, most_seconds: None });
    assert!(work("[6, 5, 4]").present == 4 && work("[6, 5, 4]").seconds > 0.0);
}

/// The rows in any order, one after the other: the same as all at once.
#[test]
fn shuffled_rows_are_the_same() {
    let sweep = sweep_with(&[ARRAY, ADC], &[r#"experiment.methods=["conventional", "biased"]"#]);
    let (expected, counts) = run_alone(&sweep);
    let plan = Plan::new(&sweep).unwrap();
    for seed in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path());
        let mut order: Vec<usize> = (0..plan.rows().len()).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, crate::statistics::index(seed, last as u64, last + 1));
        }
        assert!(!order.is_sorted());
        let worker = Worker::new(&plan, &store, false, &Silent);
        for row in order {
            assert!(matches!(worker.advance(&plan.rows()[row], false), Ok(Outcome::Ready(()))));
        }
        assert_eq!(collect(&plan, &store, false).unwrap(), expected, "{seed}");
        assert_eq!(run_in(&store, &sweep).1, counts);
    }
}

/// What a run says, in its order.
#[derive(Default)]
struct Notes(std::sync::Mutex<Vec<String>>);

impl crate::progress::Progress for Notes {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn end(&self) {}
}

/// A row that takes processes with it must not keep others from being computed.
#[test]
fn what_a_process_has_ended_at_comes_last() {
    let directory = tempfile::tempdir().unwrap();
    let (sweep, store) = (sweep(&[ARRAY, ADC]), Store::open(directory.path()));
    let plan = Plan::new(&sweep).unwrap();
    let first = plan.rows()[0];
    let own = store.lock(&first.id).unwrap().unwrap();
    let file = std::fs::read_dir(directory.path().join("lock")).unwrap().next().unwrap().unwrap().path();
    // The same process number, begun at another time.
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let parts: Vec<&str> = name.split('.').collect();
    let owner = format!("{}-1", parts[1].rsplit_once('-').unwrap().0);
    std::fs::rename(&file, file.with_file_name([parts[0], &owner, parts[2], parts[3]].join("."))).unwrap();
    drop(own);
    let notes = Notes::default();
    assert_eq!(run(&plan, &store, RunOptions::default(), &notes).unwrap().computed, 8);
    let said = notes.0.into_inner().unwrap();
    let simulated: Vec<&String> = said.iter().filter(|text| text.starts_with("simulating")).collect();
    assert_eq!(simulated.len(), 8);
    assert_eq!(*simulated[7], format!("simulating {}", plan.label(&first)));
    assert_eq!(store.failure(&first.id).unwrap(), None, "it has worked this time");
}

#[test]
fn a_panic_is_an_error() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let found = unwound(&|| if plan_is_odd() { panic!("number {}", 7) } else { Ok(1) });
    std::panic::set_hook(hook);
    assert_eq!(found.unwrap_err().to_string(), "panicked: number 7");
    assert_eq!(unwound(&|| Ok(1)).unwrap(), 1);
}

fn plan_is_odd() -> bool {
    std::env::args().count() > 0
}
