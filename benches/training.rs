//! Measures how fast trainings are: `cargo bench -p benches --bench training`; see `docs/training.md`.
#![allow(clippy::print_stdout, reason = "the table is what it is run for")]

use benches::session::Session;
use benches::sgemm::Baselines;
use benches::{Failure, report, training};
use std::path::Path;

fn main() -> Result<(), Failure> {
    let mut session = Session::from_arguments(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion-training"));
    let (mut rows, mut baselines) = (Vec::new(), Baselines::default());
    baselines.measure(&mut session, 0)?;
    training::measure(&mut session, &mut rows)?;
    baselines.measure(&mut session, 1)?;
    report::compare(&mut rows, &baselines);
    if !rows.is_empty() {
        println!("\n{}", report::table(&rows));
    }
    if session.is_complete() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/results/benchmarks/training.csv");
        report::write_rows(&file, &rows)?;
        println!("written to {}", file.display());
    } else {
        println!("not all cases were measured: no file is written");
    }
    Ok(())
}
