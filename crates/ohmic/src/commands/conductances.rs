//! `ohmic conductances`: the programmed conductances of one chip sample as files.

use super::print_json;
use crate::cli::{Conductances, Format};
use explore::ExploreError;
use explore::chip::functional::{Cells, SampleAddress};
use explore::conductances::export;
use explore::simulate::fault_map;
use explore::tile::address::Purpose;
use serde_json::json;

pub fn run(arguments: &Conductances, format: Format) -> Result<(), ExploreError> {
    let program = explore::chip::program::load(&arguments.program)?;
    let (seed, chip_sample) = (arguments.seed, arguments.chip_sample);
    let address = SampleAddress { seed, purpose: Purpose::Programming, chip_sample };
    let mut cells = Cells::program(&program, address).map_err(ExploreError::Request)?;
    let mapped = match &arguments.fault_map {
        Some(path) => cells.apply_faults(&program, &fault_map(path)?).map_err(ExploreError::Request)?,
        None => 0,
    };
    export(&program, &cells, &arguments.output)?;
    let totals = cells.stages.iter().fold(explore::tile::device::RowTotals::default(), |mut sum, stage| {
        sum.add(&stage.totals);
        sum
    });
    let count: usize = cells.stages.iter().flat_map(|stage| stage.values.iter().flatten()).map(Vec::len).sum();
    match format {
        Format::Text => {
            say!("{count} cells of chip sample {chip_sample}, {} write pulses", totals.write_pulses);
            say!("stuck: {} low, {} high by rate, {mapped} by fault map", totals.stuck_low, totals.stuck_high);
            say!("wrote conductances.csv and one .npy per array to {}", arguments.output.display());
        }
        Format::Json => print_json(&json!({
            "cells": count,
            "write_pulses": totals.write_pulses,
            "stuck_low": totals.stuck_low,
            "stuck_high": totals.stuck_high,
            "mapped_faults": mapped,
        }))?,
    }
    Ok(())
}
