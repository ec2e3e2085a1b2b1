//! What the compiler makes of no chain of layers: additions, averages, results of both signs, larger biases.

use crate::support::random::Random;
use chip::program::{AddStage, Axis, FeatureMap, Output, PoolKind, Program, Stage, Window};

/// Changes stages here and there; shapes and widths stay.
pub(crate) fn own_stages(program: &mut Program, random: &mut Random) {
    for stage in &mut program.stages {
        match stage {
            Stage::Mvm(mvm) => {
                own_windows(&mut mvm.window, random);
                // Biases as large as the sums.
                mvm.bias.iter_mut().for_each(|bias| *bias += random.within(0, 2000) as i64 - 500);
                if let Output::Codes { signed, sign_bit, .. } = &mut mvm.output {
                    *signed = *sign_bit && random.once_in(2);
                }
                if random.once_in(2) {
                    mvm.multipliers.iter_mut().for_each(|factor| *factor *= random.pick(&[0.5, 1.0, 1.3]));
                }
            }
            Stage::Pool(pool) if random.once_in(2) => {
                own_windows(&mut pool.window, random);
                let (multiplier, bits) = (random.pick(&[0.25, 0.3, 1.0]), pool.window.input.bits);
                pool.kind = PoolKind::Average { multiplier, count_padding: true, bits };
            }
            _ => {}
        }
    }
    let additions = if random.once_in(3) { random.within(1, 2) } else { 0 };
    for _ in 0..additions {
        add_a_map(program, random);
    }
}

/// Places further apart, with as much more padding, and more padding on one side than on the other: as many windows as before.
fn own_windows(window: &mut Window, random: &mut Random) {
    for axis in [&mut window.vertical, &mut window.horizontal] {
        if random.once_in(3) {
            *axis = Axis { dilation: 2, after: axis.after + axis.kernel - 1, ..*axis };
        }
        let padding = axis.before + axis.after;
        if u64::from(padding) < axis.reach() && random.once_in(2) {
            axis.before = random.within(0, padding as usize) as u32;
            axis.after = padding - axis.before;
        }
    }
}

/// The map that a source holds.
fn map_of(program: &Program, source: usize) -> FeatureMap {
    source.checked_sub(1).map_or(program.input, |stage| program.stages[stage].output())
}

/// Adds to the result of a stage, for all that read it, a map of its shape: itself or an earlier one.
fn add_a_map(program: &mut Program, random: &mut Random) {
    if program.stages.len() < 2 {
        return;
    }
    let source = random.within(1, program.stages.len() - 1);
    let map = map_of(program, source);
    let shape = |map: FeatureMap| (map.height, map.width, map.channels);
    let alike: Vec<usize> = (0..=source).filter(|&other| shape(map_of(program, other)) == shape(map)).collect();
    let other = random.pick(&alike);
    let factors = [0.5, 1.0, 0.37];
    let add = AddStage {
        name: format!("add{}", program.stages.len()),
        inputs: [source as u32, other as u32],
        maps: [map, map_of(program, other)],
        multipliers: [random.pick(&factors), random.pick(&factors)],
        bits: map.bits - u32::from(map.signed),
        signed: map.signed && random.once_in(2),
        sign_bit: map.signed,
        tile: program.stages[source - 1].home_tile(),
    };
    // Whoever read the source, or what lies behind it, is one further.
    let moved = |input: &mut u32| *input += u32::from(*input as usize >= source);
    for stage in &mut program.stages[source..] {
        match stage {
            Stage::Mvm(mvm) => moved(&mut mvm.input),
            Stage::Pool(pool) => moved(&mut pool.input),
            Stage::Add(add) => add.inputs.iter_mut().for_each(moved),
            Stage::Concat(concat) => concat.inputs.iter_mut().for_each(moved),
            Stage::Table(table) => moved(&mut table.input),
        }
    }
    program.stages.insert(source, Stage::Add(add));
}
