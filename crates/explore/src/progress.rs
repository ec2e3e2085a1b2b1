//! Progress of long work; whoever prints implements it.

/// Told about the progress of long work, from any thread.
pub trait Progress: Sync {
    /// A stage of `total` steps begins.
    fn begin(&self, stage: &str, total: u64);

    /// So many steps of the stage are done.
    fn advance(&self, steps: u64);

    /// How it goes, in a few words.
    fn note(&self, text: &str);

    /// The stage is over.
    fn end(&self);
}

/// Progress nobody looks at.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self) {}
}
