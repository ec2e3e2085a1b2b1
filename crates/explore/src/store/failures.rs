//! What could not be computed, and why.

use super::{Id, Kind, Record, Store, StoreError};

/// How often something was tried in vain, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Tries so far that ended with an error.
    pub tries: u32,
    /// Processes that ended while they were at it.
    #[serde(default)]
    pub deaths: u32,
    /// What went wrong the last time.
    pub error: String,
}

impl Store {
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
        self.replace(&path, &Record::default().with("failure", text).encode(Kind::Failed, id))
    }

    /// Records that a process was gone before it had finished.
    pub(super) fn record_death(&self, id: &Id) -> Result<(), StoreError> {
        let before = self.failure(id)?.unwrap_or_default();
        let error =
            if before.error.is_empty() { "a process ended while it was at it".to_owned() } else { before.error };
        self.fail(id, &Failure { deaths: before.deaths + 1, tries: before.tries, error })
    }
}
