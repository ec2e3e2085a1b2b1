//! A directory that holds what was computed, one file a result under the hash of all that it depends on. Many processes on many machines may share
//! it, and be killed at any moment.
//!
//! ```text
//! STORE/row/3f/3f2a....rec        a row of results          STORE/training/..., STORE/program/...   what rows are made from
//! STORE/failed/3f/3f2a....rec     why it could not be computed, and how often that was tried
//! STORE/conflict/...              a second result with other bytes, or a damaged file
//! STORE/lock/3f2a....lock         who is computing it       STORE/checkpoint/3f2a.../               the state of a training
//! ```
//!
//! A file is written under another name, brought to the disk, renamed, and its directory brought to the disk: it is there whole or not at all.

mod error;
mod files;
mod host;
mod id;
mod kind;
mod locks;
mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use self::error::StoreError;
pub use self::files::{Disk, Files};
pub use self::id::{Id, MODEL};
pub use self::kind::Kind;
pub use self::locks::Lock;
use self::locks::{Done, Locks, PATIENCE};
pub use self::record::Record;

/// How often a result that fails is tried.
pub const TRIES: u32 = 3;

/// How often something was tried in vain, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Tries so far.
    pub tries: u32,
    /// What went wrong the last time.
    pub error: String,
}

/// A store.
pub struct Store {
    root: PathBuf,
    files: Arc<dyn Files>,
    locks: Locks,
}

impl Store {
    /// The store in a directory, which need not exist yet.
    #[must_use]
    pub fn open(root: &Path) -> Self {
        Self::with(root, Arc::new(Disk), PATIENCE)
    }

    /// A store on another file system; `patience` is how long a lock may be without a sign of life.
    #[must_use]
    pub fn with(root: &Path, files: Arc<dyn Files>, patience: Duration) -> Self {
        let locks = Locks::new(files.clone(), root.join("lock"), patience);
        Self { root: root.to_owned(), files, locks }
    }

    /// Its directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of a thing.
    #[must_use]
    pub fn path(&self, kind: Kind, id: &Id) -> PathBuf {
        let name = id.to_string();
        self.root.join(kind.name()).join(&name[..2]).join(format!("{name}.rec"))
    }

    /// The directory for the state of a training.
    #[must_use]
    pub fn checkpoints(&self, id: &Id) -> PathBuf {
        self.root.join("checkpoint").join(id.to_string())
    }

    /// The names of all things of a kind.
    ///
    /// # Errors
    /// If a directory cannot be read.
    pub fn ids(&self, kind: Kind) -> Result<BTreeSet<Id>, StoreError> {
        let mut found = BTreeSet::new();
        let directory = self.root.join(kind.name());
        for part in self.list(&directory)? {
            let names = self.list(&directory.join(part))?;
            found.extend(names.iter().filter_map(|name| Id::parse(name.strip_suffix(".rec")?)));
        }
        Ok(found)
    }

    fn list(&self, directory: &Path) -> Result<Vec<String>, StoreError> {
        // A file among the directories is none of ours.
        match self.files.list(directory) {
            Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(Vec::new()),
            names => names.map_err(|source| StoreError::Io { path: directory.to_owned(), source }),
        }
    }

    /// A thing, if it is there. A damaged file is put aside, and is not there any more.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn get(&self, kind: Kind, id: &Id) -> Result<Option<Record>, StoreError> {
        let path = self.path(kind, id);
        let bytes = match self.files.read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|source| StoreError::Io { path: path.clone(), source })?,
        };
        if let Ok(record) = Record::decode(&bytes, kind, id) {
            return Ok(Some(record));
        }
        self.put_aside(kind, id, &bytes)?;
        self.files.remove(&path).map_err(|source| StoreError::Io { path, source })?;
        Ok(None)
    }

    /// Stores a thing. If it is there already with the same bytes, nothing happens.
    ///
    /// # Errors
    /// If it cannot be written, or is there with other bytes; both are kept then.
    pub fn put(&self, kind: Kind, id: &Id, record: &Record) -> Result<(), StoreError> {
        let bytes = record.encode(kind, id);
        match self.get(kind, id)? {
            None => self.write(&self.path(kind, id), &bytes),
            Some(there) if there == *record => Ok(()),
            Some(_) => {
                let second = self.put_aside(kind, id, &bytes)?;
                Err(StoreError::Conflict { first: self.path(kind, id), second })
            }
        }
    }

    /// Keeps bytes beside what is stored.
    fn put_aside(&self, kind: Kind, id: &Id, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let name = format!("{}-{id}-{}.rec", kind.name(), &record::digest(bytes)[..8]);
        let path = self.root.join(Kind::Conflict.name()).join(name);
        self.write(&path, bytes)?;
        Ok(path)
    }

    /// What there is in contradiction to something, or damaged.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn conflicts(&self) -> Result<Vec<PathBuf>, StoreError> {
        let directory = self.root.join(Kind::Conflict.name());
        let whole = |name: &String| !name.ends_with(".tmp");
        Ok(self.list(&directory)?.iter().filter(|name| whole(name)).map(|name| directory.join(name)).collect())
    }

    /// Writes a file so that it is there whole or not at all.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let directory = path.parent().unwrap_or(&self.root);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = directory.join(format!(".{name}.{}.tmp", self.locks.word()));
        let write = || {
            self.make_directory(directory)?;
            self.files.create(&temporary, bytes)?;
            self.files.sync(&temporary)?;
            self.files.rename(&temporary, path)?;
            self.files.sync(directory)
        };
        write().map_err(|source| {
            // It is of no use any more; that it may stay behind changes nothing about the error.
            let _ = self.files.remove(&temporary);
            StoreError::Io { path: path.to_owned(), source }
        })
    }

    /// Makes a directory below the store, and brings the names of it to the disk.
    fn make_directory(&self, directory: &Path) -> std::io::Result<()> {
        if directory.is_dir() {
            return Ok(());
        }
        self.files.make_directory(directory)?;
        let above = directory.ancestors().skip(1).take_while(|above| above.starts_with(&self.root));
        above.take(2).try_for_each(|above| self.files.sync(above))
    }

    /// Why something could not be computed, if that was tried.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn failure(&self, id: &Id) -> Result<Option<Failure>, StoreError> {
        let Some(record) = self.get(Kind::Failed, id)? else { return Ok(None) };
        let contents = |what: String| StoreError::Contents { path: self.path(Kind::Failed, id), what };
        let text = record.text("failure").map_err(contents)?;
        toml::from_str(text).map(Some).map_err(|error| contents(error.to_string()))
    }

    /// Records that something could not be computed.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn fail(&self, id: &Id, failure: &Failure) -> Result<(), StoreError> {
        let path = self.path(Kind::Failed, id);
        let text = toml::to_string(failure)
            .map_err(|error| StoreError::Contents { path: path.clone(), what: error.to_string() })?;
        self.write(&path, &Record::default().with("failure", text).encode(Kind::Failed, id))
    }

    /// Forgets a thing or a failure.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub fn forget(&self, kind: Kind, id: &Id) -> Result<(), StoreError> {
        let path = self.path(kind, id);
        self.files.remove(&path).map_err(|source| StoreError::Io { path, source })
    }

    /// Forgets the state of a training.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn forget_checkpoints(&self, id: &Id) -> Result<(), StoreError> {
        let path = self.checkpoints(id);
        match std::fs::remove_dir_all(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(StoreError::Io { path, source }),
            _ => Ok(()),
        }
    }

    /// Takes the lock of something, unless somebody else has it.
    ///
    /// # Errors
    /// If the lock cannot be written.
    pub fn lock(&self, id: &Id) -> Result<Option<Lock<'_>>, StoreError> {
        self.locks.take(id)
    }

    /// What is being computed, as far as that is known.
    ///
    /// # Errors
    /// If the locks cannot be read.
    pub fn locked(&self) -> Result<Vec<Id>, StoreError> {
        self.locks.living()
    }

    /// Runs `work` while others see that the locks it takes are alive.
    pub fn alive<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = Done::default();
        std::thread::scope(|scope| {
            scope.spawn(|| self.locks.beat(&done));
            // Also if the work panics, so that the thread ends.
            struct Over<'a>(&'a Done);
            impl Drop for Over<'_> {
                fn drop(&mut self) {
                    self.0.set();
                }
            }
            let _over = Over(&done);
            work()
        })
    }

    /// Removes what killed processes left behind: temporary files and locks. Returns how many.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn tidy(&self) -> Result<usize, StoreError> {
        let mut removed = self.locks.clear()?;
        for kind in Kind::ALL {
            let directory = self.root.join(kind.name());
            let parts = self.list(&directory)?.into_iter().map(|part| directory.join(part));
            for place in parts.chain([directory.clone()]) {
                for name in self.list(&place)?.iter().filter(|name| self.locks.is_left(name)) {
                    let path = place.join(name);
                    self.files.remove(&path).map_err(|source| StoreError::Io { path, source })?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}
