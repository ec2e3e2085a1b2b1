//! Graphs that cannot run: every one is refused with the name of the stage, layer or buffer, and what would be allowed.

use crate::support::chips;
use crate::support::compiled::Compiled;
use crate::support::graphs::{compiled, residual};
use crate::support::networks::{convolutions, dataset};
use crate::support::random::Random;
use chip::config::Chip;
use chip::program::{FeatureMap, Output, PoolKind, Stage};
use chip::timing::{self, TimingError};
use nn::quantised::{QuantisedLayer, QuantisedNetwork};
use nn_compiler::mapping::Mapping;
use nn_compiler::{CompilationSettings, compile_quantised};
use tile::dac::DacFormat;

/// A residual program, and it after a change to the first stage that has one.
fn refused(change: impl Fn(&mut Stage) -> bool) -> String {
    let mut random = Random(43);
    let mapping = Mapping::parse("isaac").unwrap();
    for _ in 0..40 {
        let mut program = compiled(&mut random, &mapping, &chips::exact(), 2).0.program;
        assert_eq!(program.validate(), Ok(()));
        if program.stages.iter_mut().any(&change) {
            return program.validate().unwrap_err();
        }
    }
    panic!("no program has such a stage");
}

#[test]
fn damaged_graphs_are_refused_by_name() {
    let add = |change: fn(&mut chip::program::AddStage)| {
        refused(|stage| {
            let Stage::Add(add) = stage else { return false };
            change(add);
            true
        })
    };
    let holds = |text: String, parts: [&str; 2]| {
        assert!(parts.iter().all(|part| text.contains(part)) && text.starts_with("stage `layer"), "{text}");
    };
    holds(add(|add| add.inputs[1] = 99), ["input 99 is not before it", "allowed is 0 to"]);
    holds(add(|add| add.multipliers[0] = -1.0), ["multiplier -1 is not a positive number", "65536"]);
    holds(add(|add| add.multipliers[1] = f64::NAN), ["multiplier NaN", "65536"]);
    holds(add(|add| add.multipliers[1] = 65_537.0), ["multiplier 65537", "65536"]);
    holds(add(|add| add.bits = 17), ["output bits", "1 to 16"]);
    holds(add(|add| (add.signed, add.sign_bit) = (true, false)), ["signed codes", "sign bit"]);
    holds(add(|add| add.tile = u32::MAX), ["tile 4294967295", "does not exist"]);
    holds(add(|add| add.maps[0].bits += 1), ["its input is", "writes"]);
    let concat = |change: fn(&mut chip::program::ConcatStage)| {
        refused(|stage| {
            let Stage::Concat(concat) = stage else { return false };
            change(concat);
            true
        })
    };
    holds(concat(|concat| concat.inputs[1] = 99), ["input 99 is not before it", "allowed is 0 to"]);
    holds(concat(|concat| concat.inputs.truncate(1)), ["it joins 1 maps", "2 to 1024"]);
    holds(concat(|concat| concat.inputs.clear()), ["it joins 0 maps", "2 to 1024"]);
    holds(concat(|concat| concat.maps.clear()), ["but describes 0 and has", "multipliers"]);
    holds(concat(|concat| concat.multipliers.push(1.0)), ["but describes", "multipliers"]);
    holds(concat(|concat| concat.multipliers[0] = 0.0), ["multiplier 0 is not a positive number", "65536"]);
    holds(concat(|concat| concat.maps[1].channels += 1), ["its input is", "but "]);
    holds(concat(|concat| concat.bits = 0), ["output bits", "1 to 16"]);
    holds(concat(|concat| (concat.signed, concat.sign_bit) = (true, false)), ["signed codes", "sign bit"]);
    holds(concat(|concat| concat.tile = u32::MAX), ["tile 4294967295", "does not exist"]);
    let table = |change: fn(&mut chip::program::TableStage)| {
        refused(|stage| {
            let Stage::Table(table) = stage else { return false };
            change(table);
            true
        })
    };
    holds(table(|table| table.input = 99), ["input 99 is not before it", "allowed is 0 to"]);
    holds(table(|table| table.table.clear()), ["its table has 0 entries", "its source has codes"]);
    holds(table(|table| table.table.push(0)), ["its table has", "its source has codes"]);
    holds(table(|table| table.table[0] = 1 << 20), ["its table has code 1048576", "allowed is"]);
    holds(table(|table| (table.bits, table.table[0]) = (2, -4)), ["its table has code", "allowed is"]);
    holds(table(|table| table.bits = 17), ["output bits", "1 to 16"]);
    holds(table(|table| table.map.bits -= 1), ["its input is", "but "]);
    holds(table(|table| table.tile = u32::MAX), ["tile 4294967295", "does not exist"]);
    let average = |multiplier: f64| {
        refused(move |stage| match stage {
            Stage::Pool(pool) if matches!(pool.kind, PoolKind::Average { .. }) => {
                let bits = pool.window.input.bits;
                pool.kind = PoolKind::Average { multiplier, count_padding: true, bits };
                true
            }
            _ => false,
        })
    };
    let uncounted = refused(|stage| match stage {
        Stage::Pool(pool) if pool.window.vertical.kernel > 1 => {
            let bits = pool.window.input.bits;
            pool.kind = PoolKind::Average { multiplier: 1.0, count_padding: false, bits };
            // Places at -1, 39 and so on: none is in the map.
            let axis = &mut pool.window.vertical;
            (axis.dilation, axis.before, axis.after) = (40, 1, 40 * (axis.kernel - 1));
            true
        }
        _ => false,
    });
    holds(uncounted, ["padding does not count", "no pixel"]);
    holds(average(0.0), ["multiplier 0", "positive"]);
    holds(average(f64::INFINITY), ["multiplier inf", "positive"]);
}

#[test]
fn a_signed_map_without_its_offset_and_a_result_for_nobody_are_refused() {
    let mut random = Random(44);
    let mapping = Mapping::parse("isaac").unwrap();
    let chain = convolutions(&mut Random(5), 8);
    let data = dataset(&mut random, chain.input, 3, 3, 3);
    let mut program = Compiled::new(&chain, &data, &mapping, &chips::exact()).program;
    // One bit less and a sign: the map is as wide as before, but may be negative.
    let count = program.stages.len();
    let signed = |map: FeatureMap| FeatureMap { signed: true, ..map };
    for at in 0..count {
        match &mut program.stages[at] {
            Stage::Mvm(mvm) => {
                if at > 0 {
                    mvm.window.input = signed(mvm.window.input);
                }
                if let Output::Codes { bits, signed, sign_bit } = &mut mvm.output {
                    (*bits, *signed, *sign_bit) = (*bits - 1, true, true);
                }
            }
            Stage::Pool(pool) => pool.window.input.signed |= at > 0,
            _ => panic!("a chain has no additions, concatenations or tables"),
        }
    }
    let text = program.validate().unwrap_err();
    assert!(text.contains("input_offset = 0, but its inputs take 128"), "{text}");
    program.chip.tile.dac.format = DacFormat::SignMagnitude;
    let text = program.validate().unwrap_err();
    assert!(text.contains("its input has no sign, but the chip's tile.dac.format = \"sign-magnitude\""), "{text}");

    let (case, _) = compiled(&mut random, &mapping, &chips::exact(), 2);
    let mut program = case.program;
    let last = program.stages.len() - 1;
    let extra = program.stages[0].clone();
    program.stages.insert(last, extra);
    let text = program.validate().unwrap_err();
    assert!(text.contains("no stage reads its result"), "{text}");
}

fn compile_error(network: &QuantisedNetwork, chip: &Chip) -> String {
    let mut random = Random(45);
    let dataset = dataset(&mut random, network.input, 2, 2, 2);
    let mapping = &Mapping::parse("isaac").unwrap();
    let settings = CompilationSettings { dataset: &dataset, training: "none", mapping, chip, seed: 1 };
    compile_quantised(network, &settings).unwrap_err().to_string()
}

#[test]
fn networks_that_a_chip_cannot_apply_are_refused_by_name() {
    let chip = chips::exact();
    let network = residual(&mut Random(46), &chip);
    let changed = |change: &dyn Fn(&mut QuantisedNetwork)| {
        let mut network = network.clone();
        change(&mut network);
        compile_error(&network, &chip)
    };
    let first_mvm = |change: &'static dyn Fn(&mut nn::quantised::QuantisedMvm)| {
        changed(&|network| {
            let mvm = network.layers.iter_mut().find_map(|layer| match layer {
                QuantisedLayer::Mvm(mvm) => Some(mvm),
                _ => None,
            });
            change(mvm.unwrap());
        })
    };
    let text = changed(&|network| network.coding.format.bits = 17);
    assert!(text.contains("input bits is 17, allowed: 1 to 16"), "{text}");
    let text = first_mvm(&|mvm| mvm.groups = 5);
    assert!(text.contains("groups is 5, allowed: divisors of its"), "{text}");
    let text = first_mvm(&|mvm| mvm.input = 7);
    assert!(text.contains("input is 7, allowed: 0 to 0"), "{text}");
    // Scores for every pixel.
    let text = changed(&|network| network.layers.truncate(1));
    assert!(text.contains("the network ends in a map of") && text.contains("global pooling"), "{text}");
}

/// Buffers shrink byte by byte: the program runs until one is too small, which is named; what it is said to need is enough.
#[test]
fn a_buffer_that_is_too_small_is_named() {
    let mut random = Random(47);
    let mapping = Mapping::parse("isaac").unwrap();
    let (mut refused, mut needs_more_than_a_window) = (0, 0);
    for _ in 0..40 {
        let mut program = compiled(&mut random, &mapping, &chips::exact(), 2).0.program;
        let counted = timing::run(&program, 2).unwrap().counts;
        let mut bytes = 200;
        while bytes > 1 {
            program.chip.tile.buffer.bytes = bytes;
            match timing::run(&program, 2) {
                Ok(timing) => assert_eq!(timing.counts, counted),
                Err(TimingError::Buffer { needed_bytes, bytes: has, tile, region }) => {
                    assert!(needed_bytes > has && has == bytes, "{region}");
                    assert!(program.stages.iter().any(|stage| stage.tiles().contains(&tile)));
                    program.chip.tile.buffer.bytes = needed_bytes;
                    assert_eq!(timing::run(&program, 2).unwrap().counts, counted, "{region} in tile {tile}");
                    refused += 1;
                    needs_more_than_a_window += usize::from(program.stages.iter().any(|s| matches!(s, Stage::Add(_))));
                }
                Err(error) => panic!("{error}"),
            }
            bytes -= 1 + bytes / 20;
        }
    }
    assert!(refused > 200 && needs_more_than_a_window > 100, "{refused}, {needs_more_than_a_window}");
}
