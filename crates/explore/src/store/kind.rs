//! The kinds of what is stored.

/// What is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A row of results.
    Row,
    /// A trained network.
    Training,
    /// A compiled program.
    Program,
    /// The chip samples of one program, of a comparison that is not finished.
    Evaluation,
    /// Why something could not be computed.
    Failed,
    /// A result that contradicts another, or is damaged.
    Conflict,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Row, Self::Training, Self::Program, Self::Evaluation, Self::Failed, Self::Conflict];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Training => "training",
            Self::Program => "program",
            Self::Evaluation => "evaluation",
            Self::Failed => "failed",
            Self::Conflict => "conflict",
        }
    }
}
