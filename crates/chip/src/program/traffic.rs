//! What a program moves between tiles, per window: flits times hops on XY routes.

use super::{MvmStage, Program, SUM_BITS};
use std::collections::BTreeSet;

impl Program {
    /// Flit-hops that bring one pixel of stage `index` to every tile of the stages that read it. Stages that share a tile share what is sent.
    #[must_use]
    pub fn send_flit_hops(&self, index: usize) -> u64 {
        let (hops, flits) = self.send(index);
        hops.iter().map(|hops| hops * flits).sum()
    }

    /// Cycles until the last flit of such a pixel has arrived, on idle links: `H * t_hop + flits - 1`; 0 within a tile.
    #[must_use]
    pub fn send_cycles(&self, index: usize) -> u64 {
        let (hops, flits) = self.send(index);
        self.packet_cycles(hops.into_iter().max().unwrap_or(0), flits)
    }

    /// Flit-hops that bring the partial sums of one window from a stage's other tiles to its home tile.
    #[must_use]
    pub fn merge_flit_hops(&self, stage: &MvmStage) -> u64 {
        self.partial_sums(stage).map(|(hops, flits)| hops * flits).sum()
    }

    /// Cycles until the last of these partial sums has arrived, on idle links.
    #[must_use]
    pub fn merge_transfer_cycles(&self, stage: &MvmStage) -> u64 {
        self.partial_sums(stage).map(|(hops, flits)| self.packet_cycles(hops, flits)).max().unwrap_or(0)
    }

    /// Hops to each tile that reads the result of a stage, and the flits of one pixel.
    fn send(&self, index: usize) -> (Vec<u64>, u64) {
        let Some(stage) = self.stages.get(index) else { return (Vec::new(), 0) };
        let targets: BTreeSet<u32> = self.readers(index).flat_map(|reader| reader.tiles()).collect();
        let output = stage.output();
        let bits = u64::from(output.channels) * u64::from(output.bits);
        let hops = targets.into_iter().map(|tile| self.chip.mesh.hops(stage.home_tile(), tile)).collect();
        (hops, bits.div_ceil(self.chip.mesh.flit_bits.into()))
    }

    /// Hops and flits of every crossbar's partial sums that leave their tile.
    fn partial_sums<'a>(&'a self, stage: &'a MvmStage) -> impl Iterator<Item = (u64, u64)> + 'a {
        let home = stage.crossbars.first().map_or(0, |crossbar| crossbar.tile);
        let foreign = stage.crossbars.iter().filter(move |crossbar| crossbar.tile != home);
        foreign.map(move |crossbar| {
            let bits = u64::from(crossbar.outputs) * u64::from(SUM_BITS);
            (self.chip.mesh.hops(home, crossbar.tile), bits.div_ceil(self.chip.mesh.flit_bits.into()))
        })
    }

    fn packet_cycles(&self, hops: u64, flits: u64) -> u64 {
        if hops == 0 { 0 } else { hops * self.chip.mesh.hop_cycles + flits.saturating_sub(1) }
    }
}

impl MvmStage {
    /// Logical rows whose inputs a tile must load; a row partition is loaded once, however many crossbars use it.
    #[must_use]
    pub fn rows_in_tile(&self, tile: u32) -> u64 {
        let mut parts: Vec<(u32, u32)> =
            self.crossbars.iter().filter(|c| c.tile == tile).map(|c| (c.row_start, c.rows)).collect();
        parts.sort_unstable();
        parts.dedup();
        parts.iter().map(|&(_, rows)| u64::from(rows)).sum()
    }
}
