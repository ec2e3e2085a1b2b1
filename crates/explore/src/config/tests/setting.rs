//! Overrides: precedence, shortened keys, values.

use super::*;

#[test]
fn an_override_wins_over_files_and_the_last_one_wins() {
    let chip = good(&format!("{DEFAULT}tile.adc.bits = 5\n"), &["tile.adc.bits=6", "tile.adc.bits=7"]);
    assert_eq!(chip.tile.adc.bits, 7);
}

#[test]
fn keys_may_be_shortened_from_the_left() {
    for key in ["tile.cell.device.g_max_s", "cell.device.g_max_s", "device.g_max_s", "g_max_s"] {
        assert_eq!(good(DEFAULT, &[&format!("{key} = 1e-5")]).tile.cell.device.g_max_s, 1e-5, "{key}");
    }
}

#[test]
fn an_overridden_preset_is_expanded_below_the_own_keys() {
    for key in ["tile.cell.device.preset", "device.preset"] {
        let chip = good(DEFAULT, &[&format!("{key}=ideal")]);
        assert_eq!(chip.tile.cell.device, Device { g_max_s: 2e-4, levels_s: vec![], noise: Noise::None {} });
    }
}

#[test]
fn an_override_wins_over_an_overridden_preset_in_any_order() {
    for overrides in [["device.preset=ideal", "g_max_s=3e-5"], ["g_max_s=3e-5", "device.preset=ideal"]] {
        assert_eq!(good(DEFAULT, &overrides).tile.cell.device.g_max_s, 3e-5);
    }
}

#[test]
fn a_preset_can_be_put_below_an_inline_table() {
    let text = DEFAULT.replace("'default'", "'default'\ntile.adc = { bits = 3, offset_codes = 0.5 }");
    let chip = good(&text, &["adc.preset=sar8"]);
    assert_eq!(chip.tile.adc, Adc { bits: 3, model: AdcModel::Sar, offset_codes: Some(0.5) });
}

#[test]
fn values_are_toml_or_words() {
    assert_eq!(good(DEFAULT, &["name=plain words"]).name, "plain words");
    assert_eq!(good(DEFAULT, &["name=\"6\""]).name, "6");
    assert_eq!(good(DEFAULT, &["adc.model=ideal"]).tile.adc.model, AdcModel::Ideal);
    assert_eq!(good(DEFAULT, &["levels_s=[1, 2.5]"]).tile.cell.device.levels_s, [1.0, 2.5]);
    assert_eq!(good(DEFAULT, &["name=a=b"]).name, "a=b");
    assert_eq!(good(DEFAULT, &["name=007"]).name, "007");
    assert_eq!(good(DEFAULT, &["g_max_s=1"]).tile.cell.device.g_max_s, 1.0, "an integer will do for a number");
}

#[test]
fn a_table_is_merged() {
    assert_eq!(good(DEFAULT, &["adc={bits = 4}"]).tile.adc, Adc { bits: 4, model: AdcModel::Sar, offset_codes: None });
}

#[test]
fn optional_keys_can_be_set_although_no_file_has_them() {
    assert_eq!(good(DEFAULT, &["note=hello"]).note.as_deref(), Some("hello"));
    assert_eq!(good(DEFAULT, &["adc.offset_codes=0.25"]).tile.adc.offset_codes, Some(0.25));
}

#[test]
fn keys_of_another_variant_can_be_set_with_the_variant() {
    let chip = good(DEFAULT, &["device.preset=ideal", "noise.model=normal", "noise.sigma_s=1e-6"]);
    assert_eq!(chip.tile.cell.device.noise, Noise::Normal { sigma_s: 1e-6 });
}

#[test]
fn elements_of_arrays_have_an_index() {
    assert_eq!(good(DEFAULT, &["tile.lanes.1.width=5"]).tile.lanes, [Lane { width: 8 }, Lane { width: 5 }]);
    assert_eq!(good(DEFAULT, &["lanes.0.width=5"]).tile.lanes, [Lane { width: 5 }, Lane { width: 16 }]);
}

#[test]
fn an_override_can_complete_an_incomplete_document() {
    let text = "kind = 'chip'\nversion = 1\nname = 'x'\ntile.array_rows = 4\ntile.dac.bits = 1\n\
                tile.adc = { bits = 1, model = 'ideal' }\n[tile.cell]\nbits = 1\ndevice = { preset = 'nothing' }\n";
    assert_eq!(good(text, &["tile.cell.device.preset=ideal"]).tile.cell.device.g_max_s, 5e-5);
    assert!(load(&text.replace("name = 'x'\n", ""), &["tile.cell.device.preset=ideal", "name=y"]).is_err());
    assert_eq!(good(&text.replace("nothing", "ideal").replace("name = 'x'\n", ""), &["name=y"]).name, "y");
}
