//! What must hold of the graph: every stage reads maps that stages before it write, of the shape they write, and none is for nothing.

use super::validate::MOST_CODE_BITS;
use super::{ConcatStage, FeatureMap, Program, Stage, Window};

/// Values that one feature map or one matrix may have; keeps damaged sizes from exhausting the memory.
const LARGEST: u64 = 1 << 31;
/// Most sources of a concatenation.
const MOST_SOURCES: usize = 1024;

impl Program {
    /// Every result but the last, the scores, must be read.
    pub(super) fn check_readers(&self) -> Result<(), String> {
        let but_last = self.stages.split_last().map_or(&[][..], |(_, before)| before);
        match but_last.iter().enumerate().find(|&(index, _)| self.readers(index).next().is_none()) {
            Some((_, stage)) => Err(format!("stage `{}`: no stage reads its result", stage.name())),
            None => Ok(()),
        }
    }

    /// Checks what a stage reads; the stages before it must have been checked.
    pub(super) fn check_sources(&self, index: usize, stage: &Stage) -> Result<(), String> {
        if let Stage::Concat(concat) = stage {
            check_lengths(concat)?;
        }
        for (&source, map) in stage.inputs().iter().zip(stage.input_maps()) {
            let (writer, written) = match (source as usize).checked_sub(1) {
                None => ("the program's input".to_owned(), self.input),
                Some(before) if before < index => {
                    (format!("what `{}` writes", self.stages[before].name()), self.stages[before].output())
                }
                Some(_) => return Err(format!("input {source} is not before it; allowed is 0 to {index}")),
            };
            if *map != written {
                return Err(format!("its input is {map:?}, but {writer} is {written:?}"));
            }
        }
        match stage {
            Stage::Add(add) => {
                let shape = |map: FeatureMap| (map.height, map.width, map.channels);
                if shape(add.maps[0]) != shape(add.maps[1]) {
                    return Err(format!("it adds {:?} and {:?}, which differ in shape", add.maps[0], add.maps[1]));
                }
            }
            Stage::Concat(ConcatStage { maps, .. }) => {
                let size = |map: &FeatureMap| (map.height, map.width);
                if let Some(other) = maps.iter().find(|map| size(map) != size(&maps[0])) {
                    return Err(format!("it joins {:?} and {other:?}, which differ in height or width", maps[0]));
                }
            }
            _ => {}
        }
        check_window(&stage.window())
    }
}

/// A concatenation needs a map and a multiplier for each of its sources.
fn check_lengths(stage: &ConcatStage) -> Result<(), String> {
    let sources = stage.inputs.len();
    if !(2..=MOST_SOURCES).contains(&sources) {
        return Err(format!("it joins {sources} maps; allowed is 2 to {MOST_SOURCES}"));
    }
    if stage.maps.len() == sources && stage.multipliers.len() == sources {
        return Ok(());
    }
    let (maps, multipliers) = (stage.maps.len(), stage.multipliers.len());
    Err(format!("it joins {sources} maps, but describes {maps} and has {multipliers} multipliers"))
}

/// Widths with which codes are numbers.
pub(super) fn check_format(map: &FeatureMap) -> Result<(), String> {
    let sign = u32::from(map.signed);
    if map.bits > sign && map.bits <= MOST_CODE_BITS + sign {
        return Ok(());
    }
    Err(format!("codes of {} bits; allowed is 1 to {MOST_CODE_BITS}, and a sign bit where they are signed", map.bits))
}

fn check_window(window: &Window) -> Result<(), String> {
    if !(1..=65_536).contains(&window.input.channels) {
        return Err("its input must have 1 to 65536 channels".to_owned());
    }
    window.vertical.check(window.input.height)?;
    window.horizontal.check(window.input.width)?;
    let product = |values: &[u32]| values.iter().fold(1_u64, |p, &v| p.saturating_mul(v.into()));
    let map = product(&[window.input.height, window.input.width, window.input.channels]);
    let rows = product(&[window.vertical.kernel, window.horizontal.kernel, window.input.channels]);
    if map > LARGEST || rows > LARGEST { Err("the feature map or the window is too large".to_owned()) } else { Ok(()) }
}
