use super::*;
use chip::config::Criterion;
use chip::program::{FeatureMap, Output, Subtraction, Window};
use proptest::prelude::*;

fn adc(bits: u32, criterion: Criterion, power_of_two_step: bool) -> Adc {
    let text = include_str!("../../../../configs/adcs/isaac-table.toml");
    let mut table: toml::Table = text.parse().unwrap();
    table.remove("kind");
    table.remove("version");
    let more = format!(
        "kind = \"sar\"\nbits = {bits}\nrange = \"calibrated\"\ncriterion = \"percentile\"\npercentile = 100.0\n\
         finest_step_levels = 0.01\npower_of_two_step = {power_of_two_step}\nper_column = false\ncolumn_gain = false\n\
         per_bank = 1\narrays_per_bank = 1\nskip_applied_bits = false\nintegrating = false\ncalibration_images = 1\ncalibration_chips = 1\n"
    );
    table.extend(more.parse::<toml::Table>().unwrap());
    Adc { criterion, ..table.try_into().unwrap() }
}

fn stage(polarities: u32) -> MvmStage {
    let input = FeatureMap { height: 1, width: 1, channels: 1, bits: 8, signed: false };
    MvmStage {
        name: "layer".to_owned(),
        mapping: "none".to_owned(),
        input: 0,
        window: Window::square(input, 1, 1, 0),
        input_offset: 0,
        outputs: 1,
        groups: 1,
        polarities,
        subtraction: Subtraction::BeforeAdc,
        offset: 0,
        clipped_weights: 0,
        slices: Vec::new(),
        output: Output::Scores {},
        crossbars: Vec::new(),
        replicas: Vec::new(),
        bias: vec![0],
        multipliers: Vec::new(),
    }
}

proptest! {
    /// The steps that least squares tries do not depend on the resolution; steps of powers of two are nested. So more bits never do worse on the
    /// sums that were seen.
    #[test]
    fn more_bits_never_increase_the_error(
        sums in prop::collection::vec(0.0_f32..300.0, 1..200),
        polarities in 1_u32..=2,
        shifts: bool,
        percentile: bool,
    ) {
        let criterion = if percentile { Criterion::Percentile } else { Criterion::LeastSquaredError };
        // A range by percentile is only nested from one resolution to the next where steps are powers of two.
        let shifts = shifts || percentile;
        let mut seen = Sums::default();
        sums.iter().for_each(|&sum| seen.add(sum));
        let mut last = f64::INFINITY;
        for bits in 3..=12 {
            let error = seen.squared_error(fit(&adc(bits, criterion, shifts), &stage(polarities), &seen));
            prop_assert!(error <= last * (1.0 + 1e-12), "{bits} bits: {error} after {last}");
            last = error;
        }
    }

    /// No step is better than the one that was found, beyond the fineness of the search: a step within `d = 2^(1/32) - 1` of the best one
    /// was tried, which moves a code of value v by d v, so that the root of the summed squares grows by d times that of the values.
    #[test]
    fn least_squares_finds_the_least(sums in prop::collection::vec(0.0_f32..100.0, 20..100), bits in 3_u32..8) {
        let adc = adc(bits, Criterion::LeastSquaredError, false);
        let mut seen = Sums::default();
        sums.iter().for_each(|&sum| seen.add(sum));
        let found = fit(&adc, &stage(1), &seen);
        let error = seen.squared_error(found);
        let best = (1..2000).map(|index| seen.squared_error(AdcTransfer { step: f64::from(index) * 0.05, ..found }));
        let best = best.fold(f64::INFINITY, f64::min);
        let values = sums.iter().map(|&sum| f64::from(sum).powi(2)).sum::<f64>();
        let fineness = 2_f64.powf(1.0 / 32.0) - 1.0;
        let bound = best.sqrt() * (1.0 + fineness) + fineness * values.sqrt();
        prop_assert!(error.sqrt() <= bound, "{error} against {best}");
    }
}

#[test]
fn a_percentile_is_the_smallest_magnitude_that_enough_sums_do_not_exceed() {
    let mut seen = Sums::default();
    (1..=100).for_each(|sum| seen.add(-(sum as f32)));
    assert_eq!([1.0, 50.0, 99.0, 99.5, 100.0].map(|percent| seen.percentile(percent)), [1.0, 50.0, 99.0, 100.0, 100.0]);
    let adc = adc(5, Criterion::Percentile, false);
    assert_eq!(fit(&adc, &stage(1), &seen), AdcTransfer { min_code: 0, max_code: 31, step: 100.0 / 31.0 });
    assert_eq!(fit(&adc, &stage(2), &seen), AdcTransfer { min_code: -15, max_code: 15, step: 100.0 / 15.0 });
    let shifts = Adc { power_of_two_step: true, ..adc };
    assert_eq!((fit(&shifts, &stage(1), &seen).step, fit(&shifts, &stage(2), &seen).step), (4.0, 8.0));
}
