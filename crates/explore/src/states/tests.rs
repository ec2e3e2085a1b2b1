use super::*;
use crate::config::{Kind, load};
use nn_compiler::mapping::Mapping;

fn chip(overrides: &[&str]) -> Chip {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    load(Kind::Chip, "default", &overrides).unwrap()
}

fn of_device(device: &str) -> StatesReport {
    states(&chip(&[&format!("tile.cell.device.preset={device}")]), 1).unwrap()
}

fn mapping<'a>(report: &'a StatesReport, name: &str) -> &'a MappingReport {
    report.mappings.iter().find(|mapping| mapping.mapping == name).unwrap()
}

/// The levels from most to least immune.
fn order(report: &StatesReport) -> Vec<&str> {
    let mut levels: Vec<_> = report.levels.iter().collect();
    levels.sort_by(|a, b| a.error_levels.total_cmp(&b.error_levels));
    levels.into_iter().map(|level| level.bits.as_str()).collect()
}

/// Standard deviations of CrossSim 3.2's fits at four equally spaced levels, in level spacings.
#[test]
fn published_devices_have_their_published_errors_and_orders() {
    for (device, errors, best_to_worst) in [
        ("milo-2021", [0.0742, 0.0651, 0.0560, 0.0469], ["11", "10", "01", "00"]),
        ("wan-2022", [0.0805, 0.1914, 0.1548, 0.1284], ["00", "11", "10", "01"]),
        ("paper-order", [0.02, 0.06, 0.30, 0.10], ["00", "01", "11", "10"]),
    ] {
        let report = of_device(device);
        for (level, error) in report.levels.iter().zip(errors) {
            assert!((level.error_levels - error).abs() < 5.1e-5, "{device} {}: {}", level.bits, level.error_levels);
        }
        assert_eq!(order(&report), best_to_worst, "{device}");
    }
}

#[test]
fn a_level_in_all_its_units() {
    let report = of_device("milo-2021");
    assert!((report.spacing_s - 175e-6 / 3.0).abs() < 1e-18);
    let worst = &report.levels[0];
    // sigma(50 uS) = 4.782321 - 0.009107 * 50 uS.
    assert!((worst.error_current_a - 0.2 * 4.326971e-6).abs() < 1e-18, "{}", worst.error_current_a);
    assert!((worst.relative_error.unwrap() - 4.326971 / 50.0).abs() < 1e-12);
    // With 100 cells a state, neighbours that differ by less than 32 % are tied, and these differ by 14 to 19 %.
    assert_eq!((worst.rank, worst.tie_group, worst.mean_shift_levels), (1, 1, 0.0));
    // A fixed point of the normal distribution: P(|xi| > 1.959964) = 5 %.
    let sigma = 0.5 / 1.959_963_984_540_054;
    let device = format!("tile.cell.device.variation.sigma_levels=[0.0, {sigma}, 0.1, 0.1]");
    let levels = states(&chip(&[&device]), 1).unwrap().levels;
    assert!((levels[1].read_error_probability - 0.05).abs() < 1e-12);
    assert_eq!((levels[0].read_error_probability, levels[0].error_current_a), (0.0, 0.0));
}

/// Phase-change memory: the relative error calls the best state the worst.
#[test]
fn relative_errors_rank_states_the_other_way_round() {
    let report = of_device("joshi-2020");
    assert_eq!(report.levels[0].rank, 1);
    let relative: Vec<f64> = report.levels.iter().map(|level| level.relative_error.unwrap()).collect();
    assert!(relative.is_sorted_by(|a, b| a > b), "{relative:?}");
    assert_eq!(of_device("wan-2022").levels[0].relative_error, None);
}

#[test]
fn ties_share_rank_and_group_and_leave_the_sets_together() {
    let sigmas = "tile.cell.device.variation.sigma_levels=[0.0526, 0.2972, 0.2672, 0.1988]";
    let places = |report: &StatesReport| -> Vec<(usize, usize)> {
        report.levels.iter().map(|level| (level.rank, level.tie_group)).collect()
    };
    let tied = states(&chip(&[sigmas]), 1).unwrap();
    let half_width = 1.959_963_984_540_054 / 200_f64.sqrt();
    assert!((tied.levels[1].error_ci95_high - 0.2972 * (1.0 + half_width)).abs() < 1e-12);
    assert!((tied.levels[1].error_ci95_low - 0.2972 * (1.0 - half_width)).abs() < 1e-12);
    assert_eq!(places(&tied), [(1, 1), (3, 3), (3, 3), (2, 2)]);
    assert_eq!(tied.favourable_sets, [vec![0], vec![0, 3], vec![0, 1, 2, 3]]);
    let apart = states(&chip(&[sigmas, "device.samples_per_state=100000"]), 1).unwrap();
    assert_eq!(places(&apart), [(1, 1), (4, 4), (3, 3), (2, 2)]);
    assert_eq!(apart.favourable_sets.len(), 4);
}

/// Config-3 of Diware et al., AICAS 2023.
#[test]
fn zero_sits_in_the_papers_worst_state_and_is_banned_from_it() {
    let report = of_device("paper-order");
    let isaac = mapping(&report, "isaac");
    assert_eq!((isaac.offset, isaac.cells_per_weight, isaac.clipped_share), (128, 4, 0.0));
    assert_eq!(digits(&isaac.zero_levels, 2), "10 00 00 00");
    assert_eq!(isaac.favourable_states, [0, 1, 3]);
    assert_eq!((isaac.favourable_weights, isaac.all_weights, isaac.zero_projected_to), (255 - 64, 255, -1));
    let expected = 64.0_f64.powi(2) * 0.09 + (16.0_f64.powi(2) + 4.0_f64.powi(2) + 1.0) * 0.0004;
    assert!((isaac.error_variance_zero - expected).abs() < 1e-9);
    assert!((isaac.zero_conductance_s - (27e-6 + 3.0 * 1e-6) / 4.0).abs() < 1e-15);
}

#[test]
fn a_pair_stores_zero_in_its_lowest_states() {
    let report = of_device("paper-order");
    let pair = mapping(&report, "differential");
    assert_eq!(digits(&pair.zero_levels, 2), "00 00 00 00/00 00 00 00");
    assert_eq!((pair.cells_per_weight, pair.zero_projected_to), (8, 0));
    assert!((pair.zero_conductance_s - 1e-6).abs() < 1e-18);
    assert!(pair.error_variance_zero < mapping(&report, "isaac").error_variance_zero / 40.0);
    assert!(mapping(&report, "offset").error_variance_mean < mapping(&report, "isaac").error_variance_mean);
}

#[test]
fn variances_by_weight_agree_with_their_summary() {
    let report = of_device("wan-2022");
    let flat = states_of(&chip(&["tile.cell.device.preset=wan-2022"]), 1, &WeightHistogram::Flat).unwrap();
    for (normal, flat) in report.mappings.iter().zip(&flat.mappings) {
        let variances: Vec<f64> = normal.weights.iter().map(|weight| weight.error_variance).collect();
        assert_eq!(variances[127], normal.error_variance_zero);
        assert_eq!(variances.iter().copied().fold(0.0, f64::max), normal.error_variance_max);
        assert!((0.0..=normal.error_variance_max).contains(&normal.error_variance_mean));
        if normal.offset == flat.offset {
            let mean = variances.iter().sum::<f64>() / 255.0;
            assert!((mean - flat.error_variance_mean).abs() < 1e-9 * mean);
        }
    }
    assert_eq!(flat.histogram, "every weight equally often");
    assert!(report.histogram.contains("standard deviation 32 weight steps"), "{}", report.histogram);
}

#[test]
fn given_weights_move_the_searched_offset_and_are_checked() {
    let chip = chip(&[]);
    let only = |weight: i32| {
        let mut counts = vec![0; 255];
        counts[(weight + 127) as usize] = 3;
        let report = states_of(&chip, 1, &WeightHistogram::Given(counts)).unwrap();
        mapping(&report, "offset").clone()
    };
    let [low, high] = [only(-100), only(100)];
    assert_eq!((low.offset, low.clipped_share), (100, 0.0));
    assert_eq!(high.weights[227].stored_weight, 100);
    assert_eq!(low.error_variance_mean, low.weights[27].error_variance);
    for (counts, expected) in [
        (vec![1; 254], "the weight histogram has 254 entries; 255 are wanted for weights of 8 bits"),
        (vec![0; 255], "the weight histogram counts no weights"),
    ] {
        let error = states_of(&chip, 1, &WeightHistogram::Given(counts)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn any_width_of_cells_and_weights() {
    for bits in 1..=4 {
        for weight_bits in [2, 5, 8] {
            let overrides = [
                "tile.cell.device.preset=wan-2022",
                &format!("cell.bits={bits}"),
                &format!("weight_bits={weight_bits}"),
            ];
            let report = states(&chip(&overrides), 1).unwrap();
            assert_eq!(report.levels.len(), 1 << bits);
            assert!(report.levels.iter().all(|level| level.bits.len() == bits));
            assert!(report.mappings.iter().all(|mapping| mapping.weights.len() == (1 << weight_bits) - 1));
            assert!(report.mappings.iter().all(|mapping| mapping.error_variance_mean.is_finite()));
        }
    }
}

/// Means over the sample agree with those over all weights.
#[test]
fn wide_weights_are_sampled() {
    let wide = chip(&["tile.cell.device.preset=wan-2022", "weight_bits=11"]);
    let sample = states_of(&wide, 1, &WeightHistogram::Flat).unwrap();
    let all = states_of(&wide, 1, &WeightHistogram::Given(vec![1; 2047])).unwrap();
    assert_eq!(sample.histogram, "every weight equally often, one weight in 3 sampled");
    let [sampled, exact] = [&sample, &all].map(|report| mapping(report, "isaac").error_variance_mean);
    assert!((sampled / exact - 1.0).abs() < 0.01, "{sampled} {exact}");
}

#[test]
fn what_is_not_allowed_is_named() {
    let mut three_bits = chip(&[]);
    three_bits.tile.cell.bits = 3;
    for (chip, slices, expected) in [
        (
            three_bits,
            1,
            "chip default: tile.cell.bits = 3 is not allowed: for device `paper-order`: 1 to 2 (its table has 4 states)",
        ),
        (chip(&[]), 0, "chip default: constrained_slices = 0 is not allowed: an integer from 1 to 16"),
    ] {
        assert_eq!(states(&chip, slices).unwrap_err().to_string(), expected);
    }
}

#[test]
fn tables_have_a_line_for_every_level_and_weight() {
    let report = of_device("wan-2022");
    let levels = report.levels_csv().unwrap();
    let mut lines = levels.lines();
    assert_eq!(
        lines.next().unwrap(),
        "level,bits,conductance_s,mean_shift_levels,sigma_levels,error_levels,error_ci95_low,error_ci95_high,clipped_error_levels,\
         error_current_a,relative_error,read_error_probability,rank,tie_group,immune_set_size"
    );
    assert!(lines.next().unwrap().starts_with("0,00,0.0,0.0,0.0804"), "{levels}");
    assert_eq!(lines.count(), 3);
    let weights = of_device("paper-order").weights_csv().unwrap();
    assert!(
        weights
            .starts_with("mapping,weight,error_variance,complemented_error_variance,levels,stored_weight\nisaac,-127,"),
        "{weights}"
    );
    assert_eq!(weights.lines().count(), 1 + of_device("paper-order").mappings.len() * 255);
    assert_eq!(Mapping::every().len(), of_device("paper-order").mappings.len());
    let zero = weights.lines().find(|line| line.starts_with("isaac,0,")).unwrap();
    assert!(zero.ends_with(",10 00 00 00,0"), "{zero}");
    assert!(weights.lines().any(|line| line.ends_with(",00 00 00 00/00 00 00 01,-1")), "{weights}");
}
