//! Whole networks on a chip sample, their programming, and threads.

use crate::Failure;
use crate::compiled::{Compiled, Errors, compile};
use crate::networks::{Benchmark, NETWORKS};
use crate::references::{self, PROGRAMMED_CELLS, TWO_THREADS};
use crate::row::Row;
use crate::session::Session;
use chip::functional::{Cells, ChipSample, Settings, infer_with};
use rayon::{ThreadPool, ThreadPoolBuilder};
use tile::kernel::Isa;

/// Images of the cases with threads, in blocks for both: the engine's are at most 256.
const THREADED: [(usize, usize); 2] = [(0, 4096), (2, 256)];

/// Measures all networks on one thread.
///
/// # Errors
/// If a network does not fit the chip or cannot be run.
pub fn measure(session: &mut Session, rows: &mut Vec<Row>) -> Result<(), Failure> {
    for benchmark in NETWORKS {
        images(session, rows, benchmark, (Errors::Programming, ""), Isa::best())?;
    }
    images(session, rows, &NETWORKS[0], (Errors::None, "-no-error"), Isa::best())?;
    images(session, rows, &NETWORKS[0], (Errors::ReadNoise, "-read-noise"), Isa::best())?;
    for isa in Isa::available().filter(|&isa| isa != Isa::best()) {
        images(session, rows, &NETWORKS[0], (Errors::Programming, &format!("-{}", isa.name())), isa)?;
    }
    programming(session, rows)?;
    THREADED.iter().try_for_each(|&(network, images)| threads(session, rows, &NETWORKS[network], images))
}

fn images(
    session: &mut Session,
    rows: &mut Vec<Row>,
    benchmark: &Benchmark,
    (errors, suffix): (Errors, &str),
    isa: Isa,
) -> Result<(), Failure> {
    let case = format!("{}{suffix}", benchmark.name);
    let (compiled, pool) = (compile(benchmark, errors, benchmark.images)?, pool(1)?);
    let sample = compiled.sample(0)?;
    let mut ran = Ok(());
    let seconds = session.cpu_seconds("network", &case, || run(&pool, &compiled, &sample, isa, &mut ran))?;
    ran?;
    let Some(seconds) = seconds else { return Ok(()) };
    let mut row = Row::new("network", &case, (benchmark.images as f64, "images"), seconds);
    row = row.with_cell_macs(compiled.cell_macs);
    row.isa = isa.name().to_owned();
    if let Some(reference) = references::NETWORKS.iter().find(|reference| reference.case == case) {
        (row.goal_per_second, row.crosssim_per_second) = (reference.goal_per_second, reference.crosssim_per_second);
        row.goal_ratio = reference.goal_per_second.map(|goal| goal * compiled.cell_macs / references::SGEMM_OF_GOALS);
    }
    rows.push(row);
    Ok(())
}

/// Draws the cells of ResNet-20, whose rows have 16 to 64 outputs, and of the MLP, nearly all of whose rows have 256, and makes arrays of the
/// former.
fn programming(session: &mut Session, rows: &mut Vec<Row>) -> Result<(), Failure> {
    cells(session, rows, &NETWORKS[0], "cells-wide", None)?;
    let (compiled, cells) = cells(session, rows, &NETWORKS[3], "cells", Some(PROGRAMMED_CELLS))?;
    let (count, pool) = (number(&cells), pool(1)?);
    let mut programmed = Ok(());
    let mut keep = |result: Result<(), String>| programmed = programmed.clone().and(result);
    let seconds = session.cpu_seconds("programming", "arrays-of-cells", || {
        keep(pool.install(|| ChipSample::from_cells(&compiled.program, &cells)).map(|s| drop(std::hint::black_box(s))));
    })?;
    rows.extend(seconds.map(|seconds| Row::new("programming", "arrays-of-cells", (count, "cells"), seconds)));
    Ok(programmed?)
}

/// Programs one chip sample after the other in the same memory.
fn cells(
    session: &mut Session,
    rows: &mut Vec<Row>,
    benchmark: &Benchmark,
    case: &str,
    goal_per_second: Option<f64>,
) -> Result<(Compiled, Cells), Failure> {
    let (compiled, pool) = (compile(benchmark, Errors::Programming, 1)?, pool(1)?);
    let (mut cells, mut programmed, mut chip_sample) = (compiled.cells(0)?, Ok(()), 0);
    let seconds = session.cpu_seconds("programming", case, || {
        chip_sample += 1;
        programmed = programmed.clone().and(pool.install(|| compiled.reprogram(&mut cells, chip_sample)));
        std::hint::black_box(&cells);
    })?;
    programmed?;
    let row = |seconds| Row { goal_per_second, ..Row::new("programming", case, (number(&cells), "cells"), seconds) };
    rows.extend(seconds.map(row));
    Ok((compiled, cells))
}

fn number(cells: &Cells) -> f64 {
    cells.stages.iter().flat_map(|stage| stage.values.iter().flatten()).map(Vec::len).sum::<usize>() as f64
}

/// One thread and two, by the clock on the wall.
fn threads(session: &mut Session, rows: &mut Vec<Row>, benchmark: &Benchmark, images: usize) -> Result<(), Failure> {
    let compiled = compile(benchmark, Errors::Programming, images)?;
    let sample = compiled.sample(0)?;
    let mut one_thread = None;
    for (threads, name) in [(1, "one-thread"), (2, "two-threads")] {
        let (case, pool) = (format!("{}-{name}", benchmark.name), pool(threads)?);
        let mut ran = Ok(());
        let routine = || run(&pool, &compiled, &sample, Isa::best(), &mut ran);
        let seconds = session.wall_seconds("threads", &case, routine)?;
        ran?;
        let Some(seconds) = seconds else { continue };
        let mut row = Row::new("threads", &case, (images as f64, "images"), seconds);
        row = row.with_cell_macs(compiled.cell_macs);
        row.clock = "wall".to_owned();
        row.goal_per_second = one_thread.map(|one: f64| TWO_THREADS * one);
        one_thread = Some(row.per_second);
        rows.push(row);
    }
    Ok(())
}

fn run(pool: &ThreadPool, compiled: &Compiled, sample: &ChipSample, isa: Isa, ran: &mut Result<(), String>) {
    let settings = Settings { isa, errors: false };
    match pool.install(|| infer_with(&compiled.program, sample, &compiled.codes, settings)) {
        Ok(inference) => drop(std::hint::black_box(inference)),
        Err(error) => *ran = Err(error),
    }
}

fn pool(threads: usize) -> Result<ThreadPool, Failure> {
    Ok(ThreadPoolBuilder::new().num_threads(threads).build()?)
}
