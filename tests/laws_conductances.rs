//! Programmed conductances go through files and back, and damage to the files is refused by name.

use crate::support::chips;
use crate::support::compiled::{Compiled, SEED};
use crate::support::networks::{Builder, dataset};
use crate::support::random::Random;
use chip::functional::{Cells, ChipSample, SampleAddress, infer};
use chip::program::Program;
use explore::conductances::{export, import};
use nn::Shape;
use nn_compiler::mapping::Mapping;
use std::path::Path;
use tile::address::Purpose;

const ADDRESS: SampleAddress = SampleAddress { seed: SEED, purpose: Purpose::Programming, chip_sample: 3 };

fn two_layers(mapping: &Mapping) -> (Program, Vec<i32>) {
    let mut random = Random(121);
    let mut chain = Builder::new(&mut random, 8, Shape { channels: 2, height: 4, width: 4 });
    chain.conv2d(3, 3, 1, 0);
    chain.relu();
    chain.linear(4);
    let network = chain.finish();
    let dataset = dataset(&mut random, network.input, 4, 3, 3);
    let mut chip = chips::exact();
    chip.tile.cell.device = chips::device("paper-order");
    (chip.tile.array.rows, chip.tile.array.cols) = (16, 64);
    let program = Compiled::new(&network, &dataset, mapping, &chip).program;
    let codes = nn_compiler::compile::encode_images(&program, &dataset.test.images);
    (program, codes)
}

#[test]
fn exported_and_imported_cells_score_the_same() {
    for mapping in &Mapping::every() {
        let (program, codes) = two_layers(mapping);
        let directory = tempfile::tempdir().unwrap();
        let cells = Cells::program(&program, ADDRESS).unwrap();
        export(&program, &cells, directory.path()).unwrap();
        let back = import(&program, ADDRESS, directory.path()).unwrap();
        let scores =
            |cells| infer(&program, &ChipSample::from_cells(&program, cells).unwrap(), &codes, None).unwrap().scores;
        assert_eq!(scores(&back), scores(&cells), "{}", mapping.name());
        let other = Cells::program(&program, SampleAddress { chip_sample: 4, ..ADDRESS }).unwrap();
        assert_ne!(scores(&other), scores(&cells), "{}", mapping.name());
    }
}

/// A NumPy file of format 1.0.
fn npy(dtype: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, header.as_bytes(), bytes].concat()
}

fn refused(program: &Program, directory: &Path, file: &str, what: &str) {
    let said = import(program, ADDRESS, directory).unwrap_err().to_string();
    assert!(said.contains(file) && said.contains(what), "{said}");
}

#[test]
fn damaged_arrays_are_refused_by_name() {
    let (program, _) = two_layers(&Mapping::parse("differential").unwrap());
    let directory = tempfile::tempdir().unwrap();
    export(&program, &Cells::program(&program, ADDRESS).unwrap(), directory.path()).unwrap();
    let name = "layer0.crossbar0001.negative.npy";
    let file = directory.path().join(name);
    let whole = std::fs::read(&file).unwrap();
    let (_, stage) = program.mvm_stages().next().unwrap();
    let (rows, columns) = (stage.crossbars[1].rows as usize, stage.columns(&stage.crossbars[1]) as usize);
    let values = |value: f64| value.to_le_bytes().repeat(rows * columns);
    let shape = format!("({rows}, {columns})");
    // The file as this test writes it is a file as it should be.
    std::fs::write(&file, npy("<f8", &shape, &values(1e-6))).unwrap();
    import(&program, ADDRESS, directory.path()).unwrap();
    let mut one_bad = values(1e-6);
    one_bad[8 * (columns + 2)..8 * (columns + 3)].copy_from_slice(&f64::NAN.to_le_bytes());
    let long = values(1e-6).len();
    for (bytes, what) in [
        (npy("<f8", &format!("({columns}, {rows})"), &values(1e-6)), "shape"),
        (npy("<f8", &shape, &one_bad), "row 1, column 2: NaN"),
        (npy("<f8", &shape, &values(-1e-6)), "row 0, column 0"),
        (npy("<f8", &shape, &values(f64::INFINITY)), "inf"),
        (npy("<f4", &shape, &1e-6_f32.to_le_bytes().repeat(rows * columns)), "64-bit floats"),
        (npy("<i8", &shape, &values(1e-6)), "64-bit floats"),
        (npy("<f8", &shape, &values(1e-6)[..long - 8]), ""),
        // Sizes that overflow a 64-bit number, and headers that would exhaust the stack.
        (npy("<f8", "(18446744073709551615, 2)", &values(1e-6)), "shape"),
        (npy("<f8", &format!("{}1{}", "(".repeat(30_000), ")".repeat(30_000)), &values(1e-6)), "header"),
        (npy("<f8", &format!("{}1{}", "(".repeat(900), ")".repeat(900)), &values(1e-6)), "header"),
        (whole[..whole.len() / 2].to_vec(), ""),
        (b"conductance".to_vec(), ""),
        (Vec::new(), ""),
    ] {
        std::fs::write(&file, bytes).unwrap();
        refused(&program, directory.path(), name, what);
    }
    std::fs::remove_file(&file).unwrap();
    refused(&program, directory.path(), name, "");
}

#[test]
fn an_index_of_other_arrays_is_refused_by_name() {
    let (program, _) = two_layers(&Mapping::parse("isaac").unwrap());
    let directory = tempfile::tempdir().unwrap();
    export(&program, &Cells::program(&program, ADDRESS).unwrap(), directory.path()).unwrap();
    let index = directory.path().join("conductances.csv");
    let whole = std::fs::read_to_string(&index).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let with_last = |last: &str| [&lines[..lines.len() - 1], &[last]].concat().join("\n");
    let last = lines[lines.len() - 1];
    let unknown = format!("{whole}{}\n", last.replace("layer2", "layer9"));
    let elsewhere = with_last(&last.replacen("positive,", "negative,", 1));
    for (text, what) in [
        (unknown, "layer9"),
        (elsewhere, "lists an array that the program does not have"),
        (lines[..lines.len() - 1].join("\n"), "does not list"),
        (with_last("nonsense"), ""),
        (String::new(), ""),
    ] {
        std::fs::write(&index, text).unwrap();
        refused(&program, directory.path(), "conductances.csv", what);
    }
    std::fs::remove_file(&index).unwrap();
    refused(&program, directory.path(), "conductances.csv", "");
}
