use super::*;
use crate::config::{Kind, load, preset_names};

fn surveyed(devices: &[&str], bits: &[u32], overrides: &[&str]) -> Result<Survey, ExploreError> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let chip: Chip = load(Kind::Chip, "default", &[]).unwrap();
    survey(&chip, &owned(devices), bits, &owned(overrides))
}

fn cell(device: &str, bits: u32, overrides: &[&str]) -> CellSurvey {
    surveyed(&[device], &[bits], overrides).unwrap().devices.remove(0).cells.remove(0)
}

/// Errors of the fits of CrossSim 3.2 and aihwkit at four equally spaced levels, evaluated by another program and rounded to four decimals;
/// orders without ties, as the errors alone give them, and with those ties that 100 cells a state (1024 for SONOS) cannot break.
#[test]
fn two_bit_cells_have_their_published_errors_and_orders() {
    for (device, overrides, errors, order, tied) in [
        ("milo-2021", &[][..], [0.0742, 0.0651, 0.0560, 0.0469], "11 < 10 < 01 < 00", "11 = 10 = 01 = 00"),
        ("wan-2022", &[], [0.0805, 0.1914, 0.1548, 0.1284], "00 < 11 < 10 < 01", "00 < 11 = 10 = 01"),
        ("wan-2022-quartic-1s", &[], [0.0261, 0.1719, 0.1255, 0.0827], "00 < 11 < 10 < 01", "00 < 11 < 10 < 01"),
        ("wan-2022-quartic-1day", &[], [0.0526, 0.2972, 0.2672, 0.1988], "00 < 11 < 10 < 01", "00 < 11 < 10 = 01"),
        ("pcm-like", &[], [0.0316, 0.0946, 0.1263, 0.1266], "00 < 01 < 10 < 11", "00 < 01 < 10 = 11"),
        ("hermes-2-devices", &[], [0.0241, 0.1406, 0.1350, 0.1584], "00 < 10 < 01 < 11", "00 < 10 = 01 = 11"),
        ("hermes-1-device", &[], [0.0457, 0.2081, 0.2754, 0.2920], "00 < 01 < 10 < 11", "00 < 01 < 10 = 11"),
        ("cmo-2-percent", &[], [0.0043, 0.0156, 0.0269, 0.0381], "00 < 01 < 10 < 11", "00 < 01 < 10 < 11"),
        ("agrawal-2022", &[], [0.0, 0.0355, 0.0372, 0.0373], "00 < 01 < 10 < 11", "00 < 01 = 10 = 11"),
        (
            "agrawal-2022",
            &["read_after_s=432000"],
            [0.0, 0.0599, 0.0645, 0.0648],
            "00 < 01 < 10 < 11",
            "00 < 01 = 10 = 11",
        ),
        ("paper-order", &[], [0.02, 0.06, 0.30, 0.10], "00 < 01 < 11 < 10", "00 < 01 < 11 < 10"),
    ] {
        let found = cell(device, 2, overrides);
        for (level, expected) in found.levels.iter().zip(errors) {
            assert!(
                (level.error_levels - expected).abs() <= 5.001e-5,
                "{device} {}: {}",
                level.bits,
                level.error_levels
            );
        }
        assert_eq!(found.order, tied, "{device}");
        let certain = [overrides, &["samples_per_state=1000000000"]].concat();
        assert_eq!(cell(device, 2, &certain).order, order, "{device}");
    }
}

#[test]
fn sets_are_what_stands_before_each_sign() {
    let found = cell("wan-2022-quartic-1day", 2, &[]);
    assert_eq!(found.favourable_sets, [vec![0], vec![0, 3], vec![0, 1, 2, 3]]);
    let sizes: Vec<usize> = found.levels.iter().map(|level| level.immune_set_size).collect();
    assert_eq!(sizes, [1, 4, 4, 2]);
    let places: Vec<(usize, usize)> = found.levels.iter().map(|level| (level.rank, level.tie_group)).collect();
    assert_eq!(places, [(1, 1), (3, 3), (3, 3), (2, 2)]);
    for device in surveyed(&[ALL_DEVICES], &[1, 2, 3, 4], &[]).unwrap().devices {
        for cell in device.cells.iter().filter(|cell| cell.unavailable.is_none()) {
            assert_eq!(cell.order.matches(" < ").count() + 1, cell.favourable_sets.len(), "{}", device.device);
            for level in &cell.levels {
                let containing = cell.favourable_sets.iter().find(|set| set.contains(&level.level)).unwrap();
                assert_eq!(level.immune_set_size, containing.len(), "{} {}", device.device, level.bits);
            }
        }
    }
}

/// A polynomial of the conductance gives the ends of the range the same error in siemens whatever the number of bits.
#[test]
fn errors_grow_with_the_number_of_levels() {
    let survey = surveyed(&["milo-2021"], &[1, 2, 3, 4], &[]).unwrap();
    for (cell, levels) in survey.devices[0].cells.iter().zip([2.0, 4.0, 8.0, 16.0]) {
        let [first, last] = [&cell.levels[0], &cell.levels[cell.levels.len() - 1]];
        let spacing_us = 175.0 / (levels - 1.0);
        assert!((first.error_levels - 4.326971 / spacing_us).abs() < 1e-9);
        assert!((last.error_levels - (4.782321 - 0.009107 * 225.0) / spacing_us).abs() < 1e-9);
        assert_eq!(cell.levels.len() as f64, levels);
        assert_eq!((cell.error_levels_best, cell.error_levels_worst), (last.error_levels, first.error_levels));
        assert!((first.error_current_a - 0.2 * 4.326971e-6).abs() < 1e-16);
    }
}

/// `sigma = 0.25`: the thresholds are two standard deviations away, `P(xi > 2) = 0.0227501`.
#[test]
fn read_errors_are_one_sided_at_the_ends() {
    let sigmas = "variation.sigma_levels=[0.25, 0.25, 0.25, 0.0]";
    let found = cell("paper-order", 2, &[sigmas]);
    let tail = 0.022_750_131_948_179_21;
    let probabilities: Vec<f64> = found.levels.iter().map(|level| level.read_error_probability).collect();
    for (probability, expected) in probabilities.iter().zip([tail, 2.0 * tail, 2.0 * tail, 0.0]) {
        assert!((probability - expected).abs() < 1e-15, "{probabilities:?}");
    }
    assert!((found.read_error_probability_mean - 1.25 * tail).abs() < 1e-15);
    assert_eq!(found.read_error_probability_worst, probabilities[1]);
    let shifted = cell("paper-order", 2, &[sigmas, "variation.mean_shift_levels=[-0.25, 0.25, 0.0, 0.0]"]);
    assert!((shifted.levels[0].read_error_probability - 0.001_349_898_031_630_094_5).abs() < 1e-15);
    let both = 0.158_655_253_931_457_05 + 0.001_349_898_031_630_094_5;
    assert!((shifted.levels[1].read_error_probability - both).abs() < 1e-15);
}

#[test]
fn clipping_at_zero_halves_the_mean_square_of_the_lowest_state() {
    let found = cell("wan-2022", 2, &[]);
    let ratio = |level: &LevelReport| level.clipped_error_levels / level.error_levels;
    assert!((ratio(&found.levels[0]) - 0.5_f64.sqrt()).abs() < 1e-12, "{}", ratio(&found.levels[0]));
    assert!(found.levels[1..].iter().all(|level| (ratio(level) - 1.0).abs() < 1e-3));
    // The order is that of the errors before clipping.
    assert!((found.error_levels_best - 0.0805).abs() < 5e-5);
}

#[test]
fn cells_that_a_device_cannot_have_are_listed_with_the_reason() {
    let survey = surveyed(&["radar-2021", "paper-order"], &[1, 2, 3], &[]).unwrap();
    let reasons = |index: usize| -> Vec<Option<&str>> {
        survey.devices[index].cells.iter().map(|cell| cell.unavailable.as_deref()).collect()
    };
    let table = "1 to 2 (its table has 4 states)";
    assert_eq!((reasons(0), reasons(1)), (vec![None; 3], vec![None, None, Some(table)]));
    let expected = format!("device,cell_bits,allowed_cell_bits\npaper-order,3,{table}\n");
    assert_eq!(survey.unavailable_csv().unwrap(), expected);
    let all = surveyed(&["ideal"], &[1], &[]).unwrap().unavailable_csv().unwrap();
    assert_eq!(all, "device,cell_bits,allowed_cell_bits\n");
}

/// Every number in the tables is the one of the report, to the last bit.
#[test]
fn tables_hold_the_numbers_of_the_report() {
    let survey = surveyed(&[ALL_DEVICES], &[1, 2, 3, 4], &[]).unwrap();
    let levels: Vec<(&str, u32, &LevelReport)> = survey
        .devices
        .iter()
        .flat_map(|device| device.cells.iter().map(move |cell| (device.device.as_str(), cell)))
        .flat_map(|(device, cell)| cell.levels.iter().map(move |level| (device, cell.cell_bits, level)))
        .collect();
    let text = survey.states_csv().unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(
        reader.headers().unwrap().iter().collect::<Vec<_>>().join(","),
        "device,cell_bits,level,bits,conductance_s,mean_shift_levels,sigma_levels,error_levels,error_ci95_low,error_ci95_high,\
         clipped_error_levels,error_current_a,relative_error,read_error_probability,rank,tie_group,immune_set_size"
    );
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), levels.len());
    for (record, (device, bits, level)) in records.iter().zip(levels) {
        let number = |column: usize| record[column].parse::<f64>().unwrap();
        assert_eq!((&record[0], &record[1], &record[3]), (device, bits.to_string().as_str(), level.bits.as_str()));
        let numbers = [
            level.level as f64,
            level.conductance_s,
            level.mean_shift_levels,
            level.sigma_levels,
            level.error_levels,
            level.error_ci95_low,
            level.error_ci95_high,
            level.clipped_error_levels,
            level.error_current_a,
            level.relative_error.unwrap_or(0.0),
            level.read_error_probability,
            level.rank as f64,
            level.tie_group as f64,
            level.immune_set_size as f64,
        ];
        let columns = [2].into_iter().chain(4..12).chain(13..17);
        let empty = record[12].is_empty();
        assert_eq!(empty, level.relative_error.is_none());
        let read = columns.map(number).collect::<Vec<_>>();
        let kept: Vec<f64> = numbers[..9].iter().chain(&numbers[10..]).copied().collect();
        assert_eq!(read, kept);
        assert!(empty || number(12) == numbers[9]);
    }
}

#[test]
fn sets_have_a_line_each() {
    let sets = surveyed(&["pcm-like"], &[2], &[]).unwrap().sets_csv().unwrap();
    let mut lines = sets.lines();
    assert_eq!(lines.next(), Some("device,cell_bits,set,size,states,error_levels_worst"));
    for (line, start) in lines.by_ref().zip(["1,1,00,0.03161", "2,2,00 01,0.09457", "3,4,00 01 10 11,0.1266"]) {
        assert!(line.starts_with(&format!("pcm-like,2,{start}")), "{line}");
    }
    assert_eq!(sets.lines().count(), 4);
}

#[test]
fn all_stands_for_every_preset() {
    let survey = surveyed(&[ALL_DEVICES], &[1], &[]).unwrap();
    let names: Vec<&str> = survey.devices.iter().map(|device| device.device.as_str()).collect();
    assert_eq!(names, preset_names(Kind::Device));
}

#[test]
fn what_cannot_be_surveyed_is_named() {
    for (devices, bits, expected) in [
        (&["pcm-like"][..], &[][..], "bits per cell: none are given; allowed: 1 to 8, each once"),
        (&["pcm-like"], &[0], "bits per cell: 0 is not allowed; allowed: 1 to 8, each once"),
        (&["pcm-like"], &[2, 9], "bits per cell: 9 is not allowed; allowed: 1 to 8, each once"),
        (&["pcm-like"], &[2, 1, 2], "bits per cell: 2 is listed twice; allowed: 1 to 8, each once"),
        (&["pcm-like", "pcm-like"], &[2], "device `pcm-like` is listed twice"),
        (&["all", "pcm-like"], &[2], "`all` stands for every device and goes with no other"),
        (&[], &[2], "no devices are given; allowed: names, TOML files, or `all`"),
    ] {
        assert_eq!(surveyed(devices, bits, &[]).unwrap_err().to_string(), expected);
    }
    assert!(surveyed(&["pcm-lik"], &[2], &[]).unwrap_err().to_string().contains("pcm-like"));
}

/// `ohmic states --devices all -o docs/results/states` writes them.
#[test]
fn the_shipped_tables_and_figure_are_up_to_date() {
    let survey = surveyed(&[ALL_DEVICES], &[1, 2, 3, 4], &[]).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/results/states");
    for (file, text) in [
        ("states.csv", survey.states_csv().unwrap()),
        ("sets.csv", survey.sets_csv().unwrap()),
        ("unavailable.csv", survey.unavailable_csv().unwrap()),
        ("states.svg", crate::plot::state_errors(&survey).unwrap()),
    ] {
        let shipped = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
        assert!(shipped == text, "{file} is not what the command writes");
    }
}
