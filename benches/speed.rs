//! Measures how fast ohmic is; see the crate's documentation.
#![allow(clippy::print_stdout, reason = "the table is what it is run for")]

use benches::machine::Machine;
use benches::session::Session;
use benches::sgemm::Baselines;
use benches::{Failure, array, inference, report};
use std::fs;
use std::path::Path;

fn main() -> Result<(), Failure> {
    let mut session = Session::from_arguments(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion"));
    let (mut rows, mut baselines) = (Vec::new(), Baselines::default());
    baselines.measure(&mut session, 0)?;
    array::measure(&mut session, &mut rows)?;
    baselines.measure(&mut session, 1)?;
    inference::measure(&mut session, &mut rows)?;
    baselines.measure(&mut session, 2)?;
    report::compare(&mut rows, &baselines);
    if !rows.is_empty() {
        println!("\n{}", report::table(&rows));
    }
    if session.is_complete() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let (folder, page) = (docs.join("results/benchmarks"), docs.join("speed.md"));
        report::write(&folder, &rows, &Machine::this())?;
        let text = report::with_table(&fs::read_to_string(&page)?, &report::table(&rows));
        fs::write(&page, text.ok_or("docs/speed.md has lost the marks of its table")?)?;
        println!("written to {}", folder.display());
    } else {
        println!("not all cases were measured: no files are written");
    }
    Ok(())
}
