//! `ohmic trace`: what every unit does in every cycle, as a file for a viewer.

use super::print_json;
use super::timed::load;
use crate::cli::{As, Format, Trace};
use explore::ExploreError;
use explore::cycles::{Form, Window, Written, export};
use serde_json::json;

pub fn run(arguments: &Trace, format: Format) -> Result<(), ExploreError> {
    let Trace { timed, images, from, until, form, output } = arguments;
    let form = form.map_or_else(|| Form::of(output), |form| Ok(form_of(form)))?;
    if form == Form::Instructions && (images.is_some() || from.is_some() || until.is_some()) {
        let what = "--images, --from and --until are for recordings; instructions are those of one image".to_owned();
        return Err(ExploreError::Request(what));
    }
    let window = Window { from: from.unwrap_or(0), until: *until };
    let written = export(&load(timed)?.0, images.unwrap_or(1), window, form, output)?;
    let file = output.display();
    match (format, written) {
        (Format::Text, Written::Recording { from, until, units, spans, packets, stores }) => {
            say!("{file}: cycles {from} to {until}, {units} units, {spans} spans, {packets} packets, {stores} stores");
        }
        (Format::Text, Written::Instructions { cores, instructions }) => {
            say!("{file}: {cores} cores, {instructions} instructions an image");
        }
        (Format::Json, Written::Recording { from, until, units, spans, packets, stores }) => print_json(&json!({
            "file": file.to_string(), "from": from, "until": until, "units": units, "spans": spans, "packets": packets,
            "stores": stores,
        }))?,
        (Format::Json, Written::Instructions { cores, instructions }) => {
            print_json(&json!({ "file": file.to_string(), "cores": cores, "instructions": instructions }))?;
        }
    }
    Ok(())
}

fn form_of(form: As) -> Form {
    match form {
        As::Perfetto => Form::Perfetto,
        As::Vcd => Form::Vcd,
        As::Instructions => Form::Instructions,
    }
}
