//! `ohmic export-spice`: one programmed array as an ngspice deck.

use super::print_json;
use crate::cli::{ExportSpice, Format, Polarity};
use explore::ExploreError;
use explore::chip::functional::SampleAddress;
use explore::output::write;
use explore::spice::{ArrayChoice, Circuit, Drive, worst_difference};
use explore::tile::address::Purpose;
use serde_json::json;
use std::path::Path;
use std::process::Command;

pub fn run(arguments: &ExportSpice, format: Format) -> Result<(), ExploreError> {
    let program = explore::chip::program::load(&arguments.program)?;
    let choice = ArrayChoice {
        stage: arguments.stage.clone(),
        crossbar: arguments.crossbar,
        polarity: usize::from(arguments.polarity == Polarity::Negative),
        sample: SampleAddress {
            seed: arguments.seed,
            purpose: Purpose::Programming,
            chip_sample: arguments.chip_sample,
        },
    };
    let images = match arguments.image {
        Some(_) if program.dataset == "none" => {
            let what = "its network names no data set; without --image all rows are driven in full";
            return Err(ExploreError::Request(format!("{}: {what}", arguments.program.display())));
        }
        Some(_) => Some(explore::image_files::images(&program, None, arguments.data.data.as_deref())?),
        None => None,
    };
    let drive = match (&images, arguments.image) {
        (Some(images), Some(image)) => Drive::Image { images, image, read: arguments.read },
        _ => Drive::FullScale,
    };
    let circuit = Circuit::new(&program, &choice, &drive)?;
    let (directory, name) = split(&arguments.output)?;
    write(directory, name, &circuit.deck()?)?;
    let (rows, cols) = circuit.size();
    if !arguments.run {
        match format {
            Format::Text => say!("wrote a deck of {rows} x {cols} cells to {}", arguments.output.display()),
            Format::Json => print_json(&json!({ "deck": arguments.output, "rows": rows, "columns": cols }))?,
        }
        return Ok(());
    }
    let currents = circuit.compare(&run_ngspice(&arguments.output)?)?;
    let worst = worst_difference(&currents);
    match format {
        Format::Text => {
            let row = |c: &explore::spice::ComparedCurrent| {
                vec![c.column.to_string(), format!("{:.9e}", c.ohmic_a), format!("{:.9e}", c.ngspice_a)]
            };
            let rows = currents.iter().map(row);
            say!("{}", crate::table::table(&["column", "ohmic\nA", "ngspice\nA"], 0, rows));
            say!("largest difference {worst:.1e} of the largest current");
        }
        Format::Json => print_json(&json!({ "currents": currents, "worst_relative_difference": worst }))?,
    }
    if worst > arguments.tolerance {
        let what =
            format!("ngspice differs by {worst:.1e} of the largest current, allowed is {:.1e}", arguments.tolerance);
        return Err(ExploreError::Disagreement(what));
    }
    Ok(())
}

/// What ngspice prints for a deck.
fn run_ngspice(deck: &Path) -> Result<String, ExploreError> {
    let run = Command::new("ngspice").arg("-b").arg(deck).output().map_err(|error| {
        let hint = "install it (Debian: apt-get install ngspice)";
        ExploreError::Request(format!("ngspice cannot be run ({error}); {hint}"))
    })?;
    if run.status.success() {
        return Ok(String::from_utf8_lossy(&run.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&run.stderr);
    Err(ExploreError::Request(format!("{}: ngspice failed: {}", deck.display(), said.trim())))
}

fn split(path: &Path) -> Result<(&Path, &str), ExploreError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| ExploreError::Request(format!("{}: not the name of a file", path.display())))?;
    Ok((path.parent().unwrap_or(Path::new("")), name))
}
