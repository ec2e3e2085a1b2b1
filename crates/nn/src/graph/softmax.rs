//! Shares of exponentials.

/// `exp(x) / sum(exp)` over the channels of every pixel, or its logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// Whether the logarithm of the shares is the result.
    pub log: bool,
}

impl Softmax {
    /// Kebab-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        if self.log { "log-softmax" } else { "softmax" }
    }
}
