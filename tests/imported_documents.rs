//! Documents beside networks, and what commands say where a network or its images leave something to be desired.

use crate::imported_commands::{images, ohmic, onnx, output, refusal};
use explore::npy;
use std::path::Path;

/// A document beside a network: names of classes from a list and from a file, a deviation for every value.
#[test]
fn a_document_names_classes_and_has_deviations_of_values() {
    let directory = tempfile::tempdir().unwrap();
    let (images, count) = images(directory.path());
    let graph = nn::onnx::load(Path::new(&onnx("network_residual")), &nn::onnx::Options::new("net", "none")).unwrap();
    let names: Vec<String> = (0..10).map(|class| format!("class {class}, \"big\"")).collect();
    let file = |name: &str| directory.path().join(name);
    std::fs::copy(onnx("network_residual"), file("net.onnx")).unwrap();
    std::fs::write(file("names.txt"), names.join("\r\n") + "\n\n").unwrap();
    let shape = graph.input;
    let deviations: Vec<f64> = (0..shape.len()).map(|index| 0.5 + (index % 7) as f64).collect();
    let npy = |values: &[f64]| {
        let sizes = format!("({}, {}, {})", shape.channels, shape.height, shape.width);
        let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {sizes}, }}");
        let padded = format!("{text:<117}\n");
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((padded.len() as u16).to_le_bytes());
        bytes.extend(padded.as_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    };
    std::fs::write(file("std.npy"), npy(&deviations)).unwrap();
    let document = |labels: &str, input: &str| {
        let text = format!(
            "kind = \"network\"\nversion = 1\nname = \"net\"\ndataset = \"none\"\nfile = \"net.onnx\"\n{labels}\n[input]\n{input}\n"
        );
        std::fs::write(file("net.toml"), text).unwrap();
    };
    let (network, logits) = (file("net.toml"), file("scores.csv"));
    let (network, logits) = (network.to_str().unwrap(), logits.to_str().unwrap());
    let command = ["infer", network, "--input", images.to_str().unwrap(), "--logits", logits];
    document("labels = \"names.txt\"", "std_file = \"std.npy\"");
    let from_file = output(&command);
    let table = std::fs::read_to_string(logits).unwrap();
    document(&format!("labels = {names:?}"), "std_file = \"std.npy\"");
    assert_eq!((output(&command), std::fs::read_to_string(logits).unwrap()), (from_file.clone(), table.clone()));
    // What the file says: pixels over deviations.
    let all = npy::read(&std::fs::read(&images).unwrap()).unwrap().values;
    let pixels: Vec<f32> =
        all.iter().zip(deviations.iter().cycle()).map(|(pixel, std)| *pixel as f32 * (1.0 / std) as f32).collect();
    let expected = graph.forward(&pixels).unwrap();
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    assert_eq!(rows.headers().unwrap().iter().skip(1).collect::<Vec<_>>(), names);
    let mut predicted = Vec::new();
    for (row, expected) in rows.records().map(Result::unwrap).zip(expected.chunks_exact(10)) {
        assert_eq!(&row[0], names[nn::argmax(expected)]);
        predicted.push(row[0].to_owned());
        for (text, value) in row.iter().skip(1).zip(expected) {
            assert!((text.parse::<f32>().unwrap() - value).abs() < 1e-4, "{text} and {value}");
        }
    }
    assert_eq!(predicted.len(), count);
    assert!(from_file.contains(&format!("predicted: {}", predicted.join(", "))), "{from_file}");
    document("labels = [\"a\", \"b\"]", "");
    assert!(refusal(&command).contains("net.toml: labels has 2 names; network `net` has 10 results"));
    document("labels = 3", "");
    assert!(refusal(&command).contains("a list of names, or the path of a file with one a line"));
    document("labels = \"names.txt\"", "std_file = \"std.npy\"\nstd = [2.0]");
    assert!(refusal(&command).contains("[1.0] where there is a std_file"));
    std::fs::write(file("std.npy"), npy(&vec![0.0; shape.len()])).unwrap();
    document("", "std_file = \"std.npy\"");
    assert!(refusal(&command).contains("std.npy: holds 0; allowed are positive numbers"));
}

/// One image, all of it equal: relative errors stay below what a doubtful choice is told with, and the images are named.
#[test]
fn a_choice_from_one_image_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let network = onnx("network_residual");
    let graph = nn::onnx::load(Path::new(&network), &nn::onnx::Options::new("net", "none")).unwrap();
    let (images, program) = (directory.path().join("one.npy"), directory.path().join("program"));
    let compile = |values: &[f64], count: usize| {
        std::fs::write(&images, npy::to_bytes(count, graph.input.len(), values)).unwrap();
        let arguments = ["compile", &network, "--mapping", "auto", "--calibrate", images.to_str().unwrap()];
        let output = ohmic(&arguments).args(["-o", program.to_str().unwrap()]).output().unwrap();
        let texts = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(output.status.success(), "{}", texts[1]);
        let mut rows = csv::Reader::from_path(program.join("choice.csv")).unwrap();
        let column = rows.headers().unwrap().iter().position(|name| name == "relative_error").unwrap();
        let errors = rows.records().filter_map(|row| row.unwrap()[column].parse::<f64>().ok());
        (texts, errors.fold(0.0, f64::max))
    };
    let ([told, warned], largest) = compile(&vec![0.4; graph.input.len()], 1);
    assert!(warned.contains(
        "warning: --mapping auto looked at 1 calibration images, of which 0 show something and differ; below 8"
    ));
    assert!(told.contains("windows and 1 images of") && told.contains("one.npy"), "{told}");
    assert!(largest < 100.0, "{largest}");
    let many: Vec<f64> = (0..10 * graph.input.len()).map(|index| (index * 37 % 101) as f64 / 100.0).collect();
    let alike: Vec<f64> = many[..graph.input.len()].repeat(10);
    let ([_, warned], _) = compile(&alike, 10);
    assert!(
        warned.contains("looked at 10 calibration images, of which 1 show something and differ; below 8"),
        "{warned}"
    );
    let ([told, warned], _) = compile(&many, 10);
    assert!(!warned.contains("--mapping auto looked") && told.contains("10 images of"), "{warned}");
}

/// Several things that a chip cannot do are one error.
#[test]
fn every_node_that_cannot_be_mapped_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (images, _) = images(directory.path());
    let graph = "format_version = 1\nkind = \"graph\"\nname = \"net\"\ndataset = \"none\"\ninput = { channels = 3, height = 16, width = 16 }\n\
                 [[nodes]]\nname = \"shares\"\nop = \"softmax\"\n\
                 [[nodes]]\nname = \"edge\"\nop = \"pad\"\npadding = [1, 1, 1, 1]\nvalue = 0.5\n\
                 [[nodes]]\nname = \"pool\"\nop = \"max-pool\"\nkernel = [2, 2]\n\
                 [[nodes]]\nname = \"log\"\nop = \"log-softmax\"\n\
                 [[nodes]]\nname = \"gap\"\nop = \"global-average-pool\"\n";
    let file = |name: &str| directory.path().join(name);
    std::fs::write(file("graph.toml"), graph).unwrap();
    std::fs::write(file("graph.safetensors"), b"\x02\0\0\0\0\0\0\0{}").unwrap();
    let document = "kind = \"network\"\nversion = 1\nname = \"net\"\ndataset = \"none\"\nfile = \"graph.toml\"\n";
    std::fs::write(file("net.toml"), document).unwrap();
    let network = file("net.toml");
    let error = refusal(&[
        "compile",
        network.to_str().unwrap(),
        "--mapping",
        "isaac",
        "--calibrate",
        images.to_str().unwrap(),
        "-o",
        "unwritten",
    ]);
    assert!(error.contains("3 of its nodes cannot be mapped"), "{error}");
    // As it was read it can be looked at, and needs no images for that.
    let dump = ["compile", network.to_str().unwrap(), "--mapping", "isaac", "--dump-after", "import"];
    assert!(output(&dump).contains("`shares`"));
    let graph = file("graph.toml");
    assert!(
        refusal(&["infer", graph.to_str().unwrap()]).contains("write a document of kind `network` whose `file` is")
    );
    std::fs::write(file("net.toml"), document.replace("none", "cifar100")).unwrap();
    assert!(refusal(&dump).contains("dataset = cifar100") && refusal(&dump).contains("cifar10, "));
    for node in
        ["`shares` (softmax): it compares the values", "`edge` (pad): `pool` takes maxima", "`log` (log-softmax)"]
    {
        assert!(error.contains(node), "{error}");
    }
}

/// A program of a network without a data set is simulated with images and labels of the user's own, in the formats in which they are exported.
#[test]
fn programs_are_simulated_with_images_and_labels_of_ones_own() {
    let directory = tempfile::tempdir().unwrap();
    let (images, count) = images(directory.path());
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (network, images, program) = (onnx("network_residual"), images.to_str().unwrap(), file("program"));
    let training = "my \"odd\" name\nevil = 1";
    output(&["compile", &network, "--mapping", "isaac", "--calibrate", images, "--training", training, "-o", &program]);
    let run = std::fs::read_to_string(file("program/run.toml")).unwrap();
    let repeat = run.lines().next().unwrap();
    assert!(repeat.contains(&format!("ohmic compile {network} --chip run.toml")), "{repeat}");
    assert!(
        repeat.contains("--training 'my \"odd\" name?evil = 1'") && repeat.contains(&format!("-o {program}")),
        "{repeat}"
    );
    output(&["check", &file("program/run.toml")]);
    let alone = refusal(&["simulate", &program]);
    assert!(alone.contains("--images FILE.npy") && alone.contains("--labels FILE"), "{alone}");
    // The classes that the chip without errors predicts.
    let classes: Vec<usize> = (0..count).map(|image| image * 3 % 10).collect();
    let text: String = classes.iter().map(|class| format!("{class}\n")).collect();
    std::fs::write(file("labels.csv"), text).unwrap();
    let values: Vec<f64> = classes.iter().map(|&class| class as f64).collect();
    std::fs::write(file("labels.npy"), npy::to_bytes(count, 1, &values)).unwrap();
    let simulate = |labels: &str| {
        output(&[
            "simulate",
            &program,
            "--chips",
            "2",
            "--images",
            images,
            "--labels",
            &file(labels),
            "--format",
            "json",
        ])
    };
    let of_text = simulate("labels.csv");
    assert!(of_text.contains("\"images\": 5"), "{of_text}");
    assert_eq!(of_text, simulate("labels.npy"));
    let refused = |text: &str| {
        std::fs::write(file("bad.txt"), text).unwrap();
        refusal(&["simulate", &program, "--images", images, "--labels", &file("bad.txt")])
    };
    assert!(refused("1\ncat\n").contains("bad.txt: line 2 is `cat`; allowed is a label"));
    assert!(refused("1\n2\n").contains("holds 2 labels;") && refused("1\n2\n3\n4\n10\n").contains("the label 10"));
}

/// What an option or an image cannot do is said, not passed over.
#[test]
fn what_has_no_effect_and_what_is_clipped_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (images, count) = images(directory.path());
    let network = onnx("network_residual");
    let all = npy::read(&std::fs::read(&images).unwrap()).unwrap();
    let bright = directory.path().join("bright.npy");
    let values: Vec<f64> = all.values.iter().map(|value| 255.0 * value).collect();
    std::fs::write(&bright, npy::to_bytes(count, all.shape[1], &values)).unwrap();
    let [images, bright] = [&images, &bright].map(|path| path.to_str().unwrap());
    let warned = |arguments: &[&str]| {
        let output = ohmic(&[&["infer", &network], arguments].concat()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let clipped = warned(&["--engine", "integer", "--input", bright, "--calibrate", images]);
    assert!(
        clipped.contains("% of the values of the images lie beyond the codes of the input and are clipped"),
        "{clipped}"
    );
    assert!(!warned(&["--engine", "integer", "--input", images, "--calibrate", images]).contains("lie beyond"));
    let idle = warned(&["--input", images, "--calibrate", "nothing.npy", "--mapping", "auto", "--set", "adc.bits=3"]);
    assert!(idle.contains("--calibrate, --set, --mapping without effect: engine float"), "{idle}");
    let idle = warned(&["--input", images, "--per-channel", "--weight-range", "mean-squared-error", "--seed", "2"]);
    assert!(idle.contains("--per-channel, --weight-range, --seed without effect: engine float"), "{idle}");
    let alone = refusal(&["infer", &network]);
    assert!(
        alone.contains("network_residual.onnx: the network names no data set; give images by --input FILE.npy"),
        "{alone}"
    );
}

/// Accumulators that are too narrow are told before any image is run.
#[test]
fn narrow_accumulators_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let (images, _) = images(directory.path());
    let (network, program) = (onnx("network_residual"), directory.path().join("program"));
    let arguments = ["compile", &network, "--mapping", "differential", "--calibrate", images.to_str().unwrap()];
    let warned = |set: &str| {
        let output = ohmic(&arguments).args(["--set", set, "-o", program.to_str().unwrap()]).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
        text
    };
    let narrow = warned("tile.digital.accumulator_bits=16");
    assert!(narrow.contains("bits; larger ones than tile.digital.accumulator_bits = 16 saturate"), "{narrow}");
    assert!(!warned("tile.digital.accumulator_bits=32").contains("saturate"));
}
