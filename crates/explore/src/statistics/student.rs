//! Tails of the normal distribution and of Student's t.

/// More degrees of freedom count as so many, whose quantiles are larger by less than 1 %.
const MOST_DEGREES: usize = 1000;

/// The share of normal numbers below `-deviations`.
pub(super) fn normal_tail(deviations: f64) -> f64 {
    libm::erfc(deviations / std::f64::consts::SQRT_2) / 2.0
}

/// The number that a variable of Student's t with this many degrees of freedom exceeds with the probability `tail`, which is above 1e-12 and at most a
/// half. Without degrees of freedom it is infinite.
pub(super) fn t_quantile(degrees: usize, tail: f64) -> f64 {
    if degrees == 0 {
        return f64::INFINITY;
    }
    let degrees = degrees.min(MOST_DEGREES);
    // The angle whose tangent is t over the root of the degrees of freedom, by halving.
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let outside = 0.5 * (1.0 - within(degrees, middle));
        if outside > tail { low = middle } else { high = middle }
    }
    libm::tan(0.5 * (low + high)) * libm::sqrt(degrees as f64)
}

/// The probability of values between -t and t, for an angle as above (Abramowitz and Stegun, 26.7.3 and 26.7.4).
fn within(degrees: usize, angle: f64) -> f64 {
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let odd = degrees % 2 == 1;
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = if odd && degrees == 1 { 0.0 } else { term };
    // Each term has two powers of the cosine more than the one before.
    for power in (if odd { 3 } else { 2 }..=degrees.saturating_sub(2)).step_by(2) {
        term *= cosine * cosine * (power - 1) as f64 / power as f64;
        sum += term;
    }
    if odd { 2.0 / std::f64::consts::PI * (angle + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_published_ones() {
        for (degrees, tail, expected) in [
            (1, 0.025, 12.706),
            (2, 0.025, 4.303),
            (3, 0.0005, 12.924),
            (9, 0.025, 2.262),
            (10, 0.0005, 4.587),
            (19, 0.025, 2.093),
            (19, 0.0005, 3.883),
            (30, 0.05, 1.697),
            (120, 0.025, 1.980),
        ] {
            let found = t_quantile(degrees, tail);
            assert!((found - expected).abs() < 6e-4, "{degrees} {tail}: {found}");
        }
        // With one degree of freedom the distribution is Cauchy's, whose quantiles are tangents.
        for tail in [0.1, 1e-3, 1e-6, 1e-9] {
            let expected = 1.0 / libm::tan(std::f64::consts::PI * tail);
            assert!((t_quantile(1, tail) / expected - 1.0).abs() < 1e-6, "{tail}");
        }
        assert!((t_quantile(1_000_000, 0.025) / 1.959_964 - 1.0).abs() < 0.002);
        assert_eq!(t_quantile(0, 0.025), f64::INFINITY);
    }

    #[test]
    fn normal_tails_are_the_published_ones() {
        assert!((normal_tail(1.959_964) - 0.025).abs() < 1e-8 && normal_tail(0.0) == 0.5);
    }
}
