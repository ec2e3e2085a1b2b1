//! The normal and the chi-square distribution, from the `libm` crate: the same bits on every machine.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// The 97.5 % quantile of the standard normal distribution.
pub(crate) const Z_975: f64 = 1.959_963_984_540_054;

/// Density of the standard normal distribution.
#[must_use]
pub fn density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / TAU.sqrt()
}

/// `P(xi <= x)` of a standard normal `xi`.
#[must_use]
pub fn cumulative(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The `probability` quantile of the chi-square distribution with `freedom` degrees of freedom (any positive number), by bisection.
pub(crate) fn chi_square_quantile(probability: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while chi_square(high, freedom) < probability && high < f64::MAX / 4.0 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if chi_square(middle, freedom) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// `P(X <= x)` of a chi-square variable: the regularised incomplete gamma function `P(freedom / 2, x / 2)`, by its series below the mean
/// and its continued fraction (modified Lentz) above it (Abramowitz and Stegun, 6.5.29 and 6.5.31).
fn chi_square(x: f64, freedom: f64) -> f64 {
    let (a, x) = (0.5 * freedom, 0.5 * x);
    if x <= 0.0 {
        return 0.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 { front * gamma_series(a, x) } else { 1.0 - front * gamma_fraction(a, x) }
}

fn gamma_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
    while term > sum * 1e-17 {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum
}

fn gamma_fraction(a: f64, x: f64) -> f64 {
    let tiny = f64::MIN_POSITIVE * 1e20;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..100_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / away_from_zero(an * d + b, tiny);
        c = away_from_zero(b + an / c, tiny);
        let factor = c * d;
        fraction *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

fn away_from_zero(value: f64, tiny: f64) -> f64 {
    if value.abs() < tiny { tiny } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_has_its_tabulated_values() {
        assert!((cumulative(Z_975) - 0.975).abs() < 1e-15);
        assert!((cumulative(-1.0) - 0.158_655_253_931_457).abs() < 1e-14);
        assert!((density(0.0) - 0.398_942_280_401_433).abs() < 1e-14);
        assert!((density(1.0) - 0.241_970_724_519_143).abs() < 1e-14);
    }

    /// Abramowitz and Stegun, table 26.8; with two degrees of freedom the quantile is `-2 ln(1 - p)`.
    #[test]
    fn the_chi_square_distribution_has_its_tabulated_quantiles() {
        for (probability, freedom, expected) in [
            (0.975, 1.0, 5.02389),
            (0.025, 1.0, 9.82069e-4),
            (0.975, 10.0, 20.4832),
            (0.025, 10.0, 3.24697),
            (0.975, 100.0, 129.561),
            (0.025, 100.0, 74.2219),
        ] {
            let quantile = chi_square_quantile(probability, freedom);
            assert!((quantile / expected - 1.0).abs() < 3e-6, "{probability} {freedom}: {quantile}");
        }
        for probability in [0.025_f64, 0.3, 0.975] {
            let expected = -2.0 * (1.0 - probability).ln();
            assert!((chi_square_quantile(probability, 2.0) / expected - 1.0).abs() < 1e-12);
        }
    }
}
