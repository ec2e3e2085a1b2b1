//! Which pixels of a map are needed where: nothing else is sent there.

use super::{MvmStage, Overlap, Program, Stage, Window};
use std::collections::BTreeMap;

/// The pixels of a map that windows over it need.
pub(crate) struct Needs {
    window: Window,
    across: Vec<Overlap>,
    down: Vec<Overlap>,
    /// The places of a window, row by row, whose pixels are needed.
    places: Vec<bool>,
}

impl Needs {
    /// Of windows that need all they cover.
    pub(crate) fn new(window: Window) -> Self {
        let places = vec![true; window.places()];
        Self { window, across: window.across(), down: window.down(), places }
    }

    /// Of the windows of a stage in a tile of a copy, whose arrays hold rows of some places only.
    pub(crate) fn of_tile(stage: &MvmStage, copy: usize, tile: u32) -> Self {
        let mut needs = Self::new(stage.window);
        needs.places.fill(false);
        let groups = stage.groups();
        let channels = (groups.rows / needs.places.len()).max(1);
        for crossbar in stage.in_tile(copy, tile) {
            for group in groups.of(crossbar) {
                let rows = groups.rows_in(crossbar, group);
                let of_group = |row: usize| crossbar.row_start as usize + row - group * groups.rows;
                let places = of_group(rows.start) / channels..of_group(rows.end).div_ceil(channels);
                needs.places[places].fill(true);
            }
        }
        needs
    }

    /// The pixels that a window needs, ascending, at least one: it needs the nearest one if all lie in the padding, so that it does not begin before them.
    pub(crate) fn of(&self, index: usize) -> Vec<usize> {
        let columns = self.across.len().max(1);
        let (row, column) = (index / columns, index % columns);
        let (down, across) = (self.down[row], self.across[column]);
        let (width, kernel) = (self.window.input.width as usize, self.window.horizontal.kernel as usize);
        let mut pixels = Vec::new();
        for (ky, y) in (down.before..).zip(down.places()) {
            let places = (across.before..).zip(across.places());
            let needed = places.filter(|(kx, _)| self.places[ky * kernel + kx]);
            pixels.extend(needed.map(|(_, x)| y * width + x));
        }
        if pixels.is_empty() {
            let place = self.places.iter().position(|&needed| needed).unwrap_or(0);
            let Window { input, vertical, horizontal } = self.window;
            let y = vertical.nearest(row as u32, (place / kernel) as u32, input.height);
            let x = horizontal.nearest(column as u32, (place % kernel) as u32, input.width);
            pixels.push(y * width + x);
        }
        pixels
    }

    /// The last pixel under a window, whether it is needed or not; 0 if all of it lies in the padding.
    pub(crate) fn last_under(&self, index: usize) -> usize {
        let columns = self.across.len().max(1);
        let (down, across) = (self.down[index / columns].range(), self.across[index % columns].range());
        match (down.is_empty(), across.is_empty()) {
            (false, false) => (down.end - 1) * self.window.input.width as usize + across.end - 1,
            _ => 0,
        }
    }
}

/// Pixels of a source that one of its writers brings to one tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// The tile that needs them.
    pub(crate) tile: u32,
    /// The copy of the stage that writes them; 0 where there are no copies.
    pub(crate) writer: usize,
    /// The pixels, ascending, at least one.
    pub(crate) pixels: Vec<u32>,
}

impl Program {
    /// What becomes of the pixels of a source (0 is the images): all that a window in a tile reads goes there. The last result, which nobody reads, goes to
    /// the tile of its first writer. In the order of tiles, and in a tile of writers.
    pub(crate) fn shares(&self, source: usize) -> Vec<Share> {
        let Some(map) = self.source(source) else { return Vec::new() };
        let mut needed: BTreeMap<u32, Vec<bool>> = BTreeMap::new();
        for stage in self.stages.iter().filter(|stage| stage.inputs().contains(&(source as u32))) {
            stage.for_each_tile(|tile, needs, windows| {
                let here = needed.entry(tile).or_insert_with(|| vec![false; map.pixels()]);
                windows.iter().flat_map(|&window| needs.of(window)).for_each(|pixel| here[pixel] = true);
            });
        }
        if source == self.stages.len() {
            needed.insert(self.homes(source).first().copied().unwrap_or(0), vec![true; map.pixels()]);
        }
        needed.into_iter().flat_map(|(tile, needed)| self.by_writer(source, tile, &needed)).collect()
    }

    /// The pixels that a tile needs, by writer.
    fn by_writer(&self, source: usize, tile: u32, needed: &[bool]) -> Vec<Share> {
        let mut shares: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (pixel, _) in needed.iter().enumerate().filter(|(_, needed)| **needed) {
            shares.entry(self.writer_of(source, pixel)).or_default().push(pixel as u32);
        }
        shares.into_iter().map(|(writer, pixels)| Share { tile, writer, pixels }).collect()
    }

    /// The copy of the stage that writes a pixel of a source; 0 where there are no copies.
    pub(crate) fn writer_of(&self, source: usize, pixel: usize) -> usize {
        match source.checked_sub(1).and_then(|stage| self.stages.get(stage)) {
            Some(Stage::Mvm(stage)) => stage.copy_of(pixel),
            _ => 0,
        }
    }
}

impl Stage {
    /// Visits what windows are worked on in each tile, and what they need there; several copies may lie in one.
    fn for_each_tile(&self, mut visit: impl FnMut(u32, &Needs, &[usize])) {
        let Self::Mvm(stage) = self else {
            let windows: Vec<usize> = (0..self.window().count()).collect();
            return visit(self.home_tile(), &Needs::new(self.window()), &windows);
        };
        for copy in 0..stage.copies() {
            let windows: Vec<usize> = stage.windows_in(copy).collect();
            for tile in stage.tiles_of(copy) {
                visit(tile, &Needs::of_tile(stage, copy, tile), &windows);
            }
        }
    }
}
