//! What is timed: a program directory, an instruction trace with a chip, or an outline with a chip.

use crate::config::{Kind, load};
use crate::error::ExploreError;
use crate::outline::{Outline, Placement};
use chip::config::Chip;
use chip::machine::trace;
use chip::machine::work::Workload;
use chip::program::Program;
use chip::timing::{TimingError, lower};
use nn_compiler::Limit;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Ending of the name of an instruction trace.
pub(super) const TRACE: &str = "trace";

/// The chip of an outline, if none is named: the default one with room for large networks.
pub const CHIP_OF_OUTLINES: &str = "large";

/// Where the input comes from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Directory of a program, or an instruction trace (`*.trace`).
    pub path: &'a Path,
    /// Chip of an instruction trace: a name or a file. A program has its own.
    pub chip: Option<&'a str>,
    /// Overrides `KEY=VALUE` of that chip.
    pub set: &'a [String],
}

/// What is timed.
#[derive(Clone, Debug)]
pub enum Input {
    /// A compiled program, or one without weights.
    Program(Box<Program>),
    /// Instructions for a chip.
    Trace {
        /// The instructions.
        workload: Workload,
        /// The chip.
        chip: Box<Chip>,
    },
}

impl Input {
    /// Reads a program or a trace; the kind follows from the path.
    ///
    /// # Errors
    /// If it is neither, is damaged, or has no chip or two of them.
    pub fn load(source: Source<'_>) -> Result<Self, ExploreError> {
        let Source { path, chip, set } = source;
        let refuse = |what: &str| Err(ExploreError::Request(format!("{}: {what}", path.display())));
        let file = std::fs::metadata(path).map_err(|source| ExploreError::File { path: path.to_owned(), source })?;
        if file.is_dir() {
            if chip.is_some() || !set.is_empty() {
                return refuse(
                    "--chip and --set are for instruction traces and outlines; a program holds the chip it was compiled for",
                );
            }
            return Ok(Self::Program(Box::new(chip::program::load(path)?)));
        }
        if path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case(TRACE)) {
            return refuse("neither the directory of a program nor an instruction trace (*.trace)");
        }
        let Some(chip) = chip else {
            return refuse(
                "an instruction trace needs --chip NAME|FILE (see `ohmic list chips`, or the run.toml of a program)",
            );
        };
        let chip = Box::new(load(Kind::Chip, chip, set)?);
        Ok(Self::Trace { workload: read(path)?, chip })
    }

    /// Places an outline (a name or a file) on a chip (likewise) with overrides `KEY=VALUE`; also what ended the copying of its stages, if they were to be copied.
    ///
    /// # Errors
    /// If either cannot be read, or the outline does not fit the chip.
    pub fn outline(
        outline: &str,
        chip: Option<&str>,
        set: &[String],
        placement: Placement<'_>,
    ) -> Result<(Self, Option<Limit>), ExploreError> {
        let outline: Outline = load(Kind::Outline, outline, &[])?;
        let chip: Chip = load(Kind::Chip, chip.unwrap_or(CHIP_OF_OUTLINES), set)?;
        let (program, limit) = outline.copied(&chip, placement)?;
        Ok((Self::Program(Box::new(program)), limit))
    }

    /// The chip.
    #[must_use]
    pub fn chip(&self) -> &Chip {
        match self {
            Self::Program(program) => &program.chip,
            Self::Trace { chip, .. } => chip,
        }
    }

    /// The instructions of one image.
    ///
    /// # Errors
    /// If a buffer of the program's chip is too small.
    pub fn workload(&self) -> Result<Workload, TimingError> {
        match self {
            Self::Program(program) => Ok(lower::workload(program, &program.hardware())?.workload),
            Self::Trace { workload, .. } => Ok(workload.clone()),
        }
    }
}

fn read(path: &Path) -> Result<Workload, ExploreError> {
    let file = File::open(path).map_err(|source| ExploreError::File { path: path.to_owned(), source })?;
    trace::read(BufReader::new(file)).map_err(|error| ExploreError::Request(format!("{}: {error}", path.display())))
}
