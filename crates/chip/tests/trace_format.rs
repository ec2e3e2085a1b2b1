//! Instruction traces: what is written is read again, and what is not a trace is refused with its line.

use crate::trace_support::{Tape, hardware, workload};
use chip::machine::instruction::{Instruction as I, VectorOperation};
use chip::machine::trace::{self, TraceError};
use chip::machine::work::Workload;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../../../traces/two-stages.trace");

fn written(work: &Workload) -> Vec<u8> {
    let mut bytes = Vec::new();
    trace::write(work, &mut bytes).unwrap();
    bytes
}

#[test]
fn the_example_means_what_its_comments_say() {
    let work = trace::read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!((work.regions.len(), work.cores.len(), work.result), (3, 2, 2));
    assert_eq!((work.regions[0].name.as_str(), work.regions[1].capacity), ("images", Some(3)));
    let first = &work.cores[0].instructions;
    assert_eq!(first.len(), 8 * 7);
    let waits: Vec<u64> =
        first.iter().filter_map(|&i| if let I::Wait { count, .. } = i { Some(count) } else { None }).collect();
    assert_eq!(waits, [2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(first[5], I::Vector { operation: VectorOperation::Requantise, values: 16 });
    let hardware = hardware(2, 2, 2);
    assert_eq!(work.check(&hardware, 1000), Ok(()));
    assert_eq!(work.check_liveness(&hardware), Ok(()));
    assert_eq!(trace::read(&written(&work)[..]), Ok(work));
}

#[test]
fn the_text_is_the_documented_one() {
    let work = trace::read(EXAMPLE.as_bytes()).unwrap();
    let text = String::from_utf8(written(&work)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "ohmic-trace 1");
    assert_eq!(lines[2], "region 1 \"second: in\" tile 1 items 8 bits 128 capacity 3 writers 0 readers 1");
    assert_eq!(lines[4], "result 2");
    assert_eq!(lines[5], "core 0 \"first/0\" stage \"first\" tile 0");
    assert_eq!(lines[6], "  banks 2 columns 128");
    assert_eq!(lines[7..11], ["  sync wait 0 2", "  sync room 1", "  sync free 0 1", "  load 0 64"]);
    assert_eq!(lines.last(), Some(&"end trace"));
}

/// A trace of one region, one core and these lines.
fn with(lines: &str) -> Result<Workload, TraceError> {
    let head = "ohmic-trace 1\nregion 0 \"a\" tile 0 items 1 bits 1 capacity 1 writers 0 readers none\nresult 0\n";
    trace::read(format!("{head}core 0 \"c\" stage \"s\" tile 0\n{lines}\nend trace\n").as_bytes())
}

#[test]
fn repetitions_add_to_the_last_counts() {
    let text = "repeat 2\nsync wait 3 +2\nrepeat 2\nsync free 3 +1\nend\nend\nsync wait 3 7\nsync wait 3 +0 # same";
    let wait = |count| I::Wait { region: 3, count };
    let free = |count| I::Free { region: 3, count };
    let expected = [wait(2), free(1), free(2), wait(4), free(3), free(4), wait(7), wait(7)];
    assert_eq!(with(text).unwrap().cores[0].instructions, expected);
    let nested = format!("{}mvm 1\n{}", "repeat 3\n".repeat(12), "end\n".repeat(12));
    assert_eq!(with(&nested).unwrap().cores[0].instructions.len(), 531_441);
}

#[test]
fn a_fault_names_its_line_its_text_and_what_is_allowed() {
    let cases = [
        ("jump 3", "line 5: `jump 3`: `jump` is not allowed here: `sync wait|room|free`"),
        (
            "  vector relu 8",
            "line 5: `vector relu 8`: `relu` is not allowed here: `requantise`, `offset`, `pool`, `add`",
        ),
        ("mvm 4294967296", "`4294967296` is not allowed here: input slices, a whole number from 0 to 4294967295"),
        ("load 0 18446744073709551616", "bits, a whole number from 0 to 18446744073709551615"),
        ("load 0 -1", "`-1` is not allowed here: bits"),
        ("load 0 +1", "`+1` is not allowed here: bits"),
        ("load", "the end of the line is not allowed here: `memory` or the number of a region"),
        ("send 0 1 2", "`2` is not allowed here: the end of the line or a comment"),
        ("sync stop 0", "`stop` is not allowed here: `wait`, `room` or `free`"),
        ("sync wait 0 18446744073709551615\nsync wait 0 +1", "line 6: `sync wait 0 +1`: `+1` of line 6"),
        ("repeat 0\nmvm 1\nend", "`0` is not allowed here: the number of times, at least 1"),
        ("repeat 9\nend", "line 6: `end`: an empty repetition is not allowed here"),
        ("repeat 18446744073709551615\nrepeat 9\nmvm 1\nend\nend", "a repetition of 18446744073709551615 instructions"),
        ("repeat 33554432\nmvm 1\nend\nmvm 2\nrepeat 1\nmvm 1\nend", "line 8: `mvm 2`: one more instruction"),
        ("repeat 2\nmvm 1", "line 7: `end trace`: `end trace` is not allowed here: `end` of the repetition before it"),
        ("end", "`end` is not allowed here: only behind `repeat`"),
        ("mvm 1\nbanks 1 columns 1", "line 6: `banks 1 columns 1`: `banks` is not allowed here"),
        ("region 1 \"b\" tile 0", "`region` is not allowed here: only before the first `core`"),
        ("core 2 \"d\" stage \"s\" tile 0", "number 2 is not allowed here: 1, since they count from 0"),
        ("core 1 d stage \"s\" tile 0", "`d stage \"s\" tile 0` is not allowed here: a name in double quotes"),
        ("end trace\nmvm 1", "line 6: `mvm 1`: `mvm` is not allowed here: nothing behind `end trace`"),
    ];
    for (text, expected) in cases {
        let found = with(text).unwrap_err().to_string();
        assert!(found.contains(expected), "{text}: {found}");
    }
    assert!(with(&"repeat 1\n".repeat(17)).unwrap_err().to_string().contains("at most 16 repetitions"));
    assert!(
        with(&format!("mvm 1 #{}", "x".repeat(1 << 20))).unwrap_err().to_string().contains("at most 1048576 bytes")
    );
}

#[test]
fn a_trace_without_its_head_or_its_end_is_refused() {
    let found = |text: &[u8]| trace::read(text).unwrap_err().to_string();
    assert_eq!(found(b""), "line 1: the trace ends, but its first line should be `ohmic-trace 1`");
    assert!(found(b"# only a comment\n").starts_with("line 1: the trace ends"));
    assert!(found(b"region 0\n").contains("`region 0` is not allowed here: the first line is `ohmic-trace 1`"));
    assert!(found(b"ohmic-trace 2\n").contains("the first line is `ohmic-trace 1`"));
    assert!(found(b"ohmic-trace 1\nend trace\n").contains("`result REGION` before it"));
    assert!(found(b"ohmic-trace 1\nresult 0\nresult 0\n").contains("one result"));
    assert!(found(b"ohmic-trace 1\nmvm 1\n").contains("only behind a `core`"));
    assert!(found(b"ohmic-trace 1\nresult \xff\n").contains("a byte that is not UTF-8"));
    // A byte-order mark may stand before everything, and nowhere else.
    assert_eq!(trace::read(format!("\u{feff}{EXAMPLE}").as_bytes()), trace::read(EXAMPLE.as_bytes()));
    assert!(found("ohmic-trace 1\n\u{feff}result 0\n".as_bytes()).starts_with("line 2: "));
    // Cut anywhere, the example is no trace, but for the end of its last line.
    for end in 0..EXAMPLE.len() - 1 {
        assert!(trace::read(&EXAMPLE.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(choices in prop::collection::vec(any::<u8>(), 260), name in any::<String>(), big in any::<u64>()) {
        let mut work = workload(&mut Tape(&choices, 0));
        work.cores[0].name = name.clone();
        work.cores[0].stage = name.chars().rev().collect();
        work.regions[0].name = name;
        work.regions[0].items = big;
        work.result = big as u32;
        work.cores[0].instructions.push(I::Wait { region: big as u32, count: big });
        let bytes = written(&work);
        prop_assert_eq!(trace::read(&bytes[..]), Ok(work.clone()));
        prop_assert_eq!(written(&work), bytes);
    }

    #[test]
    fn damage_is_read_or_refused(
        choices in prop::collection::vec(any::<u8>(), 260),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let mut bytes = if choices[0] < 128 { written(&workload(&mut Tape(&choices, 0))) } else { EXAMPLE.into() };
        for (at, byte, kind) in damage {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, byte),
                _ => bytes.insert(at, b'0' + byte % 10),
            }
            bytes.push(b'\n');
        }
        if let Ok(work) = trace::read(&bytes[..]) {
            let hardware = hardware(1, 1, 1);
            let verdict = work.check(&hardware, u64::from(choices[1]) << 50);
            prop_assert!(verdict.as_ref().err().is_none_or(|error| !error.allowed.is_empty()));
            if choices[1] > 0 && verdict.is_ok() {
                prop_assert!(!matches!(work.check_liveness(&hardware), Err(chip::machine::liveness::LivenessError::Malformed(_))));
            }
            prop_assert_eq!(trace::read(&written(&work)[..]), Ok(work));
        }
    }

    #[test]
    fn garbage_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), words in prop::collection::vec(0..12_usize, 0..60)) {
        prop_assert!(trace::read(&bytes[..]).is_err());
        let known = ["core", "region", "\"", "\n", "0", "repeat", "end", "sync", "wait", "#", "result", "99999999999999999999"];
        let text: Vec<&str> = words.into_iter().map(|word| known[word]).collect();
        prop_assert!(trace::read(text.join(" ").as_bytes()).is_err());
        let headed = format!("ohmic-trace 1\n{}", text.join(" "));
        prop_assert!(trace::read(headed.as_bytes()).is_err());
    }
}
