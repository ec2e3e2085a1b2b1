//! Names of classes.

use super::Labels;
use crate::error::ExploreError;
use crate::simulate::read_bounded;
use nn::Graph;
use std::path::{Path, PathBuf};

/// Largest file of names, bytes.
const LARGEST: u64 = 1 << 22;

/// The names of the results of a network, one each; `find` looks up a file.
///
/// # Errors
/// If there are more or fewer names than results, or the file cannot be read.
pub(super) fn names(
    labels: &Labels,
    graph: &Graph,
    find: impl Fn(&str) -> Result<PathBuf, ExploreError>,
) -> Result<Vec<String>, ExploreError> {
    let (names, place) = match labels {
        Labels::Names(names) => (names.clone(), "labels".to_owned()),
        Labels::File(file) => {
            let path = find(file)?;
            (lines(&path)?, path.display().to_string())
        }
    };
    let results = graph.shapes()?.last().map_or(graph.input.len(), |shape| shape.len());
    if names.len() == results {
        return Ok(names);
    }
    let what = format!("{place} has {} names; network `{}` has {results} results", names.len(), graph.name);
    Err(ExploreError::Request(what))
}

/// The lines of a text, without the empty ones at its end.
fn lines(path: &Path) -> Result<Vec<String>, ExploreError> {
    let refuse = |what: String| ExploreError::Request(format!("{}: {what}", path.display()));
    let text = String::from_utf8(read_bounded(path, LARGEST)?).map_err(|error| refuse(error.to_string()))?;
    let names: Vec<String> = text.trim_end().lines().map(|line| line.trim().to_owned()).collect();
    match names.iter().position(String::is_empty) {
        Some(line) => Err(refuse(format!("line {} is empty; allowed is a name a line", line + 1))),
        None => Ok(names),
    }
}
