//! Every number of a chip file and of its cost table says where it comes from: a published source, or `ours` or `assumed` with the reason.

use chip::config::Chip;
use explore::config::{Kind, load, preset_names, preset_text};
use std::collections::BTreeMap;
use toml::Value;

/// What is said behind every key of a file, by the path of the key.
fn comments(text: &str) -> BTreeMap<String, String> {
    let (mut table, mut comments) = (String::new(), BTreeMap::new());
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            table = header.trim_start_matches('[').to_owned();
        } else if let Some((key, rest)) = line.split_once(" = ") {
            // No number is a text, in which `#` would mean itself.
            let comment = rest.split_once('#').map_or("", |(_, comment)| comment.trim());
            let path = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
            comments.insert(path, comment.to_owned());
        }
    }
    comments
}

/// The files of a chip: its own and those that it builds on.
fn files(name: &str) -> Vec<&'static str> {
    let text = preset_text(Kind::Chip, name).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let mut files = vec![text];
    if let Some(Value::String(base)) = table.get("preset") {
        files.extend(self::files(base));
    }
    files
}

/// Parts of a chip that are left out: presets have files of their own, and imperfections of converters that no file names are 0.
const ELSEWHERE: [&str; 4] = ["costs", "tile.cell.device", "tile.adc.prices", "tile.adc.nonideal"];

/// Paths of all numbers and switches of a resolved table.
fn numbers(table: &toml::Table, prefix: &str, found: &mut Vec<String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(_) if ELSEWHERE.contains(&path.as_str()) => {}
            Value::Table(inner) => numbers(inner, &path, found),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn every_number_of_a_chip_has_a_source() {
    for name in preset_names(Kind::Chip) {
        let chip: Chip = load(Kind::Chip, name, &[]).unwrap();
        let files: Vec<_> = files(name).into_iter().map(comments).collect();
        let mut keys = Vec::new();
        numbers(&toml::Table::try_from(&chip).unwrap(), "", &mut keys);
        assert!(keys.len() > 60, "{name}: {keys:?}");
        for key in keys {
            let said =
                files.iter().find_map(|file| file.get(&key)).unwrap_or_else(|| panic!("{name}: {key} is in no file"));
            assert!(explains(said), "{name}: {key} has no source: `{said}`");
        }
    }
}

/// Whether a comment is a source, or a reason where a number is of our own making.
fn explains(comment: &str) -> bool {
    let own = ["ours", "assumed"].into_iter().find_map(|own| comment.strip_prefix(own));
    own.unwrap_or(comment).trim_matches([':', ';', ',', ' ']).len() > 3
}

#[test]
fn every_price_has_a_source() {
    for name in preset_names(Kind::Costs) {
        let text = preset_text(Kind::Costs, name).unwrap();
        let (table, said): (toml::Table, _) = (text.parse().unwrap(), comments(text));
        let mut keys = Vec::new();
        numbers(&table, "", &mut keys);
        keys.retain(|key| key != "version");
        keys.extend(["dac_bits_factor".to_owned()]);
        assert!(keys.len() > 25, "{name}: {keys:?}");
        for key in keys {
            assert!(explains(&said[&key]), "{name}: {key} has no source: `{}`", said[&key]);
        }
    }
}

/// What the test above relies on: a key without a comment is found out.
#[test]
fn a_missing_source_is_noticed() {
    let said = comments("a = 1 # why\n[b]\nc = 2\n[[d.e]]\nf = true   # because\n");
    let expected = [("a", "why"), ("b.c", ""), ("d.e.f", "because")];
    assert!(
        explains("Table 6") && explains("ours: simple") && !explains("ours") && !explains("assumed: ") && !explains("")
    );
    assert_eq!(said, expected.map(|(key, comment)| (key.to_owned(), comment.to_owned())).into());
}
