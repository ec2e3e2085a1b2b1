//! What is wrong with a network, and the bounds that every size is held to.

use std::fmt::Display;

/// Largest single size (channels, pixels, inputs, outputs, kernel, stride, padding).
pub const MAX_DIMENSION: usize = 1 << 20;
/// Largest number of values of one feature map or one weight matrix (1 GiB of `f32`).
pub const MAX_VALUES: usize = 1 << 28;

/// A value that is not allowed: which one it is, what it holds, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {value}, allowed: {allowed}")]
pub struct Invalid {
    /// The field or quantity.
    pub key: String,
    /// What it holds.
    pub value: String,
    /// What it may hold.
    pub allowed: String,
}

impl Invalid {
    /// Describes a value that is not allowed.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Display, allowed: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.to_string(), allowed: allowed.into() }
    }
}

/// Why a network cannot be used. The value is boxed, as every result that may be an error is as large as the error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// A value of the network as a whole, or of the data it is given.
    #[error("network `{network}`: {invalid}")]
    Network {
        /// Name of the network.
        network: String,
        /// The value that is not allowed.
        invalid: Box<Invalid>,
    },
    /// A value of one layer.
    #[error("network `{network}`, layer `{layer}`: {invalid}")]
    Layer {
        /// Name of the network.
        network: String,
        /// Name of the layer.
        layer: String,
        /// The value that is not allowed.
        invalid: Box<Invalid>,
    },
}

/// Refuses a size outside `1..=MAX_DIMENSION`.
pub(crate) fn check_dimension(key: &str, value: usize) -> Result<(), Invalid> {
    if (1..=MAX_DIMENSION).contains(&value) {
        return Ok(());
    }
    Err(Invalid::new(key, value, format!("1 to {MAX_DIMENSION}")))
}

/// The product of `sizes`, refused above [`MAX_VALUES`].
pub(crate) fn check_product(key: &str, sizes: &[usize]) -> Result<usize, Invalid> {
    let product = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    product.filter(|&product| product <= MAX_VALUES).ok_or_else(|| {
        let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
        Invalid::new(key, sizes.join(" x "), format!("at most {MAX_VALUES} values"))
    })
}

/// Refuses a list of another length than `expected`.
pub(crate) fn check_length(key: &str, length: usize, expected: usize) -> Result<(), Invalid> {
    if length == expected {
        return Ok(());
    }
    Err(Invalid::new(format!("number of values of {key}"), length, format!("exactly {expected}")))
}

/// Refuses the first value that is not a finite number.
pub(crate) fn check_finite<T: Copy + Into<f64> + Display>(key: &str, values: &[T]) -> Result<(), Invalid> {
    match values.iter().position(|&value| !value.into().is_finite()) {
        Some(index) => Err(Invalid::new(format!("{key}[{index}]"), values[index], "finite numbers")),
        None => Ok(()),
    }
}

/// Refuses a name that could not stand in a file key, a report or a message: empty, long, or with blanks or other characters.
pub(crate) fn check_name(key: &str, name: &str) -> Result<(), Invalid> {
    const LONGEST: usize = 128;
    if !name.is_empty() && name.len() <= LONGEST && name.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(());
    }
    let shown: String = name.chars().take(LONGEST).collect();
    Err(Invalid::new(key, format!("{shown:?}"), format!("1 to {LONGEST} printable ASCII characters without blanks")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_key_value_and_what_is_allowed() {
        let error = check_dimension("stride", 0).unwrap_err();
        assert_eq!(error.to_string(), "stride is 0, allowed: 1 to 1048576");
        let error = check_length("bias", 3, 4).unwrap_err();
        assert_eq!(error.to_string(), "number of values of bias is 3, allowed: exactly 4");
        let error = check_finite("weight", &[1.0, f32::NAN]).unwrap_err();
        assert_eq!(error.to_string(), "weight[1] is NaN, allowed: finite numbers");
    }

    #[test]
    fn products_that_overflow_are_refused() {
        assert_eq!(check_product("map", &[2, 3, 4]), Ok(24));
        assert!(check_product("map", &[usize::MAX, usize::MAX]).is_err());
        assert!(check_product("map", &[MAX_VALUES, 2]).is_err());
    }

    #[test]
    fn names_are_printable_and_short() {
        assert_eq!(check_name("name", "/block1/conv.0:a"), Ok(()));
        for bad in ["", "two words", "tab\t", "ümlaut", &"x".repeat(129)] {
            assert!(check_name("name", bad).is_err(), "{bad}");
        }
    }
}
