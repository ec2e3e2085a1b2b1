//! Locks: files that keep two processes from the same work. They only save work: what is stored is safe without them, because whoever computes the
//! same thing computes the same bytes.
//!
//! A lock is removed by whoever finds that its owner has ended, or sees it without a sign of life for [`PATIENCE`] by its own clock, so that the
//! clocks of machines need not agree.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::files::Files;
use super::host::Owner;
use super::{Id, StoreError};

/// Time between two signs of life.
pub(super) const BEAT: Duration = Duration::from_secs(5);
/// A lock without a sign of life for so long has no owner any more.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The locks of a store.
pub(super) struct Locks {
    files: Arc<dyn Files>,
    directory: PathBuf,
    owner: Owner,
    /// Temporary files so far.
    written: AtomicU64,
    held: Mutex<Vec<PathBuf>>,
    /// What other locks contained, and since when.
    watched: Mutex<BTreeMap<PathBuf, (String, Instant)>>,
    patience: Duration,
}

/// A lock that is held until it is dropped.
pub struct Lock<'a> {
    locks: &'a Locks,
    path: PathBuf,
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        guard(&self.locks.held).retain(|path| *path != self.path);
        // A lock that stays behind expires.
        let _ = self.locks.files.remove(&self.path);
    }
}

/// Another thread that has panicked leaves nothing half done behind these mutexes.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Locks {
    pub(super) fn new(files: Arc<dyn Files>, directory: PathBuf, patience: Duration) -> Self {
        Self {
            files,
            directory,
            owner: Owner::this(),
            written: AtomicU64::new(0),
            held: Mutex::default(),
            watched: Mutex::default(),
            patience,
        }
    }

    fn path(&self, id: &Id) -> PathBuf {
        self.directory.join(format!("{id}.lock"))
    }

    /// Takes a lock, unless somebody else has it.
    pub(super) fn take(&self, id: &Id) -> Result<Option<Lock<'_>>, StoreError> {
        let path = self.path(id);
        let fail = |source| StoreError::Io { path: path.clone(), source };
        self.files.make_directory(&self.directory).map_err(fail)?;
        for _ in 0..2 {
            if self.make(&path).map_err(fail)? {
                guard(&self.held).push(path.clone());
                return Ok(Some(Lock { locks: self, path }));
            }
            if !self.is_abandoned(&path) {
                return Ok(None);
            }
            self.files.remove(&path).map_err(fail)?;
        }
        Ok(None)
    }

    /// Makes a lock file, at once with its content; whether it was not there yet.
    fn make(&self, path: &Path) -> std::io::Result<bool> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = self.directory.join(format!(".{name}.{}.tmp", self.word()));
        let made = self.files.create(&temporary, self.owner.line(0).as_bytes());
        let made = made.and_then(|()| match self.files.link(&temporary, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            linked => linked.map(|()| true),
        });
        // What stays behind is tidied up some day.
        let _ = self.files.remove(&temporary);
        made
    }

    /// A word for the name of a temporary file, which nobody else uses.
    pub(super) fn word(&self) -> String {
        format!("{}.{}", self.owner.word(), self.written.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether a temporary file was left behind by a process that has ended.
    pub(super) fn is_left(&self, name: &str) -> bool {
        let word = name.strip_suffix(".tmp").and_then(|name| name.rsplit('.').nth(1));
        word.is_some_and(|word| self.owner.is_left(word))
    }

    /// Whether the owner of a lock file has ended or gives no sign of life.
    fn is_abandoned(&self, path: &Path) -> bool {
        let Ok(bytes) = self.files.read(path) else { return false };
        let content = String::from_utf8_lossy(&bytes).into_owned();
        if guard(&self.held).iter().any(|held| held == path) {
            return false;
        }
        if Owner::parse(&content).is_some_and(|owner| owner.is_dead(&self.owner)) {
            return true;
        }
        let mut watched = guard(&self.watched);
        let now = Instant::now();
        match watched.get(path) {
            Some((seen, since)) if *seen == content => now.duration_since(*since) >= self.patience,
            _ => {
                watched.insert(path.to_owned(), (content, now));
                false
            }
        }
    }

    /// The locks whose owners have not ended, as far as that is known.
    pub(super) fn living(&self) -> Result<Vec<Id>, StoreError> {
        let fail = |source| StoreError::Io { path: self.directory.clone(), source };
        let names = self.files.list(&self.directory).map_err(fail)?;
        let ids = names.iter().filter_map(|name| Id::parse(name.strip_suffix(".lock")?));
        Ok(ids.filter(|id| !self.is_abandoned(&self.path(id))).collect())
    }

    /// Removes locks and temporary files of processes that have ended.
    pub(super) fn clear(&self) -> Result<usize, StoreError> {
        let fail = |source| StoreError::Io { path: self.directory.clone(), source };
        let names = self.files.list(&self.directory).map_err(fail)?;
        let dead = |name: &&String| {
            self.is_left(name) || (name.ends_with(".lock") && self.is_abandoned(&self.directory.join(name)))
        };
        let dead: Vec<PathBuf> = names.iter().filter(dead).map(|name| self.directory.join(name)).collect();
        dead.iter().try_for_each(|path| self.files.remove(path)).map_err(fail)?;
        Ok(dead.len())
    }

    /// Gives signs of life until `done` says that work is over.
    pub(super) fn beat(&self, done: &Done) {
        let mut beat = 0;
        while !done.wait(BEAT) {
            beat += 1;
            for path in guard(&self.held).iter() {
                // A lock that was taken away is not made anew.
                let _ = self.files.overwrite(path, self.owner.line(beat).as_bytes());
            }
        }
    }
}

/// Whether some work is over, for those who wait for it.
#[derive(Default)]
pub(super) struct Done {
    over: Mutex<bool>,
    changed: Condvar,
}

impl Done {
    pub(super) fn set(&self) {
        *guard(&self.over) = true;
        self.changed.notify_all();
    }

    /// Waits for so long at most; whether it is over.
    fn wait(&self, at_most: Duration) -> bool {
        let over = guard(&self.over);
        let waited = self.changed.wait_timeout_while(over, at_most, |over| !*over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
