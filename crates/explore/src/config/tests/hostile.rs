//! No text makes loading panic or run away.

use proptest::prelude::*;

use super::super::{kind_of, load_text};
use super::*;

/// Pieces of documents, so that many texts are almost right.
fn document() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "kind = 'chip'\n",
        "version = 1\n",
        "preset = 'default'\n",
        "[tile.adc]\n",
        "[[tile.lanes]]\n",
        "bits = 3\n",
        "bits",
        "preset",
        "tile",
        "device",
        ".",
        " = ",
        "'ideal'",
        "'circle'",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "1e999",
        "99999999999999999999",
        "width = -1\n",
        "\"\\u0000\"",
        "é",
        "noise = 1979-05-27\n",
        "0 = 1\n",
    ]);
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

fn exercise(text: &str, overrides: &[String]) {
    let _ = kind_of("x", text);
    let _ = load_text::<Anything>(Kind::Chip, "x", text, overrides).map_err(|error| error.to_string());
    let document = format!("{DEFAULT}{text}");
    let _ = text_document(Kind::Chip, "x", &document)
        .and_then(|document| typed::<Chip>(PRESETS, document, Kind::Chip, overrides))
        .map_err(|error| error.to_string());
}

proptest! {
    #[test]
    fn arbitrary_texts(text in ".{0,64}", value in ".{0,16}") {
        exercise(&text, &[value]);
    }

    #[test]
    fn almost_documents(text in document(), key in "(tile|adc|device|bits|preset|lanes|0|\\.){0,6}", value in document()) {
        exercise(&text, &[format!("{key}={value}")]);
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep = "a.".repeat(100_000);
    exercise(&format!("{deep}a = 1"), &[format!("{deep}a=1")]);
    exercise(&"[".repeat(100_000), &[format!("name={}", "[".repeat(100_000))]);
    exercise(&format!("a = {}", "{a=".repeat(100_000)), &[]);
}

#[test]
fn presets_cannot_multiply_without_end() {
    let many: String = (0..1001).map(|index| format!("[t{index}.device]\npreset = 'ideal'\n")).collect();
    assert!(message(&format!("{DEFAULT}{many}"), &[]).ends_with(": more than 1000 presets"));
}
