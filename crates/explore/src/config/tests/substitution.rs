//! Overrides of resolved configurations.

use toml::Value;

use super::*;
use crate::config::substitute::substituted;

fn change(overrides: &[(&str, Value)]) -> Result<Chip, ConfigError> {
    let overrides: Vec<_> = overrides.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    substituted(PRESETS, &good(DEFAULT, &[]), &overrides)
}

#[test]
fn nothing_changes_nothing() {
    assert_eq!(change(&[]), Ok(good(DEFAULT, &[])));
}

#[test]
fn keys_are_set() {
    let chip = change(&[("adc.bits", 5.into()), ("tile.lanes.0.width", 3.into()), ("note", "n".into())]).unwrap();
    assert_eq!((chip.tile.adc.bits, chip.tile.lanes[0].width, chip.note.as_deref()), (5, 3, Some("n")));
}

#[test]
fn a_preset_replaces_the_whole_table_before_other_keys() {
    let ideal = Device { g_max_s: 5e-5, levels_s: vec![], noise: Noise::None {} };
    assert_eq!(change(&[("tile.cell.device.preset", "ideal".into())]).unwrap().tile.cell.device, ideal);
    let both = [("device.levels_s", vec![1.0].into()), ("device.preset", Value::from("ideal-wide"))];
    let expected = Device { g_max_s: 9e-5, levels_s: vec![1.0], noise: Noise::None {} };
    assert_eq!(change(&both).unwrap().tile.cell.device, expected);
}

#[test]
fn errors_name_the_override() {
    for (key, value, expected) in [
        ("adc.bits", Value::from(99), "adc.bits = 99: tile.adc.bits = 99 is not allowed: an integer from 1 to 16"),
        ("bits", 1.into(), "bits = 1: ambiguous key bits; it could be tile.adc.bits, tile.cell.bits, tile.dac.bits"),
        (
            "adc.bit",
            1.into(),
            "adc.bit = 1: unknown key adc.bit; nearest known key: tile.adc.bits (known here: bits, model)",
        ),
        ("adc.preset", 1.into(), "adc.preset = 1: a preset is a name or a path in quotes"),
        (
            "tile.preset",
            "x".into(),
            "tile.preset = \"x\": tile.preset: a preset can only be in a table called \
             chip, device, adc, costs, network, outline, experiment, sweep, auto, recommendation",
        ),
        (
            "adc.preset",
            "sar9".into(),
            "adc.preset = \"sar9\": unknown adc preset \"sar9\"; nearest: sar8 (known: sar8)",
        ),
    ] {
        assert_eq!(change(&[(key, value)]).unwrap_err().to_string(), expected);
    }
}
