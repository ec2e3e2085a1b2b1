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
//! A file is written under another name, brought to the disk, given its own name, which must be free, and its directory brought to the disk: it is there
//! whole or not at all, and never in place of another.

mod checkpoints;
mod error;
mod failures;
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
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use self::error::StoreError;
pub use self::failures::Failure;
pub(crate) use self::files::replace;
pub use self::files::{Disk, Files};
pub use self::id::{Id, MODEL};
pub use self::kind::Kind;
pub use self::locks::Lock;
use self::locks::{Done, Locks, PATIENCE};
pub use self::record::Record;

/// How often a result that fails is tried: once, and three times again.
pub const TRIES: u32 = 4;

/// A store.
pub struct Store {
    root: PathBuf,
    files: Arc<dyn Files>,
    locks: Locks,
    /// Directories that are known to be on the disk.
    made: Mutex<BTreeSet<PathBuf>>,
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
        Self { root: root.to_owned(), files, locks, made: Mutex::default() }
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

    /// Whether anything was ever put here, or was about to be.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        let kinds = Kind::ALL.into_iter().map(Kind::name);
        kinds.chain(["lock", "checkpoint"]).any(|name| self.root.join(name).exists())
    }

    /// A thing, if it is there. A damaged file is put aside, and is not there any more; where nothing may be written it stays, and counts as not there.
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
        let refused = |error: &std::io::Error| {
            matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied)
        };
        match self.put_aside(kind, id, &bytes).and_then(|_| self.forget(kind, id)) {
            Err(StoreError::Io { source, .. }) if refused(&source) => Ok(None),
            put_aside => put_aside.map(|()| None),
        }
    }

    /// Puts aside a record that is stored and is of no use.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn reject(&self, kind: Kind, id: &Id, record: &Record) -> Result<(), StoreError> {
        self.put_aside(kind, id, &record.encode(kind, id))?;
        self.forget(kind, id)
    }

    /// Stores a thing. If it is there already with the same bytes, nothing happens.
    ///
    /// # Errors
    /// If it cannot be written, or is there with other bytes; both are kept then, also if both are written at the same time.
    pub fn put(&self, kind: Kind, id: &Id, record: &Record) -> Result<(), StoreError> {
        let (path, bytes) = (self.path(kind, id), record.encode(kind, id));
        let mut overtaken = 0;
        loop {
            match self.get(kind, id)? {
                Some(there) if there == *record => return Ok(()),
                Some(_) => {
                    let second = self.put_aside(kind, id, &bytes)?;
                    return Err(StoreError::Conflict { first: path, second });
                }
                None => {}
            }
            match self.write(&path, |files| files::add(files, &path, &bytes)) {
                // Somebody else was faster; what it wrote is looked at.
                Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists && overtaken < 3 => {
                    overtaken += 1;
                }
                written => return written,
            }
        }
    }

    /// Keeps bytes beside what is stored.
    fn put_aside(&self, kind: Kind, id: &Id, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let name = format!("{}-{id}-{}.rec", kind.name(), &record::digest(bytes)[..8]);
        let path = self.root.join(Kind::Conflict.name()).join(name);
        self.replace(&path, bytes)?;
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

    /// Writes a file in place of the one that may be there.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(path, |files| replace(files, path, bytes))
    }

    /// Writes a file into a directory that is made if it is not there.
    fn write(&self, path: &Path, how: impl Fn(&dyn Files) -> std::io::Result<()>) -> Result<(), StoreError> {
        let directory = path.parent().unwrap_or(&self.root);
        let written = self.make_directory(directory).and_then(|()| how(&*self.files));
        written.map_err(|source| StoreError::Io { path: path.to_owned(), source })
    }

    /// Makes a directory below the store, and brings the names of it and of those above it to the disk: whoever else has made one of them may not have done so
    /// yet.
    fn make_directory(&self, directory: &Path) -> std::io::Result<()> {
        let known = |made: &BTreeSet<PathBuf>| made.contains(directory);
        if known(&self.made.lock().unwrap_or_else(PoisonError::into_inner)) && directory.is_dir() {
            return Ok(());
        }
        self.files.make_directory(directory)?;
        let below = directory.ancestors().take_while(|above| above.starts_with(&self.root)).count();
        // An empty name is that of the directory where the process is.
        let named = |above: &'_ Path| if above.as_os_str().is_empty() { PathBuf::from(".") } else { above.to_owned() };
        directory.ancestors().skip(1).take(below).try_for_each(|above| self.files.sync(&named(above)))?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(directory.to_owned());
        Ok(())
    }

    /// Forgets a thing or a failure.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub fn forget(&self, kind: Kind, id: &Id) -> Result<(), StoreError> {
        let path = self.path(kind, id);
        self.files.remove(&path).map_err(|source| StoreError::Io { path, source })
    }

    /// Takes the lock of something, unless somebody else has it. That the owner before was gone is recorded.
    ///
    /// # Errors
    /// If the lock cannot be written.
    pub fn lock(&self, id: &Id) -> Result<Option<Lock<'_>>, StoreError> {
        let lock = self.locks.take(id)?;
        if lock.as_ref().is_some_and(|lock| lock.after_death) {
            self.record_death(id)?;
        }
        Ok(lock)
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

    /// Removes what killed processes left behind: temporary files, locks, and states of trainings that are stored. Returns how many.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn tidy(&self) -> Result<usize, StoreError> {
        let mut removed = self.locks.clear()?;
        for kind in Kind::ALL {
            let directory = self.root.join(kind.name());
            let parts = self.list(&directory)?.into_iter().map(|part| directory.join(part));
            for place in parts.chain([directory.clone()]) {
                for name in self.list(&place)?.iter().filter(|name| self.locks.is_leftover(&place, name)) {
                    let path = place.join(name);
                    self.files.remove(&path).map_err(|source| StoreError::Io { path, source })?;
                    removed += 1;
                }
            }
        }
        let stored = self.ids(Kind::Training)?;
        Ok(removed + self.tidy_checkpoints(|id| stored.contains(id))?)
    }
}
