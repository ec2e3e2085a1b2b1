//! Differences of two methods on common random numbers, alone and among many others.
//!
//! What counts as an independent sample is a training seed or, of a single seed, a chip. So few values as experiments have are treated with care:
//!
//! * Alone, a difference has the 95 % interval of the hierarchical bootstrap with expanded percentiles (Hesterberg, The American Statistician 2015):
//!   percentiles of resamples are too narrow by the root of (n - 1) / n and know no quantiles of Student's t; tails that make up for both are taken.
//! * Among m others (Bonferroni, tails of 0.025 / m), it has Student's interval: no number of resamples of 20 values reaches such tails.
//! * Neither has an interval where the values could not show it if all of them agreed: the sign test of n values finds no less than 2^(1 - n). That is 6
//!   values alone, 13 among a hundred.

use super::bootstrap::{Estimate, RESAMPLES, StatisticsError, demand_paired, mean_percentiles};
use super::student::{normal_tail, t_quantile};
use super::{mean, sd};

/// The probability with which an interval, or at least one of all, may miss.
const MISSES: f64 = 0.05;

/// Lower and upper end.
pub type Interval = (f64, f64);

/// A difference with the interval that holds it with 95 %, and that which holds it together with all others with 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The difference of the means.
    pub value: f64,
    /// Independent samples: training seeds, or the chips of a single one.
    pub samples: usize,
    /// The interval on its own; none of too few samples.
    pub own: Option<Interval>,
    /// The interval among all comparisons; none of too few samples.
    pub all: Option<Interval>,
}

/// The mean of `first` minus the mean of `second`, as one of `comparisons`.
///
/// # Errors
/// If the tables have no data, or not those of the same seeds and chips.
pub fn difference_among(
    first: &[Vec<f64>],
    second: &[Vec<f64>],
    comparisons: usize,
) -> Result<Difference, StatisticsError> {
    demand_paired(first, second)?;
    let minus = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a - b).collect();
    let table: Vec<Vec<f64>> = first.iter().zip(second).map(minus).collect();
    let samples: Vec<f64> = match table.as_slice() {
        [chips] => chips.clone(),
        seeds => seeds.iter().map(|chips| mean(chips)).collect(),
    };
    let each = MISSES / comparisons.max(1) as f64;
    Ok(Difference {
        value: mean(&samples),
        samples: samples.len(),
        own: own_interval(&table, samples.len(), RESAMPLES)?,
        all: can_show(samples.len(), each).then(|| student_interval(&samples, each)),
    })
}

/// The ratio of the means of `first` to those of `second`, its geometric mean over training seeds, with Student's 95 % interval of its logarithm: what a
/// network trained anew may give. None of fewer seeds than could show a difference (6), or where a mean is 0.
///
/// # Errors
/// If the tables have no data, or not those of the same seeds and chips.
pub fn ratio_over_seeds(first: &[Vec<f64>], second: &[Vec<f64>]) -> Result<Option<Estimate>, StatisticsError> {
    demand_paired(first, second)?;
    let logarithm = |(a, b): (&Vec<f64>, &Vec<f64>)| libm::log(mean(a) / mean(b));
    let logarithms: Vec<f64> = first.iter().zip(second).map(logarithm).collect();
    if !can_show(logarithms.len(), MISSES) || logarithms.iter().any(|logarithm| !logarithm.is_finite()) {
        return Ok(None);
    }
    let (low, high) = student_interval(&logarithms, MISSES);
    let [value, low, high] = [mean(&logarithms), low, high].map(libm::exp);
    Ok(Some(Estimate { value, low, high }))
}

/// Whether so many values of one sign are no likelier than `misses` where there is no difference.
fn can_show(samples: usize, misses: f64) -> bool {
    libm::exp2(1.0 - samples as f64) <= misses
}

/// The expanded percentiles of the resampled mean.
fn own_interval(table: &[Vec<f64>], samples: usize, resamples: u64) -> Result<Option<Interval>, StatisticsError> {
    if !can_show(samples, MISSES) {
        return Ok(None);
    }
    let n = samples as f64;
    let tail = normal_tail(libm::sqrt(n / (n - 1.0)) * t_quantile(samples - 1, MISSES / 2.0));
    mean_percentiles(table, resamples, tail).map(Some)
}

/// The interval that misses the mean of normal numbers with the probability `misses`.
fn student_interval(samples: &[f64], misses: f64) -> Interval {
    let half =
        t_quantile(samples.len().saturating_sub(1), misses / 2.0) * sd(samples) / libm::sqrt(samples.len() as f64);
    (mean(samples) - half, mean(samples) + half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::index;

    /// About normal numbers with mean 0 and deviation 1: the sum of twelve uniform ones.
    fn normal(stream: u64, number: usize) -> f64 {
        let uniform = |part: usize| index(stream, (number * 12 + part) as u64, 1 << 30) as f64 / f64::from(1 << 30);
        (0..12).map(uniform).sum::<f64>() - 6.0
    }

    /// A difference of accuracies on 360 images: of a thousand classifications that may go either way by 1/360.
    fn stepped(stream: u64, number: usize) -> f64 {
        (3.0 * normal(stream, number)).round() / 360.0
    }

    fn holds_zero((low, high): Interval) -> bool {
        low <= 0.0 && 0.0 <= high
    }

    #[test]
    fn intervals_alone_hold_as_often_as_they_say() {
        // Three standard errors around 5 %; 6 values are so few that 7 % miss.
        for (samples, sample, about) in
            [(6, normal as fn(u64, usize) -> f64, 0.07), (10, normal, 0.05), (20, normal, 0.05), (20, stepped, 0.05)]
        {
            let trials = 1500;
            let missed = (0..trials).filter(|trial| {
                let table = vec![(0..samples).map(|chip| sample(70_000 + trial, chip)).collect::<Vec<f64>>()];
                !holds_zero(own_interval(&table, samples, 1000).unwrap().unwrap())
            });
            let missed = missed.count() as f64 / trials as f64;
            assert!((about - 0.017..=about + 0.02).contains(&missed), "{samples} samples: {missed}");
        }
    }

    /// Of families of comparisons, 5 % may have an interval that misses.
    #[test]
    fn intervals_of_many_comparisons_hold_together() {
        for (samples, comparisons, sample) in [
            (10, 20, normal as fn(u64, usize) -> f64),
            (13, 132, normal),
            (20, 20, normal),
            (20, 132, normal),
            (20, 132, stepped),
        ] {
            let families = 1000;
            let each = 0.05 / comparisons as f64;
            assert!(can_show(samples, each));
            let misses = |family: &u64| {
                (0..comparisons).any(|number| {
                    let stream = 100_000 + family * comparisons + number;
                    let differences: Vec<f64> = (0..samples).map(|chip| sample(stream, chip)).collect();
                    !holds_zero(student_interval(&differences, each))
                })
            };
            let missed = (0..families).filter(misses).count() as f64 / families as f64;
            assert!((0.02..=0.072).contains(&missed), "{samples} samples, {comparisons} comparisons: {missed}");
        }
    }

    #[test]
    fn too_few_samples_show_nothing() {
        let among = |samples: usize, comparisons| {
            let first = vec![(0..samples).map(|chip| 0.5 + 0.01 * chip as f64).collect::<Vec<f64>>()];
            let second = vec![vec![0.1; samples]];
            difference_among(&first, &second, comparisons).unwrap()
        };
        for (samples, comparisons, own, all) in [
            (1, 1, false, false),
            (3, 20, false, false),
            (5, 1, false, false),
            (6, 1, true, true),
            (6, 20, true, false),
            (9, 20, true, false),
            (10, 20, true, true),
            (12, 132, true, false),
            (13, 132, true, true),
        ] {
            let found = among(samples, comparisons);
            assert_eq!((found.samples, found.own.is_some(), found.all.is_some()), (samples, own, all));
        }
        // Of several training seeds each is one sample, whatever its chips.
        let seeds = |count| difference_among(&vec![vec![0.5; 20]; count], &vec![vec![0.4; 20]; count], 1).unwrap();
        assert!(seeds(5).own.is_none() && seeds(5).samples == 5 && seeds(6).own.is_some());
    }

    /// Logarithms of the ratios 1 to 6, by hand: mean 1.09654, deviation 0.66264, and Student's quantile of 5 degrees of freedom is 2.57058.
    #[test]
    fn ratios_over_seeds_have_students_interval() {
        let over = |seeds: usize| {
            let first: Vec<Vec<f64>> = (0..seeds).map(|seed| vec![0.1 * seed as f64, 0.1]).collect();
            let second = vec![vec![0.1, 0.0]; seeds];
            ratio_over_seeds(&first, &second).unwrap()
        };
        let found = over(6).unwrap();
        let half = 2.570_58 * 0.662_64 / 6.0_f64.sqrt();
        for (found, expected) in [(found.value, 1.096_54), (found.low, 1.096_54 - half), (found.high, 1.096_54 + half)]
        {
            assert!((found.ln() - expected).abs() < 1e-4, "{found} {expected}");
        }
        // Five seeds that agree could do so by chance, and a ratio to nothing is none.
        assert_eq!(over(5), None);
        assert_eq!(ratio_over_seeds(&vec![vec![0.5]; 6], &vec![vec![0.0]; 6]), Ok(None));
        assert!(ratio_over_seeds(&[vec![0.5]], &[vec![0.5, 0.4]]).is_err());
    }

    #[test]
    fn intervals_among_many_are_wider_and_those_of_the_same_are_points() {
        let first = vec![(0..20).map(|chip| normal(1, chip)).collect::<Vec<f64>>()];
        let second = vec![(0..20).map(|chip| normal(2, chip)).collect::<Vec<f64>>()];
        let width = |comparisons| {
            let (low, high) = difference_among(&first, &second, comparisons).unwrap().all.unwrap();
            high - low
        };
        // Quantiles of Student's t with 19 degrees of freedom: 2.093 and, at 0.05 / 40, 3.4812.
        assert!((width(20) / width(1) - 3.4812 / 2.0930).abs() < 2e-3, "{}", width(20) / width(1));
        let same = difference_among(&first, &first, 20).unwrap();
        assert_eq!((same.value, same.own, same.all), (0.0, Some((0.0, 0.0)), Some((0.0, 0.0))));
    }
}
