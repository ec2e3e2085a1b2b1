//! Which cores there are, and which regions lie between them.

use super::flow::{Flow, Pixels};
use crate::machine::work::Region;
use crate::program::{FeatureMap, Needs, Program, SUM_BITS, Share, Stage};

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
    /// Pixels of a source from one of its writers, the copies of its stage.
    Pixels { writer: usize },
    /// The scores.
    Result,
    /// Partial sums of a copy of a stage from the core of another tile.
    Sums,
}

/// Cores with their tiles, and regions with what they hold.
pub(super) struct Layout<'a> {
    pub(super) program: &'a Program,
    pub(super) cores: Vec<(Role, u32)>,
    pub(super) regions: Vec<(Content, Region)>,
    /// The pixels of every region of pixels, ascending.
    pixels: Vec<Vec<u32>>,
    /// What each core does with the pixels that it reads, source by source.
    flows: Vec<Vec<Flow>>,
    /// Numbers of the regions that each core reads and writes, so that no core looks through all of them.
    reads: Vec<Vec<u32>>,
    writes: Vec<Vec<u32>>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(program: &'a Program) -> Self {
        let (cores, regions, pixels) = (cores(program), Vec::new(), Vec::new());
        let none = vec![Vec::new(); cores.len()];
        let flows = cores.iter().map(|_| Vec::new()).collect();
        let mut layout = Self { program, cores, regions, pixels, flows, reads: none.clone(), writes: none };
        if program.chip.memory.streams_images() {
            layout.add_global_buffer();
        }
        (0..program.stages.len()).for_each(|source| layout.add_pixels(source));
        layout.add_result();
        layout.add_sums();
        layout.index();
        layout
    }

    /// Notes for every core which regions it reads and writes.
    fn index(&mut self) {
        for (number, (_, region)) in (0..).zip(&self.regions) {
            region.readers.iter().for_each(|&core| self.reads[core as usize].push(number));
            region.writers.iter().for_each(|&core| self.writes[core as usize].push(number));
        }
    }

    fn add(&mut self, content: Content, region: Region, pixels: Vec<u32>) {
        self.regions.push((content, region));
        self.pixels.push(pixels);
    }

    /// Numbers of the cores that write a source, in the order of the copies of its stage.
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

    /// A region of items of a source, without readers.
    fn region(&self, source: usize, of: &str, tile: u32, writers: Vec<u32>, items: usize) -> Region {
        let map = self.map(source);
        let name = source.checked_sub(1).map_or("images", |stage| self.program.stages[stage].name());
        Region {
            name: format!("{name}{of} in tile {tile}"),
            tile,
            items: items as u64,
            item_bits: u64::from(map.channels) * u64::from(map.bits),
            capacity: None,
            writers,
            readers: Vec::new(),
        }
    }

    fn add_global_buffer(&mut self) {
        let mut region = self.region(0, "", self.program.chip.memory.port_tile, vec![0], 0);
        "images in the global buffer".clone_into(&mut region.name);
        // An item is a burst, and not a pixel.
        let stream = self.program.image_stream();
        region.items = stream.bursts().count() as u64;
        region.item_bits = stream.burst * stream.pixel_bits;
        region.readers = vec![1];
        self.add(Content::Global, region, Vec::new());
    }

    /// One region for each tile that reads the source and each writer of a pixel that is read there.
    fn add_pixels(&mut self, source: usize) {
        let (writers, readers) = (self.writers(source), self.readers(source));
        let first = self.regions.len();
        for Share { tile, writer, pixels } in self.program.shares(source) {
            let of = if writers.len() > 1 { format!(", copy {writer},") } else { String::new() };
            let by = writers.get(writer).copied().into_iter().collect();
            let region = self.region(source, &of, tile, by, pixels.len());
            self.add(Content::Pixels { writer }, region, pixels);
        }
        for (core, tile) in readers {
            let Some(stage) = self.stage(core) else { continue };
            let flow = self.flow(source, stage, (core, tile), first);
            for &region in &flow.regions {
                self.regions[region as usize].1.readers.push(core);
            }
            self.flows[core as usize].push(flow);
        }
    }

    /// What a core in a tile does with the pixels of a source, whose regions are those from `first` on.
    fn flow(&self, source: usize, stage: &Stage, (core, tile): (u32, u32), first: usize) -> Flow {
        let regions = (first..self.regions.len()).filter_map(|number| match &self.regions[number] {
            (Content::Pixels { writer, .. }, region) if region.tile == tile => {
                Some(Pixels { region: number as u32, writer: *writer, pixels: &self.pixels[number] })
            }
            _ => None,
        });
        let regions: Vec<Pixels<'_>> = regions.collect();
        let needs = match (self.cores[core as usize].0, stage) {
            (Role::Crossbars { copy, .. }, Stage::Mvm(mvm)) => Needs::of_tile(mvm, copy, tile),
            _ => Needs::new(stage.window()),
        };
        Flow::new(source, (&needs, &self.windows(core)), |pixel| self.program.writer_of(source, pixel), &regions)
    }

    fn stage(&self, core: u32) -> Option<&'a Stage> {
        self.cores[core as usize].0.stage().and_then(|stage| self.program.stages.get(stage))
    }

    /// The windows of an image that a core of a stage works on, in raster order.
    pub(super) fn windows(&self, core: u32) -> Vec<usize> {
        match (self.cores[core as usize].0, self.stage(core)) {
            (Role::Crossbars { copy, .. }, Some(Stage::Mvm(mvm))) => mvm.windows_in(copy).collect(),
            (_, stage) => (0..stage.map_or(0, |stage| stage.window().count())).collect(),
        }
    }

    /// The scores, all in the tile of the first writer. The writers take turns, so those that write one more come first.
    fn add_result(&mut self) {
        let source = self.program.stages.len();
        let writers = self.writers(source);
        let tile = writers.first().map_or(0, |&writer| self.cores[writer as usize].1);
        let mut with_windows: Vec<(usize, u32)> =
            writers.into_iter().map(|writer| (self.windows(writer).len(), writer)).collect();
        with_windows.sort_by_key(|&(windows, writer)| (std::cmp::Reverse(windows), writer));
        let writers = with_windows.into_iter().map(|(_, writer)| writer).collect();
        let region = self.region(source, "", tile, writers, self.map(source).pixels());
        self.add(Content::Result, region, Vec::new());
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
            self.add(Content::Sums, region, Vec::new());
        }
    }

    /// What a core does with the pixels that it reads, source by source.
    pub(super) fn flows(&self, core: u32) -> &[Flow] {
        &self.flows[core as usize]
    }

    /// Regions that a core reads and that hold no pixels: bursts of images, or partial sums.
    pub(super) fn other_inputs(&self, core: u32) -> impl Iterator<Item = u32> {
        let reads = self.reads[core as usize].iter().copied();
        reads.filter(|&region| !matches!(self.regions[region as usize].0, Content::Pixels { .. }))
    }

    /// Regions that a core writes, with the pixels that they hold; none where every result of the core goes there.
    pub(super) fn outputs(&self, core: u32) -> impl Iterator<Item = (u32, &Region, Option<&[u32]>)> {
        self.writes[core as usize].iter().map(|&number| {
            let (content, region) = &self.regions[number as usize];
            let pixels = self.pixels[number as usize].as_slice();
            (number, region, matches!(content, Content::Pixels { .. }).then_some(pixels))
        })
    }
}

/// All cores with their tiles.
fn cores(program: &Program) -> Vec<(Role, u32)> {
    let mut cores = Vec::new();
    let memory = &program.chip.memory;
    if memory.streams_images() {
        cores.extend([(Role::Memory, memory.port_tile), (Role::Images, memory.port_tile)]);
    }
    for (stage, described) in program.stages.iter().enumerate() {
        let Stage::Mvm(mvm) = described else {
            cores.push((Role::Vector { stage }, described.home_tile()));
            continue;
        };
        for copy in 0..mvm.copies() {
            let of_tile = |tile| (Role::Crossbars { stage, copy, home: tile == mvm.home(copy) }, tile);
            cores.extend(mvm.tiles_of(copy).into_iter().map(of_tile));
        }
    }
    cores
}
