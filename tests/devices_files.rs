//! Do the device files, their documentation and their refusals hold together?

use crate::devices_support::{ROW, device};
use explore::config::{Kind, load, load_text, preset_names, to_toml};
use tile::address::CellRow;
use tile::device::{Device, RowPart};
use tile::variation::Variation;

/// The problems of a shipped device with some keys changed.
fn refused(name: &str, overrides: &[&str]) -> String {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    load::<Device>(Kind::Device, name, &overrides).unwrap_err().to_string()
}

/// The summary of the measurements, highest level first: level, cells, mean and standard deviation after write in uS, median, mean and standard
/// deviation after the bake.
#[test]
fn radar_presets_are_what_was_measured() {
    let lines = include_str!("golden/radar-2021.csv").lines().skip(1);
    let rows: Vec<Vec<f64>> = lines.map(|line| line.split(',').map(|field| field.parse().unwrap()).collect()).collect();
    for (name, mean, deviation) in [("radar-2021", 2, 3), ("radar-2021-postbake", 5, 6)] {
        let device = device(name, &[]);
        let states = device.states(5).unwrap();
        assert_eq!((rows.len(), states.levels()), (32, 32));
        for (row, state) in rows.iter().rev().zip(&states.states) {
            assert_eq!(row[1], f64::from(device.samples_per_state));
            let to_us = states.spacing_s * 1e6;
            let mean_us = state.conductance_s * 1e6 + state.mean_shift * to_us;
            assert!((mean_us - row[mean]).abs() < 1e-4, "{name} {}: {mean_us} {}", state.level, row[mean]);
            assert!((state.sigma * to_us - row[deviation]).abs() < 1e-4, "{name} {}", state.level);
        }
        // Cells of 2 bits use the nearest measured levels, 0, 10, 21 and 31.
        let states = device.states(2).unwrap();
        for (state, index) in states.states.iter().zip([0, 10, 21, 31]) {
            let (row, to_us) = (&rows[31 - index], states.spacing_s * 1e6);
            let mean_us = state.conductance_s * 1e6 + state.mean_shift * to_us;
            assert!((mean_us - row[mean]).abs() < 1e-4, "{name} 2 bits {}: {mean_us} {}", state.level, row[mean]);
            assert!((state.sigma * to_us - row[deviation]).abs() < 1e-4, "{name} 2 bits {}", state.level);
        }
    }
}

#[test]
fn the_page_of_devices_lists_every_preset_with_its_range() {
    let page = include_str!("../docs/devices.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let mut listed: Vec<&str> = rows.iter().map(|row| row[1].trim_matches('`')).collect();
    listed.sort_unstable();
    assert_eq!(listed, preset_names(Kind::Device));
    for row in &rows {
        let device = device(row[1].trim_matches('`'), &[]);
        assert_eq!(device.name, row[1].trim_matches('`'));
        let (low, high) = row[3].split(' ').next().unwrap().split_once('–').unwrap();
        for (text, value_s) in [(low, device.g_min_s), (high, device.g_max_s)] {
            assert!((text.parse::<f64>().unwrap() - value_s * 1e6).abs() < 0.006, "{}: {text}", device.name);
        }
        let cells = device.samples_per_state.to_string();
        assert!(row[4].starts_with(&cells) || row[4] == "–", "{}: {}", device.name, row[4]);
    }
}

#[test]
fn every_device_is_written_and_read_back() {
    for name in preset_names(Kind::Device) {
        let device = device(name, &[]);
        let text = to_toml(Kind::Device, &device).unwrap();
        assert_eq!(load_text::<Device>(Kind::Device, "run.toml", &text, &[]).unwrap(), device);
    }
}

#[test]
fn what_is_not_allowed_is_named() {
    for (name, overrides, expected) in [
        ("milo-2021", "read_after_s=1.0", "read_after_s = 1 is not allowed: 0: this device has neither drift"),
        (
            "milo-2021-nonlinear",
            "g_min_s=10e-6",
            "iv.fitted_min_s, fitted_max_s = 5e-5 to 2.25e-4 S is not allowed: must contain",
        ),
        ("hermes-1-device", "g_max_s=12e-6", "variation.fitted_min_s, fitted_max_s = 0e0 to 1.035e-5 S is not allowed"),
        ("agrawal-2022", "read_after_s=432001", "variation.times_s = up to 4.32e5 s is not allowed: at least"),
        ("agrawal-2022", "g_max_s=19e-6", "variation.fitted_min_s, fitted_max_s = 0e0 to 1.8e-5 S is not allowed"),
        ("cmo-2-percent", "read_after_s=0.5", "drift.law.model = log-time after 0.5 s is not allowed"),
        ("pcm-like", "drift.law.nu_mean.low=0.2", "drift.law.nu_mean.high = 0.1 is not allowed: at least low"),
        ("pcm-like", "drift.compensation=local", "unknown variant `local`"),
        ("ideal", "samples_per_state=1", "samples_per_state = 1 is not allowed: an integer from 2 to 1000000000"),
        ("ideal", "faults={ stuck_low = 0.7, stuck_high = 0.4 }", "faults.stuck_high = 0.4 is not allowed: at most 1"),
        ("ideal", "write_verify={ tolerance_levels = 0.1, attempts = 0 }", "write_verify.attempts = 0 is not allowed"),
    ] {
        let message = refused(name, &[overrides]);
        assert!(message.contains(expected), "{name} {overrides}: {message}");
    }
}

/// A file of measured cells beside a device file.
fn measured(cells: &str, samples: usize) -> Result<Device, String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("cells.csv", cells);
    let text = format!(
        "kind = 'device'\nversion = 1\nname = 'own'\nsource = 'own'\ng_min_s = 10e-6\ng_max_s = 40e-6\ng_clip_s = 60e-6\n\
         sigma_scale = 1.0\nsamples_per_state = {samples}\nread_after_s = 0.0\n\
         [variation]\nmodel = 'measured'\nfile = 'cells.csv'\n"
    );
    write("own.toml", &text);
    let path = folder.path().join("own.toml").display().to_string();
    let error = |error: explore::config::ConfigError| error.to_string().replace(folder.path().to_str().unwrap(), "DIR");
    load(Kind::Device, &path, &[]).map_err(error)
}

#[test]
fn measured_cells_take_the_place_of_their_file() {
    let device = measured("level,conductance_us\n0,11\n0,13\n1,35\n1,41\n1,44\n", 2).unwrap();
    let text = to_toml(Kind::Device, &device).unwrap();
    assert!(text.contains("conductances_s = [[") && !text.contains("cells.csv"), "{text}");
    assert_eq!(load_text::<Device>(Kind::Device, "run.toml", &text, &[]).unwrap(), device);
    let states = device.states(1).unwrap().states;
    // Means 12 and 40 uS, sums of squares 2 and 42 of one and two degrees of freedom; the spacing is 30 uS.
    assert!((states[0].mean_shift - 2.0 / 30.0).abs() < 1e-12 && states[1].mean_shift.abs() < 1e-12);
    assert!((states[0].sigma - 2_f64.sqrt() / 30.0).abs() < 1e-12);
    assert!((states[1].sigma - 21_f64.sqrt() / 30.0).abs() < 1e-12);
    // Without mean shift: the exact interval, with chi-square quantiles of two degrees of freedom, -2 ln(0.025) and -2 ln(0.975).
    let (low, high) = states[1].error_ci95;
    assert!((low / states[1].sigma - (2.0_f64 / 7.377_759).sqrt()).abs() < 1e-6);
    assert!((high / states[1].sigma - (2.0_f64 / 0.050_635_6).sqrt()).abs() < 1e-5);
}

#[test]
fn a_damaged_file_of_cells_is_refused_with_its_line() {
    for (cells, samples, expected) in [
        (
            "level,conductance_us\n0,11\n0,13\n1,3x\n",
            2,
            "DIR/own.toml:13: cannot read DIR/cells.csv: line 4, column conductance_us: `3x` is not allowed: a number from 0 to 1e6",
        ),
        (
            "level,conductance_us\n0,11\n0,13\n1,35\n",
            2,
            "DIR/own.toml:13: cannot read DIR/cells.csv: line 4, column level: `1 cells of level 1` is not allowed: at least 2 cells a level",
        ),
        (
            "level,conductance_us\n0,11\n0,13\n1,35\n1,36\n",
            9,
            "DIR/own.toml:13: variation.conductances_s = 9 in the device is not allowed: samples_per_state must be 2, the fewest cells of a level",
        ),
    ] {
        assert_eq!(measured(cells, samples).unwrap_err(), expected);
    }
    let mut device = device("ideal", &[]);
    device.variation = toml::from_str("model = \"measured\"\nconductances_s = []").unwrap();
    assert!(device.states(1).is_err());
}

/// Sets of 20 cells drawn from a known state: the interval must hold the true error in 95 % of 2000 sets, with and without a mean shift.
#[test]
fn intervals_of_measured_states_cover_the_true_error() {
    let (sets, cells) = (2000, 20);
    for shift in [0.0, 0.3] {
        let sigmas = "variation.sigma_levels=[0.2, 0.2, 0.2, 0.2]";
        let shifts = format!("variation.mean_shift_levels=[{shift}, {shift}, {shift}, {shift}]");
        let truth = device("paper-order", &[sigmas, &shifts, "g_min_s=20e-6", "g_clip_s=1.0"]);
        let states = truth.states(2).unwrap();
        let error = states.states[0].error();
        let mut covered = 0;
        for set in 0..sets {
            let mut values = vec![0.0; 4 * cells];
            let levels: Vec<u8> = (0..4 * cells).map(|cell| (cell / cells) as u8).collect();
            states.program_row(CellRow { row: set, ..ROW }, [RowPart::new(&levels, &mut values, 1)]);
            let conductances =
                values.chunks(cells).map(|level| level.iter().map(|&v| states.conductance_s(v)).collect());
            let conductances_s: Vec<Vec<f64>> = conductances.collect();
            let fitted = Device {
                variation: Variation::Measured(tile::variation::Measured { conductances_s }),
                samples_per_state: cells as u32,
                ..truth.clone()
            };
            let states = fitted.states(2).unwrap().states;
            covered += states.iter().filter(|s| s.error_ci95.0 <= error && error <= s.error_ci95.1).count();
        }
        let share = covered as f64 / (4 * sets) as f64;
        assert!((share - 0.95).abs() < 0.012, "{shift}: {share}");
    }
}
