//! The probability law of a programmed conductance.

use super::Moments;

/// How one standard normal draw `xi` becomes a programmed conductance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// `G = G_l + mean_shift + sigma xi`.
    Normal(Moments),
    /// `G = G_l exp(log_sigma xi)`: the nominal conductance is the median.
    Lognormal {
        /// Standard deviation of `ln G`.
        log_sigma: f64,
    },
}

impl Law {
    /// Mean and standard deviation of `G - G_l`.
    #[must_use]
    pub fn moments(self, conductance_s: f64) -> Moments {
        match self {
            Self::Normal(moments) => moments,
            Self::Lognormal { log_sigma } => {
                let square = log_sigma * log_sigma;
                let mean_shift_s = conductance_s * libm::expm1(0.5 * square);
                let sigma_s = conductance_s * libm::exp(0.5 * square) * libm::expm1(square).sqrt();
                Moments { mean_shift_s, sigma_s }
            }
        }
    }
}
