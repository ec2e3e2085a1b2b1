//! Does the command line do what its help says, and refuse what it must with one clear line and exit code 2?
#![allow(clippy::unwrap_used, missing_docs)]

use assert_cmd::Command;
use std::path::{Path, PathBuf};

fn ohmic() -> Command {
    Command::cargo_bin("ohmic").unwrap()
}

/// Runs a command that must fail; returns what it says.
fn refused(arguments: &[&str]) -> String {
    let output = ohmic().args(arguments).assert().failure().code(2).get_output().clone();
    assert!(output.stdout.is_empty(), "a refusal must not print data");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: ") && !said.contains("panicked"), "{said}");
    said
}

fn said(arguments: &[&str]) -> String {
    String::from_utf8(ohmic().args(arguments).assert().success().get_output().stdout.clone()).unwrap()
}

const QUICK: [&str; 4] = ["--set", "training.epochs=3", "--set", "training.validation_chips=1"];

/// A trained and compiled network, made once for all tests of this file.
fn compiled(directory: &Path) -> (PathBuf, PathBuf) {
    let (network, program) = (directory.join("network"), directory.join("program"));
    ohmic().args(["train", "--method", "conventional", "-o"]).arg(&network).args(QUICK).assert().success();
    let compile = ["--mapping", "differential", "--training", "conventional", "-o"];
    ohmic().arg("compile").arg(&network).args(compile).arg(&program).assert().success();
    (network, program)
}

#[test]
fn a_network_goes_through_files_to_accuracy_energy_and_latency() {
    let directory = tempfile::tempdir().unwrap();
    let (network, program) = compiled(directory.path());
    for file in ["network.toml", "weights.safetensors", "training.csv", "run.toml"] {
        assert!(network.join(file).exists(), "{file}");
    }
    // Only the program directory is read from here on.
    std::fs::remove_dir_all(network).unwrap();
    let output = directory.path().join("result");
    let arguments = ["--chips", "3", "--limit", "50", "--format", "json", "-o"];
    let result = ohmic().arg("simulate").arg(&program).args(arguments).arg(&output).assert().success();
    let json: serde_json::Value = serde_json::from_slice(&result.get_output().stdout).unwrap();
    let row = &json["row"];
    assert_eq!((row["mapping"].as_str(), row["training"].as_str()), (Some("differential"), Some("conventional")));
    assert_eq!((row["chips"].as_u64(), row["images"].as_u64()), (Some(3), Some(50)));
    assert!(row["accuracy_mean"].as_f64().unwrap() > 0.3, "three epochs teach something: {row}");
    let parts = ["array", "dac", "adc", "digital", "buffer", "link", "leakage"];
    let sum: f64 = parts.iter().map(|part| row[format!("energy_{part}_j")].as_f64().unwrap()).sum();
    assert!((sum / row["energy_j"].as_f64().unwrap() - 1.0).abs() < 1e-12);
    let csv = std::fs::read_to_string(output.join("simulate.csv")).unwrap();
    assert_eq!(csv.lines().count(), 2);
    assert!(csv.starts_with("network,dataset,training,mapping,device,sigma_scale,array_rows,array_cols,cell_bits,"));
}

#[test]
fn damaged_programs_are_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let (_, program) = compiled(directory.path());
    let path = program.to_str().unwrap();
    let (text, arrays) = (program.join("program.toml"), program.join("arrays.safetensors"));
    let (whole_text, whole_arrays) = (std::fs::read(&text).unwrap(), std::fs::read(&arrays).unwrap());

    std::fs::write(&arrays, &whole_arrays[..whole_arrays.len() / 2]).unwrap();
    let message = refused(&["simulate", path]);
    assert!(message.contains("arrays.safetensors") && message.contains("damaged"), "{message}");

    std::fs::write(&arrays, &whole_arrays).unwrap();
    std::fs::write(&text, &whole_text[..whole_text.len() / 2]).unwrap();
    assert!(refused(&["simulate", path]).contains("program.toml"));

    std::fs::remove_file(&text).unwrap();
    assert!(refused(&["simulate", path]).contains("program.toml"));
    assert!(refused(&["simulate", "no/such/program"]).contains("no/such/program"));
}

#[test]
fn images_from_files_are_simulated_and_an_empty_data_set_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (_, program) = compiled(directory.path());
    let program = program.to_str().unwrap();
    let idx = |name: &str, header: &[u8], values: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, [header, values].concat()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let sizes = |count: u8| [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 8, 0, 0, 0, 8];
    let one_image = idx("one", &sizes(1), &[16; 64]);
    let one_label = idx("one-label", &[0, 0, 8, 1, 0, 0, 0, 1], &[8]);
    let arguments =
        ["simulate", program, "--chips", "2", "--pixel-max", "16", "--images", &one_image, "--labels", &one_label];
    assert!(said(&arguments).contains("2 chip samples x 1 images"));

    let no_images = idx("none", &sizes(0), &[]);
    let no_labels = idx("none-label", &[0, 0, 8, 1, 0, 0, 0, 0], &[]);
    let message = refused(&["simulate", program, "--images", &no_images, "--labels", &no_labels]);
    assert!(message.contains("none") && message.contains("no images"), "{message}");
    let message = refused(&["simulate", program, "--images", &one_image, "--labels", &no_labels]);
    assert!(message.contains("none-label"), "{message}");
    let bad_label = idx("bad-label", &[0, 0, 8, 1, 0, 0, 0, 1], &[10]);
    let message = refused(&["simulate", program, "--images", &one_image, "--labels", &bad_label]);
    assert!(message.contains("label 10") && message.contains("10 classes"), "{message}");
}

/// Keys of tables that only a preset chosen in the same command brings in, in either order.
#[test]
fn short_keys_find_what_a_chosen_preset_brings() {
    let settings = ["cell.device.preset=pcm-like", "drift.compensation=global", "read_after_s=2592000"];
    for order in [[0, 1, 2], [2, 1, 0]] {
        let [a, b, c] = order.map(|index| settings[index]);
        assert!(said(&["states", "--set", a, "--set", b, "--set", c]).contains("pcm-like"));
    }
    let settings = ["states", "--set", "cell.device.preset=pcm-like", "--set", "drift.compensation=globe"];
    assert!(refused(&settings).contains("global"));
}

#[test]
fn wrong_values_are_refused_with_what_is_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out");
    let output = output.to_str().unwrap();
    let compare = |set: &str| refused(&["compare", "-o", output, "--set", set]);
    assert!(compare("tile.adc.bitz=6").contains("nearest known key: chip.tile.adc.bits"));
    assert!(compare("tile.adc.bits=99").contains("an integer from 1 to"));
    assert!(compare("tile.adc.bits=3").contains("one of 4, 5, 6, 7, 8, 9, 10"));
    assert!(compare("tile.dac.bits=9").contains("chip.tile.dac.bits"));
    assert!(
        compare("mappings=[\"isaak\"]")
            .contains("unknown mapping strategy `isaak`; known: isaac, offset, differential")
    );
    assert!(compare("cell.device.preset=nosuch").contains("paper-order"));
    assert!(compare("cell.bits=3").contains("paper-order"));
    assert!(compare("nonsense").contains("KEY=VALUE"));
    assert!(refused(&["compare", "-o", output, "--chips", "0"]).contains("1 to 1000000"));
    assert!(refused(&["compare", "-o", output, "--threads", "0"]).contains("1 to 1024"));
    assert!(refused(&["compare", "-o", output, "--config", "nosuch"]).contains("digits"));
    assert!(refused(&["compare", "-o", output, "--config", "no/such.toml"]).contains("no/such.toml"));
    assert!(!Path::new(output).exists(), "nothing may be written before the configuration is accepted");
}

#[test]
fn a_wrong_key_in_a_file_is_refused_with_file_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let chip = directory.path().join("mine.toml");
    std::fs::write(&chip, "kind = \"chip\"\nversion = 1\npreset = \"default\"\n[tile.adc]\nbitz = 6\n").unwrap();
    let message = refused(&["check", chip.to_str().unwrap()]);
    assert!(
        message.contains("mine.toml:5") && message.contains("tile.adc.bitz") && message.contains("tile.adc.bits"),
        "{message}"
    );
    std::fs::write(&chip, "kind = \"chip\"\nversion = 1\npreset = \"default\"\n[tile.array]\nrows = 0\n").unwrap();
    let message = refused(&["check", chip.to_str().unwrap()]);
    assert!(
        message.contains("mine.toml:5") && message.contains("rows = 0") && message.contains("1 to 4096"),
        "{message}"
    );
}

#[test]
fn every_list_and_every_shipped_configuration_can_be_shown() {
    for what in [
        "devices",
        "variations",
        "adcs",
        "mappings",
        "methods",
        "chips",
        "costs",
        "networks",
        "datasets",
        "experiments",
        "sweeps",
    ] {
        let listed: serde_json::Value = serde_json::from_str(&said(&["list", what, "--format", "json"])).unwrap();
        let listed = listed.as_array().unwrap();
        assert!(!listed.is_empty(), "{what}");
        for entry in listed {
            assert!(
                !entry["name"].as_str().unwrap().is_empty() && !entry["doc"].as_str().unwrap().is_empty(),
                "{what}: {entry}"
            );
        }
    }
    let configs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs"));
    for folder in std::fs::read_dir(configs).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let resolved = said(&["check", path.to_str().unwrap()]);
            assert!(resolved.lines().take(2).any(|line| line.starts_with("kind = ")), "{}", path.display());
        }
    }
}

#[test]
fn states_shows_where_zero_sits() {
    let text = said(&["states"]);
    for expected in ["10 00 00 00", "{00} < {00, 01} < {00, 01, 11}", "191 of 255"] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    let milo = said(&["states", "--set", "cell.device.preset=milo-2021"]);
    for error in ["0.0742", "0.0651", "0.0560", "0.0469"] {
        assert!(milo.contains(error), "{error}");
    }
    // Where every state is favourable the reader is told what that means.
    let tied = said(&["states", "--set", "cell.device.preset=wan-2022", "--constrained-slices", "2"]);
    let isaac = tied.lines().find(|line| line.starts_with("isaac ")).unwrap();
    assert!(isaac.contains(" all  255 of 255") && tied.contains("biased training constrains nothing"), "{tied}");
    assert!(refused(&["states", "--set", "tile.cell.bits=3"]).contains("tile.cell.bits"));
}

#[test]
fn a_sweep_writes_one_row_a_point() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("sweep");
    let mut arguments = vec!["sweep", "adc-precision-x-array-size", "-o", output.to_str().unwrap()];
    let small = [
        "chips=1",
        "images=10",
        "training.epochs=2",
        "timing_images=2",
        "axes.0.values=[32, 64]",
        "axes.1.values=[5, 8]",
    ];
    arguments.extend(small.iter().flat_map(|set| ["--set", set]));
    ohmic().args(arguments).assert().success();
    let csv = std::fs::read_to_string(output.join("sweep.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2 * 2 * 3);
    assert!(csv.starts_with("network,dataset,training,mapping,device,"), "{csv}");
    assert!(output.join("sweep.svg").exists() && output.join("run.toml").exists());
}

/// A directory of data sets is named where the environment names none, and what is not in it is told with how to name another one.
#[test]
fn a_sweep_takes_its_data_from_where_it_is_told() {
    let empty = tempfile::tempdir().unwrap();
    let directory = empty.path().to_str().unwrap();
    let said = refused(&["sweep", "plan", "aicas-2023-devices", "--data", directory]);
    let file = format!("{directory}/fashion-mnist/train-images-idx3-ubyte");
    assert!(said.contains(&file) && said.contains("--data") && said.contains("ohmic list datasets"), "{said}");
    let same = refused(&["compare", "--config", "aicas_2023", "--data", directory, "-o", directory]);
    assert_eq!(said, same);
}

/// Names of rows need the hash of the files alone; whoever computes reads them, from the same directory.
#[test]
fn all_steps_of_a_sweep_read_the_same_data() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let [data, store, output] = ["da ta", "store", "output"].map(path);
    let images = format!("{data}/fashion-mnist");
    std::fs::create_dir_all(&images).unwrap();
    for file in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
        std::fs::write(format!("{images}/{file}-ubyte"), "no images").unwrap();
    }
    let sweep = ["aicas-2023-devices", "--data", &data];
    let step = |step: &[&str]| {
        let arguments = [&["sweep"], step, &sweep[..], &["--store", &store]].concat();
        let output = ohmic().args(arguments).env_remove("OHMIC_DATA").assert().get_output().clone();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = step(&["plan"]);
    assert!(code == Some(2) && said.contains(&format!("{images}/train-images-idx3-ubyte: starts with")), "{said}");
    for (naming, expected) in [(vec!["csv", "--partial", "-o", &output], 0), (vec!["status"], 1)] {
        let (code, said) = step(&naming);
        assert_eq!(code, Some(expected), "{said}");
    }
    let whole = ohmic().args(["sweep"]).args(sweep).args(["-o", &store]).assert().code(2).get_output().clone();
    assert!(String::from_utf8(whole.stderr).unwrap().contains(&images));
    let written = std::fs::read_to_string(format!("{output}/run.toml")).unwrap();
    assert!(written.contains(&format!("Repeat with: ohmic sweep run.toml --data '{data}' -o DIR")), "{written}");
}

/// Upper cells in one state: weights of one sign.
#[test]
fn networks_that_guess_are_warned_of() {
    let directory = tempfile::tempdir().unwrap();
    let small = [
        "images=2",
        "methods=[\"conventional\", \"biased\"]",
        "mappings=[\"isaac\"]",
        "training_seeds=1",
        "chips=2",
        "training.epochs=8",
        "training.validation_chips=1",
        "training.biased.states=[0]",
        "training.biased.constrained_slices=2",
        "training.biased.shares=[1.0]",
        "training.biased.refresh_epochs=1",
    ];
    let set = small.iter().flat_map(|set| ["--set", set]);
    let output = ohmic().args(["compare", "-o"]).arg(directory.path()).args(set).assert().success();
    let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(
        said.contains("the network trained by biased for isaac, training seed 0, has learned next to nothing"),
        "{said}"
    );
    assert!(!said.contains("conventional"), "{said}");
    let train = ["train", "--set", "training.epochs=1", "--set", "training.learning_rate=1e-7", "-o"];
    let output = ohmic().args(train).arg(directory.path().join("network")).assert().success();
    let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(said.contains("warning: digits-mlp has learned next to nothing"), "{said}");
}

/// `ohmic states | head` must not end in a panic.
#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("ohmic"))
        .args(["states", "--all-weights", "--format", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

/// What is recommended can be trained as it was found, and that nothing keeps a budget is an answer of its own.
#[test]
fn a_recommendation_can_be_trained() {
    let directory = tempfile::tempdir().unwrap();
    let found = directory.path().join("found");
    let small = [
        "recommend",
        "--set",
        "experiment.mappings=[\"differential\", \"offset\"]",
        "--set",
        "experiment.methods=[\"noise-injection\", \"biased\"]",
        "--set",
        "adc_bits=[8]",
        "--set",
        "halving.rungs=1",
        "--set",
        "training.epochs=3",
        "--set",
        "training_seeds=1",
        "--set",
        "chips=2",
        "-o",
        found.to_str().unwrap(),
    ];
    let text = said(&[&small[..], &["--accuracy", "0.3"]].concat());
    let recommended = found.join("recommended.toml");
    let chosen = text.lines().find_map(|line| line.strip_prefix("recommended: ")).unwrap();
    let (mapping, rest) = chosen.split_once(", ").unwrap();
    let method = rest.split(", ").next().unwrap();
    assert!(text.contains(&format!("--method {method} --mapping {mapping}")), "{text}");
    let network = directory.path().join("network");
    let train = ["--method", method, "--mapping", mapping, "-o", network.to_str().unwrap()];
    let trained = said(&[&["train", "--config", recommended.to_str().unwrap()], &train[..]].concat());
    assert!(trained.contains(&format!("{method} for {mapping} on cells of")) && network.join("network.toml").exists());
    let none = ohmic().args(small).args(["--accuracy", "1.0", "--energy", "1e-12"]).assert().failure().code(1);
    let none = String::from_utf8(none.get_output().stderr.clone()).unwrap();
    assert!(
        none.contains("no candidate keeps the budget: an interval of the accuracy from 100.0 % up, 0.001 nJ or less")
    );
    assert!(none.contains("the least energy"), "{none}");
    assert!(!recommended.exists(), "what an earlier search found is not of this one");
}
