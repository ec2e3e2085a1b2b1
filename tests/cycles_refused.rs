//! What cannot be timed or recorded is refused with one clear line.

use crate::{SMALL_CHIP, TWO_STAGES, program, refused, said, saved};

#[test]
fn inputs_that_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = saved(&program("digits-mlp", "default", &[]), directory.path());
    let path = path.to_str().unwrap();
    assert!(refused(&["cycles", "no/such/program"]).contains("no/such/program: "));
    let text = refused(&["cycles", &format!("{path}/program.toml")]);
    assert!(text.contains("program.toml: neither the directory of a program nor an instruction trace"), "{text}");
    assert!(refused(&["cycles", directory.path().to_str().unwrap()]).contains("program.toml"));
    for more in [["--chip", "default"], ["--set", "tile.adc.bits=6"]] {
        let text = refused(&[&["cycles", path][..], &more].concat());
        assert!(text.contains("--chip and --set are for instruction traces"), "{text}");
    }
    let text = refused(&["cycles", TWO_STAGES]);
    assert!(text.contains("two-stages.trace: an instruction trace needs --chip NAME|FILE"), "{text}");
    assert!(refused(&["cycles", TWO_STAGES, "--chip", "nosuch"]).contains("default"));
    assert!(refused(&["cycles", TWO_STAGES, "--chip", "default", "--set", "mesh.widht=3"]).contains("mesh.width"));
    for images in ["0", "10001", "18446744073709551615"] {
        for command in [&["cycles", path][..], &["trace", path, "-o", "no/such.json"]] {
            let text = refused(&[command, &["--images", images]].concat());
            assert!(
                text.contains(&format!("--images = {images} is not allowed: an integer from 1 to 10000")),
                "{text}"
            );
        }
    }
    let text = refused(&["cycles", path, "--images", "-1"]);
    assert!(text.contains("invalid value '-1' for '--images <N>'"), "{text}");
    let text = refused(&["cycles", "--outline", "vgg-8", "--replicate", "-3"]);
    assert!(text.contains("invalid value '-3' for '--replicate <ARRAYS>'"), "{text}");
    // clap refuses what is no number.
    assert!(refused(&["cycles", path, "--images", "18446744073709551616"]).contains("18446744073709551616"));
}

#[test]
fn windows_and_kinds_that_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out.json");
    let output = output.to_str().unwrap();
    let trace = |more: &[&str]| refused(&[&["trace", TWO_STAGES, "--chip", "default", "-o"], more].concat());
    let text = trace(&[output, "--from", "9", "--until", "9"]);
    assert!(text.contains("--until 9 is not allowed: a cycle after --from 9"), "{text}");
    let text = trace(&[output, "--until", "0"]);
    assert!(text.contains("--until 0 is not allowed: a cycle after --from 0"), "{text}");
    let text = trace(&[output, "--from", "6698"]);
    assert!(text.contains("--from 6698 is not allowed: the run has the cycles 0 to 6698"), "{text}");
    assert!(trace(&[output, "--from=-1"]).contains("--from"));
    for name in ["out.txt", "out", "out.traces", ".vcd"] {
        let text = trace(&[name]);
        assert!(text.contains(name) && text.contains("FILE.json (perfetto), FILE.vcd or FILE.trace"), "{text}");
    }
    assert!(trace(&["out.json", "--as", "pdf"]).contains("perfetto"));
    for more in [["--from", "1"], ["--until", "7"], ["--images", "2"]] {
        let text = trace(&[&["out.trace"][..], &more].concat());
        assert!(text.contains("are for recordings"), "{text}");
    }
    assert!(!std::path::Path::new(output).exists(), "nothing is written before the run has ended");
    let into = format!("{TWO_STAGES}/out.json");
    assert!(trace(&[&into]).contains(&into), "a file is no directory");
}

/// Whoever reads the program refuses buffers through which its weights do not pass, by the size that is enough.
#[test]
fn programs_whose_weights_do_not_pass_the_buffers() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = saved(&program("digits-mlp", "default", &["memory.buffer_bytes=5"]), directory.path());
    let path = path.to_str().unwrap();
    for command in [&["cycles", path][..], &["trace", path, "-o", "no/such.json"], &["simulate", path, "--chips", "1"]]
    {
        let text = refused(command);
        let needed = "memory.buffer_bytes = 5 is not allowed: a row of weights needs 64 bytes";
        assert!(text.contains(needed), "{command:?}: {text}");
    }
    assert!(!std::path::Path::new("no").exists());
}

/// The loader's packets to tiles of its own router are written before its interface knows that they have left; nobody waits for ever for that.
#[test]
fn routers_without_cycles_are_no_deadlock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("o.toml");
    let outline = "kind = \"outline\"\nversion = 1\nname = \"f\"\nsource = \"x\"\n\
        [input]\nchannels = 5\nheight = 5\nwidth = 11\n\
        [[layers]]\nkind = \"conv2d\"\nname = \"l0\"\noutputs = 8\nkernel = 3\nstride = 3\npadding = 1\n\
        [[layers]]\nkind = \"conv2d\"\nname = \"l2\"\noutputs = 1\nkernel = 1\nstride = 1\npadding = 0\n\
        [[layers]]\nkind = \"linear\"\nname = \"fc\"\noutputs = 10\n";
    std::fs::write(&path, outline).unwrap();
    let command = ["cycles", "--outline", path.to_str().unwrap(), "--chip", "default", "--mapping", "isaac"];
    let set = ["--set", "clocks.network_cycles=3", "--set", "mesh.router_cycles=0", "--set", "mesh.concentration=4"];
    assert!(said(&[&command[..], &set].concat()).contains("writing the weights once: "));
}

#[test]
fn outlines_that_are_none() {
    let text = refused(&["cycles", "--outline", "nosuch"]);
    assert!(text.contains("nosuch") && text.contains("resnet-18"), "{text}");
    assert!(refused(&["cycles"]).contains("INPUT"));
    assert!(refused(&["cycles", TWO_STAGES, "--outline", "vgg-8"]).contains("--outline"));
    assert!(refused(&["cycles", TWO_STAGES, "--chip", "default", "--mapping", "isaac"]).contains("--outline"));
    assert!(refused(&["cycles", "--outline", "vgg-8", "--mapping", "nosuch"]).contains("nosuch"));
    assert!(refused(&["cycles", "--outline", "vgg-8", "--replicate", "7"]).contains("a budget of 7 arrays"));
    // Too small for VGG-8: it says which buffer, and how many bytes it takes, which is enough.
    let with = |bytes: u64| format!("tile.buffer.bytes={bytes}");
    let vgg_8 = ["cycles", "--outline", "vgg-8", "--chip", "isaac_isca_2016", "--set"];
    let text = refused(&[&vgg_8[..], &[&with(4096)]].concat());
    let needed = text.split("tile.buffer.bytes").nth(1).unwrap_or_else(|| panic!("{text}"));
    let needed: Vec<u64> =
        needed.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
    let most = *needed.iter().max().unwrap();
    assert!(most > 4096, "{text}");
    said(&[&vgg_8[..], &[&with(most)]].concat());
    assert!(refused(&[&vgg_8[..], &[&with(most - 1)]].concat()).contains(&most.to_string()));
}

/// `two-stages.trace` with a part replaced.
fn changed(from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(TWO_STAGES).unwrap();
    assert!(text.contains(from), "{from}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("changed.trace");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let said = refused(&["cycles", path.to_str().unwrap(), "--chip", SMALL_CHIP]);
    assert_eq!(refused(&["trace", path.to_str().unwrap(), "--chip", SMALL_CHIP, "-o", "no/such.json"]), said);
    said
}

#[test]
fn damaged_traces() {
    let text = changed("  sync room 1\n", "  sink room 1\n");
    assert!(text.contains("changed.trace: line 13: `sink room 1`"), "{text}");
    let text = changed("tile 1 items 8 bits 80", "tile 1 items 8 bits 99999999999999999999");
    assert!(text.contains("line 6") && text.contains("99999999999999999999"), "{text}");
    assert!(changed("end trace", "").contains("the trace ends, but its last line should be `end trace`"));
    assert!(changed("ohmic-trace 1", "ohmic-trace 2").contains("line 1"));
    assert!(changed("tile 1 items 8 bits 128", "tile 9 items 8 bits 128").contains("9"));
    // Not text at all.
    assert!(changed("# Two stages", "\0\u{1}").contains("line 2"));
}

#[test]
fn traces_that_stand_still() {
    let text = changed("sync wait 1 +1\n    sync room 2", "sync wait 1 8\n    sync room 2");
    assert!(text.contains("would wait for ever: region 1 `second: in` holds 3 items and needs 8"), "{text}");
}

#[test]
fn traces_with_huge_numbers() {
    let text = changed("send 1 128", "send 1 18446744073709551615");
    assert!(text.contains("18446744073709551615"), "{text}");
    let text = changed("banks 1 columns 40", "banks 18446744073709551615 columns 40");
    assert!(text.contains("64 bits"), "{text}");
    let text = changed("merge 40", "merge 18446744073709551615");
    assert!(text.contains("64 bits"), "{text}");
    assert!(changed("repeat 8", "repeat 18446744073709551615").contains("line 48: `end`"));
    let text = changed("capacity 3", "capacity 18446744073709551615");
    assert!(text.contains("tile 1: bits of its regions") && text.contains("at most 524288 bits"), "{text}");
    // Every slice is read and converted, one by one.
    let text = std::fs::read_to_string(TWO_STAGES).unwrap();
    let slices: &str = text.lines().find_map(|line| line.trim().strip_prefix("mvm ")).unwrap();
    let text = changed(&format!("mvm {slices}"), "mvm 4294967295");
    assert!(text.contains("mvm 4294967295") && text.contains("at most 268435456, for each is an event"), "{text}");
}

/// 2^57 banks do countable work, but their cycles together are too many.
#[test]
fn more_cycles_of_units_than_can_be_counted() {
    let text = std::fs::read_to_string(TWO_STAGES).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("banks.trace");
    std::fs::write(&path, text.replace("banks 1 columns 40", "banks 144115188075855872 columns 1")).unwrap();
    let text = refused(&["cycles", path.to_str().unwrap(), "--chip", SMALL_CHIP]);
    assert!(text.contains("allowed are products of at most 18446744073709551615"), "{text}");
}

/// Names come from files: nothing in them moves the cursor of a terminal or breaks a row of a table.
#[test]
fn names_with_control_characters_are_escaped() {
    let text = std::fs::read_to_string(TWO_STAGES).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("names.trace");
    let name = "stage \"fir\\u001b[2Jst\\nline\\u0007\\u202e\"";
    std::fs::write(&path, text.replace("stage \"first\"", name)).unwrap();
    let text = said(&["cycles", path.to_str().unwrap(), "--chip", SMALL_CHIP]);
    assert!(!text.contains(|c: char| c.is_control() && c != '\n') && !text.contains('\u{202e}'), "{text:?}");
    assert!(text.contains("fir\\u{1b}[2Jst\\nline\\u{7}\\u{202e}"), "{text}");
    let row = |text: &str| text.lines().filter(|line| line.contains("2Jst")).count();
    assert!(row(&text) > 5);
}
