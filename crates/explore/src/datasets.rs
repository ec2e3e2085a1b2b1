//! Where data sets are found: in the program, or below a directory that a user names.

use crate::error::ExploreError;
use crate::npy;
use crate::simulate::read_bounded;
use nn::Shape;
use nn::datasets::{Dataset, DatasetInfo, Split, info};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Environment variable that names the directory of data sets.
pub const DATA: &str = "OHMIC_DATA";

/// Loads a data set. `data` is the directory of data sets; without it that of the environment is taken.
///
/// # Errors
/// If there is no such data set, or its files are not there or damaged.
pub fn load(name: &str, data: Option<&Path>) -> Result<Dataset, ExploreError> {
    let info = info(name)?;
    Ok(match directory(info, data) {
        Some(directory) => info.load_from(&directory)?,
        None => info.load()?,
    })
}

/// Loads only the test images of a data set.
///
/// # Errors
/// As [`load`].
pub fn load_test(name: &str, data: Option<&Path>) -> Result<Split, ExploreError> {
    let info = info(name)?;
    Ok(match directory(info, data) {
        Some(directory) => info.load_test_from(&directory)?,
        None => info.load()?.test,
    })
}

/// What stands for the images of a data set in an identity: the SHA-256 of its files, or its name if they are in the program.
///
/// # Errors
/// As [`load`].
pub fn digest(name: &str) -> Result<String, ExploreError> {
    let info = info(name)?;
    let files = info.files();
    if files.is_empty() {
        return Ok(format!("{name} of the program"));
    }
    // Without a directory, loading says which files are wanted.
    let Some(directory) = directory(info, None) else {
        return info.load().map(|set| set.name.to_owned()).map_err(Into::into);
    };
    let mut hash = Sha256::new();
    for file in files {
        let plain = directory.join(file);
        let path = if plain.exists() { plain } else { directory.join(format!("{file}.gz")) };
        let open = std::fs::File::open(&path).and_then(|mut open| std::io::copy(&mut open, &mut IntoHash(&mut hash)));
        open.map_err(|source| ExploreError::File { path, source })?;
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Feeds a hash with what is written.
struct IntoHash<'a>(&'a mut Sha256);

impl std::io::Write for IntoHash<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Largest NumPy file of images, bytes.
const MOST_BYTES: u64 = 1 << 31;

/// Images of a NumPy file, as the network takes them, one after the other. They have no labels; all are 0.
///
/// # Errors
/// If the file cannot be read or does not hold whole images.
pub fn from_npy(path: &Path, shape: Shape) -> Result<Split, ExploreError> {
    let refuse = |what: String| ExploreError::Request(format!("{}: {what}", path.display()));
    let npy::Array { shape: found, values, .. } = npy::read(&read_bounded(path, MOST_BYTES)?).map_err(refuse)?;
    let features = shape.len();
    if values.is_empty() || !values.len().is_multiple_of(features) {
        return Err(refuse(format!(
            "holds {found:?} numbers; the network takes images of {shape}, {features} numbers"
        )));
    }
    let labels = vec![0; values.len() / features];
    Ok(Split { features, images: values.into_iter().map(|value| value as f32).collect(), labels })
}

/// Images without labels, as the data set of a network that has no other.
#[must_use]
pub fn unlabelled(shape: Shape, images: &Split) -> Dataset {
    let empty = images.truncated(0);
    Dataset { name: "none", shape, classes: 1, train: images.clone(), validation: empty.clone(), test: empty }
}

/// The directory of a data set: that of its name below the directory of all, or else the latter. Of `cifar10-jpeg75` it may also be `cifar10`, as
/// file names tell them apart.
fn directory(info: &DatasetInfo, data: Option<&Path>) -> Option<PathBuf> {
    let all = data.map(Path::to_path_buf).or_else(|| std::env::var_os(DATA).map(PathBuf::from))?;
    let family = info.name.rsplit_once('-').map(|(family, _)| family);
    let below = [Some(info.name), family].into_iter().flatten().map(|name| all.join(name));
    let holds = |directory: &PathBuf| info.files().iter().any(|file| exists(directory, file));
    let found = below.into_iter().find(holds);
    Some(found.unwrap_or(all))
}

fn exists(directory: &Path, file: &str) -> bool {
    directory.join(file).exists() || directory.join(format!("{file}.gz")).exists()
}
