//! The data sets that are compiled into the program, so that every result can be repeated from itself.

mod digits;
mod idx;
mod split;

pub use idx::{IdxArray, read_idx};
pub use split::Split;

use crate::network::Shape;

/// All data sets, by name in ascending order.
pub const DATASETS: &[&DatasetInfo] = &[&digits::INFO];

/// What is known of a data set before it is loaded.
#[derive(Debug)]
pub struct DatasetInfo {
    /// Unique kebab-case name.
    pub name: &'static str,
    /// One line that says what it is.
    pub doc: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// Whom to name, and under which licence it may be used.
    pub attribution: &'static str,
    load: fn() -> Result<Dataset, DataError>,
}

impl DatasetInfo {
    /// Loads the data set.
    ///
    /// # Errors
    /// If the data are damaged.
    pub fn load(&self) -> Result<Dataset, DataError> {
        (self.load)()
    }
}

/// Labelled images with a fixed split.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Its name, one of [`DATASETS`].
    pub name: &'static str,
    /// Shape of one image.
    pub shape: Shape,
    /// Number of classes; labels are below it.
    pub classes: usize,
    /// What weights are trained on.
    pub train: Split,
    /// What checkpoints and ranges are chosen on.
    pub validation: Split,
    /// What results are reported on, and nothing else is done with.
    pub test: Split,
}

/// Why a data set could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// No data set has this name.
    #[error("data set is `{name}`, allowed: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A file does not hold what it should.
    #[error("{file}: {problem}")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong, with position and value, and what is allowed.
        problem: String,
    },
}

impl DataError {
    fn damaged(file: &str, problem: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), problem: problem.into() }
    }
}

/// What is known of the data set `name`.
///
/// # Errors
/// If there is no such data set; the message lists those there are.
pub fn info(name: &str) -> Result<&'static DatasetInfo, DataError> {
    DATASETS.iter().find(|info| info.name == name).copied().ok_or_else(|| {
        let known: Vec<&str> = DATASETS.iter().map(|info| info.name).collect();
        DataError::Unknown { name: name.to_owned(), known: known.join(", ") }
    })
}

/// Loads the data set `name`.
///
/// # Errors
/// If there is no such data set (the message lists those there are), or its data are damaged.
pub fn load(name: &str) -> Result<Dataset, DataError> {
    info(name)?.load()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_loads_and_says_where_it_is_from() {
        assert!(DATASETS.is_sorted_by(|a, b| a.name < b.name));
        for info in DATASETS {
            assert!(
                info.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{}",
                info.name
            );
            assert!(!info.doc.is_empty() && !info.source.is_empty() && !info.attribution.is_empty());
            let data = load(info.name).unwrap();
            assert_eq!(data.name, info.name);
            for split in [&data.train, &data.validation, &data.test] {
                assert_eq!(split.check(data.shape), Ok(()));
                assert!(split.images.iter().all(|v| (0.0..=1.0).contains(v)));
                assert!(split.labels.iter().all(|&l| usize::from(l) < data.classes));
            }
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        assert_eq!(load("mnist").unwrap_err().to_string(), "data set is `mnist`, allowed: digits-8x8");
    }
}
