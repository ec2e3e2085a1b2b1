//! Measures how fast the timing engine is: `cargo bench -p benches --bench timing`; see `docs/speed.md`.
#![allow(clippy::print_stdout, reason = "the table is what it is run for")]

use benches::Failure;
use benches::cycles::{self, CASES};
use std::fs;
use std::path::Path;

fn main() -> Result<(), Failure> {
    // Cargo passes `--bench`; `--test` runs every case once, and a name only the cases with it.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(row) = cycles::measure_alone(&arguments)? {
        println!("{row}");
        return Ok(());
    }
    let test = arguments.iter().any(|argument| argument == "--test");
    let name = arguments.iter().find(|argument| !argument.starts_with("--"));
    let cases: Vec<_> =
        CASES.iter().filter(|case| name.is_none_or(|name| case.name().contains(name.as_str()))).collect();
    let rows = cases.iter().map(|case| case.measure_apart(if test { 1 } else { 5 })).collect::<Result<Vec<_>, _>>()?;
    println!("{}", cycles::table(&rows));
    if test || cases.len() < CASES.len() {
        println!("not all cases were measured: no files are written");
        return Ok(());
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    cycles::write(&docs.join("results/benchmarks/timing.csv"), &rows)?;
    let page = docs.join("speed.md");
    let text = cycles::with_table(&fs::read_to_string(&page)?, &cycles::table(&rows));
    fs::write(&page, text.ok_or("docs/speed.md has lost the marks of its second table")?)?;
    Ok(())
}
