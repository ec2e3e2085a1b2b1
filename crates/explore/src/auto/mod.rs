//! A mapping strategy per layer, chosen by predicted error, energy and latency: what to choose from, and what was chosen.

mod rows;

pub use rows::{ChoiceRow, choice_rows};

use crate::config::{Kind, load, load_text};
use crate::error::ExploreError;
use chip::config::Chip;
use nn::datasets::Dataset;
use nn::quantised::QuantisedNetwork;
use nn_compiler::choose::{Choice, ChoiceSettings, Weights, choose};
use nn_compiler::mapping::{AUTO, LayerMappings, Mapping, MixedMapping};
use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};

/// A document of kind `auto`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// Its one table.
    pub auto: Auto,
}

/// How mappings are chosen. Without a document all weights are 1, and candidates are every strategy, without options and with each of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auto {
    /// Mapping strategies to choose from; of equal ones the first is taken.
    pub candidates: Vec<String>,
    /// How much each prediction counts.
    pub weights: Weights,
}

impl Default for Auto {
    fn default() -> Self {
        let candidates = Mapping::every().iter().map(|mapping| mapping.name().to_owned()).collect();
        Self { candidates, weights: Weights::default() }
    }
}

impl Check for Document {
    fn check(&self, problems: &mut Problems) {
        problems.within("auto", |problems| {
            let Auto { candidates, weights } = &self.auto;
            problems.require("candidates", "no names", !candidates.is_empty(), "at least one mapping strategy");
            for (index, name) in candidates.iter().enumerate() {
                problems.require("candidates", name, !candidates[..index].contains(name), "each name once");
                if let Err(what) = Mapping::parse(name) {
                    problems.require("candidates", name, false, what);
                }
            }
            problems.within("weights", |problems| weights.check(problems));
        });
    }
}

/// What a command line says of mappings.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// A strategy, or [`AUTO`].
    pub mapping: &'a str,
    /// File of kind `auto`.
    pub document: Option<&'a str>,
    /// Overrides `KEY=VALUE`: those that begin with `auto.` are for the choice, all others for the chip.
    pub set: &'a [String],
}

/// The prefix of the overrides of a document of kind `auto`.
const PREFIX: &str = "auto.";

/// How mappings are asked for: by name, or by what to choose.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// The same strategy for all layers.
    Named(Mapping),
    /// Chosen per layer.
    Chosen(Auto),
}

impl Asked<'_> {
    /// The overrides for the chip.
    #[must_use]
    pub fn of_chip(&self) -> Vec<String> {
        self.set.iter().filter(|text| !text.trim_start().starts_with(PREFIX)).cloned().collect()
    }

    /// What is asked for.
    ///
    /// # Errors
    /// If there is no such strategy, a setting of the choice is not allowed, or there is one although nothing is to be chosen.
    pub fn request(&self) -> Result<Request, ExploreError> {
        let set: Vec<String> = self.set.iter().filter(|text| text.trim_start().starts_with(PREFIX)).cloned().collect();
        if self.mapping == AUTO {
            let document: Document = match self.document {
                Some(path) => load(Kind::Auto, path, &set)?,
                None => load_text(Kind::Auto, AUTO, "kind = \"auto\"\nversion = 1\n", &set)?,
            };
            return Ok(Request::Chosen(document.auto));
        }
        let setting =
            self.document.map(|path| format!("--auto {path}")).or(set.first().map(|set| format!("--set {set}")));
        if let Some(setting) = setting {
            let what = format!("{setting} is for --mapping {AUTO}; this is --mapping {}", self.mapping);
            return Err(ExploreError::Request(what));
        }
        let with_auto =
            |what: String| ExploreError::Request(format!("{what}; or `{AUTO}`, which chooses one per layer"));
        Ok(Request::Named(Mapping::parse(self.mapping).map_err(with_auto)?))
    }
}

/// The mappings of a network's layers.
#[derive(Debug)]
pub enum Mappings {
    /// The same for all.
    Named(Mapping),
    /// One per layer, and why.
    Chosen(MixedMapping, Choice),
}

impl Mappings {
    /// As the compiler takes them.
    #[must_use]
    pub fn of_layers(&self) -> &dyn LayerMappings {
        match self {
            Self::Named(mapping) => mapping,
            Self::Chosen(mappings, _) => mappings,
        }
    }

    /// What was chosen, if anything was.
    #[must_use]
    pub fn choice(&self) -> Option<&Choice> {
        match self {
            Self::Named(_) => None,
            Self::Chosen(_, choice) => Some(choice),
        }
    }
}

impl Request {
    /// The strategy of all layers, if it is named.
    #[must_use]
    pub fn named(&self) -> Option<&dyn LayerMappings> {
        match self {
            Self::Named(mapping) => Some(mapping),
            Self::Chosen(_) => None,
        }
    }

    /// The mappings for a network on a chip; training images say what its layers see.
    ///
    /// # Errors
    /// If a layer can have no mapping of the candidates, or the smallest ones do not fit the chip.
    pub fn mappings(
        &self,
        network: &QuantisedNetwork,
        dataset: &Dataset,
        chip: &Chip,
    ) -> Result<Mappings, ExploreError> {
        let auto = match self {
            Self::Named(mapping) => return Ok(Mappings::Named(mapping.clone())),
            Self::Chosen(auto) => auto,
        };
        let parse = |name: &String| Mapping::parse(name).map_err(ExploreError::Request);
        let candidates = auto.candidates.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let settings = ChoiceSettings { candidates: &candidates, weights: auto.weights };
        let choice = choose(network, &dataset.train, chip, &settings)?;
        let none = || ExploreError::Request(format!("--mapping {AUTO}: the network has no layers with weights"));
        Ok(Mappings::Chosen(choice.mapping().ok_or_else(none)?, choice))
    }

    /// The arguments that repeat it.
    #[must_use]
    pub fn arguments(&self) -> String {
        let Auto { candidates, weights: Weights { error, energy, latency } } = match self {
            Self::Named(mapping) => return format!("--mapping {}", mapping.name()),
            Self::Chosen(auto) => auto,
        };
        let weights = [("error", error), ("energy", energy), ("latency", latency)]
            .map(|(key, weight)| format!(" --set {PREFIX}weights.{key}={weight:?}"));
        format!("--mapping {AUTO}{} --set '{PREFIX}candidates={candidates:?}'", weights.concat())
    }
}
