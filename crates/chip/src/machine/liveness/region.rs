//! The items of regions in the game of one image.

use crate::machine::work::{Region, Workload};

/// How far writers and readers of a region are.
#[derive(Debug)]
pub(super) struct Items {
    items: u64,
    capacity: Option<u64>,
    /// Core and items written.
    writers: Vec<(u32, u64)>,
    /// Core and items given back, counted without a gap, and core and item of those behind a gap.
    readers: Vec<(u32, u64)>,
    early: Vec<(u32, u64)>,
    /// Items that are there, counted without a gap.
    there: u64,
    /// Items that all readers have given back.
    freed: u64,
}

impl Items {
    pub(super) fn new(region: &Region) -> Self {
        let none = |cores: &[u32]| cores.iter().map(|&core| (core, 0)).collect();
        let there = if region.writers.is_empty() { region.items } else { 0 };
        Self {
            items: region.items,
            // A result keeps nothing.
            capacity: if region.readers.is_empty() { None } else { region.capacity },
            writers: none(&region.writers),
            readers: none(&region.readers),
            early: Vec::new(),
            there,
            freed: 0,
        }
    }

    /// The item of the image that a writer writes behind `earlier` ones.
    pub(super) fn item(&self, core: u32, earlier: u64) -> u64 {
        let place = self.writers.iter().position(|writer| writer.0 == core).unwrap_or(0);
        earlier.saturating_mul(self.writers.len() as u64).saturating_add(place as u64)
    }

    /// Whether there is room for an item.
    fn has_room(&self, item: u64) -> bool {
        self.capacity.is_none_or(|capacity| item < self.freed.saturating_add(capacity))
    }

    /// The capacity with which there would be room for an item.
    pub(super) fn room_for(&self, item: u64) -> u64 {
        item.saturating_sub(self.freed).saturating_add(1)
    }

    pub(super) fn capacity(&self) -> Option<u64> {
        self.capacity
    }

    pub(super) fn set_capacity(&mut self, capacity: u64) {
        self.capacity = Some(capacity);
    }

    /// One more item of a writer.
    fn write(&mut self, core: u32) {
        if let Some((_, count)) = self.writers.iter_mut().find(|writer| writer.0 == core) {
            *count += 1;
        }
        let missing = self.writers.iter().map(|&(core, count)| self.item(core, count)).min();
        self.there = missing.unwrap_or(0).min(self.items);
    }

    /// A reader gives the items before `count` back.
    fn free(&mut self, core: u32, count: u64) {
        if let Some((_, given)) = self.readers.iter_mut().find(|reader| reader.0 == core) {
            *given = count.max(*given);
        }
        self.freed = self.readers.iter().map(|&(_, given)| given).min().unwrap_or(self.items);
    }

    /// A reader gives an item back.
    fn free_item(&mut self, core: u32, item: u64) {
        self.early.push((core, item));
        let mut given = self.readers.iter().find(|reader| reader.0 == core).map_or(0, |&(_, given)| given);
        while let Some(at) = self.early.iter().position(|&early| early == (core, given)) {
            self.early.swap_remove(at);
            given += 1;
        }
        self.free(core, given);
    }

    /// The reader that has given back least.
    pub(super) fn last_reader(&self) -> Option<u32> {
        self.readers.iter().min_by_key(|(_, given)| *given).map(|&(core, _)| core)
    }
}

/// All regions, and which of them have changed.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) regions: Vec<Items>,
    pub(super) changed: Vec<u32>,
}

impl Board {
    pub(super) fn new(work: &Workload) -> Self {
        Self { regions: work.regions.iter().map(Items::new).collect(), changed: Vec::new() }
    }

    /// Items of a region that are there.
    pub(super) fn there(&self, region: u32) -> u64 {
        self.regions.get(region as usize).map_or(0, |items| items.there)
    }

    /// Whether a writer that has taken so many places before has room for its next item.
    pub(super) fn has_room(&self, region: u32, core: u32, earlier: u64) -> bool {
        self.regions.get(region as usize).is_some_and(|items| items.has_room(items.item(core, earlier)))
    }

    pub(super) fn write(&mut self, region: u32, core: u32) {
        self.change(region, |items| items.write(core));
    }

    pub(super) fn free(&mut self, region: u32, core: u32, count: u64) {
        self.change(region, |items| items.free(core, count));
    }

    pub(super) fn free_item(&mut self, region: u32, core: u32, item: u64) {
        self.change(region, |items| items.free_item(core, item));
    }

    fn change(&mut self, region: u32, change: impl FnOnce(&mut Items)) {
        if let Some(items) = self.regions.get_mut(region as usize) {
            change(items);
            self.changed.push(region);
        }
    }
}
