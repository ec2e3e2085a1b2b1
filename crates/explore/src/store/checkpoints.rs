//! The states of trainings, in a directory for every owner of the training's lock: whoever has lost the lock, and does not know it, writes where nobody
//! looks.

use std::path::PathBuf;

use super::{Files, Id, Lock, Store, StoreError};

impl Store {
    fn checkpoints(&self, id: &Id) -> PathBuf {
        self.root.join("checkpoint").join(id.to_string())
    }

    /// The file system of the store.
    #[must_use]
    pub fn files(&self) -> &dyn Files {
        &*self.files
    }

    /// The directory for the state of a training whose lock this is. It holds what the owner before has left, the most recent of several.
    ///
    /// # Errors
    /// If directories cannot be listed, renamed or removed.
    pub fn adopt_checkpoints(&self, id: &Id, lock: &Lock<'_>) -> Result<PathBuf, StoreError> {
        let all = self.checkpoints(id);
        let own = all.join(lock.word());
        let mut left = Vec::new();
        for name in self.list(&all)?.iter().map(|name| all.join(name)).filter(|path| *path != own) {
            let files = self.list(&name)?;
            let newest = files.iter().filter_map(|file| self.files.modified(&name.join(file)).ok()).max();
            left.push((newest, name));
        }
        left.sort();
        let fail = |path: &PathBuf| {
            let path = path.clone();
            move |source| StoreError::Io { path, source }
        };
        if let Some((_, newest)) = left.pop() {
            self.files.rename(&newest, &own).map_err(fail(&newest))?;
        }
        left.iter().try_for_each(|(_, old)| self.files.remove_directory(old).map_err(fail(old)))?;
        Ok(own)
    }

    /// Forgets what the owner of a lock has kept of a training.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn forget_checkpoints(&self, id: &Id, lock: &Lock<'_>) -> Result<(), StoreError> {
        let path = self.checkpoints(id).join(lock.word());
        self.files.remove_directory(&path).map_err(|source| StoreError::Io { path, source })
    }

    /// The trainings that have a directory for states; it is empty where nothing went wrong.
    fn begun_trainings(&self) -> Result<Vec<Id>, StoreError> {
        Ok(self.list(&self.root.join("checkpoint"))?.iter().filter_map(|name| Id::parse(name)).collect())
    }

    /// The trainings of which a state is kept.
    ///
    /// # Errors
    /// If a directory cannot be listed.
    pub fn interrupted_trainings(&self) -> Result<Vec<Id>, StoreError> {
        let mut kept = Vec::new();
        for id in self.begun_trainings()? {
            if !self.list(&self.checkpoints(&id))?.is_empty() {
                kept.push(id);
            }
        }
        Ok(kept)
    }

    /// Removes the states of trainings that are superfluous and that nobody is at, which costs time and nothing else. Returns how many.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn tidy_checkpoints(&self, superfluous: impl Fn(&Id) -> bool) -> Result<usize, StoreError> {
        let mut removed = 0;
        for id in self.begun_trainings()?.iter().filter(|id| superfluous(id)) {
            // Nobody takes a state over while it goes.
            let Some(_lock) = self.lock(id)? else { continue };
            let path = self.checkpoints(id);
            removed += self.list(&path)?.len();
            self.files.remove_directory(&path).map_err(|source| StoreError::Io { path: path.clone(), source })?;
        }
        Ok(removed)
    }
}
