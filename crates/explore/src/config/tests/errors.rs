//! The exact words of errors.

use std::fs;

use super::super::expand;
use super::*;
use crate::config::kind_of;

fn below_default(text: &str) -> String {
    message(&format!("{DEFAULT}{text}"), &[])
}

#[test]
fn syntax_errors_have_line_and_column() {
    assert_eq!(below_default("x = [1,"), "configs/chips/my.toml:4:8: unclosed array, expected `]`");
    assert_eq!(
        below_default("é = 1"),
        "configs/chips/my.toml:4:1: invalid unquoted key, expected letters, numbers, `-`, `_`"
    );
    assert_eq!(below_default("a = 1\na = 2"), "configs/chips/my.toml:5:1: duplicate key");
}

#[test]
fn unknown_keys_have_a_nearest_key() {
    assert_eq!(
        below_default("\n[tile.adc]\nbitz = 3\n"),
        "configs/chips/my.toml:6: unknown key tile.adc.bitz; nearest known key: tile.adc.bits \
         (known here: bits, model, offset_codes)"
    );
    assert_eq!(
        below_default("tile.cell.device.preset = 'misspelt'"),
        "configs/devices/misspelt.toml (built in):5: unknown key tile.cell.device.sigma; \
         nearest known key: tile.cell.device.noise (known here: g_max_s, levels_s, noise)"
    );
    assert_eq!(
        below_default("tile.cell.device.noise.sigmas = 3"),
        "configs/chips/my.toml:4: unknown key tile.cell.device.noise.sigmas; \
         nearest known key: tile.cell.device.noise.sigma_s (known here: sigma_s)"
    );
    assert_eq!(
        below_default("tile.cell.device = { preset = 'ideal', noise = { sigma = 3 } }"),
        "configs/chips/my.toml:4: unknown key tile.cell.device.noise.sigma (no keys are known here)"
    );
}

#[test]
fn missing_keys_are_named_at_their_table() {
    assert_eq!(
        message("kind = 'chip'\nversion = 1\nname = 'x'\n\n[tile]\narray_rows = 1\n", &[]),
        "configs/chips/my.toml:5: missing key tile.cell"
    );
    assert_eq!(message("kind = 'chip'\nversion = 1\n", &[]), "configs/chips/my.toml:1: missing key name");
}

#[test]
fn wrong_types_are_put_in_words() {
    for (text, expected) in [
        (
            "tile.adc.bits = 'six'",
            "tile.adc.bits: invalid type: string \"six\", expected an integer from 0 to 4294967295",
        ),
        ("tile.adc.bits = -1", "tile.adc.bits: invalid value: integer `-1`, expected an integer from 0 to 4294967295"),
        ("tile.adc.model = 'sra'", "tile.adc.model: unknown variant `sra`, expected `ideal` or `sar`"),
        ("tile.adc = 3", "tile.adc: invalid type: integer `3`, expected a table"),
        ("name = []", "name: invalid type: an array, expected a string"),
        ("name = {}", "name: invalid type: a table, expected a string"),
        ("tile.lanes = 1", "tile.lanes: invalid type: integer `1`, expected an array"),
        (
            "tile.lanes = [{width = true}]",
            "tile.lanes.0.width: invalid type: boolean `true`, expected an integer from 0 to 4294967295",
        ),
        (
            "tile.cell.device.noise.sigma_s = 'x'",
            "tile.cell.device.noise.sigma_s: invalid type: string \"x\", expected a number",
        ),
    ] {
        assert_eq!(below_default(text), format!("configs/chips/my.toml:4: {expected}"));
    }
}

#[test]
fn all_values_out_of_range_are_listed() {
    assert_eq!(
        message(
            &format!("{DEFAULT}tile.array_rows = 0\ntile.cell.device.preset = 'ideal-wide'\n"),
            &["adc.bits=99", "device.g_max_s=2"]
        ),
        "configs/chips/my.toml:4: tile.array_rows = 0 is not allowed: an integer from 1 to 1024\n\
         --set adc.bits=99: tile.adc.bits = 99 is not allowed: an integer from 1 to 16\n\
         --set device.g_max_s=2: tile.cell.device.g_max_s = 2 is not allowed: a number from 1e-9 to 1e0 S"
    );
}

#[test]
fn presets_that_cannot_be_followed() {
    for (text, expected) in [
        (
            "tile.cell.device.preset = 'paper-ordr'",
            "unknown device preset \"paper-ordr\"; nearest: paper-order \
             (known: paper-order, ideal, ideal-wide, circle, circle-2, misspelt, outside)",
        ),
        (
            "tile.preset = 'x'",
            "tile.preset: a preset can only be in a table called chip, device, adc, costs, network, outline, experiment, sweep, auto, recommendation",
        ),
        ("tile.adc.preset = 8", "tile.adc.preset = 8: a preset is a name or a path in quotes"),
        ("tile.adc.preset = './no.toml'", "cannot read configs/chips/./no.toml: no such file"),
        ("tile.network.preset = 'x'", "unknown network preset \"x\" (there are none of this kind)"),
    ] {
        assert_eq!(below_default(text), format!("configs/chips/my.toml:4: {expected}"));
    }
    assert_eq!(
        below_default("tile.cell.device.preset = 'circle'"),
        "configs/devices/circle-2.toml (built in):3: presets in a circle: \
         configs/chips/my.toml -> chip default -> device circle -> device circle-2 -> device circle"
    );
    assert_eq!(
        below_default("tile.cell.device.preset = 'outside'"),
        "configs/devices/outside.toml (built in):3: cannot read ./x.toml: a built-in preset can only name presets"
    );
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("latin.toml"), b"# \xe9").unwrap();
    fs::write(path("large.toml"), vec![b'#'; (4 << 20) + 1]).unwrap();
    fs::create_dir(path("folder.toml")).unwrap();
    fs::write(path("me.toml"), "kind = 'device'\nversion = 1\npreset = './me.toml'\n").unwrap();
    for (name, reason) in [
        ("no.toml", "no such file"),
        ("latin.toml", "it is not UTF-8 text"),
        ("large.toml", "it is larger than 4 MiB"),
        ("folder.toml", "it is a folder"),
    ] {
        let error = expand::open(PRESETS, Kind::Chip, &path(name), None).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read {}: {reason}", path(name)));
    }
    let me = expand::open(PRESETS, Kind::Device, &path("me.toml"), None).unwrap();
    let error = expand::expand(PRESETS, me, Kind::Device).unwrap_err().to_string();
    assert!(error.contains("me.toml:3: presets in a circle: "), "{error}");
}

#[test]
fn a_name_that_is_no_preset() {
    let error = expand::open(PRESETS, Kind::Chip, "defaults", None).unwrap_err().to_string();
    assert_eq!(error, "unknown chip preset \"defaults\"; nearest: default (known: default)");
}

#[test]
fn headers_are_demanded() {
    for (text, expected) in [
        (
            "version = 1",
            "1: missing key kind; one of chip, device, adc, costs, network, outline, experiment, sweep, auto, recommendation",
        ),
        (
            "\nkind = 'chap'",
            "2: kind = \"chap\" is unknown; known: chip, device, adc, costs, network, outline, experiment, sweep, auto, recommendation",
        ),
        ("kind = 'adc'", "1: kind = \"adc\", but \"chip\" is wanted here"),
        ("kind = 'chip'", "1: missing key version; write version = 1"),
        ("kind = 'chip'\nversion = 2", "2: version = 2 is unknown; known: 1"),
    ] {
        assert_eq!(message(text, &[]), format!("configs/chips/my.toml:{expected}"));
    }
    assert_eq!(kind_of("x.toml", "kind = 'adc'"), Ok(Kind::Adc));
    assert_eq!(
        kind_of("x.toml", "kind = ").unwrap_err().to_string(),
        "x.toml:1:8: string values must be quoted, expected literal string"
    );
}

#[test]
fn overrides_that_do_not_fit() {
    for (overrides, expected) in [
        ("adc", "--set adc: KEY=VALUE is wanted"),
        (
            "adc.bits=9223372036854775808",
            "--set adc.bits=9223372036854775808: an integer is at least -9223372036854775808 and at most 9223372036854775807",
        ),
        ("a..b=1", "--set a..b=1: the key is not of the form name.name.name"),
        ("bits=1", "--set bits=1: ambiguous key bits; it could be tile.adc.bits, tile.cell.bits, tile.dac.bits"),
        (
            "adc.bitz=1",
            "--set adc.bitz=1: unknown key adc.bitz; nearest known key: tile.adc.bits (known here: bits, model, preset)",
        ),
        ("nmae=1", "--set nmae=1: unknown key nmae; nearest known key: name (known here: name, preset, tile)"),
        (
            "adc.bits=x",
            "--set adc.bits=x: tile.adc.bits: invalid type: string \"x\", expected an integer from 0 to 4294967295",
        ),
        ("tile.lanes.7.width=1", "--set tile.lanes.7.width=1: tile.lanes: invalid type: a table, expected an array"),
        (
            "device.preset=idael",
            "--set device.preset=idael: unknown device preset \"idael\"; nearest: ideal \
          (known: paper-order, ideal, ideal-wide, circle, circle-2, misspelt, outside)",
        ),
    ] {
        assert_eq!(message(DEFAULT, &[overrides]), expected);
    }
}
