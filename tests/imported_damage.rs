//! Programs in their files: nothing is lost, and no damage is taken for a program.

use crate::support::random::Random;
use chip::program::{Program, load, save};
use std::path::Path;

const FILES: [&str; 2] = ["program.toml", "arrays.safetensors"];

/// Another number in place of one.
type Other = fn(u64) -> u64;

/// Numbers of a program, each with one that it never may be, given what it is.
const NEVER: &[(&str, Other)] = &[
    ("row_start", |row| row + 1),
    ("output_start", |output| output + 1),
    ("outputs", |outputs| outputs + 1),
    ("groups", |groups| groups + 7919),
    ("polarities", |_| 3),
    ("input_offset", |offset| offset + 1),
    ("bank", |bank| bank + 65_536),
    ("tile", |tile| tile + 10_000_000),
    ("array", |array| array + 100_000),
    ("version", |version| version + 1),
];

/// Writes a program and reads it back: the same program, and the same bytes again.
pub(crate) fn check_round_trip(program: &Program, folder: &Path, case: &str) {
    let [first, second] = ["first", "second"].map(|name| folder.join(name));
    save(program, &first).unwrap();
    let again = load(&first).unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_eq!(again, *program, "{case}");
    save(&again, &second).unwrap();
    for name in FILES {
        assert_eq!(
            std::fs::read(first.join(name)).unwrap(),
            std::fs::read(second.join(name)).unwrap(),
            "{case}: {name}"
        );
    }
}

/// Damages the files of the program in `folder`, one at a time; leaves them whole.
pub(crate) fn check_damage(program: &Program, folder: &Path, random: &mut Random, case: &str) {
    for name in FILES {
        let file = folder.join(name);
        let whole = std::fs::read(&file).unwrap();
        let refused = |bytes: &[u8], damage: &str| {
            std::fs::write(&file, bytes).unwrap();
            match load(folder) {
                Err(error) => assert!(FILES.iter().any(|name| error.to_string().contains(name)), "{case}: {error}"),
                // The end of the last line may be missing.
                Ok(loaded) => assert!(loaded == *program && damage.starts_with("cut"), "{case}: {name} {damage}"),
            }
        };
        let cut = random.within(0, whole.len() - 1);
        refused(&whole[..cut], &format!("cut at {cut}"));
        refused(&[], "emptied");
        if name == FILES[1] {
            let mut flipped = whole.clone();
            let at = random.within(0, whole.len() - 1);
            flipped[at] ^= 1 << random.within(0, 7);
            refused(&flipped, &format!("flipped at {at}"));
            refused(&[&whole[..], &[0]].concat(), "lengthened");
        } else {
            let text = String::from_utf8(whole.clone()).unwrap();
            for (key, never) in NEVER {
                if let Some(changed) = with_number(&text, key, never, random) {
                    refused(changed.as_bytes(), &format!("with another {key}"));
                }
            }
            for _ in 0..5 {
                refused(with_digit(&text, random).as_bytes(), "with another digit");
            }
        }
        std::fs::write(&file, &whole).unwrap();
        std::fs::rename(&file, folder.join("moved")).unwrap();
        assert!(load(folder).is_err(), "{case}: {name} is missing");
        std::fs::rename(folder.join("moved"), &file).unwrap();
    }
    assert_eq!(load(folder).unwrap(), *program, "{case}");
}

/// The text with one of the digits of its integers changed.
fn with_digit(text: &str, random: &mut Random) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let whole = |line: &str| line.split_once(" = ").and_then(|(_, value)| value.parse::<u64>().ok()).is_some();
    let numbers: Vec<usize> = (0..lines.len()).filter(|&index| whole(lines[index])).collect();
    let chosen = numbers[random.within(0, numbers.len() - 1)];
    let change = |(index, line): (usize, &&str)| {
        let (start, last) = line.split_at(line.len().saturating_sub(1));
        match last.parse::<u32>() {
            Ok(digit) if index == chosen => format!("{start}{}\n", (digit + 1) % 10),
            _ => format!("{line}\n"),
        }
    };
    lines.iter().enumerate().map(change).collect()
}

/// The text with one of the numbers of a key of the stages changed; none if there is no such key.
fn with_number(text: &str, key: &str, never: &dyn Fn(u64) -> u64, random: &mut Random) -> Option<String> {
    // The chip has keys of the same names before the stages.
    let stages = if key == "version" { 0 } else { text.find("[[program.stages]]")? };
    let number = |line: &str| line.strip_prefix(key)?.strip_prefix(" = ")?.parse::<u64>().ok();
    let lines: Vec<&str> = text[stages..].lines().collect();
    let known: Vec<usize> = (0..lines.len()).filter(|&index| number(lines[index]).is_some()).collect();
    let chosen = *known.get(random.within(0, known.len().max(1) - 1))?;
    let line = |(index, line): (usize, &&str)| match number(line) {
        Some(value) if index == chosen => format!("{key} = {}\n", never(value)),
        _ => format!("{line}\n"),
    };
    Some(text[..stages].to_owned() + &lines.iter().enumerate().map(line).collect::<String>())
}
