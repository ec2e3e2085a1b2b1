//! The kinds of configuration documents.

use std::fmt;

/// What a configuration document describes; its `kind` key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A chip: tiles, buffers, links, clock.
    Chip,
    /// A memory cell.
    Device,
    /// An analog-to-digital converter.
    Adc,
    /// Energy, area and leakage of the components.
    Costs,
    /// A network and its data set.
    Network,
    /// A network of shapes, without weights.
    Outline,
    /// One experiment.
    Experiment,
    /// A plan of many experiments.
    Sweep,
    /// How mapping strategies are chosen per layer.
    Auto,
    /// A search for mapping strategy, training method and converters.
    Recommendation,
}

impl Kind {
    /// Every kind, in the order in which they are listed to users.
    pub const ALL: [Self; 10] = [
        Self::Chip,
        Self::Device,
        Self::Adc,
        Self::Costs,
        Self::Network,
        Self::Outline,
        Self::Experiment,
        Self::Sweep,
        Self::Auto,
        Self::Recommendation,
    ];

    /// The value of the `kind` key; also the name of the tables that may hold a preset of this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chip => "chip",
            Self::Device => "device",
            Self::Adc => "adc",
            Self::Costs => "costs",
            Self::Network => "network",
            Self::Outline => "outline",
            Self::Experiment => "experiment",
            Self::Sweep => "sweep",
            Self::Auto => "auto",
            Self::Recommendation => "recommendation",
        }
    }

    /// The folder of `configs/` with the presets of this kind.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Chip => "chips",
            Self::Device => "devices",
            Self::Adc => "adcs",
            Self::Costs => "costs",
            Self::Network => "networks",
            Self::Outline => "outlines",
            Self::Experiment => "experiments",
            Self::Sweep => "sweeps",
            Self::Auto => "auto",
            Self::Recommendation => "recommendations",
        }
    }

    /// The kind called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// All names, for messages.
    pub(super) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
