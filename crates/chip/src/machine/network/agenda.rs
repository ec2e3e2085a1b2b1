//! Which output decides when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Cycles ahead for which there is a list each; the rest is in a heap.
const NEAR: u64 = 64;

/// Outputs by the network cycle of their next decision: a wheel of lists, as most decisions are a few cycles ahead.
#[derive(Debug)]
pub(super) struct Agenda {
    /// No entry is earlier.
    now: u64,
    /// The list of cycle `c` is number `c % NEAR`.
    near: Vec<Vec<u32>>,
    /// Which lists are not empty, as bits.
    filled: u64,
    far: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Agenda {
    pub(super) fn new() -> Self {
        Self { now: 0, near: vec![Vec::new(); NEAR as usize], filled: 0, far: BinaryHeap::new() }
    }

    /// An output decides in a cycle that is not past.
    pub(super) fn add(&mut self, cycle: u64, output: u32) {
        if cycle - self.now < NEAR {
            let at = cycle % NEAR;
            self.near[at as usize].push(output);
            self.filled |= 1 << at;
        } else {
            self.far.push(Reverse((cycle, output)));
        }
    }

    /// The cycle of the next decision.
    pub(super) fn next(&self) -> Option<u64> {
        let ahead = self.filled.rotate_right((self.now % NEAR) as u32).trailing_zeros();
        let near = (self.filled != 0).then_some(self.now + u64::from(ahead));
        near.into_iter().chain(self.far.peek().map(|Reverse((cycle, _))| *cycle)).min()
    }

    /// Moves those that decide in cycle `now`, before which nobody does, to a list, which must be empty.
    pub(super) fn take(&mut self, now: u64, outputs: &mut Vec<u32>) {
        self.now = now;
        let at = now % NEAR;
        self.filled &= !(1 << at);
        std::mem::swap(&mut self.near[at as usize], outputs);
        while let Some(&Reverse((cycle, output))) = self.far.peek()
            && cycle <= now
        {
            self.far.pop();
            outputs.push(output);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_come_in_the_order_of_cycles() {
        let cycles = [3, 63, 64, 65, 66, 130, 131, 1000, 1001, 5000];
        let mut agenda = Agenda::new();
        for (output, cycle) in (0..).zip(cycles) {
            agenda.add(cycle, output);
        }
        let mut found = Vec::new();
        while let Some(cycle) = agenda.next() {
            let mut outputs = Vec::new();
            agenda.take(cycle, &mut outputs);
            if cycle == 64 {
                (0..2).for_each(|output| agenda.add(66, 10 + output));
            }
            found.push((cycle, outputs));
        }
        let expected = cycles.iter().zip(0..).map(|(&cycle, output)| match cycle {
            66 => (66, vec![10, 11, 4]),
            _ => (cycle, vec![output]),
        });
        assert_eq!(found, expected.collect::<Vec<_>>());
    }
}
