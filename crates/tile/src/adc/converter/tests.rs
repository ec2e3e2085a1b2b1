use super::*;
use crate::adc::AdcTransfer;
use crate::address::{Purpose, stream};
use proptest::prelude::*;

const KINDS: [AdcKind; 3] = [AdcKind::Sar, AdcKind::Flash, AdcKind::Ramp];

fn draw(kind: AdcKind, nonideal: NonIdealities, codes: (i32, i32), instance: u64) -> Converter {
    Converter::draw(kind, &nonideal, codes, &mut stream(7, Purpose::Converter, &[0, 0, 0, instance]))
}

/// The first draws of that instance: gain, offset, and of a ramp its bow.
fn draws(instance: u64) -> [f64; 3] {
    let mut stream = stream(7, Purpose::Converter, &[0, 0, 0, instance]);
    std::array::from_fn(|_| StandardNormal.sample(&mut stream))
}

/// Every error that the architecture can have.
fn errors(kind: AdcKind) -> NonIdealities {
    let own = |owner| if kind == owner { 1.0 } else { 0.0 };
    NonIdealities {
        gain_sigma: 0.02,
        offset_sigma_codes: 1.5,
        capacitor_sigma: 0.05 * own(AdcKind::Sar),
        comparator_sigma_codes: 0.6 * own(AdcKind::Flash),
        ramp_curvature_sigma_codes: 3.0 * own(AdcKind::Ramp),
        noise_sigma_codes: 0.3,
    }
}

/// The share of inputs of a slow ramp that read as each code: its width. The two outermost codes have none.
#[test]
fn code_density_matches_the_stated_non_linearity() {
    const PER_STEP: u32 = 200;
    for kind in KINDS {
        let converter = draw(kind, errors(kind), (-31, 32), 3);
        let mut hits = [0_u32; 64];
        for index in 0..100 * PER_STEP {
            let input = (f64::from(index) + 0.5) / f64::from(PER_STEP) - 50.0;
            hits[(converter.code(input as f32) + 31.0) as usize] += 1;
        }
        assert!(hits[0] > 0 && hits[63] > 0, "the ramp must cover the range");
        let mean = f64::from(hits[1..63].iter().sum::<u32>()) / 62.0;
        let dnl: Vec<f64> = hits[1..63].iter().map(|&hits| f64::from(hits) / mean - 1.0).collect();
        let mut inl = 0.0;
        let mut largest = 0.0_f64;
        for (index, ((found, stated_dnl), stated_inl)) in
            dnl.iter().zip(converter.dnl()).zip(&converter.inl()[1..]).enumerate()
        {
            inl += found;
            assert!((found - stated_dnl).abs() < 2.5 / f64::from(PER_STEP), "{kind:?} {index}: {found}, {stated_dnl}");
            assert!((inl - stated_inl).abs() < 2.5 / f64::from(PER_STEP), "{kind:?} {index}: {inl}, {stated_inl}");
            largest = largest.max(inl.abs());
        }
        assert!(largest > 0.1, "{kind:?} must err: {largest}");
    }
}

/// Sample variance around 0 over that of the closed form, within four standard errors.
fn assert_variance(values: &[f64], expected: f64, what: &str) {
    let n = values.len() as f64;
    let found = values.iter().map(|value| value * value).sum::<f64>() / n;
    assert!(
        (found / expected - 1.0).abs() < 4.0 * (2.0 / n).sqrt(),
        "{what}: variance {found:e}, expected {expected:e}"
    );
}

/// Of many instances; `part` picks a number from each.
fn over_instances(kind: AdcKind, nonideal: NonIdealities, part: impl Fn(&Converter) -> f64) -> Vec<f64> {
    (0..2000).map(|instance| part(&draw(kind, nonideal, (0, 255), instance))).collect()
}

/// Saberi et al. 2011: `s sqrt(2^b - 1)` for the step at mid scale and `s sqrt(c (1 - c / 2^b))` for the level of code c.
#[test]
fn a_sar_converter_errs_as_its_capacitors_predict() {
    let sigma = 0.002;
    let nonideal = NonIdealities { capacitor_sigma: sigma, ..NonIdealities::none() };
    let step = over_instances(AdcKind::Sar, nonideal, |c| c.thresholds()[128] - c.thresholds()[127] - 1.0);
    // The step from threshold 127 (of code 128) up is one unit; the one below it changes all capacitors.
    let major = over_instances(AdcKind::Sar, nonideal, |c| c.thresholds()[127] - c.thresholds()[126] - 1.0);
    assert_variance(&major, sigma * sigma * (255.0 - 1.0 / 256.0), "major step");
    assert_variance(&step, sigma * sigma, "step of one unit");
    for code in [1_usize, 64, 128, 200] {
        let level = over_instances(AdcKind::Sar, nonideal, |c| c.thresholds()[code - 1] - (code as f64 - 0.5));
        let units = code as f64;
        assert_variance(&level, sigma * sigma * units * (1.0 - units / 256.0), "level");
    }
    let dnl = over_instances(AdcKind::Sar, nonideal, |c| c.dnl()[126]);
    assert_variance(&dnl, sigma * sigma * 255.0, "DNL");
}

/// Comparators are independent; the line through the first and the last threshold takes its share of their errors.
#[test]
fn a_flash_converter_errs_as_its_comparators_predict() {
    // Small enough that neighbours do not swap.
    let sigma = 0.05;
    let nonideal = NonIdealities { comparator_sigma_codes: sigma, ..NonIdealities::none() };
    for index in [10_usize, 127, 200] {
        let x = index as f64 / 254.0;
        let inl = over_instances(AdcKind::Flash, nonideal, |c| c.inl()[index]);
        assert_variance(&inl, sigma * sigma * (1.0 + (1.0 - x).powi(2) + x * x), "INL");
    }
    let dnl = over_instances(AdcKind::Flash, nonideal, |c| c.dnl()[100]);
    assert_variance(&dnl, 2.0 * sigma * sigma, "DNL");
}

#[test]
fn a_ramp_converter_is_a_parabola_with_the_stated_peak() {
    let nonideal = NonIdealities { ramp_curvature_sigma_codes: 4.0, ..NonIdealities::none() };
    let inl = over_instances(AdcKind::Ramp, nonideal, |c| c.inl()[127]);
    assert_variance(&inl, 16.0, "INL at mid scale");
    let converter = draw(AdcKind::Ramp, nonideal, (0, 255), 0);
    let peak = 4.0 * draws(0)[2];
    for (index, inl) in converter.inl().into_iter().enumerate() {
        let x = index as f64 / 254.0;
        assert!((inl - 4.0 * peak * x * (1.0 - x)).abs() < 1e-9);
    }
}

/// A gain error moves a threshold in proportion to its distance from code 0, an offset all alike.
#[test]
fn gain_and_offset_have_their_sigmas() {
    for kind in KINDS {
        let gain = NonIdealities { gain_sigma: 0.01, ..NonIdealities::none() };
        let offset = NonIdealities { offset_sigma_codes: 3.0, ..NonIdealities::none() };
        let gains = over_instances(kind, gain, |c| 199.5 / c.thresholds()[199] - 1.0);
        let offsets = over_instances(kind, offset, |c| 199.5 - c.thresholds()[199]);
        assert_variance(&gains, 1e-4, "gain");
        assert_variance(&offsets, 9.0, "offset");
        let both = draw(
            kind,
            NonIdealities { gain_sigma: 0.01, offset_sigma_codes: 3.0, ..NonIdealities::none() },
            (0, 255),
            5,
        );
        assert!(both.inl().iter().all(|inl| inl.abs() < 1e-9), "neither is a non-linearity");
        // It reads (1 + g) sum + o.
        let [g, o, _] = draws(5);
        let (g, o) = (0.01 * g, 3.0 * o);
        assert!((both.thresholds()[99] * (1.0 + g) + o - 99.5).abs() < 1e-9);
        assert_eq!(both.code(50.0), (50.0 * (1.0 + g) + o).round() as f32);
    }
}

#[test]
fn instances_differ_and_the_same_instance_does_not() {
    for kind in KINDS {
        assert_eq!(draw(kind, errors(kind), (0, 63), 1), draw(kind, errors(kind), (0, 63), 1));
        assert_ne!(draw(kind, errors(kind), (0, 63), 1), draw(kind, errors(kind), (0, 63), 2));
    }
}

#[test]
fn degenerate_ranges_do_not_panic() {
    for kind in KINDS {
        for codes in [(0, 0), (0, 1), (5, 2), (-1, 1)] {
            let converter = draw(kind, errors(kind), codes, 0);
            assert_eq!(converter.thresholds().len(), (codes.1 - codes.0).max(0) as usize);
            for input in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.3] {
                let code = converter.code(input);
                assert!(code >= codes.0 as f32 && code <= codes.1.max(codes.0) as f32, "{kind:?} {codes:?} {input}");
            }
            assert_eq!(
                (converter.inl().len(), converter.dnl().len()),
                (converter.thresholds().len(), converter.thresholds().len().saturating_sub(1))
            );
            assert!(converter.inl().iter().chain(&converter.dnl()).all(|value| value.is_finite()));
        }
    }
}

proptest! {
    #[test]
    fn without_errors_every_kind_is_the_ideal_quantiser(bits in 2_u32..=10, bipolar: bool, kind in 0..3_usize, instance: u64) {
        let adc = if bipolar { AdcTransfer::bipolar(bits, 1.0) } else { AdcTransfer::unipolar(bits, 1.0) };
        let unit = AdcTransfer { step: 1.0, ..adc };
        let converter = draw(KINDS[kind], NonIdealities::none(), (adc.min_code, adc.max_code), instance);
        // Quarter steps: centres, ties and points between, beyond both ends.
        for quarter in 4 * (adc.min_code - 3)..=4 * (adc.max_code + 3) {
            let input = quarter as f32 / 4.0;
            prop_assert_eq!(converter.code(input), unit.convert(input) as f32);
        }
    }

    #[test]
    fn no_kind_ever_falls(kind in 0..3_usize, instance: u64, scale in 0.0_f64..4.0, a in -80.0_f32..80.0, b in -80.0_f32..80.0) {
        let base = errors(KINDS[kind]);
        let nonideal = NonIdealities {
            capacitor_sigma: base.capacitor_sigma * scale,
            comparator_sigma_codes: base.comparator_sigma_codes * scale,
            ramp_curvature_sigma_codes: base.ramp_curvature_sigma_codes * scale * 10.0,
            ..base
        };
        let converter = draw(KINDS[kind], nonideal, (-32, 31), instance);
        prop_assert!(converter.thresholds().is_sorted());
        prop_assert!(converter.code(a.min(b)) <= converter.code(a.max(b)));
    }
}
