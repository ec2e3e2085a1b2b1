//! The vector unit: what its stages read and compute, what look-ups cost, and how both are written as instructions.

use crate::support::chips;
use crate::support::counts::receivers;
use crate::support::graphs::compiled;
use crate::support::random::Random;
use chip::energy::{ArrayEnergy, price};
use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::{Settings, run as execute, trace};
use chip::program::{PoolKind, Program, Stage};
use chip::timing;
use chip::timing::lower::{Role, workload};
use nn_compiler::mapping::Mapping;
use std::collections::BTreeSet;

/// What a stage of the vector unit reads, computes and writes for every pixel.
#[test]
fn the_vector_unit_reads_its_windows_and_writes_a_pixel() {
    let mut random = Random(48);
    let mapping = Mapping::parse("isaac").unwrap();
    let (mut adds, mut pools, mut concats, mut tables) = (0, [0, 0], 0, 0);
    for _ in 0..60 {
        let program = compiled(&mut random, &mapping, &chips::exact(), 2).0.program;
        let lowered = workload(&program, &program.chip.hardware()).unwrap();
        for (role, core) in lowered.roles.iter().zip(&lowered.workload.cores) {
            let Role::Vector { stage: number } = *role else { continue };
            let stage = &program.stages[number];
            let bits = |map: &chip::program::FeatureMap| u64::from(map.channels * map.bits);
            let channels = u64::from(stage.output().channels);
            let (reads, operations) = match stage {
                Stage::Mvm(_) => panic!("crossbars in the vector unit"),
                Stage::Add(add) => {
                    adds += 1;
                    (add.maps.iter().map(bits).sum::<u64>(), vec![(VectorOperation::Add, channels)])
                }
                Stage::Concat(concat) => {
                    concats += 1;
                    let channels = concat.maps.iter().map(|map| u64::from(map.channels));
                    let scaled = channels.zip(&concat.multipliers).filter(|(_, multiplier)| **multiplier != 1.0);
                    let values: u64 = scaled.map(|(channels, _)| channels).sum();
                    let operations = (values > 0).then_some((VectorOperation::Requantise, values));
                    (concat.maps.iter().map(bits).sum::<u64>(), operations.into_iter().collect())
                }
                Stage::Table(table) => {
                    tables += 1;
                    (bits(&table.map), vec![(VectorOperation::Lookup, channels)])
                }
                Stage::Pool(pool) => {
                    let pixels = pool.window.places() as u64;
                    let average = pool.kind != PoolKind::Max;
                    pools[usize::from(average)] += 1;
                    let mut operations = vec![(VectorOperation::Pool, pixels * channels)];
                    operations.extend(average.then_some((VectorOperation::Requantise, channels)));
                    (pixels * bits(&pool.window.input), operations)
                }
            };
            let windows = stage.window().count() as u64;
            let (mut read, mut computed, mut written) = (0, Vec::new(), 0);
            for instruction in &core.instructions {
                match *instruction {
                    Instruction::Load { bits, .. } => read += bits,
                    Instruction::Vector { operation, values } => computed.push((operation, values)),
                    Instruction::Send { bits: of_item, .. } | Instruction::Store { bits: of_item, .. } => {
                        assert_eq!(of_item, bits(&stage.output()));
                        written += 1;
                    }
                    _ => {}
                }
            }
            assert_eq!((read, computed), (windows * reads, operations.repeat(windows as usize)), "{}", stage.name());
            let received: usize = receivers(&program, number + 1).values().map(BTreeSet::len).sum();
            assert_eq!(written, received, "{}", stage.name());
        }
    }
    assert!(adds > 50 && pools[0] > 5 && pools[1] > 20, "{adds} additions, {pools:?} pools");
    assert!(concats > 20 && tables > 20, "{concats} concatenations, {tables} tables");
}

/// Instructions that are written as a trace and read again are the same, and take the same cycles.
#[test]
fn a_graph_written_as_a_trace_takes_the_same_cycles() {
    let mut random = Random(49);
    let mapping = Mapping::parse("differential").unwrap();
    let mut lookups = 0;
    for _ in 0..30 {
        let program = compiled(&mut random, &mapping, &chips::exact(), 2).0.program;
        let hardware = program.hardware();
        let lowered = workload(&program, &hardware).unwrap();
        let mut text = Vec::new();
        trace::write(&lowered.workload, &mut text).unwrap();
        let read = trace::read(text.as_slice()).unwrap();
        assert_eq!(read, lowered.workload);
        read.check(&hardware, 2).unwrap();
        let report = execute(&read, &hardware, 2, Settings::default()).unwrap();
        assert_eq!(report, timing::run_lowered(&program, lowered, 2, Settings::default()).unwrap().report);
        lookups += usize::from(String::from_utf8(text).unwrap().contains("vector lookup "));
    }
    assert!(lookups > 10, "{lookups}");
}

/// The price of a look-up may be left out of a cost table, but not where codes are looked up.
#[test]
fn look_ups_are_paid_for_or_refused() {
    let mut random = Random(50);
    let mapping = Mapping::parse("isaac").unwrap();
    let mut chip = chips::exact();
    let (mut with, mut without) = (0, 0);
    for _ in 0..40 {
        chip.costs.energy_j.lookup = None;
        let mut program = compiled(&mut random, &mapping, &chip, 2).0.program;
        let counts = timing::run(&program, 1).unwrap().counts;
        let energy = |program: &Program| price(&counts, program, ArrayEnergy::PerCellRead, 0.0);
        match energy(&program) {
            Ok(_) => {
                assert_eq!(counts.lookup, 0);
                without += 1;
            }
            Err(error) => {
                assert!(error.contains("energy_j.lookup is missing in cost table `isaac-32nm`"), "{error}");
                let priced = |program: &mut Program, price_j: f64| {
                    program.chip.costs.energy_j.lookup = Some(price_j);
                    energy(program).unwrap().vector_j
                };
                let (free, paid) = (priced(&mut program, 0.0), priced(&mut program, 1e-9));
                let expected = counts.lookup as f64 * 1e-9;
                assert!((paid - free - expected).abs() < 1e-12 * paid, "{paid}, {free}, {expected}");
                with += 1;
            }
        }
    }
    assert!(with > 10 && without > 5, "{with} with tables, {without} without");
}

#[test]
fn look_ups_take_the_time_that_the_chip_says() {
    let mut random = Random(51);
    let mapping = Mapping::parse("isaac").unwrap();
    let mut slower = 0;
    for _ in 0..20 {
        let mut program = compiled(&mut random, &mapping, &chips::exact(), 2).0.program;
        let fast = timing::run(&program, 1).unwrap();
        program.chip.tile.digital.lookup_cycles += 500;
        let slow = timing::run(&program, 1).unwrap();
        assert_eq!(slow.counts, fast.counts);
        assert_eq!(slow.cycles() > fast.cycles(), fast.counts.lookup > 0);
        slower += usize::from(fast.counts.lookup > 0);
    }
    assert!(slower > 5, "{slower}");
}
