//! Which tiles send how much to which: what a placement wants near together.

use super::{Program, SUM_BITS, Stage};
use std::collections::BTreeMap;

impl Program {
    /// Flits of an image from one tile to another, by (from, to). Times the hops between them they are the flit hops of [`Self::movement`] and
    /// [`Self::distribution`] of all stages.
    #[must_use]
    pub fn tile_traffic(&self) -> BTreeMap<(u32, u32), u64> {
        let mut traffic = BTreeMap::new();
        let flits = |bits: u64| bits.div_ceil(self.chip.mesh.flit_bits.into());
        for source in 0..=self.stages.len() {
            let Some(map) = self.source(source) else { continue };
            let homes = self.homes(source);
            let pixel = flits(u64::from(map.channels) * u64::from(map.bits));
            for share in self.shares(source) {
                let Some(&home) = homes.get(share.writer) else { continue };
                *traffic.entry((home, share.tile)).or_default() += share.pixels.len() as u64 * pixel;
            }
        }
        for (_, stage) in self.mvm_stages() {
            for copy in 0..stage.copies() {
                let home = stage.home(copy);
                for tile in stage.tiles_of(copy).into_iter().filter(|&tile| tile != home) {
                    let window = flits(stage.outputs_in(copy, tile) * u64::from(SUM_BITS));
                    *traffic.entry((tile, home)).or_default() += stage.windows_of(copy) * window;
                }
            }
        }
        traffic.retain(|&(from, to), flits| from != to && *flits > 0);
        traffic
    }

    /// Gives every tile another number: that of `tile` is `to(tile)`. Numbers must stay different.
    pub fn move_tiles(&mut self, to: impl Fn(u32) -> u32) {
        for stage in &mut self.stages {
            match stage {
                Stage::Mvm(stage) => {
                    stage.crossbars.iter_mut().for_each(|crossbar| crossbar.tile = to(crossbar.tile));
                    stage.replicas.iter_mut().flatten().for_each(|place| place.tile = to(place.tile));
                }
                Stage::Pool(stage) => stage.tile = to(stage.tile),
                Stage::Add(stage) => stage.tile = to(stage.tile),
                Stage::Concat(stage) => stage.tile = to(stage.tile),
                Stage::Table(stage) => stage.tile = to(stage.tile),
            }
        }
    }
}
