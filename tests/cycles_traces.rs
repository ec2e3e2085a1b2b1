//! The shipped traces are what the commands write, byte for byte.

use crate::{SMALL_CHIP, program, said, saved};
use std::path::Path;

/// First cycle of the shipped recording: the last pixels of the image come in.
const FROM: &str = "6200";

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../traces").join(name)).unwrap()
}

#[test]
fn the_shipped_traces_are_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = saved(&program("digits-mlp", SMALL_CHIP, &[]), directory.path());
    let path = path.to_str().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (instructions, recording) = (file("digits-mlp.trace"), file("digits-mlp.json"));
    said(&["trace", path, "-o", &instructions]);
    said(&["trace", path, "-o", &recording, "--from", FROM]);
    for (written, name) in [(&instructions, "digits-mlp.trace"), (&recording, "digits-mlp.json")] {
        let (found, expected) = (std::fs::read(written).unwrap(), golden(name));
        assert!(found == expected, "traces/{name} is not what `ohmic trace` writes any more");
    }
    // The instructions give the same recording as the program.
    let again = file("again.json");
    let trace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../traces/digits-mlp.trace");
    said(&["trace", trace, "--chip", SMALL_CHIP, "-o", &again, "--from", FROM]);
    assert!(std::fs::read(again).unwrap() == golden("digits-mlp.json"));
}

#[test]
fn the_kind_follows_from_the_ending_or_from_what_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let trace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../traces/digits-mlp.trace");
    let write = |name: &str, more: &[&str]| {
        let path = directory.path().join("sub").join(name);
        said(&[&["trace", trace, "--chip", SMALL_CHIP, "-o", path.to_str().unwrap()], more].concat());
        std::fs::read_to_string(path).unwrap()
    };
    assert!(
        write("a.json", &[])
            .starts_with("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"time\":\"clock of 1000000000 Hz\"")
    );
    assert_eq!(write("a.json", &[]), write("a.x", &["--as", "perfetto"]));
    assert!(write("a.vcd", &[]).contains("$timescale 1 ns $end"));
    assert_eq!(write("a.vcd", &[]), write("a.json", &["--as", "vcd"]));
    assert_eq!(write("a.trace", &[]).into_bytes(), golden("digits-mlp.trace"));
    // A clock whose cycles viewers cannot tell apart in whole nanoseconds, or that has no whole number of Hz.
    for clock in ["clock_hz=1.2e9", "clock_hz=999999999.5"] {
        assert!(write("b.json", &["--set", clock]).contains("\"time\":\"1 us is 1 cycle\""), "{clock}");
    }
}
