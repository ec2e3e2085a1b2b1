//! Mapping strategies: how a signed integer weight becomes cells. One file a strategy.
//!
//! To add a strategy: write its file with a unit struct that implements [`MappingStrategy`] and add a line to [`MAPPINGS`]; the command
//! line, the comparison, the documentation tests and the round-trip tests walk that list.

mod cell_states;
mod differential;
mod encoding;
mod isaac;
mod layers;
mod offset;
mod options;
mod twos_complement;
mod unary;
mod unbalanced;

pub use cell_states::CellStates;
pub use encoding::{Digits, Encoding, Flip, Form, SliceCode, Subtraction};
pub use layers::{AUTO, LayerMappings, MixedMapping};
pub use options::{OPTIONS, Options};

/// What a strategy may look at when it fixes the encoding of a layer.
#[derive(Clone, Copy, Debug)]
pub struct LayerStatistics<'a> {
    /// Width of a weight.
    pub weight_bits: u32,
    /// Bits per cell.
    pub cell_bits: u32,
    /// How often each weight value occurs: entry `i` counts `i - (2^(weight_bits-1) - 1)`.
    pub histogram: &'a [u64],
    /// The offset that the weights were trained to be stored with, if they were.
    pub offset: Option<i64>,
    /// The states of the chip's cells.
    pub cells: &'a CellStates,
}

/// A way to store signed weights in cells.
pub trait MappingStrategy: Sync {
    /// Name, kebab-case.
    fn name(&self) -> &'static str;

    /// One line for lists.
    fn doc(&self) -> &'static str;

    /// Where it comes from.
    fn source(&self) -> &'static str;

    /// The options it takes, of [`OPTIONS`].
    fn options(&self) -> &'static [&'static str];

    /// Whether the offset depends on the weights.
    fn searches_offset(&self) -> bool {
        false
    }

    /// The encoding of one layer.
    ///
    /// # Errors
    /// If the strategy with these options cannot store such weights in such cells; the text says why.
    fn encoding(&self, layer: &LayerStatistics<'_>, options: &Options) -> Result<Encoding, String>;
}

/// Every mapping strategy, in the order in which tables list them.
pub const MAPPINGS: &[&dyn MappingStrategy] = &[
    &isaac::Isaac,
    &offset::Offset,
    &differential::Differential,
    &twos_complement::TwosComplement,
    &unbalanced::Unbalanced,
    &unary::Unary,
];

/// A strategy with its options, as a user names it: `isaac`, `isaac+flip`, `differential+common-mode+after-adc`,
/// `unbalanced:1-1-2-2-2`. Its name has the options in the order of [`OPTIONS`], however they were given.
#[derive(Clone)]
pub struct Mapping {
    name: String,
    strategy: &'static dyn MappingStrategy,
    options: Options,
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Mapping {
    /// Reads a name with options.
    ///
    /// # Errors
    /// If there is no such strategy, or it does not take an option; the text lists what there is.
    pub fn parse(name: &str) -> Result<Self, String> {
        let mut parts = name.split('+');
        let first = parts.next().unwrap_or_default();
        let (base, widths) = first.split_once(':').map_or((first, None), |(base, widths)| (base, Some(widths)));
        let strategy = MAPPINGS.iter().copied().find(|mapping| mapping.name() == base);
        let known = || MAPPINGS.iter().map(|mapping| mapping.name()).collect::<Vec<_>>().join(", ");
        let strategy = strategy.ok_or_else(|| format!("unknown mapping strategy `{base}`; known: {}", known()))?;
        let mut options = Options::default();
        if let Some(widths) = widths {
            demand(strategy, unbalanced::WIDTHS)?;
            options.set_widths(widths)?;
        }
        for option in parts {
            options.add(option)?;
            demand(strategy, option)?;
        }
        // Options in one order, so that a strategy has one name.
        let given = |(option, _): &&(&str, &str)| name.split('+').skip(1).any(|part| part == *option);
        let name = OPTIONS.iter().filter(given).fold(first.to_owned(), |name, (option, _)| name + "+" + option);
        Ok(Self { name, strategy, options })
    }

    /// Every strategy, without options and with each of its own.
    #[must_use]
    pub fn every() -> Vec<Self> {
        let alone = |strategy: &'static dyn MappingStrategy| Self {
            name: strategy.name().to_owned(),
            strategy,
            options: Options::default(),
        };
        let with = |strategy: &dyn MappingStrategy, option: &&str| {
            (**option != *unbalanced::WIDTHS)
                .then(|| Self::parse(&format!("{}+{option}", strategy.name())).ok())
                .flatten()
        };
        let all = |&strategy: &&'static dyn MappingStrategy| {
            let options = strategy.options().iter().filter_map(move |option| with(strategy, option));
            std::iter::once(alone(strategy)).chain(options)
        };
        MAPPINGS.iter().flat_map(all).collect()
    }

    /// The name with its options.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line for lists.
    #[must_use]
    pub fn doc(&self) -> &'static str {
        self.strategy.doc()
    }

    /// Whether the offset depends on the weights, unless they bring the one they were trained with.
    #[must_use]
    pub fn searches_offset(&self) -> bool {
        self.strategy.searches_offset()
    }

    /// The encoding of one layer.
    ///
    /// # Errors
    /// If such weights cannot be stored in such cells; the text says why.
    pub fn encoding(&self, layer: &LayerStatistics<'_>) -> Result<Encoding, String> {
        let encoding = self.strategy.encoding(layer, &self.options)?;
        for slice in &encoding.slices {
            let refused =
                |allowed| format!("`{}` uses cells of {} bits; the device has {allowed}", self.name, slice.bits);
            layer.cells.states(slice.bits).map_err(refused)?;
        }
        Ok(encoding)
    }
}

fn demand(strategy: &dyn MappingStrategy, option: &str) -> Result<(), String> {
    let takes = strategy.options();
    if takes.contains(&option) {
        return Ok(());
    }
    let known = if takes.is_empty() { "no options".to_owned() } else { format!("only {}", takes.join(", ")) };
    Err(format!("mapping strategy `{}` does not take `{option}`; it takes {known}", strategy.name()))
}

/// Largest weight of a symmetric format. Of 1 bit weights are -1 and 1, and never 0.
#[must_use]
pub fn largest_weight(weight_bits: u32) -> i32 {
    ((1 << (weight_bits - 1)) - 1).max(1)
}

/// Bits of the largest magnitude of a weight.
pub(crate) fn magnitude_bits(weight_bits: u32) -> u32 {
    (weight_bits - 1).max(1)
}

/// How often each weight value occurs, as [`LayerStatistics::histogram`] wants it.
#[must_use]
pub fn histogram(weights: &[i32], weight_bits: u32) -> Vec<u64> {
    let largest = largest_weight(weight_bits);
    let mut counts = vec![0; (2 * largest + 1) as usize];
    for &weight in weights {
        counts[(weight.clamp(-largest, largest) + largest) as usize] += 1;
    }
    counts
}

#[cfg(test)]
mod tests;
