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
    assert!(refusal(&command).contains("labels has 2 names; network `net` has 10 results"));
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
    assert!(warned.contains("warning: --mapping auto looked at 1 calibration images; below 8"), "{warned}");
    assert!(told.contains("windows and 1 images of") && told.contains("one.npy"), "{told}");
    assert!(largest < 100.0, "{largest}");
    let many: Vec<f64> = (0..10 * graph.input.len()).map(|index| (index * 37 % 101) as f64 / 100.0).collect();
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
    for node in
        ["`shares` (softmax): it compares the values", "`edge` (pad): `pool` takes maxima", "`log` (log-softmax)"]
    {
        assert!(error.contains(node), "{error}");
    }
}
