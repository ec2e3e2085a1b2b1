//! Options of mapping strategies: what follows the name, as in `isaac+flip` or `unbalanced:1-1-2-2-2`.

use super::encoding::{Flip, Subtraction};

/// The options of a mapping, as far as its strategy takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which columns are stored complemented.
    pub flip: Option<Flip>,
    /// Each digit of a pair as the pair of levels with the least error, instead of on one side.
    pub common_mode: bool,
    /// Where the arrays of a pair are subtracted.
    pub subtraction: Subtraction,
    /// Widths of the slices in bits, most significant first; the strategy's own where empty.
    pub widths: Vec<u32>,
}

/// Name and description of every option that follows a `+`.
pub const OPTIONS: &[(&str, &str)] = &[
    ("flip", "columns whose sum could exceed half of the highest are stored complemented (ISAAC's flipped encoding)"),
    ("flip-error", "columns are stored complemented where that makes their expected error smaller"),
    ("common-mode", "each digit of a pair is the pair of levels of least error, instead of one level and the lowest"),
    ("after-adc", "the two arrays of a pair are converted separately and subtracted digitally"),
];

impl Options {
    /// Adds the option of a name.
    ///
    /// # Errors
    /// If there is no such option; the text lists all.
    pub(super) fn add(&mut self, name: &str) -> Result<(), String> {
        let again = match name {
            "flip" | "flip-error" => self.flip.is_some(),
            "common-mode" => self.common_mode,
            "after-adc" => self.subtraction == Subtraction::AfterAdc,
            _ => false,
        };
        if again {
            return Err(format!("option `+{name}`: each once, and one of flip and flip-error"));
        }
        match name {
            "flip" => self.flip = Some(Flip::LargeSums),
            "flip-error" => self.flip = Some(Flip::LeastError),
            "common-mode" => self.common_mode = true,
            "after-adc" => self.subtraction = Subtraction::AfterAdc,
            _ => {
                let known: Vec<&str> = OPTIONS.iter().map(|(name, _)| *name).collect();
                return Err(format!("unknown option `+{name}`; known: {}", known.join(", ")));
            }
        }
        Ok(())
    }

    /// Reads widths as in `1-1-2-2-2`.
    ///
    /// # Errors
    /// If it is no list of numbers from 1 to 8.
    pub(super) fn set_widths(&mut self, text: &str) -> Result<(), String> {
        let width = |part: &str| part.parse().ok().filter(|width| (1..=8).contains(width));
        let widths: Option<Vec<u32>> = text.split('-').map(width).collect();
        self.widths =
            widths.ok_or_else(|| format!("`{text}` is no list of slice widths from 1 to 8 such as 1-1-2-2-2"))?;
        Ok(())
    }
}
