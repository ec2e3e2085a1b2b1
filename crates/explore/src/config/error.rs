//! What can be wrong with a configuration; `Display` is what the user reads.

use tile::check::Problem;

use super::Kind;

/// An error of a configuration.
///
/// Places (`at`) are `file:line` or `--set KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not TOML.
    #[error("{file}:{line}:{column}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// Line from 1.
        line: usize,
        /// Column from 1, in characters.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A file that cannot be read.
    #[error("{at}cannot read {file}: {reason}")]
    Unreadable {
        /// Where the file is named, with `: `; empty on the command line.
        at: String,
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// `kind` or `version` is missing or is not what is wanted here.
    #[error("{at}: {message}")]
    Header {
        /// The place.
        at: String,
        /// What is wrong.
        message: String,
    },
    /// A key that nothing reads.
    #[error("{at}: unknown key {key}{}", hint(.nearest, .known))]
    UnknownKey {
        /// The place.
        at: String,
        /// The key.
        key: String,
        /// The known key with the fewest edits.
        nearest: Option<String>,
        /// The keys known at this place.
        known: Vec<String>,
    },
    /// A key without which the configuration is incomplete.
    #[error("{at}: missing key {key}")]
    MissingKey {
        /// The place of the table that should hold the key.
        at: String,
        /// The key.
        key: String,
    },
    /// A value of the wrong type, or an unknown word.
    #[error("{at}: {key}: {message}")]
    WrongValue {
        /// The place.
        at: String,
        /// The key.
        key: String,
        /// Found and expected.
        message: String,
    },
    /// Values out of their allowed ranges, all of them.
    #[error("{}", .0.iter().map(|(at, problem)| format!("{at}: {problem}")).collect::<Vec<_>>().join("\n"))]
    NotAllowed(
        /// Place and problem of each.
        Vec<(String, Problem)>,
    ),
    /// A preset that does not exist.
    #[error("{at}unknown {kind} preset {name:?}{}", presets_hint(.nearest, .known))]
    UnknownPreset {
        /// Where it is named, with `: `; empty on the command line.
        at: String,
        /// The kind of preset wanted.
        kind: Kind,
        /// The name.
        name: String,
        /// The preset with the nearest name.
        nearest: Option<String>,
        /// All presets of this kind.
        known: Vec<String>,
    },
    /// A `preset` key that cannot be followed.
    #[error("{at}: {message}")]
    Preset {
        /// The place.
        at: String,
        /// What is wrong.
        message: String,
    },
    /// An override that cannot be read.
    #[error("{at}: {message}")]
    Override {
        /// The override.
        at: String,
        /// What is wrong.
        message: String,
    },
    /// A shortened key that fits several keys.
    #[error("{at}: ambiguous key {key}; it could be {}", shortened(.candidates))]
    AmbiguousKey {
        /// The override.
        at: String,
        /// The key as given.
        key: String,
        /// The full keys.
        candidates: Vec<String>,
    },
    /// A configuration that TOML cannot hold, e.g. an integer above 2^63 - 1.
    #[error("cannot write the configuration as TOML: {0}")]
    Unwritable(
        /// Why.
        String,
    ),
}

/// Longer lists help nobody.
const LISTED: usize = 16;

fn shortened(names: &[String]) -> String {
    let more = if names.len() > LISTED { ", ..." } else { "" };
    format!("{}{more}", names[..names.len().min(LISTED)].join(", "))
}

fn hint(nearest: &Option<String>, known: &[String]) -> String {
    let mut text = nearest.as_ref().map_or(String::new(), |name| format!("; nearest known key: {name}"));
    if known.is_empty() {
        text += " (no keys are known here)";
    } else {
        text += &format!(" (known here: {})", shortened(known));
    }
    text
}

fn presets_hint(nearest: &Option<String>, known: &[String]) -> String {
    match nearest {
        Some(name) => format!("; nearest: {name} (known: {})", known.join(", ")),
        None => " (there are none of this kind)".to_owned(),
    }
}
