//! Regions: which items are there, and where there is room.

use super::causes::{NONE, Op};
use crate::machine::work::Region;

/// State of a region. Items are counted over the whole run.
#[derive(Debug)]
pub(super) struct RegionState<'a> {
    region: &'a Region,
    /// Items that each writer has written, counted without a gap, and those of the run behind a gap (a short item overtakes a long one where
    /// the buffer has several ports).
    written: Vec<u64>,
    early: Vec<u64>,
    /// Items for which each writer has taken a place.
    reserved: Vec<u64>,
    /// Items that each writer has sent off or begun to store.
    dispatched: Vec<u64>,
    /// Items that each reader has given back, counted without a gap, and with their readers those of the run behind a gap.
    freed: Vec<u64>,
    early_freed: Vec<(usize, u64)>,
    /// Items that each reader has received or will receive in write-backs that have begun.
    expected: Vec<u64>,
    /// Most places in use. Places that were freed and taken in one instant count once.
    peak: u64,
    /// The operations that wrote and that gave back the last items.
    pub(super) written_by: Op,
    pub(super) freed_by: Op,
}

impl<'a> RegionState<'a> {
    pub(super) fn new(region: &'a Region) -> Self {
        let (writers, readers) = (vec![0; region.writers.len()], vec![0; region.readers.len()]);
        Self {
            region,
            written: writers.clone(),
            early: Vec::new(),
            dispatched: writers.clone(),
            reserved: writers,
            freed: readers.clone(),
            early_freed: Vec::new(),
            expected: readers,
            peak: 0,
            written_by: NONE,
            freed_by: NONE,
        }
    }

    pub(super) fn region(&self) -> &'a Region {
        self.region
    }

    /// Whether the first `count` items of an image are there.
    pub(super) fn holds(&self, image: u64, count: u64) -> bool {
        let writers = self.written.len() as u64;
        (0..).zip(&self.written).all(|(slot, &written)| {
            let of_image = share(count, slot, writers);
            of_image == 0 || written >= image * self.share(slot) + of_image
        })
    }

    /// Whether an item of the run and all before it are there.
    pub(super) fn has(&self, item: u64) -> bool {
        let (image, count) = (item / self.region.items, item % self.region.items + 1);
        let writers = self.written.len() as u64;
        (0..)
            .zip(&self.written)
            .all(|(slot, &written)| written >= image * self.share(slot) + share(count, slot, writers))
    }

    /// Items of an image that a writer writes.
    fn share(&self, writer: u64) -> u64 {
        share(self.region.items, writer, self.written.len() as u64)
    }

    /// Takes a place for the next item of a writer, if there is one.
    pub(super) fn take_place(&mut self, core: u32) -> bool {
        let slot = slot(&self.region.writers, core);
        let item = self.item(slot, self.reserved[slot]);
        let room = self.has_room(item);
        self.reserved[slot] += u64::from(room);
        room
    }

    fn has_room(&self, item: u64) -> bool {
        let (Some(capacity), Some(freed)) = (self.region.capacity, self.freed.iter().min()) else { return true };
        item < freed.saturating_add(capacity)
    }

    /// The number, over the run, of a writer's item number `index`.
    fn item(&self, slot: usize, index: u64) -> u64 {
        let writers = self.region.writers.len() as u64;
        if writers == 1 {
            return index;
        }
        let share = self.share(slot as u64).max(1);
        index / share * self.region.items + slot as u64 + index % share * writers
    }

    /// The number of the next item that a writer sends off or stores.
    pub(super) fn dispatch(&mut self, core: u32) -> u64 {
        let slot = slot(&self.region.writers, core);
        let item = self.item(slot, self.dispatched[slot]);
        self.dispatched[slot] += 1;
        item
    }

    /// The item of the run that a core stores next: a core's stores have one bus, which serves them in order.
    pub(super) fn next_item(&self, core: u32) -> u64 {
        let slot = slot(&self.region.writers, core);
        self.item(slot, self.written[slot])
    }

    /// An item of the run is there.
    pub(super) fn write(&mut self, core: u32, item: u64, by: Op) {
        self.written_by = by;
        let slot = slot(&self.region.writers, core);
        if item != self.item(slot, self.written[slot]) {
            self.early.push(item);
            return;
        }
        self.written[slot] += 1;
        while let Some(at) = self.early.iter().position(|&early| early == self.item(slot, self.written[slot])) {
            self.early.swap_remove(at);
            self.written[slot] += 1;
        }
    }

    /// A reader gives back the items of an image before `count`.
    pub(super) fn free(&mut self, core: u32, image: u64, count: u64, by: Op) {
        self.freed_by = by;
        let freed = &mut self.freed[slot(&self.region.readers, core)];
        *freed = (*freed).max(image * self.region.items + count);
    }

    /// A reader gives back an item of the run that it has received.
    pub(super) fn free_received(&mut self, core: u32, item: u64, by: Op) {
        self.freed_by = by;
        let slot = slot(&self.region.readers, core);
        if item != self.freed[slot] {
            self.early_freed.push((slot, item));
            return;
        }
        self.freed[slot] += 1;
        while let Some(at) = self.early_freed.iter().position(|&early| early == (slot, self.freed[slot])) {
            self.early_freed.swap_remove(at);
            self.freed[slot] += 1;
        }
    }

    /// The item of the run that a reader's next `receive` receives.
    pub(super) fn expect(&mut self, core: u32) -> u64 {
        let slot = slot(&self.region.readers, core);
        self.expected[slot] += 1;
        self.expected[slot] - 1
    }

    /// To be called when an instant is over.
    pub(super) fn settle(&mut self) {
        let freed = self.freed.iter().min().copied().unwrap_or(u64::MAX);
        self.peak = self.peak.max(self.reserved.iter().sum::<u64>().saturating_sub(freed));
    }

    pub(super) fn peak(&self) -> u64 {
        self.peak
    }
}

/// How many of the first `count` items belong to one of several writers that take turns.
fn share(count: u64, slot: u64, writers: u64) -> u64 {
    if writers == 1 { count } else { count.saturating_sub(slot).div_ceil(writers) }
}

/// Place of a core in a region's list; checked workloads have it.
fn slot(cores: &[u32], core: u32) -> usize {
    cores.iter().position(|&listed| listed == core).unwrap_or(0)
}
