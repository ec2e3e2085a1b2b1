//! Anomalies of arbitration, each as small as it can be: a change for the better lets a request that does not matter come before one that does, and everything that waits for
//! that one is late (Graham, Bounds on Multiprocessing Timing Anomalies, 1969). Units serve whoever asks first and do not know who is waited for.

use crate::compare::both;
use crate::workloads::examples::{core, plain_hardware, region};
use chip::machine::hardware::Hardware;
use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::work::{Bank, Core, Region, Workload};

fn vector(values: u64) -> Instruction {
    Instruction::Vector { operation: VectorOperation::Requantise, values }
}

fn merge(values: u64) -> Instruction {
    Instruction::Merge { values }
}

fn room(region: u32) -> Instruction {
    Instruction::Room { region }
}

fn store(region: u32) -> Instruction {
    Instruction::Store { region, bits: 1 }
}

fn load(region: u32, bits: u64) -> Instruction {
    Instruction::Load { region, bits }
}

/// When the image is done, and the end of the run.
fn ends(workload: &Workload, hardware: &Hardware) -> (u64, u64) {
    assert_eq!(workload.check(hardware, 1), Ok(()));
    let outcome = both(workload, hardware, 1).unwrap();
    (outcome.image_done[0], outcome.end)
}

/// One place more. The producer needs the vector unit for 10 cycles an item, the urgent core for one cycle at 12, before 20 cycles of the adder tree.
///
/// With one place the producer asks for the unit a second time at 14, when its first item has been read, and the urgent core has had it at 12. With two it
/// asks right away, has the unit in 10..20, and the urgent core waits until 20.
#[test]
fn a_place_more() {
    let run = |capacity| {
        let items = Region { capacity: Some(capacity), ..region("items", 2, &[1], &[2]) };
        let workload = Workload {
            regions: vec![region("result", 1, &[0], &[]), items],
            cores: vec![
                core("urgent", &[], vec![room(0), merge(12), vector(1), merge(20), store(0)]),
                core("producer", &[], [room(1), vector(10), store(1)].repeat(2)),
                core(
                    "reader",
                    &[],
                    (1..=2)
                        .flat_map(|count| {
                            [Instruction::Wait { region: 1, count }, load(1, 3), Instruction::Free { region: 1, count }]
                        })
                        .collect(),
                ),
            ],
            result: 0,
        };
        ends(&workload, &plain_hardware())
    };
    assert_eq!((run(1), run(2)), ((34, 34), (42, 42)));
}

/// Words twice as wide. The urgent core asks for the vector unit at 5, the other one behind a load of 8 words, at 8; with words twice as wide at 4, and has it in 4..14.
#[test]
fn wider_words() {
    let run = |word_bits| {
        let mut hardware = plain_hardware();
        hardware.tile.word_bits = word_bits;
        let workload = Workload {
            regions: vec![
                region("result", 1, &[0], &[]),
                region("other result", 1, &[1], &[]),
                region("map", 1, &[], &[1]),
            ],
            cores: vec![
                core("urgent", &[], vec![room(0), merge(5), vector(1), merge(20), store(0)]),
                core("other", &[], vec![room(1), load(2, 8), vector(10), store(1)]),
            ],
            result: 0,
        };
        ends(&workload, &hardware)
    };
    assert_eq!((run(1), run(2)), ((27, 27), (36, 36)));
}

/// Twice the converters. Two packets share the link from tile 1 to tile 2: a short one, sent at 9, for which a long computation waits, and one of 12 flits,
/// sent from tile 0 when its columns are converted. Converted in 8 cycles it is at the shared link at 12, behind the short one; converted in 4, at 8, and has the
/// link in 8..20.
#[test]
fn more_converters() {
    let run = |converters| {
        let mut hardware = plain_hardware();
        (hardware.tile.converters, hardware.tile.word_bits) = (converters, 16);
        hardware.mesh.width = 3;
        let on = |tile, region: Region| Region { tile, item_bits: 16, ..region };
        let send = |region, bits| Instruction::Send { region, bits };
        let long = vec![room(2), Instruction::Mvm { slices: 1 }, send(2, 12)];
        let last = vec![
            room(0),
            Instruction::Wait { region: 1, count: 1 },
            Instruction::Free { region: 1, count: 1 },
            merge(10),
            store(0),
        ];
        let workload = Workload {
            regions: vec![
                on(2, region("result", 1, &[0], &[])),
                on(2, region("short", 1, &[1], &[0])),
                on(2, region("long", 1, &[2], &[])),
            ],
            cores: vec![
                Core { tile: 2, ..core("last", &[], last) },
                Core { tile: 1, ..core("short", &[], vec![room(1), vector(9), send(1, 1)]) },
                core("long", &[Bank { count: 1, columns: 8 }], long),
            ],
            result: 0,
        };
        ends(&workload, &hardware)
    };
    // Short packet: link at 9, tile 2 at 11, written at 12, merged at 22, stored at 23. Long packet with 4 cycles: read 1, converted 5, shifted 6, at the
    // shared link at 8, which it keeps in 8..20.
    assert_eq!((run(1).0, run(2).0), (23, 34));
}
