//! Section 2: regions.

use chip::machine::work::Region;

pub(crate) struct RegionState<'w> {
    pub(crate) region: &'w Region,
    /// Items of the run.
    total: u64,
    written: Vec<bool>,
    /// Consecutive items of the run that each reader has given back.
    given: Vec<u64>,
    /// Items that a reader has given back out of order.
    loose: Vec<Vec<u64>>,
    /// Places that writers have taken.
    taken: u64,
    /// Most places in use at the end of an instant.
    pub(crate) peak: u64,
}

impl<'w> RegionState<'w> {
    pub(crate) fn new(region: &'w Region, images: u64) -> Self {
        let total = region.items * images;
        let readers = region.readers.len();
        Self {
            region,
            total,
            written: vec![region.writers.is_empty(); total as usize],
            given: vec![0; readers],
            loose: vec![Vec::new(); readers],
            taken: 0,
            peak: 0,
        }
    }

    /// The items of the run that a core writes, in order.
    pub(crate) fn items_of(&self, core: u32) -> Vec<u64> {
        let writers = &self.region.writers;
        let by = |item: u64| writers[(item % self.region.items) as usize % writers.len()];
        if writers.is_empty() { Vec::new() } else { (0..self.total).filter(|item| by(*item) == core).collect() }
    }

    /// Items of the run that all readers have given back. Nothing is kept for nobody.
    pub(crate) fn freed(&self) -> u64 {
        self.given.iter().copied().min().unwrap_or(self.total)
    }

    pub(crate) fn has_room(&self, item: u64) -> bool {
        match self.region.capacity {
            Some(capacity) if !self.region.readers.is_empty() => item < self.freed() + capacity,
            _ => true,
        }
    }

    pub(crate) fn take(&mut self) {
        self.taken += 1;
    }

    pub(crate) fn first_are_there(&self, image: u64, count: u64) -> bool {
        let first = image * self.region.items;
        (first..first + count).all(|item| self.written[item as usize])
    }

    /// Whether an item of the run and all before it are there.
    pub(crate) fn are_there_up_to(&self, item: u64) -> bool {
        self.written[..=item as usize].iter().all(|there| *there)
    }

    pub(crate) fn write(&mut self, item: u64) {
        assert!(!self.written[item as usize], "item {item} of {} is written twice", self.region.name);
        self.written[item as usize] = true;
    }

    /// Gives back all items of the run before one.
    pub(crate) fn give_before(&mut self, core: u32, item: u64) {
        let reader = self.reader(core);
        self.given[reader] = self.given[reader].max(item);
    }

    /// Gives back one item.
    pub(crate) fn give(&mut self, core: u32, item: u64) {
        let reader = self.reader(core);
        self.loose[reader].push(item);
        while let Some(at) = self.loose[reader].iter().position(|item| *item == self.given[reader]) {
            self.loose[reader].swap_remove(at);
            self.given[reader] += 1;
        }
    }

    fn reader(&self, core: u32) -> usize {
        self.region.readers.iter().position(|reader| *reader == core).expect("only readers give back")
    }

    pub(crate) fn note_peak(&mut self) {
        if !self.region.readers.is_empty() {
            self.peak = self.peak.max(self.taken.saturating_sub(self.freed()));
        }
    }

    /// Whether there is such an image and all of its items are there.
    pub(crate) fn has_image(&self, image: u64) -> bool {
        image * self.region.items < self.total && self.first_are_there(image, self.region.items)
    }

    /// Whether every item of the run was written and given back by every reader.
    pub(crate) fn is_settled(&self) -> bool {
        self.written.iter().all(|there| *there) && (self.region.readers.is_empty() || self.freed() == self.total)
    }
}
