//! Writes a graph of stages down as regions and cores.

use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::work::{Bank, Core, Region, Workload};

use super::graph::{Source, Stage};
use super::random::Random;

/// A core of a stage: stage, replica, part.
type Place = (usize, usize, usize);

pub(crate) struct Builder<'r> {
    stages: Vec<Stage>,
    random: &'r mut Random,
    /// Cores by number.
    places: Vec<Place>,
    regions: Vec<Region>,
    /// Which of two things a number of a region means.
    maps: Vec<Map>,
    /// Items from the memory.
    feeds: Vec<Feed>,
    /// Partial sums: region, writer, reader.
    sums: Vec<(u32, Place, Place)>,
    result: u32,
}

/// A region that keeps the map of a source for the cores of a stage on one tile.
struct Map {
    region: u32,
    reader: usize,
    input: usize,
}

/// A region through which a core beside the memory port gets an item from the memory for every step.
struct Feed {
    region: u32,
    place: Place,
    /// How many items it requests ahead; none if another core requests them.
    ahead: Option<usize>,
}

/// Most bits of an item from the memory.
const MOST_BITS: u64 = 100;

/// Writes a graph down, for so many tiles and a memory port.
pub(crate) fn build(stages: Vec<Stage>, (tiles, port): (u64, u32), random: &mut Random) -> Workload {
    let mut places: Vec<Place> = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        for (replica, parts) in stage.replicas.iter().enumerate() {
            places.extend((0..parts.len()).map(|part| (number, replica, part)));
        }
    }
    random.shuffle(&mut places);
    let mut builder =
        Builder { stages, random, places, regions: vec![], maps: vec![], feeds: vec![], sums: vec![], result: 0 };
    builder.add_maps();
    builder.add_sums();
    builder.add_result(tiles);
    builder.add_feeds(port);
    let mut cores: Vec<Core> = (0..builder.places.len()).map(|core| builder.core(builder.places[core])).collect();
    builder.add_feeders(port, &mut cores);
    Workload { regions: builder.regions, cores, result: builder.result }
}

impl Builder<'_> {
    fn number(&self, place: Place) -> u32 {
        self.places.iter().position(|known| *known == place).unwrap() as u32
    }

    fn tile(&self, (stage, replica, part): Place) -> u32 {
        self.stages[stage].replicas[replica][part]
    }

    /// The cores that write the result of a stage, in turn.
    fn writers(&self, stage: usize) -> Vec<u32> {
        (0..self.stages[stage].replicas.len()).map(|replica| self.number((stage, replica, 0))).collect()
    }

    fn region(&mut self, region: Region) -> u32 {
        self.regions.push(region);
        self.regions.len() as u32 - 1
    }

    fn add_maps(&mut self) {
        for stage in 0..self.stages.len() {
            let mut tiles: Vec<u32> = self.stages[stage].replicas.iter().flatten().copied().collect();
            tiles.sort_unstable();
            tiles.dedup();
            for input in 0..self.stages[stage].inputs.len() {
                for tile in &tiles {
                    self.add_map(stage, input, *tile);
                }
            }
        }
    }

    fn add_map(&mut self, stage: usize, input: usize, tile: u32) {
        let (source, windows) = self.stages[stage].inputs[input].clone();
        let on_tile = |place: &&Place| place.0 == stage && self.tile(**place) == tile;
        let readers = self.places.iter().filter(on_tile).map(|place| self.number(*place)).collect();
        let replicas = self.stages[stage].replicas.len() as u64;
        let least = windows.least_places(replicas);
        let capacity = match (source, self.random.within(0, 15)) {
            (Source::Resident, _) | (_, 0..4) => None,
            (_, 4) => Some(least.saturating_sub(1).max(1)),
            (_, extra) => Some(least + extra.saturating_sub(8)),
        };
        let (writers, bits) = match source {
            Source::Resident => (vec![], self.random.within(1, 80)),
            Source::Stage(before) => (self.writers(before), self.stages[before].style.bits),
        };
        let name = format!("map-{stage}-{input}-{tile}");
        let items = windows.items;
        let region = self.region(Region { name, tile, items, item_bits: bits, capacity, writers, readers });
        self.maps.push(Map { region, reader: stage, input });
    }

    fn add_sums(&mut self) {
        for (stage, replica, part) in self.places.clone().into_iter().filter(|place| place.2 > 0) {
            let of = &self.stages[stage];
            let to = (stage, replica, if of.chained { part - 1 } else { 0 });
            let (copies, bits) = (of.replicas.len() as u64, of.style.bits);
            let items = (of.windows - replica as u64).div_ceil(copies);
            let from = (stage, replica, part);
            let capacity = (!self.random.once_in(3)).then(|| self.random.within(1, 3));
            let region = self.region(Region {
                name: format!("sums-{stage}-{replica}-{part}"),
                tile: self.tile(to),
                items,
                item_bits: bits,
                capacity,
                writers: vec![self.number(from)],
                readers: vec![self.number(to)],
            });
            self.sums.push((region, from, to));
        }
    }

    /// For every core beside the memory port that reads the memory.
    fn add_feeds(&mut self, port: u32) {
        let mut feeders = self.places.len() as u32;
        for place in self.places.clone() {
            if self.tile(place) != port || !self.stages[place.0].style.memory {
                continue;
            }
            let ahead = (!self.random.once_in(2)).then(|| self.random.within(0, 2) as usize);
            let reader = self.number(place);
            let writer = if ahead.is_some() { reader } else { feeders };
            feeders += u32::from(ahead.is_none());
            // One in twelve is too small.
            let least = ahead.map_or(1, |ahead| ahead as u64 + 1);
            let capacity = (least + self.random.within(0, 3)).saturating_sub(u64::from(self.random.once_in(12))).max(1);
            let (windows, copies) = (self.stages[place.0].windows, self.stages[place.0].replicas.len() as u64);
            let region = self.region(Region {
                name: format!("feed-{reader}"),
                tile: port,
                items: (windows - place.1 as u64).div_ceil(copies),
                item_bits: MOST_BITS,
                capacity: Some(capacity),
                writers: vec![writer],
                readers: vec![reader],
            });
            self.feeds.push(Feed { region, place, ahead });
        }
    }

    /// The cores that request items for others.
    fn add_feeders(&mut self, port: u32, cores: &mut Vec<Core>) {
        for at in (0..self.feeds.len()).filter(|at| self.feeds[*at].ahead.is_none()).collect::<Vec<_>>() {
            let region = self.feeds[at].region;
            let items = self.regions[region as usize].items;
            let instructions = (0..items).flat_map(|_| self.request(region)).collect();
            let name = format!("feeder-{region}");
            cores.push(Core { stage: name.clone(), name, tile: port, banks: vec![], instructions });
        }
    }

    fn request(&mut self, region: u32) -> [Instruction; 2] {
        [Instruction::Room { region }, Instruction::LoadMemory { region, bits: self.random.within(1, MOST_BITS) }]
    }

    /// How a core gets the item of its step from the memory; it may request several ahead.
    fn memory_item(&mut self, place: Place, step: u64) -> Vec<Instruction> {
        let Some(feed) = self.feeds.iter().find(|feed| feed.place == place) else { return vec![] };
        let (region, ahead) = (feed.region, feed.ahead);
        let items = self.regions[region as usize].items;
        let mut instructions = Vec::new();
        if let Some(ahead) = ahead.map(|ahead| ahead as u64) {
            let requested = if step == 0 { 0 } else { (step + ahead).min(items) };
            for _ in requested..(step + ahead + 1).min(items) {
                instructions.extend(self.request(region));
            }
        }
        let count = step + 1;
        instructions.push(Instruction::Wait { region, count });
        instructions.extend([Instruction::Load { region, bits: 9 }, Instruction::Free { region, count }]);
        instructions
    }

    fn add_result(&mut self, tiles: u64) {
        let last = self.stages.len() - 1;
        let region = Region {
            name: "result".into(),
            tile: self.random.within(0, tiles - 1) as u32,
            items: self.stages[last].windows,
            item_bits: self.stages[last].style.bits,
            capacity: None,
            writers: self.writers(last),
            readers: vec![],
        };
        self.result = self.region(region);
    }

    /// Regions that a core writes: partial sums, or the maps of all stages that read its stage.
    fn targets(&self, place: Place) -> Vec<u32> {
        if place.2 > 0 {
            return self.sums.iter().filter(|sum| sum.1 == place).map(|sum| sum.0).collect();
        }
        let reads = |map: &&Map| self.stages[map.reader].inputs[map.input].0 == Source::Stage(place.0);
        let result = (place.0 + 1 == self.stages.len()).then_some(self.result);
        self.maps.iter().filter(reads).map(|map| map.region).chain(result).collect()
    }

    /// Regions on the tile of a core with the maps that it reads, for each input.
    fn sources(&self, place: Place) -> Vec<u32> {
        let tile = self.tile(place);
        let own = |map: &&Map| map.reader == place.0 && self.regions[map.region as usize].tile == tile;
        self.maps.iter().filter(own).map(|map| map.region).collect()
    }

    fn core(&mut self, place: Place) -> Core {
        let (stage, replica, part) = place;
        let of = self.stages[stage].clone();
        let mut instructions = Vec::new();
        for window in (replica as u64..of.windows).step_by(of.replicas.len()) {
            self.fetch(place, &of, window, &mut instructions);
            instructions.extend(of.slices.map(|slices| Instruction::Mvm { slices }));
            self.write_back(place, &of, &mut instructions);
        }
        let bank = |random: &mut Random| Bank { count: random.within(1, 2), columns: random.within(1, 8) };
        let banks = of.slices.map_or(0, |_| self.random.within(1, 2));
        Core {
            name: format!("core-{stage}-{replica}-{part}"),
            stage: format!("stage-{stage}"),
            tile: self.tile(place),
            banks: (0..banks).map(|_| bank(self.random)).collect(),
            instructions,
        }
    }

    fn fetch(&mut self, place: Place, of: &Stage, window: u64, to: &mut Vec<Instruction>) {
        let style = of.style;
        let rooms: Vec<_> = self.targets(place).into_iter().map(|region| Instruction::Room { region }).collect();
        let memory = self.memory_item(place, window / of.replicas.len() as u64);
        let (mut waits, mut loads, mut frees) = (vec![], vec![], vec![]);
        for (region, (_, windows)) in self.sources(place).into_iter().zip(&of.inputs) {
            waits.push(Instruction::Wait { region, count: windows.need[window as usize] });
            let bits = self.random.within(1, 80);
            loads.extend((0..style.loads).map(|_| Instruction::Load { region, bits }));
            frees.push(Instruction::Free { region, count: windows.freed(window, of.replicas.len() as u64) });
        }
        let parts = match style.order {
            0 => vec![waits, rooms, memory, loads, frees],
            1 => vec![rooms, waits, loads, memory, frees],
            2 => vec![memory, waits, loads, frees, rooms],
            _ => {
                let each = waits.into_iter().zip(frees).map(|(wait, free)| {
                    let loads = loads.iter().filter(|load| reads(load, &wait)).copied();
                    [wait].into_iter().chain(loads).chain([free]).collect()
                });
                each.chain([rooms, memory]).collect()
            }
        };
        to.extend(parts.into_iter().flatten());
    }

    fn write_back(&mut self, place: Place, of: &Stage, to: &mut Vec<Instruction>) {
        let style = of.style;
        let merge = Instruction::Merge { values: style.values };
        let received: Vec<u32> = self.sums.iter().filter(|sum| sum.2 == place).map(|sum| sum.0).collect();
        for region in &received {
            to.push(Instruction::Receive { region: *region });
            to.extend((style.merges == 1).then_some(merge));
        }
        to.extend((style.merges == 2 && !received.is_empty()).then_some(merge));
        to.extend((0..style.vectors).map(|at| vector(at + style.bits, style.values)));
        for region in self.targets(place) {
            // An item may be smaller than others.
            let bits = if self.random.once_in(6) { self.random.within(1, style.bits) } else { style.bits };
            let near = self.regions[region as usize].tile == self.tile(place);
            to.push(if near { Instruction::Store { region, bits } } else { Instruction::Send { region, bits } });
        }
        to.extend((style.tail && self.random.once_in(2)).then(|| vector(style.bits, 2 * style.values)));
    }
}

fn reads(load: &Instruction, wait: &Instruction) -> bool {
    matches!((load, wait), (Instruction::Load { region, .. }, Instruction::Wait { region: of, .. }) if region == of)
}

fn vector(at: u64, values: u64) -> Instruction {
    Instruction::Vector { operation: VectorOperation::ALL[(at % 5) as usize], values }
}
