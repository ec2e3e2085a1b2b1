//! Trainings: forward, backward and update of quantised weights, images gathered, batch after batch.

use crate::Failure;
use crate::images::{photographs, strokes};
use crate::references::TWO_THREADS_TRAINING;
use crate::row::Row;
use crate::session::Session;
use chip::config::Chip;
use explore::config::{Kind, load};
use explore::trainer::{self, Architecture, Job, Method, Start, Target, Training};
use nn::Shape;
use nn::datasets::{Dataset, Split};
use nn_compiler::mapping::Mapping;
use rayon::ThreadPoolBuilder;

/// Training images; an epoch of them ends with the validation of a few.
const IMAGES: usize = 4096;
/// Steps of a call.
const STEPS: usize = 8;

/// A network to train.
struct Case {
    network: &'static str,
    experiment: &'static str,
    images: fn(usize) -> Split,
    shape: Shape,
    batches: &'static [usize],
    /// To be reached on one thread, images per CPU-second.
    goal: f64,
}

const CASES: [Case; 2] = [
    Case {
        network: "lenet-5",
        experiment: "lenet-5-mnist",
        images: strokes,
        shape: Shape { channels: 1, height: 28, width: 28 },
        batches: &[64, 128],
        goal: 10_000.0,
    },
    Case {
        network: "resnet-8",
        experiment: "resnet-8-cifar10",
        images: photographs,
        shape: Shape { channels: 3, height: 32, width: 32 },
        batches: &[64, 128],
        goal: 650.0,
    },
];

/// Measures all cases on one thread in CPU time, and on one and two by the clock on the wall.
///
/// # Errors
/// If a network cannot be trained.
pub fn measure(session: &mut Session, rows: &mut Vec<Row>) -> Result<(), Failure> {
    for case in &CASES {
        for &batch in case.batches {
            let name = format!("{}-batch-{batch}", case.network);
            let goal = Some(case.goal);
            if let Some(seconds) = case.seconds(session, &name, batch, Threads { count: 1, wall: false })? {
                let row = Row::new("training", &name, ((STEPS * batch) as f64, "images"), seconds);
                rows.push(Row { goal_per_second: goal, ..row });
            }
        }
        case.threads(session, rows)?;
    }
    Ok(())
}

/// How a case is run and timed.
#[derive(Clone, Copy)]
struct Threads {
    count: usize,
    wall: bool,
}

impl Case {
    /// One thread and two with the largest batch.
    fn threads(&self, session: &mut Session, rows: &mut Vec<Row>) -> Result<(), Failure> {
        let batch = self.batches.iter().copied().max().unwrap_or(1);
        let mut one_thread = None;
        for (count, name) in [(1, "one-thread"), (2, "two-threads")] {
            let name = format!("{}-{name}", self.network);
            let Some(seconds) = self.seconds(session, &name, batch, Threads { count, wall: true })? else { continue };
            let mut row = Row::new("training", &name, ((STEPS * batch) as f64, "images"), seconds);
            row.clock = "wall".to_owned();
            row.goal_per_second = one_thread.map(|one: f64| TWO_THREADS_TRAINING * one);
            one_thread = Some(row.per_second);
            rows.push(row);
        }
        Ok(())
    }

    /// Time of a call of so many steps.
    fn seconds(
        &self,
        session: &mut Session,
        name: &str,
        batch: usize,
        threads: Threads,
    ) -> Result<Option<f64>, Failure> {
        let set = [format!("training.batch={batch}"), "training.epochs=100000".to_owned()];
        let experiment: explore::experiment::Experiment = load(Kind::Experiment, self.experiment, &set)?;
        let (dataset, mapping) = (self.dataset(), Mapping::parse("isaac")?);
        let job = job(&experiment.network, &experiment.training, &experiment.chip, &dataset, &mapping);
        let pool = ThreadPoolBuilder::new().num_threads(threads.count).build()?;
        let (mut training, mut trained) = (trainer::Session::new(&job)?, Ok(()));
        let routine = || {
            let steps = || (0..STEPS).try_for_each(|_| training.advance().map(|_| ()));
            if let Err(error) = pool.install(steps) {
                trained = Err(error);
            }
        };
        let seconds = match threads.wall {
            true => session.wall_seconds("training", name, routine)?,
            false => session.cpu_seconds("training", name, routine)?,
        };
        trained?;
        Ok(seconds)
    }

    fn dataset(&self) -> Dataset {
        let train = (self.images)(IMAGES);
        let validation = train.truncated(32);
        Dataset { name: "made up", shape: self.shape, classes: 10, test: validation.clone(), validation, train }
    }
}

fn job<'a>(
    network: &'a Architecture,
    training: &'a Training,
    chip: &'a Chip,
    dataset: &'a Dataset,
    mapping: &'a Mapping,
) -> Job<'a> {
    Job {
        start: Start::Architecture(network),
        dataset,
        training,
        method: Method::Conventional,
        target: Target { mapping, chip },
        share: 0.0,
        seed: 1,
    }
}
