//! What `cycles` and `trace` time, from their arguments.

use crate::cli::Timed;
use explore::ExploreError;
use explore::cycles::{Input, Source};
use explore::nn_compiler::Limit;
use explore::outline::Placement;

/// Mapping strategy of outlines: pairs of cells, which every shipped chip and device takes.
const MAPPING: &str = "differential";

/// The input, and what ended the copying of an outline's stages, if they were to be copied.
pub fn load(timed: &Timed) -> Result<(Input, Option<Limit>), ExploreError> {
    let Timed { input, outline, mapping, replicate, chip, overrides } = timed;
    let (chip, set) = (chip.as_deref(), overrides.set.as_slice());
    if outline.is_none() && (mapping.is_some() || replicate.is_some()) {
        let what = "--mapping and --replicate are for --outline; a program has been placed, and so has a trace";
        return Err(ExploreError::Request(what.to_owned()));
    }
    match (input, outline) {
        (Some(path), None) => Ok((Input::load(Source { path, chip, set })?, None)),
        (None, Some(outline)) => {
            let mapping = mapping.as_deref().unwrap_or(MAPPING);
            Input::outline(outline, chip, set, Placement { mapping, replicate: *replicate })
        }
        // The parser lets neither of these pass.
        _ => Err(ExploreError::Request("either PROGRAM, FILE.trace or --outline NAME".to_owned())),
    }
}

/// The command that repeats a run of `cycles`, its chip being in `run.toml`.
pub fn repeat(timed: &Timed, input: &Input, images: u64) -> String {
    let mut words = String::new();
    if let Some(outline) = &timed.outline {
        words += &format!("--outline {outline} ");
        if let Some(mapping) = &timed.mapping {
            words += &format!("--mapping {mapping} ");
        }
        if let Some(arrays) = timed.replicate {
            words += &format!("--replicate {arrays} ");
        }
        return format!("ohmic cycles {words}--chip run.toml --images {images}");
    }
    match input {
        Input::Program(_) => {
            format!("ohmic cycles PROGRAM --images {images} (with the program compiled for this chip)")
        }
        Input::Trace { .. } => format!("ohmic cycles FILE.trace --chip run.toml --images {images}"),
    }
}
