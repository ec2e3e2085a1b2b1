//! Instructions and their repetition.

use super::{MOST_INSTRUCTIONS, Reader};
use crate::machine::instruction::{Instruction, VectorOperation};
use crate::machine::trace::error::{Fault, shown};
use crate::machine::trace::words::{Words, number};
use std::collections::BTreeMap;

/// Repetitions within each other.
const DEEPEST: usize = 16;

const INSTRUCTIONS: &str = "`sync wait|room|free`, `load`, `load memory`, `mvm`, `receive`, `merge`, `vector`, `send`, \
                            `store`, `repeat`, `end`, or a declaration (`region`, `result`, `core`, `banks`)";

/// The last count of `sync wait` (false) and `sync free` (true) for each region, to which `+` adds.
pub(super) type Counts = BTreeMap<(bool, u32), u64>;

/// A repetition that is being read.
pub(super) struct Body {
    times: u64,
    nodes: Vec<Node>,
    /// Instructions of one turn, repetitions within included.
    length: u64,
}

/// Part of a repetition.
enum Node {
    One(Entry),
    Many(Body),
}

/// An instruction as written.
#[derive(Clone, Copy)]
struct Entry {
    line: usize,
    instruction: Instruction,
    /// Whether its count is to be added to the last one.
    relative: bool,
}

impl Reader {
    pub(super) fn read_repeat(&mut self, words: &mut Words<'_>) -> Result<(), Fault> {
        self.within_core("repeat")?;
        let allowed = "the number of times, at least 1";
        let times: u64 = words.number(allowed)?;
        if times == 0 {
            return Err(Fault::new("`0`", allowed));
        }
        if self.open.len() == DEEPEST {
            return Err(Fault::new("`repeat`", format!("at most {DEEPEST} repetitions within each other")));
        }
        self.open.push(Body { times, nodes: Vec::new(), length: 0 });
        Ok(())
    }

    pub(super) fn end_repeat(&mut self) -> Result<(), Fault> {
        let body = self.open.pop().ok_or_else(|| Fault::new("`end`", "only behind `repeat`"))?;
        // Else the loop below might turn for ever without an instruction to count.
        if body.nodes.is_empty() {
            return Err(Fault::new("an empty repetition", "instructions between `repeat` and `end`"));
        }
        let length = body.times.saturating_mul(body.length);
        // Said before the memory is taken.
        if length > (MOST_INSTRUCTIONS - self.instructions) as u64 {
            return Err(too_many(&format!("a repetition of {length} instructions")));
        }
        match self.open.last_mut() {
            Some(outer) => {
                outer.length = outer.length.saturating_add(length);
                outer.nodes.push(Node::Many(body));
            }
            None => self.expand(&body)?,
        }
        Ok(())
    }

    pub(super) fn read_instruction(&mut self, line: usize, first: &str, words: &mut Words<'_>) -> Result<(), Fault> {
        let (instruction, relative) = instruction(first, words)?;
        self.within_core(first)?;
        let entry = Entry { line, instruction, relative };
        match self.open.last_mut() {
            Some(body) => {
                body.length = body.length.saturating_add(1);
                body.nodes.push(Node::One(entry));
            }
            None => self.push(entry)?,
        }
        Ok(())
    }

    fn expand(&mut self, body: &Body) -> Result<(), Fault> {
        for _ in 0..body.times {
            for node in &body.nodes {
                match node {
                    Node::One(entry) => self.push(*entry)?,
                    Node::Many(inner) => self.expand(inner)?,
                }
            }
        }
        Ok(())
    }

    /// Appends an instruction to the core that is read.
    fn push(&mut self, entry: Entry) -> Result<(), Fault> {
        if self.instructions == MOST_INSTRUCTIONS {
            return Err(too_many("one more instruction"));
        }
        self.instructions += 1;
        let instruction = self.resolve(entry)?;
        if let Some(core) = self.workload.cores.last_mut() {
            core.instructions.push(instruction);
        }
        Ok(())
    }

    /// Adds the last count to a relative one.
    fn resolve(&mut self, entry: Entry) -> Result<Instruction, Fault> {
        let mut instruction = entry.instruction;
        let (free, region, count) = match &mut instruction {
            Instruction::Wait { region, count } => (false, *region, count),
            Instruction::Free { region, count } => (true, *region, count),
            _ => return Ok(instruction),
        };
        let last = self.counts.entry((free, region)).or_insert(0);
        if entry.relative {
            let found = || Fault::new(format!("`+{count}` of line {}", entry.line), "counts of less than 65 bits");
            *count = last.checked_add(*count).ok_or_else(found)?;
        }
        *last = *count;
        Ok(instruction)
    }

    fn within_core(&self, word: &str) -> Result<(), Fault> {
        let within = !self.workload.cores.is_empty();
        if within { Ok(()) } else { Err(Fault::new(format!("`{}`", shown(word)), "only behind a `core`")) }
    }
}

fn too_many(found: &str) -> Fault {
    Fault::new(found, format!("at most {MOST_INSTRUCTIONS} instructions in a trace, repetitions included"))
}

/// An instruction, and whether its count is relative.
fn instruction(first: &str, words: &mut Words<'_>) -> Result<(Instruction, bool), Fault> {
    let region = |words: &mut Words<'_>| words.number("the number of a region");
    let bits = |words: &mut Words<'_>| words.number("bits");
    let values = |words: &mut Words<'_>| words.number("values");
    let instruction = match first {
        "sync" => return sync(words),
        "load" => load(words)?,
        "mvm" => Instruction::Mvm { slices: words.number("input slices")? },
        "receive" => Instruction::Receive { region: region(words)? },
        "merge" => Instruction::Merge { values: values(words)? },
        "vector" => Instruction::Vector { operation: operation(words)?, values: values(words)? },
        "send" => Instruction::Send { region: region(words)?, bits: bits(words)? },
        "store" => Instruction::Store { region: region(words)?, bits: bits(words)? },
        _ => return Err(Fault::new(format!("`{}`", shown(first)), INSTRUCTIONS)),
    };
    Ok((instruction, false))
}

fn sync(words: &mut Words<'_>) -> Result<(Instruction, bool), Fault> {
    let allowed = "`wait`, `room` or `free`";
    let kind = words.expect_word(allowed)?;
    if !["wait", "room", "free"].contains(&kind) {
        return Err(Fault::new(format!("`{}`", shown(kind)), allowed));
    }
    let region = words.number("the number of a region")?;
    if kind == "room" {
        return Ok((Instruction::Room { region }, false));
    }
    let allowed = format!("items, a whole number from 0 to {}, with `+` to add to the last one", u64::MAX);
    let word = words.expect_word(&allowed)?;
    let added = word.strip_prefix('+');
    let count = number(added.unwrap_or(word), &allowed)?;
    let wait = kind == "wait";
    let instruction = if wait { Instruction::Wait { region, count } } else { Instruction::Free { region, count } };
    Ok((instruction, added.is_some()))
}

fn load(words: &mut Words<'_>) -> Result<Instruction, Fault> {
    let allowed = "`memory` or the number of a region";
    let from = words.expect_word(allowed)?;
    if from == "memory" {
        let region = words.number("the number of a region")?;
        return Ok(Instruction::LoadMemory { region, bits: words.number("bits")? });
    }
    Ok(Instruction::Load { region: number(from, allowed)?, bits: words.number("bits")? })
}

fn operation(words: &mut Words<'_>) -> Result<VectorOperation, Fault> {
    let names: Vec<String> = VectorOperation::ALL.iter().map(|operation| format!("`{}`", operation.name())).collect();
    let allowed = names.join(", ");
    let word = words.expect_word(&allowed)?;
    let operation = VectorOperation::ALL.into_iter().find(|operation| operation.name() == word);
    operation.ok_or_else(|| Fault::new(format!("`{}`", shown(word)), allowed))
}
