//! The data sets: one that is compiled into the program, so that every result can be repeated from itself, and others that are read from
//! a directory with their published files.

mod cifar10;
mod digits;
mod directory;
mod idx;
mod mnist;
mod split;

pub use directory::open;
pub use idx::{IdxArray, content, read_idx};
pub use split::Split;

use crate::Shape;
use std::path::Path;

/// All data sets, by name in ascending order.
pub const DATASETS: &[&DatasetInfo] = &[&cifar10::INFO, &cifar10::JPEG75, &digits::INFO, &mnist::FASHION, &mnist::INFO];

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
    source_of_images: Source,
}

/// Where the images are.
#[derive(Debug)]
enum Source {
    /// In the program.
    Embedded(fn() -> Result<Dataset, DataError>),
    /// In files of a directory.
    Files(directory::Files),
}

impl DatasetInfo {
    /// The files that a directory must hold for [`Self::load_from`]; none if the data set is in the program.
    #[must_use]
    pub fn files(&self) -> Vec<&'static str> {
        match &self.source_of_images {
            Source::Embedded(_) => Vec::new(),
            Source::Files(files) => files.names(),
        }
    }

    /// Loads a data set that is in the program.
    ///
    /// # Errors
    /// If the data are damaged, or are not in the program; the message names the files that are needed.
    pub fn load(&self) -> Result<Dataset, DataError> {
        match &self.source_of_images {
            Source::Embedded(load) => load(),
            Source::Files(files) => Err(DataError::Directory { name: self.name, files: files.names().join(", ") }),
        }
    }

    /// Loads the data set from its files in `directory`; one that is in the program looks for none.
    ///
    /// # Errors
    /// If a file is missing or damaged; the message names it.
    pub fn load_from(&self, directory: &Path) -> Result<Dataset, DataError> {
        match &self.source_of_images {
            Source::Embedded(load) => load(),
            Source::Files(files) => files.load(self.name, directory),
        }
    }

    /// Loads only the test images.
    ///
    /// # Errors
    /// As [`Self::load_from`].
    pub fn load_test_from(&self, directory: &Path) -> Result<Split, DataError> {
        match &self.source_of_images {
            Source::Embedded(load) => Ok(load()?.test),
            Source::Files(files) => files.load_test(directory),
        }
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
    /// The data set is not in the program.
    #[error(
        "data set `{name}` is read from a directory with the files {files} (each plain or .gz), but none was given"
    )]
    Directory {
        /// The data set.
        name: &'static str,
        /// Its files.
        files: String,
    },
    /// A file is not there.
    #[error("{file}: there is no such file, nor one with .gz behind its name; put it into {directory}")]
    Missing {
        /// The file.
        file: String,
        /// Where it should be.
        directory: String,
    },
    /// A file cannot be read.
    #[error("{file}: {problem}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        problem: String,
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
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(info.name.chars().all(plain), "{}", info.name);
            assert!(!info.doc.is_empty() && !info.source.is_empty() && !info.attribution.is_empty());
            let nowhere = info.load_from(Path::new("/nowhere"));
            if !info.files().is_empty() {
                let (error, missing) = (load(info.name).unwrap_err().to_string(), nowhere.unwrap_err().to_string());
                assert!(error.contains(&info.files().join(", ")), "{error}");
                assert!(missing.starts_with("/nowhere/") && missing.contains(".gz"), "{missing}");
                continue;
            }
            let data = load(info.name).unwrap();
            assert_eq!(nowhere.as_ref(), Ok(&data));
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
        assert_eq!(
            load("imagenet").unwrap_err().to_string(),
            "data set is `imagenet`, allowed: cifar10, cifar10-jpeg75, digits-8x8, fashion-mnist, mnist"
        );
    }
}
