//! What a program moves between tiles, and what it adds up where.

use super::{FeatureMap, MvmStage, PlacedCrossbar, Program, SUM_BITS, Stage};
use std::collections::BTreeSet;
use tile::actions::ActionCounts;

impl MvmStage {
    /// What a tile holds of a copy.
    pub(super) fn in_tile(&self, copy: usize, tile: u32) -> impl Iterator<Item = &PlacedCrossbar> {
        self.placed(copy).filter(move |(_, place)| place.tile == tile).map(|(crossbar, _)| crossbar)
    }

    /// Logical rows whose inputs a tile of a copy must load; a row partition is loaded once, however many crossbars use it.
    #[must_use]
    pub fn rows_in(&self, copy: usize, tile: u32) -> u64 {
        let parts: BTreeSet<(u32, u32)> = self.in_tile(copy, tile).map(|c| (c.row_start, c.rows)).collect();
        parts.iter().map(|&(_, rows)| u64::from(rows)).sum()
    }

    /// Outputs of which a tile of a copy holds a part.
    #[must_use]
    pub fn outputs_in(&self, copy: usize, tile: u32) -> u64 {
        let parts: BTreeSet<(u32, u32)> = self.in_tile(copy, tile).map(|c| (c.output_start, c.outputs)).collect();
        parts.iter().map(|&(_, outputs)| u64::from(outputs)).sum()
    }

    /// Additions of a window in a tile of a copy: of slices and row partitions, and at home of what other tiles send.
    #[must_use]
    pub fn additions(&self, copy: usize, tile: u32, home: bool) -> u64 {
        let partial_sums: u64 = self.in_tile(copy, tile).map(|crossbar| self.converted_columns(crossbar)).sum();
        let own = partial_sums - self.outputs_in(copy, tile);
        let sent: u64 = self.tiles_of(copy).into_iter().map(|tile| self.outputs_in(copy, tile)).sum();
        own + if home { sent - u64::from(self.outputs) } else { 0 }
    }
}

impl Program {
    /// What stage `index` moves per image: its crossbars' inputs and partial sums, and its results to where they are read. (What the vector unit reads is
    /// counted with its operations.)
    #[must_use]
    pub fn movement(&self, index: usize) -> ActionCounts {
        let mut counts = self.distribution(index + 1);
        if let Some(Stage::Mvm(stage)) = self.stages.get(index) {
            for copy in 0..stage.copies() {
                counts += self.window_movement(stage, copy).times(stage.windows_of(copy));
            }
        }
        counts
    }

    /// What a copy of a stage moves for a window: its inputs from the buffers, and its partial sums.
    pub(crate) fn window_movement(&self, stage: &MvmStage, copy: usize) -> ActionCounts {
        let mut counts = self.merging(stage, copy);
        counts += self.loading(stage, copy);
        counts
    }

    /// What it takes to bring the inputs of a window from the buffers into the input registers of a copy.
    fn loading(&self, stage: &MvmStage, copy: usize) -> ActionCounts {
        let mut counts = ActionCounts::default();
        for tile in stage.tiles_of(copy) {
            let bits = stage.rows_in(copy, tile) * u64::from(stage.window.input.bits);
            counts += ActionCounts { buffer_read: self.words(bits), bus_bit: bits, ..ActionCounts::default() };
        }
        counts
    }

    /// What it takes to bring one image's pixels of a source (0 is the images) to the tiles that need them: words written, bits on buses,
    /// flits over links.
    #[must_use]
    pub fn distribution(&self, source: usize) -> ActionCounts {
        let (Some(map), homes) = (self.source(source), self.homes(source)) else { return ActionCounts::default() };
        let bits = u64::from(map.channels) * u64::from(map.bits);
        let mut counts = ActionCounts::default();
        if homes.is_empty() {
            return counts;
        }
        for share in self.shares(source) {
            let Some(&home) = homes.get(share.writer) else { continue };
            counts += self.transfer(home, share.tile, bits).times(share.pixels.len() as u64);
        }
        if source == 0 {
            counts += self.streaming();
        }
        counts
    }

    /// What it takes to bring the partial sums of a window from the other tiles of a copy to its home.
    fn merging(&self, stage: &MvmStage, copy: usize) -> ActionCounts {
        let mut counts = ActionCounts::default();
        for tile in stage.tiles_of(copy).into_iter().filter(|&tile| tile != stage.home(copy)) {
            counts += self.transfer(tile, stage.home(copy), stage.outputs_in(copy, tile) * u64::from(SUM_BITS));
        }
        counts
    }

    /// An image from the memory through the global buffer.
    fn streaming(&self) -> ActionCounts {
        let stream = self.image_stream();
        let mut counts = ActionCounts::default();
        for pixels in stream.bursts() {
            let bits = pixels * stream.pixel_bits;
            counts += ActionCounts {
                memory_bit: bits,
                buffer_write: self.words(bits),
                buffer_read: stream.loads(pixels).map(|pixels| self.words(pixels * stream.pixel_bits)).sum(),
                bus_bit: 2 * bits,
                ..ActionCounts::default()
            };
        }
        counts
    }

    /// An item from the registers of one tile into the buffer of another or the same.
    fn transfer(&self, from: u32, to: u32, bits: u64) -> ActionCounts {
        let mesh = &self.chip.mesh;
        let flits = bits.div_ceil(mesh.flit_bits.into());
        ActionCounts {
            bus_bit: bits,
            buffer_write: self.words(bits),
            flit_hop: flits * mesh.hops(from, to),
            ..ActionCounts::default()
        }
    }

    fn words(&self, bits: u64) -> u64 {
        bits.div_ceil(self.chip.tile.buffer.word_bits.into())
    }

    pub(super) fn source(&self, source: usize) -> Option<FeatureMap> {
        source.checked_sub(1).map_or(Some(self.input), |stage| self.stages.get(stage).map(Stage::output))
    }

    /// The tiles that write a source, one for each copy of its stage; none if the images stand ready.
    pub(super) fn homes(&self, source: usize) -> Vec<u32> {
        match source.checked_sub(1).and_then(|stage| self.stages.get(stage)) {
            None if self.chip.memory.streams_images() => vec![self.chip.memory.port_tile],
            None => Vec::new(),
            Some(Stage::Mvm(stage)) => (0..stage.copies()).map(|copy| stage.home(copy)).collect(),
            Some(stage) => vec![stage.home_tile()],
        }
    }
}
