//! Locks: files that keep two processes from the same work. They only save work: what is stored is safe without them, because whoever computes the
//! same thing computes the same bytes.
//!
//! Every claim is a file under a name of its own, `ID.HOST-PID-STARTED.NUMBER.lock`, which nobody but its owner writes, and which is removed by its owner or
//! by whoever finds that the owner is gone. A claim is a lock if there was no other one when its file was there; of two who come at the same time both see
//! the other one, and give way. So whoever loses a lock can neither overwrite nor remove that of another.
//!
//! An owner is gone if its process has ended on this machine, or if its file was not written for [`PATIENCE`]. The age of a file is that between its
//! modification and that of a file written now in the same directory: both are by the clock of the file system, whatever those of the machines say.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::files::Files;
use super::host::{Owner, unique_word};
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
    /// Names of the files.
    held: Mutex<Vec<String>>,
    /// Those that could not be removed.
    given_back: Mutex<Vec<String>>,
    /// One thread claims at a time, so that those of a process do not make way for each other.
    claiming: Mutex<()>,
    /// The time of the file system, as it was found some time ago.
    clock: Mutex<Option<(Instant, SystemTime)>>,
    patience: Duration,
}

/// A lock that is held until it is dropped.
pub struct Lock<'a> {
    locks: &'a Locks,
    name: String,
    /// Whether the owner before was gone without having finished.
    pub(super) after_death: bool,
}

impl Lock<'_> {
    /// A word that no other lock has.
    pub(super) fn word(&self) -> &str {
        let end = self.name.strip_suffix(".lock").unwrap_or(&self.name);
        end.split_once('.').map_or(end, |(_, word)| word)
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        guard(&self.locks.held).retain(|name| *name != self.name);
        // For others, a lock that stays behind expires.
        if self.locks.files.remove(&self.locks.directory.join(&self.name)).is_err() {
            guard(&self.locks.given_back).push(self.name.clone());
        }
    }
}

/// Another thread that has panicked leaves nothing half done behind these mutexes.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a file holds: a number that its owner counts up, always as long, so that it can be written over.
fn line(beat: u64) -> String {
    format!("{beat:020}\n")
}

impl Locks {
    pub(super) fn new(files: Arc<dyn Files>, directory: PathBuf, patience: Duration) -> Self {
        Self {
            files,
            directory,
            owner: Owner::this(),
            held: Mutex::default(),
            given_back: Mutex::default(),
            claiming: Mutex::default(),
            clock: Mutex::default(),
            patience,
        }
    }

    fn fail(&self, source: io::Error) -> StoreError {
        StoreError::Io { path: self.directory.clone(), source }
    }

    /// The files that claim something.
    fn claims(&self, id: &Id) -> Result<Vec<String>, StoreError> {
        let start = format!("{id}.");
        let names = self.files.list(&self.directory).map_err(|source| self.fail(source))?;
        Ok(names.into_iter().filter(|name| name.starts_with(&start) && name.ends_with(".lock")).collect())
    }

    /// Takes a lock, unless somebody else has it, or wants it at the same time.
    pub(super) fn take(&self, id: &Id) -> Result<Option<Lock<'_>>, StoreError> {
        let _one_at_a_time = guard(&self.claiming);
        let mut after_death = false;
        for name in self.claims(id)? {
            if !self.is_abandoned(&name) {
                return Ok(None);
            }
            self.files.remove(&self.directory.join(&name)).map_err(|source| self.fail(source))?;
            after_death |= !self.is_given_back(&name);
        }
        let name = format!("{id}.{}.lock", unique_word());
        self.files.make_directory(&self.directory).map_err(|source| self.fail(source))?;
        guard(&self.held).push(name.clone());
        // From here on the file is removed whatever happens.
        let lock = Lock { locks: self, name, after_death };
        let created = self.files.create(&self.directory.join(&lock.name), line(0).as_bytes());
        created.map_err(|source| self.fail(source))?;
        let alone = self.claims(id)?.iter().all(|other| *other == lock.name);
        Ok(alone.then_some(lock))
    }

    /// Whether a file was left behind by a process that has ended, or was not written for long.
    fn is_abandoned(&self, name: &str) -> bool {
        if guard(&self.held).iter().any(|held| held == name) {
            return false;
        }
        self.is_given_back(name) || self.owner.is_left(name) || self.is_silent(&self.directory.join(name))
    }

    fn is_given_back(&self, name: &str) -> bool {
        guard(&self.given_back).iter().any(|given_back| given_back == name)
    }

    /// Whether a file was not written for so long that whoever wrote it is gone. Of a file that cannot be looked at nothing is known.
    fn is_silent(&self, path: &Path) -> bool {
        let (Ok(modified), Ok(now)) = (self.files.modified(path), self.now()) else { return false };
        now.duration_since(modified).is_ok_and(|age| age >= self.patience)
    }

    /// The time by the clock of the file system.
    fn now(&self) -> io::Result<SystemTime> {
        let mut clock = guard(&self.clock);
        if let Some((at, time)) = clock.filter(|(at, _)| at.elapsed() < self.patience) {
            return Ok(time + at.elapsed());
        }
        self.files.make_directory(&self.directory)?;
        let probe = self.directory.join(format!(".now.{}.tmp", unique_word()));
        let found = self.files.create(&probe, b"").and_then(|()| self.files.modified(&probe));
        // What stays behind is tidied up some day.
        let _ = self.files.remove(&probe);
        let time = found?;
        *clock = Some((Instant::now(), time));
        Ok(time)
    }

    /// Whether a temporary file has nobody any more who would finish it.
    pub(super) fn is_leftover(&self, directory: &Path, name: &str) -> bool {
        name.ends_with(".tmp") && (self.owner.is_left(name) || self.is_silent(&directory.join(name)))
    }

    /// What is locked, as far as owners are not known to be gone.
    pub(super) fn living(&self) -> Result<Vec<Id>, StoreError> {
        let names = self.files.list(&self.directory).map_err(|source| self.fail(source))?;
        let locked = |name: &String| Id::parse(name.strip_suffix(".lock")?.split_once('.')?.0);
        let mut ids: Vec<Id> = names.iter().filter(|name| !self.is_abandoned(name)).filter_map(locked).collect();
        ids.dedup();
        Ok(ids)
    }

    /// Removes locks and temporary files of those who are gone.
    pub(super) fn clear(&self) -> Result<usize, StoreError> {
        let names = self.files.list(&self.directory).map_err(|source| self.fail(source))?;
        let left = |name: &&String| {
            self.is_leftover(&self.directory, name) || (name.ends_with(".lock") && self.is_abandoned(name))
        };
        let left: Vec<PathBuf> = names.iter().filter(left).map(|name| self.directory.join(name)).collect();
        left.iter().try_for_each(|path| self.files.remove(path)).map_err(|source| self.fail(source))?;
        Ok(left.len())
    }

    /// Gives signs of life until `done` says that work is over.
    pub(super) fn beat(&self, done: &Done) {
        let mut beat = 0;
        while !done.wait(BEAT.min(self.patience / 4)) {
            beat += 1;
            for name in guard(&self.held).iter() {
                // A lock that was taken away is not made anew.
                let _ = self.files.overwrite(&self.directory.join(name), line(beat).as_bytes());
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
