//! Data sets in the files of a directory.

use super::idx::unpack;
use super::{DataError, Dataset, Split, read_idx};
use crate::Shape;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The files of a data set: bytes as pixels, one label each.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) shape: Shape,
    pub(super) classes: usize,
    /// How many of the last training images are for validation.
    pub(super) validation: usize,
    pub(super) train: &'static [Part],
    pub(super) test: &'static [Part],
}

/// Images with their labels, with the number of images.
#[derive(Debug)]
pub(super) enum Part {
    /// Two IDX files: images and labels.
    Idx(&'static str, &'static str, usize),
    /// One file of records: a byte as label, and the pixels of an image.
    Records(&'static str, usize),
}

impl Files {
    /// Names of all files.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let names = |part: &Part| match *part {
            Part::Idx(images, labels, _) => vec![images, labels],
            Part::Records(file, _) => vec![file],
        };
        self.train.iter().chain(self.test).flat_map(names).collect()
    }

    /// Reads all files; the last training images are for validation.
    pub(super) fn load(&self, name: &'static str, directory: &Path) -> Result<Dataset, DataError> {
        let mut train = self.read(self.train, directory)?;
        let rest = train.len().saturating_sub(self.validation);
        let validation = Split {
            features: train.features,
            images: train.images.split_off(rest * train.features),
            labels: train.labels.split_off(rest),
        };
        let test = self.load_test(directory)?;
        Ok(Dataset { name, shape: self.shape, classes: self.classes, train, validation, test })
    }

    /// Reads the files with the test images.
    pub(super) fn load_test(&self, directory: &Path) -> Result<Split, DataError> {
        self.read(self.test, directory)
    }

    fn read(&self, parts: &[Part], directory: &Path) -> Result<Split, DataError> {
        let mut split = Split { features: self.shape.len(), images: Vec::new(), labels: Vec::new() };
        for part in parts {
            match part {
                Part::Idx(images, labels, count) => self.read_idx(directory, images, labels, *count, &mut split)?,
                Part::Records(file, count) => self.read_records(directory, file, *count, &mut split)?,
            }
        }
        Ok(split)
    }

    fn read_idx(
        &self,
        directory: &Path,
        images: &str,
        labels: &str,
        count: usize,
        split: &mut Split,
    ) -> Result<(), DataError> {
        let array = |file: &str, sizes: &[usize]| {
            let limit: usize = sizes.iter().product();
            let (file, bytes) = read(directory, file, limit)?;
            let array = read_idx(&file, &bytes, limit)?;
            if array.dimensions != sizes {
                return Err(DataError::damaged(&file, format!("sizes {:?}, allowed: {sizes:?}", array.dimensions)));
            }
            Ok((file, array.values))
        };
        let (_, pixels) = array(images, &[count, self.shape.height, self.shape.width])?;
        let (file, classes) = array(labels, &[count])?;
        split.images.extend(pixels.into_iter().map(scaled));
        self.add_labels(&file, &classes, split)
    }

    fn read_records(&self, directory: &Path, file: &str, count: usize, split: &mut Split) -> Result<(), DataError> {
        let record = 1 + self.shape.len();
        let (file, bytes) = read(directory, file, count * record)?;
        let bytes = unpack(&file, &bytes, count * record)?;
        if bytes.len() != count * record {
            let problem = format!("{} bytes, allowed: {}, {count} records of {record}", bytes.len(), count * record);
            return Err(DataError::damaged(&file, problem));
        }
        let labels: Vec<u8> = bytes.iter().copied().step_by(record).collect();
        split.images.reserve(count * self.shape.len());
        for record in bytes.chunks_exact(record) {
            split.images.extend(record[1..].iter().copied().map(scaled));
        }
        self.add_labels(&file, &labels, split)
    }

    fn add_labels(&self, file: &str, labels: &[u8], split: &mut Split) -> Result<(), DataError> {
        match labels.iter().position(|&label| usize::from(label) >= self.classes) {
            Some(index) => {
                let problem = format!("label {index} is {}, allowed: 0 to {}", labels[index], self.classes - 1);
                Err(DataError::damaged(file, problem))
            }
            None => {
                split.labels.extend_from_slice(labels);
                Ok(())
            }
        }
    }
}

/// A byte as a number of 0 to 1.
fn scaled(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

/// The file `name` or, if there is none, `name.gz`, opened, with its path.
///
/// # Errors
/// If neither is there, or the system does not open it.
pub fn open(directory: &Path, name: &str) -> Result<(PathBuf, File), DataError> {
    for name in [name.to_owned(), format!("{name}.gz")] {
        let path = directory.join(name);
        match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let file = path.display().to_string();
                return Err(DataError::Unreadable { file, problem: error.to_string() });
            }
            Ok(open) => return Ok((path, open)),
        }
    }
    let file = directory.join(name).display().to_string();
    Err(DataError::Missing { file, directory: directory.display().to_string() })
}

/// Name and bytes of a file that [`open`] finds, with `limit` bytes of content.
fn read(directory: &Path, name: &str, limit: usize) -> Result<(String, Vec<u8>), DataError> {
    // Headers, and what gzip adds to bytes that it cannot compress.
    let limit = limit + limit / 100 + 4096;
    let (path, open) = open(directory, name)?;
    let (file, mut bytes) = (path.display().to_string(), Vec::new());
    let unreadable = |error: std::io::Error| DataError::Unreadable { file: file.clone(), problem: error.to_string() };
    open.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(DataError::damaged(&file, format!("more than {limit} bytes, allowed: at most {limit}")));
    }
    Ok((file, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const FILES: Files = Files {
        shape: Shape { channels: 1, height: 1, width: 2 },
        classes: 3,
        validation: 1,
        train: &[Part::Records("train.bin", 2)],
        test: &[Part::Idx("images", "labels", 1)],
    };

    fn directory(train: &[u8], label: u8) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("train.bin"), train).unwrap();
        let images = [&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2][..], &[51, 102]].concat();
        fs::write(directory.path().join("images"), images).unwrap();
        fs::write(directory.path().join("labels"), [0, 0, 8, 1, 0, 0, 0, 1, label]).unwrap();
        directory
    }

    #[test]
    fn records_and_arrays_become_splits() {
        let directory = directory(&[2, 0, 255, 1, 255, 51], 0);
        let data = FILES.load("x", directory.path()).unwrap();
        assert_eq!(data.train, Split { features: 2, images: vec![0.0, 1.0], labels: vec![2] });
        assert_eq!(data.validation, Split { features: 2, images: vec![1.0, 0.2], labels: vec![1] });
        assert_eq!(data.test, Split { features: 2, images: vec![0.2, 0.4], labels: vec![0] });
    }

    #[test]
    fn damage_is_named_with_its_file() {
        let problem = |train: &[u8], label| FILES.load("x", directory(train, label).path()).unwrap_err().to_string();
        assert!(problem(&[2, 0, 255, 1, 255], 0).ends_with("train.bin: 5 bytes, allowed: 6, 2 records of 3"));
        assert!(problem(&[3, 0, 255, 1, 255, 51], 0).ends_with("train.bin: label 0 is 3, allowed: 0 to 2"));
        assert!(problem(&[2, 0, 255, 1, 255, 51], 7).ends_with("labels: label 0 is 7, allowed: 0 to 2"));
        assert!(problem(&[0; 9000], 0).contains("allowed: at most"));
    }
}
