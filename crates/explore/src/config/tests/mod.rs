//! Tests of loading as a whole, with a small configuration and presets of its own.

mod errors;
mod hostile;
mod loading;
mod setting;
mod substitution;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};

use super::presets::Presets;
use super::{ConfigError, Kind, text_document, typed};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chip {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    tile: Tile,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tile {
    array_rows: u32,
    cell: Cell,
    adc: Adc,
    dac: Dac,
    #[serde(default)]
    lanes: Vec<Lane>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lane {
    width: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cell {
    bits: u8,
    device: Device,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    g_max_s: f64,
    #[serde(default)]
    levels_s: Vec<f64>,
    noise: Noise,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case", deny_unknown_fields)]
enum Noise {
    // Braces, because serde lets a bare variant swallow unknown keys.
    None {},
    Normal { sigma_s: f64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Adc {
    bits: u32,
    model: AdcModel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offset_codes: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AdcModel {
    Ideal,
    Sar,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dac {
    bits: u32,
}

impl Check for Chip {
    fn check(&self, problems: &mut Problems) {
        problems.within("tile", |problems| {
            problems.integer("array_rows", u64::from(self.tile.array_rows), 1..=1024);
            problems.within("adc", |problems| problems.integer("bits", u64::from(self.tile.adc.bits), 1..=16));
            problems.within("cell", |problems| {
                problems.within("device", |problems| {
                    problems.number("g_max_s", self.tile.cell.device.g_max_s, 1e-9..=1.0, "S");
                });
            });
        });
    }
}

/// A type that takes anything, for arbitrary texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Anything(BTreeMap<String, toml::Value>);

impl Check for Anything {
    fn check(&self, _: &mut Problems) {}
}

const PRESETS: Presets = Presets(&[
    (
        "chips/default",
        r#"kind = "chip"
version = 1
name = "default"
[tile]
array_rows = 128
dac = { bits = 1 }
adc = { preset = "sar8" }
[[tile.lanes]]
width = 8
[[tile.lanes]]
width = 16
[tile.cell]
bits = 2
[tile.cell.device]
preset = "paper-order"
g_max_s = 2e-4
"#,
    ),
    (
        "devices/paper-order",
        r#"kind = "device"
version = 1
g_max_s = 1e-4
levels_s = [1e-6, 1e-5]
noise = { model = "normal", sigma_s = 3e-6 }
"#,
    ),
    ("devices/ideal", "kind = 'device'\nversion = 1\ng_max_s = 5e-5\nnoise.model = 'none'\n"),
    ("devices/ideal-wide", "kind = 'device'\nversion = 1\npreset = 'ideal'\ng_max_s = 9e-5\n"),
    ("devices/circle", "kind = 'device'\nversion = 1\npreset = 'circle-2'\n"),
    ("devices/circle-2", "kind = 'device'\nversion = 1\npreset = 'circle'\n"),
    ("devices/misspelt", "kind = 'device'\nversion = 1\npreset = 'ideal'\n\nsigma = 1\n"),
    ("devices/outside", "kind = 'device'\nversion = 1\npreset = './x.toml'\n"),
    ("adcs/sar8", "kind = 'adc'\nversion = 1\nbits = 8\nmodel = 'sar'\n"),
]);

/// A whole document, by the default chip.
const DEFAULT: &str = "kind = 'chip'\nversion = 1\npreset = 'default'\n";

fn load(text: &str, overrides: &[&str]) -> Result<Chip, ConfigError> {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    typed(PRESETS, text_document(Kind::Chip, "configs/chips/my.toml", text)?, Kind::Chip, &overrides)
}

fn good(text: &str, overrides: &[&str]) -> Chip {
    load(text, overrides).unwrap_or_else(|error| panic!("{error}"))
}

fn message(text: &str, overrides: &[&str]) -> String {
    load(text, overrides).unwrap_err().to_string()
}
