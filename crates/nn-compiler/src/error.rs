//! Why a network could not be compiled.

/// Why a network could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The network itself is not valid.
    #[error(transparent)]
    Network(#[from] nn::NetworkError),
    /// A layer cannot be mapped.
    #[error("layer `{layer}`: {what}")]
    Layer {
        /// Name of the layer.
        layer: String,
        /// What is wrong and what can be done.
        what: String,
    },
    /// The network does not fit the chip, or the chip's own settings do not fit together.
    #[error("chip `{chip}`: {what}")]
    Chip {
        /// Name of the chip.
        chip: String,
        /// What is wrong and what is allowed.
        what: String,
    },
}

impl CompileError {
    pub(crate) fn layer(layer: &str, what: impl Into<String>) -> Self {
        Self::Layer { layer: layer.to_owned(), what: what.into() }
    }

    pub(crate) fn chip(chip: &chip::config::Chip, what: impl Into<String>) -> Self {
        Self::Chip { chip: chip.name.clone(), what: what.into() }
    }
}
