use super::*;
use crate::adc::{ErrorStatistics, NonIdealities};
use crate::address::{Purpose, stream};

fn adcs() -> [AdcTransfer; 3] {
    [AdcTransfer::unipolar(4, 20.0), AdcTransfer::bipolar(5, 9.0), AdcTransfer::unipolar(8, 3.3)]
}

/// Conversion `i`: below, within and above the ranges.
fn sums(i: usize) -> [f32; 3] {
    [i as f32 * 0.3 - 20.0, i as f32 * 0.11 - 11.0, i as f32 * 0.02]
}

fn converters(kind: AdcKind, nonideal: NonIdealities) -> AdcBank {
    let column = |(index, adc): (usize, AdcTransfer)| {
        let mut stream = stream(1, Purpose::Converter, &[index as u64]);
        (adc, Arc::new(Converter::draw(kind, &nonideal, (adc.min_code, adc.max_code), &mut stream)))
    };
    AdcBank::with_converters(kind, adcs().into_iter().enumerate().map(column))
}

fn run(bank: &AdcBank, noise: &[f32]) -> (Vec<[f32; 3]>, CodesSeen) {
    let mut seen = CodesSeen::new(3, true);
    let convert = |i| {
        let mut codes = sums(i);
        bank.convert(&mut codes, noise, &mut seen);
        codes
    };
    ((0..200).map(convert).collect(), seen)
}

#[test]
fn a_bank_converts_like_its_single_converters() {
    let (codes, seen) = run(&AdcBank::ideal_transfers(adcs().into_iter()), &[]);
    for (column, adc) in adcs().iter().enumerate() {
        let column_sums = || (0..200).map(|i| sums(i)[column]);
        let expected: Vec<f32> = column_sums().map(|sum| adc.convert(sum) as f32).collect();
        assert_eq!(codes.iter().map(|codes| codes[column]).collect::<Vec<_>>(), expected);
        let clipped = column_sums().filter(|&sum| adc.clips(sum)).count();
        assert_eq!(seen.clipped(column) as usize, clipped);
        let mut statistics = ErrorStatistics::default();
        column_sums().zip(&expected).for_each(|(sum, &code)| statistics.add(sum.into(), f64::from(code) * adc.step));
        let found = seen.statistics(column, adc.step);
        assert_eq!(found.count, 200);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-5 * b.abs().max(1.0);
        assert!(close(found.sum, statistics.sum), "{found:?}, {statistics:?}");
        assert!(close(found.sum_squares, statistics.sum_squares), "{found:?}, {statistics:?}");
        assert!(close(found.error_squares, statistics.error_squares), "{found:?}, {statistics:?}");
    }
    assert_eq!(seen.codes(0), (0.0, 15.0));
    assert!(seen.clipped(0) > 0 && seen.clipped(1) > 0);
}

/// The general path and the fast one, ties and clipping included.
#[test]
fn converters_without_errors_are_ideal_quantisers() {
    let (ideal, ideal_seen) = run(&AdcBank::ideal_transfers(adcs().into_iter()), &[]);
    for kind in [AdcKind::Sar, AdcKind::Flash, AdcKind::Ramp] {
        let (codes, seen) = run(&converters(kind, NonIdealities::none()), &[1.0; 3]);
        assert_eq!(codes, ideal);
        for column in 0..3 {
            assert_eq!(
                (seen.clipped(column), seen.codes(column)),
                (ideal_seen.clipped(column), ideal_seen.codes(column))
            );
        }
        assert_eq!(seen.statistics(1, 2.0), ideal_seen.statistics(1, 2.0));
    }
}

#[test]
fn ideal_converters_pass_the_sum_on() {
    let (codes, seen) = run(&converters(AdcKind::Ideal, NonIdealities::none()), &[]);
    for (i, codes) in codes.iter().enumerate() {
        for ((&code, sum), adc) in codes.iter().zip(sums(i)).zip(adcs()) {
            assert!((f64::from(code) * adc.step - f64::from(sum)).abs() <= 1e-6 * f64::from(sum.abs()));
        }
    }
    assert_eq!([0, 1, 2].map(|column| seen.clipped(column)), [0; 3]);
    assert_eq!(seen.statistics(0, 1.0).effective_bits(), None);
}

/// The draws are scaled by the noise of the converter; their errors are in the statistics.
#[test]
fn noise_adds_to_the_sum_and_to_the_error() {
    let nonideal = NonIdealities { noise_sigma_codes: 2.0, ..NonIdealities::none() };
    let noisy = converters(AdcKind::Ramp, nonideal);
    let mut seen = CodesSeen::new(3, true);
    for (draw, expected) in [(0.0, 6.0), (1.5, 9.0), (-2.0, 2.0), (10.0, 15.0)] {
        let mut codes = [8.0, 0.0, 0.0];
        noisy.convert(&mut codes, &[draw, 0.0, 0.0], &mut seen);
        assert_eq!(codes[0], expected);
    }
    // 9 - 6, 2 - 6, 15 - 6; only the last lies beyond the range. A step is 4/3.
    assert_eq!([0, 1, 2].map(|column| seen.clipped(column)), [1, 0, 0]);
    assert!((seen.statistics(0, 4.0 / 3.0).error_squares - (9.0 + 16.0 + 81.0) * 16.0 / 9.0).abs() < 1e-4);
}

#[test]
fn many_conversions_lose_nothing() {
    let adc = AdcTransfer { min_code: 0, max_code: 511, step: 1.0 };
    let bank = AdcBank::ideal_transfers(std::iter::once(adc));
    let mut seen = CodesSeen::new(1, true);
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for i in 0..10_007_u64 {
        let value = i * i % 512;
        bank.convert(&mut [value as f32], &[], &mut seen);
        (sum, squares) = (sum + value, squares + value * value);
    }
    let expected = ErrorStatistics { count: 10_007, sum: sum as f64, sum_squares: squares as f64, error_squares: 0.0 };
    assert_eq!(seen.statistics(0, 1.0), expected);
}
