//! The commands that take networks from elsewhere, as a user types them.

use assert_cmd::Command;
use explore::npy;
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

pub(crate) fn ohmic(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ohmic"));
    command.args(arguments).env_remove("OHMIC_MODELS").env_remove("OHMIC_DATA");
    command
}

pub(crate) fn onnx(name: &str) -> String {
    format!("{}/../../tests/onnx/{name}.onnx", env!("CARGO_MANIFEST_DIR"))
}

/// Standard output of a command that succeeds.
pub(crate) fn output(arguments: &[&str]) -> String {
    let output = ohmic(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a command that is refused.
pub(crate) fn refusal(arguments: &[&str]) -> String {
    let output = ohmic(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Images for the residual network, as a NumPy file.
pub(crate) fn images(directory: &Path) -> (PathBuf, usize) {
    let graph = nn::onnx::load(Path::new(&onnx("network_residual")), &nn::onnx::Options::new("net", "none")).unwrap();
    let (count, path) = (5, directory.join("images.npy"));
    let values: Vec<f64> = (0..count * graph.input.len()).map(|index| (index * 37 % 101) as f64 / 100.0).collect();
    std::fs::write(&path, npy::to_bytes(count, graph.input.len(), &values)).unwrap();
    (path, count)
}

#[test]
fn engines_agree_on_a_network_from_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let (images, count) = images(directory.path());
    let network = onnx("network_residual");
    let run = |engine: &str, more: &[&str]| {
        let file = directory.path().join(format!("{engine}.npy"));
        let mut arguments = vec!["infer", &network, "--engine", engine, "--input", images.to_str().unwrap()];
        arguments.extend(["--output", file.to_str().unwrap()]);
        arguments.extend(more);
        assert!(output(&arguments).contains("5 images, no labels"));
        npy::read(&std::fs::read(file).unwrap()).unwrap()
    };
    let float = run("float", &[]);
    assert_eq!(float.shape[0], count);
    let integer = run("integer", &[]);
    // An ideal device and converters without steps: the chip is the integer network.
    let ideal = [
        "--set",
        "cell.device.preset=ideal",
        "--set",
        "tile.adc.kind=ideal",
        "--set",
        "mesh.width=64",
        "--set",
        "mesh.height=64",
    ];
    assert_eq!(run("analog", &ideal), integer);
    let largest = float.values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    for (float, integer) in float.values.iter().zip(&integer.values) {
        assert!((float - integer).abs() < 0.1 * largest, "{float} and {integer}");
    }
}

#[test]
fn every_pass_can_be_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let (images, _) = images(directory.path());
    let listed = output(&["list", "passes"]);
    let passes: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(passes.len() >= 12, "{listed}");
    let network = onnx("network_residual");
    let common = ["compile", &network, "--mapping", "isaac", "--calibrate", images.to_str().unwrap(), "--dump-after"];
    let mut texts = Vec::new();
    for pass in &passes {
        texts.push(output(&[common.as_slice(), &[pass]].concat()));
    }
    assert!(texts[0].contains("affine") || texts[0].contains("conv"), "{}", texts[0]);
    let behind = |name: &str| &texts[passes.iter().position(|pass| *pass == name).unwrap()];
    assert!(behind("quantise").contains("mvm") && behind("quantise").contains("scores"));
    for (pass, part) in [
        ("map", "isaac, slices 2 bits x 1, 2 bits x 4"),
        ("partition", "crossbar 0: rows 0..27, outputs 0..8, groups 0..1"),
        ("calibrate", "in steps of 1 levels"),
        ("replicate", "1 copies, 1 arrays each"),
        ("place", "crossbar 0: tile 0 array 0 bank 0"),
        ("schedule", "%2 = "),
        ("emit", "arrays.safetensors: "),
    ] {
        assert!(behind(pass).contains(part), "{pass}: {}", behind(pass));
    }
    // What is listed is what is written.
    let program = directory.path().join("program");
    output(&[
        "compile",
        &network,
        "--mapping",
        "isaac",
        "--calibrate",
        images.to_str().unwrap(),
        "-o",
        program.to_str().unwrap(),
    ]);
    for name in ["program.toml", "arrays.safetensors"] {
        let bytes = std::fs::read(program.join(name)).unwrap();
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let line = format!("{name}: {} bytes, SHA-256 {digest}", bytes.len());
        assert!(behind("emit").lines().any(|listed| listed == line), "{line}\n{}", behind("emit"));
        if name == "arrays.safetensors" {
            let tensors = SafeTensors::deserialize(&bytes).unwrap();
            assert_eq!(behind("emit").lines().filter(|line| line.starts_with("  ")).count(), tensors.len());
            for (name, view) in tensors.tensors() {
                let digest: String = Sha256::digest(view.data()).iter().map(|byte| format!("{byte:02x}")).collect();
                let line = format!("  {name}: {:?} {:?}, SHA-256 {digest}", view.dtype(), view.shape());
                assert!(behind("emit").contains(&line), "{line}");
            }
        }
    }
    let run = std::fs::read_to_string(program.join("run.toml")).unwrap();
    let repeat = run.lines().next().unwrap();
    assert!(repeat.contains(&format!("--calibrate {}", images.display())), "{repeat}");
    assert!(!repeat.contains("--models") && !repeat.contains("--data"), "{repeat}");
    // Before there is any work: nothing was given to find ranges on.
    let error = refusal(&["compile", &network, "--mapping", "isaac", "--dump-after", "nothing"]);
    assert!(error.contains("--dump-after nothing") && error.contains("fold-batch-norm"), "{error}");
}

/// The result of an image is that of the images that ranges are found on, not of those beside it.
#[test]
fn ranges_come_from_the_calibration_images() {
    let directory = tempfile::tempdir().unwrap();
    let (images, count) = images(directory.path());
    let network = onnx("network_residual");
    let all = npy::read(&std::fs::read(&images).unwrap()).unwrap();
    let features = all.shape[1];
    let (first, results) = (directory.path().join("first.npy"), directory.path().join("results.npy"));
    let halved: Vec<f64> = all.values[..features].iter().map(|value| value / 2.0).collect();
    let values = [&halved, &all.values[features..]].concat();
    std::fs::write(&images, npy::to_bytes(count, features, &values)).unwrap();
    std::fs::write(&first, npy::to_bytes(1, features, &halved)).unwrap();
    let run = |input: &Path, more: &[&str]| {
        let [input, results] = [input, &results].map(|path| path.to_str().unwrap());
        let text = output(
            &[&["infer", &network, "--engine", "integer", "--input", input, "--output", results][..], more].concat(),
        );
        (text, npy::read(&std::fs::read(results).unwrap()).unwrap().values)
    };
    let with = ["--calibrate", images.to_str().unwrap()];
    let ((told, alone), (_, among)) = (run(&first, &with), run(&images, &with));
    assert_eq!(alone, among[..alone.len()]);
    assert!(told.contains("ranges from") && told.contains("images.npy"), "{told}");
    let (told, own) = run(&first, &[]);
    assert_ne!(own, alone, "the ranges of one image are not those of all");
    assert!(told.contains("ranges from given images"), "{told}");
}

/// A value that is no number, and images that are not whole, are refused by name.
#[test]
fn images_that_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let (images, count) = images(directory.path());
    let network = onnx("network_residual");
    let mut all = npy::read(&std::fs::read(&images).unwrap()).unwrap();
    let features = all.shape[1];
    let path = images.to_str().unwrap();
    std::fs::write(&images, npy::to_bytes(features, count, &all.values)).unwrap();
    let error = refusal(&["infer", &network, "--input", path]);
    assert!(error.contains("images.npy") && error.contains("channels first") && error.contains("[N, "), "{error}");
    all.values[features + 3] = f64::NAN;
    std::fs::write(&images, npy::to_bytes(count, features, &all.values)).unwrap();
    for command in [
        &["infer", &network, "--input", path][..],
        &["compile", &network, "--mapping", "isaac", "--dump-after", "quantise", "--calibrate", path],
    ] {
        let error = refusal(command);
        assert!(error.contains("value 3 of image 1 is NaN; allowed are finite numbers"), "{error}");
    }
}

#[test]
fn a_report_has_every_layer_and_a_floor_plan() {
    let directory = tempfile::tempdir().unwrap();
    let (images, _) = images(directory.path());
    let network = onnx("network_depthwise");
    let graph = nn::onnx::load(Path::new(&network), &nn::onnx::Options::new("net", "none")).unwrap();
    let values: Vec<f64> = (0..3 * graph.input.len()).map(|index| (index * 41 % 97) as f64 / 96.0).collect();
    std::fs::write(&images, npy::to_bytes(3, graph.input.len(), &values)).unwrap();
    let program = directory.path().join("program");
    let text = output(&[
        "compile",
        &network,
        "--mapping",
        "differential",
        "--calibrate",
        images.to_str().unwrap(),
        "--placement",
        "communication-aware",
        "--report",
        "-o",
        program.to_str().unwrap(),
    ]);
    assert!(
        text.contains("lossless") && text.contains("MACs an image") && text.contains("no labelled images"),
        "{text}"
    );
    let csv = std::fs::read_to_string(program.join("report.csv")).unwrap();
    let layers = csv.lines().count() - 1;
    let loaded = chip::program::load(&program).unwrap();
    assert_eq!(layers, loaded.mvm_stages().count());
    // A chip with lossless converters takes the resolution of the layer that needs most.
    let lossless = directory.path().join("lossless");
    let set = ["--set", "tile.adc.range=lossless", "-o", lossless.to_str().unwrap()];
    let common = ["compile", &network, "--mapping", "differential", "--calibrate", images.to_str().unwrap()];
    output(&[&common[..], &set].concat());
    let needed = nn_compiler::report::report(&loaded).iter().map(|layer| layer.lossless_adc_bits).max();
    assert_eq!(needed, Some(chip::program::load(&lossless).unwrap().chip.tile.adc.bits));
    assert!(csv.lines().next().unwrap().contains("lossless_adc_bits") && csv.contains("differential"), "{csv}");
    let plan = std::fs::read_to_string(program.join("floor-plan.svg")).unwrap();
    for (_, stage) in loaded.mvm_stages() {
        assert!(plan.contains(&stage.name), "{}", stage.name);
    }
    let macs: u64 = graph.mac_count().unwrap();
    assert_eq!(loaded.macs, macs);
}

#[test]
fn what_is_missing_is_named() {
    let network = onnx("network_cnn");
    let no_data = refusal(&["compile", &network, "--mapping", "isaac", "-o", "/nowhere"]);
    assert!(no_data.contains("--calibrate"), "{no_data}");
    let no_place = refusal(&["infer", "mlperf-resnet8"]);
    assert!(no_place.contains("mlperf_resnet8.onnx") && no_place.contains("--models"), "{no_place}");
    let architecture = refusal(&["infer", "digits-mlp"]);
    assert!(architecture.contains("layers") || architecture.contains("file"), "{architecture}");
    let range = refusal(&["infer", &network, "--weight-range", "percentile:3"]);
    assert!(range.contains("percentile:P"), "{range}");
    let operator = refusal(&["infer", &onnx("../refused/none")]);
    assert!(operator.contains("none.onnx"), "{operator}");
}

#[test]
fn a_network_without_weights_is_told_from_a_mistake() {
    let text = refusal(&["infer", "digits-mlp"]);
    assert!(
        text.contains("digits-mlp has layers, but no weights; train it (`ohmic train --set network.preset="),
        "{text}"
    );
    assert!(refusal(&["infer", "digits-mlq"]).contains("digits-mlq"));
    let weights = refusal(&["train", "--method", "biased", "--from", "out/weights.safetensors", "-o", "/nowhere"]);
    assert!(weights.contains("out/weights.safetensors holds weights without layers; name the directory"), "{weights}");
}
