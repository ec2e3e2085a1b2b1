//! Presets, paths and precedence.

use std::fs;

use super::super::expand;
use super::*;
use crate::config::{kind_of, load_text, preset_names, resolve, to_toml};

#[test]
fn presets_nest_and_own_keys_stay_on_top() {
    let chip = good(DEFAULT, &[]);
    assert_eq!(chip.name, "default");
    assert_eq!(chip.tile.adc, Adc { bits: 8, model: AdcModel::Sar, offset_codes: None });
    assert_eq!(chip.tile.cell.device.g_max_s, 2e-4, "the chip's own key, not the device's");
    assert_eq!(chip.tile.cell.device.noise, Noise::Normal { sigma_s: 3e-6 });
    let mine = good(&format!("{DEFAULT}name = 'mine'\n[tile.adc]\nbits = 6\n"), &[]);
    assert_eq!((mine.name.as_str(), mine.tile.adc.bits, &mine.tile.adc.model), ("mine", 6, &AdcModel::Sar));
}

#[test]
fn a_document_replaces_the_preset_of_its_preset() {
    let chip = good(&format!("{DEFAULT}[tile.cell.device]\npreset = 'ideal-wide'\n"), &[]);
    assert_eq!(chip.tile.cell.device, Device { g_max_s: 2e-4, levels_s: vec![], noise: Noise::None {} });
}

#[test]
fn arrays_are_replaced_and_tables_merged() {
    let chip = good(&format!("{DEFAULT}[tile.cell.device]\nlevels_s = [1.0]\n[[tile.lanes]]\nwidth = 1\n"), &[]);
    assert_eq!(chip.tile.cell.device.levels_s, [1.0]);
    assert_eq!(chip.tile.lanes, [Lane { width: 1 }]);
}

#[test]
fn paths_are_relative_to_the_file_that_names_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("parts")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("chip.toml", &format!("{DEFAULT}tile.cell.device.preset = 'parts/device.toml'\n"));
    write("parts/device.toml", "kind = 'device'\nversion = 1\npreset = './base.toml'\nlevels_s = [2.0]\n");
    write("parts/base.toml", "kind = 'device'\nversion = 1\ng_max_s = 1.0\nnoise.model = 'none'\n");
    let path = folder.path().join("chip.toml").display().to_string();
    let document = expand::open(PRESETS, Kind::Chip, &path, None).unwrap();
    let chip: Chip = typed(PRESETS, document, Kind::Chip, &[]).unwrap();
    assert_eq!(chip.tile.cell.device, Device { g_max_s: 2e-4, levels_s: vec![2.0], noise: Noise::None {} });
}

#[test]
fn what_is_written_can_be_loaded_and_has_no_presets() {
    let chip = good(DEFAULT, &["name=it's", "adc.offset_codes=0.1"]);
    let text = to_toml(Kind::Chip, &chip).unwrap();
    assert!(text.starts_with("kind = \"chip\"\nversion = 1\n\nname = \"it's\"\n"), "{text}");
    assert!(!text.contains("preset"), "{text}");
    let again: Chip = load_text(Kind::Chip, "run.toml", &text, &[]).unwrap();
    assert_eq!(again, chip);
    assert_eq!(to_toml(Kind::Chip, &again).unwrap(), text);
    assert_eq!(kind_of("run.toml", &text), Ok(Kind::Chip));
}

#[test]
fn an_integer_that_toml_cannot_hold_is_refused() {
    let wide = BTreeMap::from([("seed", u64::MAX)]);
    let text = to_toml(Kind::Chip, &wide).unwrap_err().to_string();
    assert!(text.starts_with("cannot write the configuration as TOML: "), "{text}");
}

#[test]
fn a_table_without_a_type_takes_known_keys_only() {
    let table = |overrides: &[&str]| {
        let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
        let document = text_document(Kind::Chip, "x.toml", DEFAULT).unwrap();
        resolve(PRESETS, document, Kind::Chip, &overrides, |_| Default::default()).unwrap()
    };
    let resolved = table(&["adc.bits=3"]);
    assert!(resolved.guesses.is_empty());
    assert_eq!(resolved.tree.to_table()["tile"]["adc"]["bits"].as_integer(), Some(3));
    assert_eq!(table(&["adc.bitz=3"]).guesses.len(), 1);
}

#[test]
fn every_built_in_preset_resolves() {
    for kind in Kind::ALL {
        for name in preset_names(kind) {
            crate::config::resolve_table(kind, name, &[]).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
