//! A program as text, as the passes that make it decide it: one thing a pass, none of which a later pass changes.

use chip::program::{MvmStage, PlacedCrossbar, Program, ProgramError, Slice, Stage, listing};
use std::fmt::Write;

/// What shows what a pass decided about a program.
pub type Inspect = fn(&Program) -> Result<String, ProgramError>;

/// Name of a pass behind the integers, what it does, and what it decided.
pub type ProgramPass = (&'static str, &'static str, Inspect);

/// The passes from integers to a program, in their order.
pub const PROGRAM_PASSES: &[ProgramPass] = &[
    (
        "map",
        "every weight becomes cells: the strategy of each layer, its slices, offset and clipped weights",
        |program| Ok(map(program)),
    ),
    (
        "partition",
        "matrices are cut into arrays by rows and outputs; whole groups share an array, as blocks on its diagonal",
        |program| Ok(partition(program)),
    ),
    ("calibrate", "the range of every converter, per layer and slice", |program| Ok(calibrate(program))),
    ("replicate", "with --replicate: the stages that an image keeps busy longest get copies", |program| {
        Ok(replicate(program))
    }),
    ("place", "every crossbar gets its array and every tile its place on the mesh; --placement", |program| {
        Ok(place(program))
    }),
    ("schedule", "stages read each other's results, window by window, as soon as they are there", |program| {
        Ok(schedule(program))
    }),
    ("emit", "the files of the program, and every array in them: type, sizes and SHA-256", listing),
];

/// One line a weighted stage.
fn each(program: &Program, line: impl Fn(&MvmStage) -> String) -> String {
    program.mvm_stages().fold(String::new(), |text, (_, stage)| text + &format!("`{}`: {}\n", stage.name, line(stage)))
}

/// One line a weighted stage, and one a crossbar below it.
fn each_crossbar(program: &Program, line: impl Fn(&MvmStage, usize, &PlacedCrossbar) -> String) -> String {
    each(program, |stage| {
        let lines = stage.crossbars.iter().enumerate();
        let size = format!("{} crossbars of {} arrays", stage.crossbars.len(), stage.polarities);
        lines
            .fold(size, |text, (index, placed)| text + &format!("\n  crossbar {index}: {}", line(stage, index, placed)))
    })
}

fn map(program: &Program) -> String {
    each(program, |stage| {
        let slice = |of: &Slice| format!("{} bits x {}", of.bits, of.significance);
        let slices: Vec<String> = stage.slices.iter().map(slice).collect();
        let clipped = stage.clipped_weights;
        format!(
            "{}, slices {}, arrays {}, offset {}, {clipped} weights clipped",
            stage.mapping,
            slices.join(", "),
            stage.polarities,
            stage.offset
        )
    })
}

fn partition(program: &Program) -> String {
    each_crossbar(program, |stage, _, placed| {
        let groups = stage.groups().of(placed);
        let (rows, outputs) = (placed.row_start + placed.rows, placed.output_start + placed.outputs);
        format!(
            "rows {}..{rows}, outputs {}..{outputs}, groups {}..{}",
            placed.row_start, placed.output_start, groups.start, groups.end
        )
    })
}

fn calibrate(program: &Program) -> String {
    each(program, |stage| {
        let slice = |Slice { adc, .. }: &Slice| {
            format!("codes {} to {} in steps of {} levels", adc.min_code, adc.max_code, adc.step)
        };
        stage.slices.iter().map(slice).collect::<Vec<_>>().join("; ")
    })
}

fn replicate(program: &Program) -> String {
    each(program, |stage| format!("{} copies, {} arrays each", stage.copies(), stage.arrays()))
}

fn place(program: &Program) -> String {
    each_crossbar(program, |stage, index, placed| {
        let mut text = format!("tile {} array {} bank {}", placed.tile, placed.array, placed.bank);
        for replica in &stage.replicas {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "; tile {} array {} bank {}",
                replica[index].tile, replica[index].array, replica[index].bank
            );
        }
        text
    })
}

fn schedule(program: &Program) -> String {
    let line = |(index, stage): (usize, &Stage)| {
        let sources: Vec<String> = stage.inputs().iter().map(|source| format!("%{source}")).collect();
        let windows = stage.window().count();
        let copies = if let Stage::Mvm(mvm) = stage { mvm.copies() } else { 1 };
        format!("%{} = `{}` of {}, {windows} windows in {copies} copies\n", index + 1, stage.name(), sources.join(" "))
    };
    program.stages.iter().enumerate().map(line).collect()
}
