use super::*;
use tile::device::Device;

const SIGMAS: [f64; 4] = [0.02, 0.06, 0.30, 0.10];

/// States of cells of 1 to `bits` bits, with the errors of a device that has `2^bits` states.
fn cells(sigmas: &[f64]) -> CellStates {
    let device = Device::of_sigmas(sigmas, 100_000);
    CellStates::new((1..=sigmas.len().ilog2()).map(|bits| device.states(bits)).collect())
}

fn ideal(cell_bits: u32) -> CellStates {
    let device: Device = Device {
        variation: tile::variation::Variation::Ideal(tile::variation::Ideal {}),
        ..Device::of_sigmas(&[0.0; 2], 100)
    };
    CellStates::new((1..=cell_bits).map(|bits| device.states(bits)).collect())
}

fn layer<'a>(weight_bits: u32, cell_bits: u32, histogram: &'a [u64], cells: &'a CellStates) -> LayerStatistics<'a> {
    LayerStatistics { weight_bits, cell_bits, histogram, offset: None, cells }
}

#[test]
fn the_list_has_unique_kebab_case_names_and_sources() {
    for (index, mapping) in MAPPINGS.iter().enumerate() {
        assert!(mapping.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", mapping.name());
        assert!(!mapping.doc().is_empty() && !mapping.source().is_empty());
        assert!(MAPPINGS[..index].iter().all(|other| other.name() != mapping.name()));
        assert_eq!(Mapping::parse(mapping.name()).unwrap().name(), mapping.name());
    }
    let every: Vec<String> = Mapping::every().iter().map(|mapping| mapping.name().to_owned()).collect();
    let options = |name: &str| every.iter().filter(|every| every.starts_with(name)).count();
    assert_eq!((every.len(), options("isaac"), options("differential"), options("unary")), (14, 3, 3, 3));
}

#[test]
fn a_strategy_has_one_name_whatever_the_order_of_its_options() {
    let parsed = |name| Mapping::parse(name).unwrap();
    let one = parsed("unary+after-adc+common-mode");
    assert_eq!((one.name(), &one), ("unary+common-mode+after-adc", &parsed("unary+common-mode+after-adc")));
    assert_ne!(one, parsed("unary+after-adc"));
    assert_eq!(parsed("unbalanced:1-1-2-2-2").name(), "unbalanced:1-1-2-2-2");
}

#[test]
fn names_that_mean_nothing_are_refused_with_what_there_is() {
    for (name, part) in [
        (
            "isac",
            "unknown mapping strategy `isac`; known: isaac, offset, differential, twos-complement, unbalanced, unary",
        ),
        ("isaac+common-mode", "`isaac` does not take `common-mode`; it takes only flip, flip-error"),
        ("twos-complement+flip", "it takes no options"),
        ("differential+flipp", "unknown option `+flipp`; known: flip, flip-error, common-mode, after-adc"),
        ("isaac+flip+flip-error", "one of flip and flip-error"),
        ("differential+after-adc+after-adc", "each once"),
        ("isaac:1-2", "does not take `:widths`"),
        ("unbalanced:1-x", "`1-x` is no list of slice widths"),
        ("unbalanced:1-9", "from 1 to 8"),
        ("", "unknown mapping strategy ``"),
    ] {
        let error = Mapping::parse(name).unwrap_err();
        assert!(error.contains(part), "{name}: {error}");
    }
    let cells = ideal(2);
    let flat = vec![1; 255];
    for (name, part) in [
        ("unbalanced:1-1-2", "must add up to the 8 bits of a weight"),
        ("unbalanced:2-2-2-2", "the first (the sign) must be 1"),
        ("unbalanced:1-3-2-2", "a cell holds 2 bits"),
    ] {
        let error = Mapping::parse(name).unwrap().encoding(&layer(8, 2, &flat, &cells)).unwrap_err();
        assert!(error.contains(part), "{name}: {error}");
    }
    let wide = vec![1; 4095];
    let error = Mapping::parse("unary").unwrap().encoding(&layer(12, 2, &wide, &cells)).unwrap_err();
    assert!(error.contains("12-bit weights need 683 cells of 2 bits"), "{error}");
}

/// Weights of 1 bit are -1 and 1: every strategy stores them in a cell a weight, or says that two's complement cannot.
#[test]
fn weights_of_one_bit_have_no_zero() {
    for mapping in Mapping::every() {
        for cell_bits in 1..=4 {
            let cells = ideal(cell_bits);
            let encoding = match mapping.encoding(&layer(1, cell_bits, &[3, 0, 2], &cells)) {
                Ok(encoding) => encoding,
                Err(error) => {
                    assert!(["twos-complement", "unbalanced"].contains(&mapping.name()), "{mapping:?}: {error}");
                    assert!(error.contains(mapping.name()) && error.contains("weights of 1 bit"), "{error}");
                    continue;
                }
            };
            assert_eq!([-3, -1, 0, 1, 2].map(|weight| encoding.clip(weight)), [-1, -1, 1, 1, 1], "{mapping:?}");
            assert_eq!(encoding.slices.len(), 1);
            for weight in [-1, 1] {
                let level = |slice, polarity| encoding.level(weight, slice, polarity);
                assert_eq!(encoding.decode(level), i64::from(weight), "{mapping:?} {cell_bits}");
                assert!(
                    (0..encoding.polarities())
                        .all(|polarity| i64::from(level(0, polarity)) <= encoding.slices[0].top())
                );
            }
            assert!(!["twos-complement", "unbalanced"].contains(&mapping.name()), "{mapping:?}");
        }
    }
}

/// Every weight, strategy, option, weight width and cell width; without errors no strategy clips.
#[test]
fn encode_then_decode_is_the_identity() {
    for mapping in Mapping::every() {
        for weight_bits in 2..=9 {
            for cell_bits in 1..=weight_bits.min(4) {
                let flat = vec![1; (2 * largest_weight(weight_bits) + 1) as usize];
                let cells = ideal(cell_bits);
                let encoding = mapping.encoding(&layer(weight_bits, cell_bits, &flat, &cells)).unwrap();
                let largest = largest_weight(weight_bits);
                for weight in -largest..=largest {
                    assert_eq!(encoding.clip(weight), weight, "{mapping:?} {weight_bits} {cell_bits}");
                    let level = |slice, polarity| encoding.level(weight, slice, polarity);
                    assert_eq!(encoding.decode(level), i64::from(weight), "{mapping:?} {weight_bits} {cell_bits}");
                    for (slice, code) in encoding.slices.iter().enumerate() {
                        assert!(code.bits <= cell_bits);
                        for polarity in 0..encoding.polarities() {
                            assert!(i64::from(level(slice, polarity)) <= code.top());
                        }
                    }
                }
            }
        }
    }
}

/// The encodings' own formula against the variance of the decoded value when each cell errs independently.
#[test]
fn the_error_variance_is_that_of_the_decoded_weight() {
    let (flat, cells) = (vec![1; 255], cells(&SIGMAS));
    for mapping in Mapping::every() {
        let encoding = mapping.encoding(&layer(8, 2, &flat, &cells)).unwrap();
        for weight in [-127, -64, -1, 0, 1, 63, 64, 127].map(|w| encoding.clip(w)) {
            let exact = |s, p| f64::from(encoding.level(weight, s, p));
            let base = encoding.decode_analog(exact);
            let mut variance = 0.0;
            for slice in 0..encoding.slices.len() {
                for polarity in 0..encoding.polarities() {
                    let moved = |s, p| exact(s, p) + if (s, p) == (slice, polarity) { 1.0 } else { 0.0 };
                    let sensitivity = encoding.decode_analog(moved) - base;
                    let level = usize::from(encoding.level(weight, slice, polarity));
                    // A slice of 1 bit uses the outer states of the device, three of its spacings apart.
                    let error = match encoding.slices[slice].bits {
                        2 => SIGMAS[level],
                        _ => SIGMAS[3 * level] / 3.0,
                    };
                    variance += (sensitivity * error).powi(2);
                }
            }
            let given = encoding.error_variance(weight, &cells);
            assert!((variance - given).abs() < 1e-9 * variance.max(1e-12), "{mapping:?} {weight}: {given} {variance}");
        }
    }
}

#[test]
fn zero_sits_in_the_worst_state_of_the_isaac_encoding_and_the_search_avoids_it() {
    // Weights around zero, as training leaves them.
    let near_zero: Vec<u64> = (-127_i32..=127).map(|w| if w.abs() <= 16 { 10 } else { 0 }).collect();
    let cells = cells(&SIGMAS);
    let layer = layer(8, 2, &near_zero, &cells);
    let isaac = Mapping::parse("isaac").unwrap().encoding(&layer).unwrap();
    assert_eq!((0..4).map(|slice| isaac.level(0, slice, 0)).collect::<Vec<_>>(), [0, 0, 0, 2]);
    let searched = Mapping::parse("offset").unwrap().encoding(&layer).unwrap();
    assert!(searched.error_variance(0, &cells) < isaac.error_variance(0, &cells) / 5.0);
    assert_eq!(searched.clip(-8), -8);
}

/// Digits by hand: 8-bit weights in 2-bit cells, least significant slice first.
#[test]
fn the_encodings_are_what_their_names_say() {
    let (flat, cells) = (vec![1; 255], cells(&SIGMAS));
    let encoding = |name: &str| Mapping::parse(name).unwrap().encoding(&layer(8, 2, &flat, &cells)).unwrap();
    let levels = |encoding: &Encoding, weight: i32, polarity: usize| -> Vec<u8> {
        (0..encoding.slices.len()).map(|slice| encoding.level(weight, slice, polarity)).collect()
    };
    let significances = |encoding: &Encoding| encoding.slices.iter().map(|s| s.significance).collect::<Vec<_>>();
    let twos = encoding("twos-complement");
    assert_eq!(significances(&twos), [1, 4, 16, 64, -128]);
    // -1 is all ones: 3 + 12 + 48 + 64 - 128; 5 is 01 01.
    assert_eq!(levels(&twos, -1, 0), [3, 3, 3, 1, 1]);
    assert_eq!(levels(&twos, 5, 0), [1, 1, 0, 0, 0]);
    assert_eq!(levels(&twos, 0, 0), [0; 5]);
    let unbalanced = encoding("unbalanced");
    assert_eq!(significances(&unbalanced), [1, 4, 16, 32, 64, -128]);
    assert_eq!(unbalanced.slices.iter().map(|s| s.bits).collect::<Vec<_>>(), [2, 2, 1, 1, 1, 1]);
    assert_eq!(significances(&encoding("unbalanced:1-1-2-2-2")), [1, 4, 16, 64, -128]);
    let unary = encoding("unary");
    assert_eq!(unary.slices.len(), 43);
    assert_eq!(levels(&unary, -7, 1)[..4], [3, 3, 1, 0]);
    assert_eq!(levels(&unary, -7, 0), [0; 43]);
    let differential = encoding("differential");
    assert_eq!((levels(&differential, -27, 1), levels(&differential, -27, 0)), (vec![3, 2, 1, 0], vec![0; 4]));
    assert_eq!((differential.converted_columns(), encoding("differential+after-adc").converted_columns()), (4, 8));
}

/// With the highest state the most immune one (Milo et al., IRPS 2021) a zero is two cells at the top, not at the bottom.
#[test]
fn a_common_mode_moves_pairs_to_the_immune_states() {
    let (flat, cells) = (vec![1; 255], cells(&[0.0742, 0.0651, 0.0560, 0.0469]));
    let encoding = Mapping::parse("differential+common-mode").unwrap().encoding(&layer(8, 2, &flat, &cells)).unwrap();
    let one_sided = Mapping::parse("differential").unwrap().encoding(&layer(8, 2, &flat, &cells)).unwrap();
    let Form::Pair { pairs, .. } = &encoding.form else { panic!("not a pair") };
    assert_eq!(*pairs, [(3, 3), (3, 2), (3, 1), (3, 0)]);
    for weight in -127..=127 {
        assert!(encoding.error_variance(weight, &cells) <= one_sided.error_variance(weight, &cells));
    }
    assert!(encoding.error_variance(0, &cells) < 0.5 * one_sided.error_variance(0, &cells));
}

/// Weight 0 is 10 00 00 00; complemented it is 01 11 11 11.
#[test]
fn complemented_columns_hold_the_complements() {
    let (flat, cells) = (vec![1; 255], cells(&SIGMAS));
    let encoding = Mapping::parse("isaac+flip").unwrap().encoding(&layer(8, 2, &flat, &cells)).unwrap();
    let sum = |errors: [f64; 4]| errors.iter().zip([64.0, 16.0, 4.0, 1.0]).map(|(e, a)| (a * e) * (a * e)).sum::<f64>();
    let (stored, complemented) = (sum([0.30, 0.02, 0.02, 0.02]), sum([0.06, 0.10, 0.10, 0.10]));
    assert!((encoding.error_variance(0, &cells) - stored).abs() < 1e-9 * stored);
    assert!((encoding.complemented_error_variance(0, &cells) - complemented).abs() < 1e-9 * complemented);
}
