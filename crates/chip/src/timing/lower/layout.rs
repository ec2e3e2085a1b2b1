//! Which cores there are, and which regions lie between them.

use std::collections::BTreeSet;

use crate::machine::work::Region;
use crate::program::{FeatureMap, Program, SUM_BITS, Stage};

/// What a core is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Loads images from the off-chip memory into the global buffer.
    Memory,
    /// Sends images from the global buffer to the tiles that read them.
    Images,
    /// One tile of one copy of a stage of crossbars.
    Crossbars {
        /// Number of the stage.
        stage: usize,
        /// Number of the copy.
        copy: usize,
        /// Whether the copy's results are written here.
        home: bool,
    },
    /// A stage of the vector unit.
    Vector {
        /// Number of the stage.
        stage: usize,
    },
}

impl Role {
    /// The stage that the core works for, if it is one of the program.
    #[must_use]
    pub fn stage(self) -> Option<usize> {
        match self {
            Self::Memory | Self::Images => None,
            Self::Crossbars { stage, .. } | Self::Vector { stage } => Some(stage),
        }
    }

    /// Whether it writes the results of its stage.
    fn writes(self) -> bool {
        !matches!(self, Self::Memory | Self::Crossbars { home: false, .. })
    }
}

/// What a region holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Images in the global buffer.
    Global,
    /// Pixels of a source: 0 is the images, `k` the result of stage `k - 1`.
    Pixels { source: usize },
    /// Partial sums of a copy of a stage from the core of another tile.
    Sums { from: u32 },
}

/// Cores with their tiles, and regions with what they hold.
pub(super) struct Layout<'a> {
    pub(super) program: &'a Program,
    pub(super) cores: Vec<(Role, u32)>,
    pub(super) regions: Vec<(Content, Region)>,
    /// Numbers of the regions that each core reads and writes, so that no core looks through all of them.
    reads: Vec<Vec<u32>>,
    writes: Vec<Vec<u32>>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(program: &'a Program) -> Self {
        let mut layout =
            Self { program, cores: Vec::new(), regions: Vec::new(), reads: Vec::new(), writes: Vec::new() };
        let memory = &program.chip.memory;
        if memory.streams_images() {
            layout.cores.extend([(Role::Memory, memory.port_tile), (Role::Images, memory.port_tile)]);
            layout.add_global_buffer();
        }
        for (stage, described) in program.stages.iter().enumerate() {
            layout.add_cores(stage, described);
        }
        for source in 0..=program.stages.len() {
            layout.add_pixels(source);
        }
        layout.add_sums();
        layout.index();
        layout
    }

    /// Notes for every core which regions it reads and writes.
    fn index(&mut self) {
        let none = vec![Vec::new(); self.cores.len()];
        (self.reads, self.writes) = (none.clone(), none);
        for (number, (_, region)) in (0..).zip(&self.regions) {
            region.readers.iter().for_each(|&core| self.reads[core as usize].push(number));
            region.writers.iter().for_each(|&core| self.writes[core as usize].push(number));
        }
    }

    fn add_cores(&mut self, stage: usize, described: &Stage) {
        match described {
            Stage::Mvm(mvm) => {
                for copy in 0..mvm.copies() {
                    let of_tile = |tile| (Role::Crossbars { stage, copy, home: tile == mvm.home(copy) }, tile);
                    self.cores.extend(mvm.tiles_of(copy).into_iter().map(of_tile));
                }
            }
            _ => self.cores.push((Role::Vector { stage }, described.home_tile())),
        }
    }

    /// Numbers of the cores that write a source.
    fn writers(&self, source: usize) -> Vec<u32> {
        let stage = source.checked_sub(1);
        let writes = |role: Role| role.stage() == stage && role.writes();
        (0..).zip(&self.cores).filter(|(_, (role, _))| writes(*role)).map(|(number, _)| number).collect()
    }

    /// Numbers of the cores that read a source, with their tiles.
    fn readers(&self, source: usize) -> Vec<(u32, u32)> {
        let reads = |role: Role| {
            let stage = role.stage().and_then(|stage| self.program.stages.get(stage));
            stage.is_some_and(|stage| stage.inputs().contains(&(source as u32)))
        };
        let readers = (0..).zip(&self.cores).filter(|(_, (role, _))| reads(*role));
        readers.map(|(number, (_, tile))| (number, *tile)).collect()
    }

    fn map(&self, source: usize) -> FeatureMap {
        source.checked_sub(1).map_or(self.program.input, |stage| self.program.stages[stage].output())
    }

    fn name(&self, source: usize) -> &str {
        source.checked_sub(1).map_or("images", |stage| self.program.stages[stage].name())
    }

    fn region(&self, source: usize, tile: u32, writers: Vec<u32>, readers: Vec<u32>) -> Region {
        let map = self.map(source);
        Region {
            name: format!("{} in tile {tile}", self.name(source)),
            tile,
            items: map.pixels() as u64,
            item_bits: u64::from(map.channels) * u64::from(map.bits),
            capacity: None,
            writers,
            readers,
        }
    }

    fn add_global_buffer(&mut self) {
        let mut region = self.region(0, self.program.chip.memory.port_tile, vec![0], vec![1]);
        "images in the global buffer".clone_into(&mut region.name);
        // An item is a burst, and not a pixel.
        let stream = self.program.image_stream();
        region.items = stream.bursts().count() as u64;
        region.item_bits = stream.burst * stream.pixel_bits;
        self.regions.push((Content::Global, region));
    }

    /// One region for each tile that reads the source; for the scores, which nobody reads, one in the tile that writes them.
    fn add_pixels(&mut self, source: usize) {
        let (writers, readers) = (self.writers(source), self.readers(source));
        let mut tiles: BTreeSet<u32> = readers.iter().map(|&(_, tile)| tile).collect();
        if source == self.program.stages.len() {
            tiles.extend(writers.first().map(|&writer| self.cores[writer as usize].1));
        }
        for tile in tiles {
            let here = readers.iter().filter(|&&(_, of)| of == tile).map(|&(number, _)| number).collect();
            let region = self.region(source, tile, writers.clone(), here);
            self.regions.push((Content::Pixels { source }, region));
        }
    }

    /// One region in the home of a copy for each of its other tiles.
    fn add_sums(&mut self) {
        for number in 0..self.cores.len() {
            let (Role::Crossbars { stage, copy, home: false }, tile) = self.cores[number] else { continue };
            let Some(Stage::Mvm(mvm)) = self.program.stages.get(stage) else { continue };
            let home = (Role::Crossbars { stage, copy, home: true }, mvm.home(copy));
            let Some(reader) = self.cores.iter().position(|core| *core == home) else { continue };
            let from = number as u32;
            let region = Region {
                name: format!("partial sums of {} from tile {tile}", mvm.name),
                tile: home.1,
                items: mvm.windows_of(copy),
                item_bits: mvm.outputs_in(copy, tile) * u64::from(SUM_BITS),
                capacity: Some(self.program.chip.tile.output_registers.into()),
                writers: vec![from],
                readers: vec![reader as u32],
            };
            self.regions.push((Content::Sums { from }, region));
        }
    }

    /// Numbers and contents of the regions that a core writes (`writes`) or reads.
    pub(super) fn regions_of(&self, core: u32, writes: bool) -> impl Iterator<Item = (u32, Content, &Region)> {
        let numbers = if writes { &self.writes } else { &self.reads };
        numbers[core as usize].iter().map(|&number| {
            let (content, region) = &self.regions[number as usize];
            (number, *content, region)
        })
    }
}
