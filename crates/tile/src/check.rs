//! Range checks of configuration values, collected so that a user sees every problem at once.

use std::fmt::Display;

/// One value that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Dotted key, e.g. `tile.adc.bits`.
    pub key: String,
    /// The value found.
    pub value: String,
    /// What is allowed, e.g. `4 to 10`.
    pub allowed: String,
}

impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {} is not allowed: {}", self.key, self.value, self.allowed)
    }
}

/// Collects problems below a stack of table names.
#[derive(Debug, Default)]
pub struct Problems {
    prefix: Vec<String>,
    /// All problems found so far, in the order of the checks.
    pub found: Vec<Problem>,
}

impl Problems {
    /// Runs `checks` with `table` appended to the key prefix.
    pub fn within(&mut self, table: &str, checks: impl FnOnce(&mut Self)) {
        self.prefix.push(table.to_owned());
        checks(self);
        self.prefix.pop();
    }

    /// Records a problem with `key` unless `ok`.
    pub fn require(&mut self, key: &str, value: impl Display, ok: bool, allowed: impl Display) {
        if !ok {
            let key = self.prefix.iter().map(String::as_str).chain([key]).collect::<Vec<_>>().join(".");
            self.found.push(Problem { key, value: value.to_string(), allowed: allowed.to_string() });
        }
    }

    /// Requires an integer within an inclusive range.
    pub fn integer(&mut self, key: &str, value: u64, allowed: std::ops::RangeInclusive<u64>) {
        let text = format!("an integer from {} to {}", allowed.start(), allowed.end());
        self.require(key, value, allowed.contains(&value), text);
    }

    /// Requires a finite number within an inclusive range; `unit` is part of the message.
    pub fn number(&mut self, key: &str, value: f64, allowed: std::ops::RangeInclusive<f64>, unit: &str) {
        let text = format!("a number from {:e} to {:e} {unit}", allowed.start(), allowed.end());
        self.require(key, value, allowed.contains(&value), text.trim_end());
    }
}

/// A configuration that can tell which of its values are not allowed.
pub trait Check {
    /// Adds every problem of `self` to `problems`.
    fn check(&self, problems: &mut Problems);
}
