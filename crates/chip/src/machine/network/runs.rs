//! Flits or credits that come one a cycle: runs of them, so that a run costs as much as a single one.

use std::collections::VecDeque;

/// The first comes at `from`, one more each cycle.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    from: u64,
    count: u64,
}

/// What one reader, who takes at most one a cycle, has before it: what is there, and what is known to come. Instants are network cycles.
///
/// The first run is kept apart: most readers never have a second one before them, and the queue behind it takes no memory until then.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    /// Empty only if there are none.
    first: Run,
    rest: VecDeque<Run>,
}

impl Runs {
    /// Some that are there from the start.
    pub(super) fn of(count: u64) -> Self {
        Self { first: Run { from: 0, count }, rest: VecDeque::new() }
    }

    /// `count` more, of which the first comes at `from`, not before what was added earlier.
    ///
    /// Joins the run before if the reader, who takes one a cycle from `now` on at the earliest, cannot tell the difference.
    pub(super) fn add(&mut self, now: u64, from: u64, count: u64) {
        if self.first.count == 0 {
            self.first = Run { from, count };
            return;
        }
        let last = self.rest.back_mut().unwrap_or(&mut self.first);
        if from <= last.from.max(now) + last.count {
            last.count += count;
        } else {
            self.rest.push_back(Run { from, count });
        }
    }

    /// How many, `most` at most, the reader can take in as many cycles from `now` on.
    pub(super) fn in_a_row(&self, now: u64, most: u64) -> u64 {
        let mut count = 0;
        for run in std::iter::once(&self.first).chain(&self.rest) {
            if count >= most || run.from > now + count {
                break;
            }
            count += run.count;
        }
        count.min(most)
    }

    /// The reader takes so many, which [`Runs::in_a_row`] has allowed, one a cycle from `now` on.
    pub(super) fn take(&mut self, now: u64, count: u64) {
        let mut left = count;
        while left >= self.first.count {
            left -= self.first.count;
            let Some(next) = self.rest.pop_front() else {
                self.first = Run::default();
                return;
            };
            self.first = next;
        }
        self.first.count -= left;
        self.first.from = self.first.from.max(now + count);
    }

    /// When the next one is there, if it is known.
    pub(super) fn next(&self) -> Option<u64> {
        (self.first.count > 0).then_some(self.first.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_follow_each_other_are_one() {
        let mut runs = Runs::of(2);
        runs.add(5, 7, 3);
        assert_eq!((runs.in_a_row(5, 9), runs.in_a_row(5, 4)), (5, 4));
        runs.add(5, 11, 1);
        assert_eq!((runs.in_a_row(5, 9), runs.in_a_row(6, 9)), (5, 6), "the last one is there at 11, not at 10");
        runs.take(5, 5);
        assert_eq!((runs.next(), runs.in_a_row(10, 9), runs.in_a_row(11, 9)), (Some(11), 0, 1));
        runs.take(11, 1);
        assert_eq!((runs.next(), runs.in_a_row(12, 9)), (None, 0));
    }

    #[test]
    fn what_is_left_of_a_run_comes_behind_what_was_taken() {
        let mut runs = Runs::of(8);
        runs.take(10, 3);
        runs.add(10, 18, 2);
        assert_eq!(runs.in_a_row(13, 9), 7, "5 from 13 on and 2 from 18 on are one run");
        assert_eq!(runs.next(), Some(13));
    }
}
