//! Where data sets are found: in the program, or below a directory that a user names.

use crate::digest::hex;
use crate::error::ExploreError;
use crate::npy;
use crate::simulate::read_bounded;
use nn::Shape;
use nn::datasets::{DATASETS, DataError, Dataset, DatasetInfo, Split, content, info, open};
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
    match directory(info, data) {
        Some(directory) => info.load_from(&directory).map_err(with_remedy),
        None => info.load().map_err(with_remedy),
    }
}

/// Loads only the test images of a data set.
///
/// # Errors
/// As [`load`].
pub fn load_test(name: &str, data: Option<&Path>) -> Result<Split, ExploreError> {
    let info = info(name)?;
    match directory(info, data) {
        Some(directory) => info.load_test_from(&directory).map_err(with_remedy),
        None => info.load().map(|dataset| dataset.test).map_err(with_remedy),
    }
}

/// What stands for the images of a data set in an identity, without loading them: the SHA-256 of what its files hold, compressed or not, or its name if they are
/// in the program. `data` is as for [`load`].
///
/// # Errors
/// As [`load`].
pub fn digest(name: &str, data: Option<&Path>) -> Result<String, ExploreError> {
    let info = info(name)?;
    let files = info.files();
    if files.is_empty() {
        return Ok(format!("{name} of the program"));
    }
    // Without a directory, loading says which files are wanted.
    let Some(directory) = directory(info, data) else {
        return info.load().map(|set| set.name.to_owned()).map_err(with_remedy);
    };
    hash_of_files(&directory, &files)
}

/// The SHA-256 of what files hold, one after the other.
fn hash_of_files(directory: &Path, files: &[&str]) -> Result<String, ExploreError> {
    let mut hash = Sha256::new();
    for file in files {
        let (path, held) = open(directory, file).map_err(with_remedy)?;
        let hashed = content(held).and_then(|mut held| std::io::copy(&mut held, &mut IntoHash(&mut hash)));
        hashed.map_err(|source| ExploreError::File { path, source })?;
    }
    Ok(hex(hash.finalize()))
}

/// What stands for the images of a data set in memory: the SHA-256 of all pixels and labels.
#[must_use]
pub fn content_digest(dataset: &Dataset) -> String {
    let mut hash = Sha256::new();
    for split in [&dataset.train, &dataset.validation, &dataset.test] {
        hash.update((split.len() as u64).to_le_bytes());
        for pixels in split.images.chunks(1 << 10) {
            hash.update(pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect::<Vec<u8>>());
        }
        hash.update(&split.labels);
    }
    hex(hash.finalize())
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

/// Images of a NumPy file, `[image][channel][row][column]` or `[image][value]`, of which axes of length 1 may be missing. Their values are those
/// before the normalisation of a document's `[input]`. They have no labels; all are 0.
///
/// # Errors
/// If the file cannot be read, has another shape, or a value that is not finite.
pub fn from_npy(path: &Path, shape: Shape) -> Result<Split, ExploreError> {
    let refuse = |what: String| ExploreError::Request(format!("{}: {what}", path.display()));
    let npy::Array { shape: found, values, .. } = npy::read(&read_bounded(path, MOST_BYTES)?).map_err(refuse)?;
    let features = shape.len();
    if values.is_empty() {
        return Err(refuse(format!("holds no image: its shape is {found:?}")));
    }
    if !holds_images(&found, shape) {
        let Shape { channels, height, width } = shape;
        let turned = Shape { channels: width, height: channels, width: height };
        let hint = if holds_images(&found, turned) {
            "; if the network takes channels last, a document with layout = \"nhwc\" says so (docs/networks.md)"
        } else {
            ""
        };
        return Err(refuse(format!(
            "holds {found:?} numbers; allowed are images of {shape}, channels first: [N, {channels}, {height}, {width}] or [N, {features}]{hint}"
        )));
    }
    if let Some(index) = values.iter().position(|&value| !(value as f32).is_finite()) {
        let (image, value) = (index / features, values[index]);
        return Err(refuse(format!(
            "value {} of image {image} is {value}; allowed are finite numbers",
            index % features
        )));
    }
    let labels = vec![0; values.len() / features];
    Ok(Split { features, images: values.into_iter().map(|value| value as f32).collect(), labels })
}

/// Whether an array of this shape holds whole images, channels first or flat; axes of length 1 do not count.
fn holds_images(found: &[usize], shape: Shape) -> bool {
    let long = |axes: &[usize]| axes.iter().copied().filter(|&length| length != 1).collect::<Vec<_>>();
    let found = long(found);
    [long(&[shape.channels, shape.height, shape.width]), long(&[shape.len()])]
        .iter()
        .any(|image| found == *image || found.get(1..) == Some(image.as_slice()))
}

/// Images without labels, as the data set of a network that has no other.
#[must_use]
pub fn unlabelled(shape: Shape, images: &Split) -> Dataset {
    let empty = images.truncated(0);
    Dataset { name: "none", shape, classes: 1, train: images.clone(), validation: empty.clone(), test: empty }
}

/// The directory of a data set: that of its name below the directory of all, or else the latter. Of `cifar10-jpeg75` it may also be `cifar10`, as
/// file names tell them apart. A directory with the name of another data set is not taken for it: MNIST and Fashion-MNIST have the same files.
fn directory(info: &DatasetInfo, data: Option<&Path>) -> Option<PathBuf> {
    let of_environment = || std::env::var_os(DATA).filter(|directory| !directory.is_empty()).map(PathBuf::from);
    let all = data.map(Path::to_path_buf).or_else(of_environment)?;
    let family = info.name.rsplit_once('-').map(|(family, _)| family);
    let below = [Some(info.name), family].into_iter().flatten().map(|name| all.join(name));
    let holds = |directory: &PathBuf| info.files().iter().any(|file| exists(directory, file));
    let others = DATASETS.iter().filter(|other| other.name != info.name && Some(other.name) != family);
    let of_another = others.map(|other| other.name).any(|other| all.ends_with(other));
    let found = below.chain((!of_another).then(|| all.clone())).find(holds);
    Some(found.unwrap_or_else(|| all.join(info.name)))
}

/// The error of a data set whose directory was not named or does not hold it, with how to name one.
fn with_remedy(error: DataError) -> ExploreError {
    match error {
        DataError::Directory { .. } => {
            ExploreError::Request(format!("{error}; name it, or the one above it, by --data or ${DATA}"))
        }
        source @ DataError::Missing { .. } => ExploreError::NoData { source },
        other => other.into(),
    }
}

fn exists(directory: &Path, file: &str) -> bool {
    directory.join(file).exists() || directory.join(format!("{file}.gz")).exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_stands_for_images_does_not_depend_on_compression() {
        let packed =
            std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../nn/data/digits-8x8/labels.idx1.gz")).unwrap();
        let mut plain = Vec::new();
        content(packed.as_slice()).unwrap().read_to_end(&mut plain).unwrap();
        let hashed = |files: &[(&str, &[u8])]| {
            let directory = tempfile::tempdir().unwrap();
            files.iter().for_each(|(name, bytes)| std::fs::write(directory.path().join(name), bytes).unwrap());
            hash_of_files(directory.path(), &["labels"]).unwrap()
        };
        let expected = hex(Sha256::digest(&plain));
        assert!(plain.len() > packed.len());
        assert_eq!(hashed(&[("labels", &plain)]), expected);
        assert_eq!(hashed(&[("labels.gz", &packed)]), expected);
        assert_eq!(hashed(&[("labels", &packed)]), expected, "names do not tell");
        assert_ne!(hashed(&[("labels", &plain[1..])]), expected);
    }

    #[test]
    fn the_directory_of_another_data_set_is_not_taken() {
        let all = tempfile::tempdir().unwrap();
        let found = |name: &str, at: &Path| directory(info(name).unwrap(), Some(at)).unwrap();
        for at in [all.path().to_path_buf(), all.path().join("mnist"), all.path().join("mine")] {
            std::fs::create_dir_all(&at).unwrap();
            std::fs::write(at.join("train-images-idx3-ubyte"), b"").unwrap();
        }
        let (mnist, mine) = (all.path().join("mnist"), all.path().join("mine"));
        assert_eq!(found("mnist", all.path()), mnist);
        assert_eq!((found("mnist", &mnist), found("mnist", &mine)), (mnist.clone(), mine.clone()));
        assert_eq!(found("fashion-mnist", &mine), mine);
        assert_eq!(found("fashion-mnist", &mnist), mnist.join("fashion-mnist"));
    }

    #[test]
    fn images_are_channels_first_or_flat() {
        let shape = Shape { channels: 3, height: 4, width: 5 };
        for good in [&[7, 3, 4, 5][..], &[3, 4, 5], &[1, 3, 4, 5], &[7, 60], &[60], &[1, 60], &[7, 60, 1, 1]] {
            assert!(holds_images(good, shape), "{good:?}");
        }
        for bad in [&[7, 4, 5, 3][..], &[4, 5, 3], &[7, 3, 5, 4], &[60, 7], &[420], &[7, 12, 5], &[]] {
            assert!(!holds_images(bad, shape), "{bad:?}");
        }
        let grey = Shape { channels: 1, height: 4, width: 5 };
        assert!([&[7, 4, 5][..], &[7, 4, 5, 1], &[7, 1, 4, 5], &[4, 5]].iter().all(|good| holds_images(good, grey)));
        let number = Shape { channels: 1, height: 1, width: 1 };
        assert!(holds_images(&[7], number) && holds_images(&[7, 1], number) && holds_images(&[1], number));
    }
}
