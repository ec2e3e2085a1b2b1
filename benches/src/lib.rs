//! How fast ohmic is: the kernel of one array and whole networks, beside matrix products that are measured in the same run.
//!
//! `cargo bench -p benches` measures everything (with criterion, in CPU time), prints a table and writes `docs/results/benchmarks/`. With
//! `-- --test` it runs every case once; with `-- NAME` only the cases of that name. How to read the numbers: `docs/speed.md`.
//!
//! * [`session`]: measures cases and keeps their rows; [`cpu_time`] is what criterion measures with.
//! * [`mod@array`]: one array in the kernel; [`sgemm`] the matrix products beside it.
//! * [`networks`], [`images`], [`compiled`]: what runs on a whole chip; [`inference`] runs it.
//! * [`cycles`]: what the timing engine does in a second with outlines, networks without weights (`--bench timing`).
//! * [`training`]: trainings of float networks (`--bench training`).
//! * [`row`], [`report`], [`machine`], [`references`], [`figure`]: what is written.

pub mod array;
mod builder;
mod cells;
pub mod compiled;
pub mod cpu_time;
pub mod cycles;
pub mod figure;
pub mod images;
pub mod inference;
pub mod machine;
pub mod networks;
pub mod references;
pub mod report;
pub mod row;
pub mod session;
pub mod sgemm;
pub mod training;

/// What a benchmark fails with: it has nobody to decide by the kind of an error.
pub type Failure = Box<dyn std::error::Error>;
