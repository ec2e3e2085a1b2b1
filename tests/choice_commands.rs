//! `--mapping auto` on the command line.

use assert_cmd::Command;
use std::path::Path;

fn ohmic(arguments: &[&str], directory: &Path) -> assert_cmd::assert::Assert {
    Command::cargo_bin("ohmic").unwrap().current_dir(directory).args(arguments).assert()
}

fn refused(arguments: &[&str], directory: &Path) -> String {
    let output = ohmic(arguments, directory).failure().code(2).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty() && said.starts_with("error: "), "{said}");
    said
}

fn trained() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let train = ["train", "--set", "training.epochs=1", "--set", "training.validation_chips=1", "-o", "net"];
    ohmic(&train, directory.path()).success();
    directory
}

const TWO: [&str; 4] = ["--mapping", "auto", "--set", "auto.candidates=[\"isaac\",\"differential\"]"];

fn compile<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["compile", "net"], more].concat()
}

/// The table, choice.csv and the program agree; so does what repeats the run.
#[test]
fn the_choice_is_printed_written_and_repeated() {
    let directory = trained();
    let of = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    let set = ["--set", "auto.weights.error=0", "--set", "auto.weights.latency=0"];
    let run = ohmic(&compile(&[&TWO[..], &set, &["-o", "one"]].concat()), directory.path()).success();
    let said = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    assert!(
        said.contains("best score") && said.contains("cost table isaac-32nm") && said.contains("weights 0, 1 and 0"),
        "{said}"
    );
    let csv = of("one/choice.csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("layer,mapping,chosen,relative_error,energy_j,cost_table,latency_cycles,"), "{csv}");
    // Two candidates of three layers; pairs take more energy than single arrays.
    assert_eq!(lines.len(), 7);
    assert_eq!(lines.iter().filter(|line| line.contains(",isaac,true,") && line.ends_with("best score")).count(), 3);
    assert_eq!(lines.iter().filter(|line| line.contains(",differential,false,")).count(), 3);
    let program = of("one/program.toml");
    assert_eq!((program.matches("mapping = \"isaac\"").count(), program.matches("mapping = \"auto\"").count()), (3, 1));
    // A document says the same, and run.toml what was set.
    let document = "kind = \"auto\"\nversion = 1\n[auto]\ncandidates = [\"isaac\", \"differential\"]\n[auto.weights]\nerror = 0.0\nlatency = 0.0\n";
    std::fs::write(directory.path().join("auto.toml"), document).unwrap();
    ohmic(&compile(&["--mapping", "auto", "--auto", "auto.toml", "-o", "two"]), directory.path()).success();
    // What repeats it names its own directory.
    let repeated = of("two/run.toml").replace(" -o two ", " -o one ");
    assert_eq!((of("two/choice.csv"), repeated), (csv, of("one/run.toml")));
    assert!(of("one/run.toml").contains("--mapping auto --set auto.weights.error=0.0 --set auto.weights.energy=1.0"));
    assert!(of("one/run.toml").contains("--set 'auto.candidates=[\"isaac\", \"differential\"]'"));
    ohmic(&["check", "auto.toml"], directory.path()).success();
    ohmic(&["simulate", "one", "--chips", "1", "--limit", "20"], directory.path()).success();
    ohmic(&["cycles", "one"], directory.path()).success();
    let infer = ["infer", "net", "--engine", "analog", "--limit", "20"];
    ohmic(&[&infer[..], &TWO].concat(), directory.path()).success();
}

/// Where the best do not fit, the reason says so; where nothing fits, the error says what is there and what is needed.
#[test]
fn a_small_chip_makes_layers_fall_back() {
    let directory = trained();
    let on = |width: &'static str| {
        let candidates = "auto.candidates=[\"differential\",\"unary\"]";
        let set = [
            "--mapping",
            "auto",
            "--set",
            candidates,
            "--set",
            "auto.weights.energy=0",
            "--set",
            "auto.weights.latency=0",
        ];
        compile(&[&set[..], &["--set", width, "--set", "mesh.height=1", "-o", "small"]].concat())
    };
    ohmic(&on("mesh.width=3"), directory.path()).success();
    let csv = std::fs::read_to_string(directory.path().join("small/choice.csv")).unwrap();
    assert!(
        csv.contains("fell back from unary, score +")
            && csv.contains("the best of all layers take 4 tiles, the chip has 3"),
        "{csv}"
    );
    assert!(csv.contains("best score, but too large"), "{csv}");
    let said = refused(&on("mesh.width=2"), directory.path());
    assert!(
        said.contains("its 2 tiles have 192 arrays; the smallest candidates of all layers need 3 tiles, 288 arrays"),
        "{said}"
    );
}

#[test]
fn wrong_settings_and_places_are_refused() {
    let directory = trained();
    let auto = |set: &'static str| refused(&compile(&["--mapping", "auto", "--set", set, "-o", "x"]), directory.path());
    assert!(auto("auto.weights.error=-1").contains("auto.weights.error = -1 is not allowed: a number from 0e0 to 1e6"));
    assert!(auto("auto.weights={error=0.0,energy=0.0,latency=0.0}").contains("one at least is above 0"));
    assert!(auto("auto.candidates=[\"isaak\"]").contains("unknown mapping strategy `isaak`; known: isaac, offset"));
    assert!(auto("auto.candidates=[]").contains("at least one mapping strategy"));
    assert!(
        auto("auto.weights.eror=1").contains("unknown key auto.weights.eror; nearest known key: auto.weights.error")
    );
    let named =
        refused(&compile(&["--mapping", "isaac", "--set", "auto.weights.error=1", "-o", "x"]), directory.path());
    assert!(named.contains("--set auto.weights.error=1 is for --mapping auto; this is --mapping isaac"), "{named}");
    let unknown = refused(&compile(&["--mapping", "isaak", "-o", "x"]), directory.path());
    assert!(unknown.contains("or `auto`, which chooses one per layer"), "{unknown}");
    for arguments in [&["compare", "--set", "mappings=[\"auto\"]"][..], &["train", "--mapping", "auto", "-o", "x"]] {
        let said = refused(arguments, directory.path());
        assert!(
            said.contains("strategies by name") && said.contains("is for `ohmic compile` and `ohmic infer`"),
            "{said}"
        );
    }
    let outline = refused(&["cycles", "--outline", "vgg-8", "--mapping", "auto"], directory.path());
    assert!(outline.contains("an outline has no weights to choose by"), "{outline}");
}
