//! Which strategy each weighted layer has.

use super::Mapping;
use std::fmt::Debug;

/// What stands for a choice per layer where a mapping is named.
pub const AUTO: &str = "auto";

/// The mapping strategies of the weighted layers of a network.
pub trait LayerMappings: Debug + Sync {
    /// What a program says that it was compiled with.
    fn name(&self) -> &str;

    /// The strategy of weighted layer `layer`, counted from 0, of as many as [`Self::check`] takes.
    fn of(&self, layer: usize) -> &Mapping;

    /// Whether there is a strategy for each of so many weighted layers.
    ///
    /// # Errors
    /// If there are more or fewer; the text says how many.
    fn check(&self, layers: usize) -> Result<(), String>;
}

/// The same for all layers.
impl LayerMappings for Mapping {
    fn name(&self) -> &str {
        Self::name(self)
    }

    fn of(&self, _: usize) -> &Mapping {
        self
    }

    fn check(&self, _: usize) -> Result<(), String> {
        Ok(())
    }
}

/// A strategy of its own for every layer.
#[derive(Clone, Debug, PartialEq)]
pub struct MixedMapping {
    name: String,
    mappings: Vec<Mapping>,
}

impl MixedMapping {
    /// Of the strategies of the weighted layers, in their order; `name` is what a program says that it was compiled with. None without a strategy.
    #[must_use]
    pub fn new(name: &str, mappings: Vec<Mapping>) -> Option<Self> {
        (!mappings.is_empty()).then(|| Self { name: name.to_owned(), mappings })
    }
}

impl LayerMappings for MixedMapping {
    fn name(&self) -> &str {
        &self.name
    }

    fn of(&self, layer: usize) -> &Mapping {
        // Never empty.
        &self.mappings[layer.min(self.mappings.len() - 1)]
    }

    fn check(&self, layers: usize) -> Result<(), String> {
        let given = self.mappings.len();
        let wrong = || {
            format!("mapping `{}` has strategies for {given} layers; the network has {layers} with weights", self.name)
        };
        if given == layers { Ok(()) } else { Err(wrong()) }
    }
}
