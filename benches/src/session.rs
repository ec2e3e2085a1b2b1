//! Measures cases with criterion and hands back the median time of one call.

use crate::Failure;
use crate::cpu_time::CpuTime;
use criterion::measurement::{Measurement, WallTime};
use criterion::{Criterion, SamplingMode};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SAMPLES: usize = 10;
const WARM_UP: Duration = Duration::from_millis(150);
/// Time of all samples of a case, if a call takes less than a tenth of it.
const MEASUREMENT: Duration = Duration::from_millis(600);

/// Criterion with the settings of all cases.
pub struct Session {
    cpu: Criterion<CpuTime>,
    wall: Criterion<WallTime>,
    folder: PathBuf,
    left_out: bool,
}

impl Session {
    /// A session that takes criterion's arguments from the command line and keeps criterion's files in `folder`.
    #[must_use]
    pub fn from_arguments(folder: &Path) -> Self {
        let (cpu, wall) = (settings(CpuTime, folder), settings(WallTime, folder));
        let (cpu, wall) = (cpu.configure_from_args(), wall.configure_from_args());
        Self { cpu, wall, folder: folder.to_owned(), left_out: false }
    }

    /// CPU time of one call of `routine`, s. None if the command line leaves the case out or only wants to see that it runs.
    ///
    /// # Errors
    /// If criterion's files cannot be read.
    pub fn cpu_seconds(&mut self, group: &str, case: &str, routine: impl FnMut()) -> Result<Option<f64>, Failure> {
        let seconds = seconds(&mut self.cpu, &self.folder, (group, case), routine)?;
        self.left_out |= seconds.is_none();
        Ok(seconds)
    }

    /// The same by the clock on the wall, for cases with several threads.
    ///
    /// # Errors
    /// As [`Self::cpu_seconds`].
    pub fn wall_seconds(&mut self, group: &str, case: &str, routine: impl FnMut()) -> Result<Option<f64>, Failure> {
        let seconds = seconds(&mut self.wall, &self.folder, (group, case), routine)?;
        self.left_out |= seconds.is_none();
        Ok(seconds)
    }

    /// Whether every case was measured.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.left_out
    }
}

fn settings<M: Measurement + 'static>(measurement: M, folder: &Path) -> Criterion<M> {
    Criterion::default()
        .with_measurement(measurement)
        .sample_size(SAMPLES)
        .warm_up_time(WARM_UP)
        .measurement_time(MEASUREMENT)
        .without_plots()
        .output_directory(folder)
}

fn seconds<M: Measurement + 'static>(
    criterion: &mut Criterion<M>,
    folder: &Path,
    (group, case): (&str, &str),
    mut routine: impl FnMut(),
) -> Result<Option<f64>, Failure> {
    let folder = folder.join(group).join(case);
    // What an earlier run has left must not pass for a result of this one.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut benchmarks = criterion.benchmark_group(group);
    // The same number of calls in every sample: otherwise slow cases would take 55 calls at least.
    benchmarks.sampling_mode(SamplingMode::Flat);
    benchmarks.bench_function(case, |bencher| bencher.iter(&mut routine));
    benchmarks.finish();
    median_seconds(&folder.join("new").join("estimates.json"))
}

/// The median that criterion wrote, in ns there; none if it wrote nothing.
fn median_seconds(file: &Path) -> Result<Option<f64>, Failure> {
    if !file.exists() {
        return Ok(None);
    }
    let estimates: serde_json::Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let median = estimates["median"]["point_estimate"].as_f64();
    Ok(Some(1e-9 * median.ok_or_else(|| format!("{} has no median", file.display()))?))
}
