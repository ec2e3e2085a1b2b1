//! The shipped traces are what the commands write, byte for byte; `traces/README.md` says by which commands.

use crate::{SMALL_CHIP, program, said, saved};
use std::path::Path;

/// First cycle of the shipped recording: the image is about to come in.
const FROM: &str = "100";

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../traces").join(name)).unwrap()
}

#[test]
fn the_shipped_traces_are_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = saved(&program("digits-mlp", SMALL_CHIP, &[]), directory.path());
    let path = path.to_str().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let trace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../traces/digits-mlp.trace");
    // A program, its shapes alone, and its instructions are recorded alike.
    let of_shapes = ["--outline", "digits-mlp", "--chip", SMALL_CHIP];
    for input in [&[path][..], &of_shapes, &[trace, "--chip", SMALL_CHIP]] {
        for (name, more) in [
            ("digits-mlp.trace", &[][..]),
            ("digits-mlp.json", &["--from", FROM]),
            ("digits-mlp.vcd", &["--from", FROM]),
        ] {
            let written = file(name);
            said(&[&["trace"], input, &["-o", &written], more].concat());
            let found = std::fs::read(written).unwrap();
            assert!(found == golden(name), "traces/{name} is not what `ohmic trace` writes of {input:?}");
        }
    }
}

/// The dump opens in another reader, and has a row for every link that is used and none for others.
#[test]
fn the_shipped_dump_can_be_read() {
    let waves = wellen::simple::read_from_reader(std::io::Cursor::new(golden("digits-mlp.vcd"))).unwrap();
    let names = waves.hierarchy();
    let vars: Vec<String> = names.all_vars().map(|var| names[var].full_name(names)).collect();
    let of = |part: &str| vars.iter().filter(|name| name.contains(part)).count();
    assert!(of("network_interface") >= 2 && of("link_to_tile") >= 2, "{vars:?}");
    // The mesh of 3 x 2 tiles has 14 links.
    assert!(of("link_to_tile") < 14, "{vars:?}");
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
    // An instruction trace is known by its ending in capitals too.
    let capitals = directory.path().join("A.TRACE");
    std::fs::copy(trace, &capitals).unwrap();
    said(&["cycles", capitals.to_str().unwrap(), "--chip", SMALL_CHIP]);
    // A clock whose cycles viewers cannot tell apart in whole nanoseconds, or that has no whole number of Hz.
    for clock in ["clock_hz=1.2e9", "clock_hz=999999999.5"] {
        assert!(write("b.json", &["--set", clock]).contains("\"time\":\"1 us is 1 cycle\""), "{clock}");
    }
}
