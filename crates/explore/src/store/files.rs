//! The file system as the store sees it, so that tests can let any of its operations fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::SystemTime;

use super::host::unique_word;

/// What the store asks of a file system.
pub trait Files: std::fmt::Debug + Send + Sync {
    /// The content of a file.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The names in a directory in ascending order; none if there is no directory.
    ///
    /// # Errors
    /// If it cannot be read.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// Makes a directory and those above it, where they are missing.
    ///
    /// # Errors
    /// If it cannot be made.
    fn make_directory(&self, directory: &Path) -> io::Result<()>;

    /// Writes a file that must not exist yet.
    ///
    /// # Errors
    /// If it exists or cannot be written.
    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Gives a file a second name, which must not exist yet.
    ///
    /// # Errors
    /// If the name exists or cannot be given.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Writes over the beginning of a file.
    ///
    /// # Errors
    /// If it does not exist or cannot be written.
    fn overwrite(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Waits until the content of a file, or the names in a directory, are on the disk.
    ///
    /// # Errors
    /// If the system cannot promise it.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Gives a file another name, in place of the file that has it.
    ///
    /// # Errors
    /// If it cannot be renamed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// If it cannot be removed.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with all that it holds, if it is there.
    ///
    /// # Errors
    /// If it cannot be removed.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;

    /// When a file was written, by the clock of the file system.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn modified(&self, path: &Path) -> io::Result<SystemTime>;
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<io::Result<Vec<String>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn make_directory(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn overwrite(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.write_all(bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn modified(&self, path: &Path) -> io::Result<SystemTime> {
        // Opened, because network file systems promise fresh times for that only.
        File::open(path)?.metadata()?.modified()
    }
}

/// Writes a file beside its place, brings it to the disk, and lets `place` give it its name, so that it is there whole or not at all.
fn placed(files: &dyn Files, path: &Path, bytes: &[u8], place: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let directory = path.parent().unwrap_or(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.{}.tmp", unique_word()));
    let written = files
        .create(&temporary, bytes)
        .and_then(|()| files.sync(&temporary))
        .and_then(|()| place(&temporary))
        .and_then(|()| files.sync(directory));
    // It is of no use any more; that it may stay behind changes nothing.
    let _ = files.remove(&temporary);
    written
}

/// Writes a file in place of the one that may be there, whole or not at all.
pub(crate) fn replace(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    placed(files, path, bytes, |temporary| files.rename(temporary, path))
}

/// Writes a file that must not be there yet, whole or not at all. Of two who write it at the same time one gets an error of the kind `AlreadyExists`.
pub(crate) fn add(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    placed(files, path, bytes, |temporary| files.link(temporary, path))
}
