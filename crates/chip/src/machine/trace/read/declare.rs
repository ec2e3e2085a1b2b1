//! Declarations of regions, result, cores and banks.

use super::Reader;
use crate::machine::trace::error::{Fault, shown};
use crate::machine::trace::words::{Words, number};
use crate::machine::work::{Bank, Core, Region};

impl Reader {
    pub(super) fn read_region(&mut self, words: &mut Words<'_>) -> Result<(), Fault> {
        self.before_cores("region")?;
        next_number(words, self.workload.regions.len())?;
        let region = Region {
            name: words.name()?,
            tile: words.field("tile")?,
            items: words.field("items")?,
            item_bits: words.field("bits")?,
            capacity: capacity(words)?,
            writers: words.list("writers")?,
            readers: words.list("readers")?,
        };
        self.workload.regions.push(region);
        Ok(())
    }

    pub(super) fn read_result(&mut self, words: &mut Words<'_>) -> Result<(), Fault> {
        self.before_cores("result")?;
        if self.result {
            return Err(Fault::new("a second `result`", "one result"));
        }
        self.result = true;
        self.workload.result = words.number("the number of a region")?;
        Ok(())
    }

    pub(super) fn read_core(&mut self, words: &mut Words<'_>) -> Result<(), Fault> {
        if !self.result {
            return Err(Fault::new("`core`", "`result REGION` before the first core"));
        }
        self.outside_repeat("core")?;
        next_number(words, self.workload.cores.len())?;
        let name = words.name()?;
        words.keyword("stage")?;
        let stage = words.name()?;
        let core = Core { name, stage, tile: words.field("tile")?, banks: Vec::new(), instructions: Vec::new() };
        self.workload.cores.push(core);
        self.counts.clear();
        Ok(())
    }

    pub(super) fn read_banks(&mut self, words: &mut Words<'_>) -> Result<(), Fault> {
        self.outside_repeat("banks")?;
        let count = words.number("the number of banks")?;
        let bank = Bank { count, columns: words.field("columns")? };
        match self.workload.cores.last_mut() {
            Some(core) if core.instructions.is_empty() => core.banks.push(bank),
            _ => return Err(Fault::new("`banks`", "between `core` and the first instruction of the core")),
        }
        Ok(())
    }

    /// `end trace` or the end of a repetition.
    pub(super) fn read_end(&mut self, words: &mut Words<'_>) -> Result<(), Fault> {
        match words.word() {
            None => self.end_repeat(),
            Some("trace") if !self.result => Err(Fault::new("`end trace`", "`result REGION` before it")),
            Some("trace") => {
                self.outside_repeat("end trace")?;
                self.ended = true;
                Ok(())
            }
            Some(word) => {
                Err(Fault::new(format!("`{}`", shown(word)), "`end` of a repetition or `end trace` at the end"))
            }
        }
    }

    fn before_cores(&self, what: &str) -> Result<(), Fault> {
        let before = self.workload.cores.is_empty();
        if before { Ok(()) } else { Err(Fault::new(format!("`{what}`"), "only before the first `core`")) }
    }

    fn outside_repeat(&self, what: &str) -> Result<(), Fault> {
        let outside = self.open.is_empty();
        if outside { Ok(()) } else { Err(Fault::new(format!("`{what}`"), "`end` of the repetition before it")) }
    }
}

/// The number of a declaration, which is only there to be read by people and must be the next one.
fn next_number(words: &mut Words<'_>, next: usize) -> Result<(), Fault> {
    let found: u64 = words.number("its number")?;
    let right = found == next as u64;
    if right { Ok(()) } else { Err(Fault::new(format!("number {found}"), format!("{next}, since they count from 0"))) }
}

fn capacity(words: &mut Words<'_>) -> Result<Option<u64>, Fault> {
    words.keyword("capacity")?;
    let allowed = format!("capacity, `unlimited` or a whole number from 0 to {}", u64::MAX);
    match words.expect_word(&allowed)? {
        "unlimited" => Ok(None),
        word => number(word, &allowed).map(Some),
    }
}
