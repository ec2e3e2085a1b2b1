//! Pass `replicate`: stages that would keep the others waiting get further copies of their crossbars.
//!
//! A stage works on `M` windows of an image, one every `I` cycles (the slower of arrays with their converters and of loading), so that with `r`
//! copies an image keeps it busy for `M I / r` cycles. The next copy always goes to the stage for which this is longest; this balances the
//! pipeline (as Shafiee et al., ISCA 2016, give early layers more copies, in proportion to their windows). It ends where that stage can have no more:
//! copies of another would not make the pipeline faster.
//!
//! Copies lie in further tiles, and pixels under windows of two copies go to both, so that more copies load the network, and buses and ports that they
//! share. The timing engine tells which number of these copies is the fastest ([`trials`]); the others are not kept. It is asked about stages that lie one
//! behind the other: where tiles are moved afterwards, ways change, but not what each of them does.

mod trials;

use crate::error::CompileError;
use crate::partition::Site;
use chip::config::Chip;
use chip::machine::hardware::Hardware;
use chip::program::{AddStage, ConcatStage, MvmStage, Place, PlacedCrossbar, PoolStage, Program, Stage, TableStage};
use trials::fastest;

/// Gives the stages of a program copies, with up to `arrays` arrays in all (an array of a pair counts), as far as tiles and windows reach, and
/// places everything anew. A larger budget holds all that a smaller one does, and never ends the timed images later.
///
/// # Errors
/// If the program is not valid, or takes more arrays without any copies.
pub fn replicate(program: &mut Program, arrays: u64) -> Result<Limit, CompileError> {
    let filled = |stage: &MvmStage| stage.crossbars.iter().any(|crossbar| !crossbar.levels.is_empty());
    let outline = !program.mvm_stages().any(|(_, stage)| filled(stage));
    let valid = if outline { program.validate_outline() } else { program.validate() };
    valid.map_err(|what| CompileError::chip(&program.chip, what))?;
    let demands: Vec<Demand> = program.mvm_stages().map(|(_, stage)| Demand::new(stage, &program.chip)).collect();
    let least = demands.iter().map(|demand| demand.arrays).sum();
    if arrays < least {
        let what =
            format!("a budget of {arrays} arrays; allowed is {least} and more, which one copy of every layer takes");
        return Err(CompileError::chip(&program.chip, what));
    }
    let (copied, limit) = share_out(demands.clone(), arrays - least, &program.chip);
    let kept = fastest(program, &demands, &copied);
    Ok(if trials::is_last(kept, demands.len(), copied.len()) { limit } else { Limit::Contention })
}

/// Why no stage has further copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// What is left of the budget is too little for another copy of the longest stage.
    Arrays,
    /// The chip has no tile for it.
    Tiles,
    /// The longest stage has a copy for each of its windows.
    Windows,
    /// With more of them images take longer, because they load what is shared.
    Contention,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Arrays => "the budget holds no further copy of the slowest stage",
            Self::Tiles => "the chip has no tile for a further copy of the slowest stage",
            Self::Windows => "the slowest stage has a copy for each of its windows",
            Self::Contention => "with more copies images take longer",
        })
    }
}

/// What a stage takes and how long it works.
#[derive(Clone, Debug)]
struct Demand {
    /// Windows of an image.
    windows: u64,
    /// Cycles of the base clock between windows of a copy.
    interval: u64,
    /// The same at least, whatever overlaps.
    least_interval: u64,
    /// Crossbars of a copy, and arrays of a crossbar.
    crossbars: u64,
    polarities: u32,
    /// Arrays of a copy.
    arrays: u64,
    copies: u64,
    /// Where its copies end, if they begin on tile 0.
    end: Site,
}

impl Demand {
    fn new(stage: &MvmStage, chip: &Chip) -> Self {
        let crossbars = stage.crossbars.len() as u64;
        let arrays = stage.arrays();
        let first = Self {
            windows: stage.window.count() as u64,
            interval: interval(stage, chip),
            least_interval: least_interval(stage, chip),
            crossbars,
            polarities: stage.polarities,
            arrays,
            copies: 0,
            end: Site::new(0),
        };
        first.with_copy(chip)
    }

    /// The same with one more copy.
    fn with_copy(&self, chip: &Chip) -> Self {
        let mut demand = Self { copies: self.copies + 1, ..self.clone() };
        demand.end.begin_copy(self.crossbars, self.polarities, chip);
        for _ in 0..self.crossbars {
            demand.end.take(self.polarities, chip);
        }
        demand
    }

    /// Tiles that it takes; it shares none.
    fn tiles(&self) -> u64 {
        u64::from(self.end.tile) + 1
    }

    /// Whether an image keeps it busy for longer than another one.
    fn exceeds(&self, other: &Self) -> bool {
        // Compared as fractions, since divisions round.
        let cycles = |demand: &Self| u128::from(demand.windows).saturating_mul(demand.interval.into());
        cycles(self).saturating_mul(other.copies.into()) > cycles(other).saturating_mul(self.copies.into())
    }
}

/// Base cycles between the windows of a copy: the slower of all slices through arrays and converters, and of loading the inputs.
pub(crate) fn interval(stage: &MvmStage, chip: &Chip) -> u64 {
    let Window { slices, load } = Window::new(stage, chip);
    let slices = slices.iter().map(|&(read, convert)| read.max(convert));
    slices.fold(0, u64::saturating_add).max(load)
}

/// The same, if the sample-and-hold kept all slices of a window: no window takes less.
fn least_interval(stage: &MvmStage, chip: &Chip) -> u64 {
    let Window { slices, load } = Window::new(stage, chip);
    let sum = |(reads, conversions): (u64, u64), &(read, convert): &(u64, u64)| {
        (reads.saturating_add(read), conversions.saturating_add(convert))
    };
    let (reads, conversions) = slices.iter().fold((0, 0), sum);
    reads.max(conversions).max(load)
}

/// Base cycles of what a window takes in a copy.
struct Window {
    /// Reading and converting every slice.
    slices: Vec<(u64, u64)>,
    /// Loading the inputs.
    load: u64,
}

impl Window {
    fn new(stage: &MvmStage, chip: &Chip) -> Self {
        let Hardware { tile, clocks, .. } = chip.hardware_for(&[stage.applied_bits()]);
        let columns = |bank: &Vec<&PlacedCrossbar>| bank.iter().map(|crossbar| stage.converted_columns(crossbar)).sum();
        let most: u64 = stage.banks().iter().map(columns).max().unwrap_or(0);
        let arrays = |cycles: u64| cycles.saturating_mul(clocks.arrays);
        let of_slice = |slice| (arrays(tile.read_cycles(slice)), arrays(tile.convert_cycles(slice, most, &clocks)));
        let bits = |of: u32| stage.rows_in(0, of) * u64::from(stage.window.input.bits);
        let load = stage.tiles_of(0).into_iter().map(bits).max().map_or(0, |bits| tile.transfer_cycles(bits));
        let load = load.saturating_add(tile.access_cycles).saturating_mul(clocks.digital);
        Self { slices: (0..tile.read.len() as u32).map(of_slice).collect(), load }
    }
}

/// Gives copies, one after the other, to the stage that is busy longest, until there are no arrays, tiles or windows for its next one: the
/// stages that got them, in order, and what ended it.
fn share_out(mut demands: Vec<Demand>, mut arrays: u64, chip: &Chip) -> (Vec<usize>, Limit) {
    let mut tiles: u64 = demands.iter().map(Demand::tiles).sum();
    let mut copied = Vec::new();
    while let Some(longest) = longest(&demands) {
        let demand = &mut demands[longest];
        let next = demand.with_copy(chip);
        let more = tiles - demand.tiles() + next.tiles();
        let limits = [
            (demand.copies >= demand.windows, Limit::Windows),
            (demand.arrays > arrays, Limit::Arrays),
            (more > chip.mesh.tiles(), Limit::Tiles),
        ];
        if let Some((_, limit)) = limits.into_iter().find(|(reached, _)| *reached) {
            return (copied, limit);
        }
        (arrays, tiles) = (arrays - demand.arrays, more);
        *demand = next;
        copied.push(longest);
    }
    (copied, Limit::Windows)
}

/// The stage that is busy longest; among equals the first.
fn longest(demands: &[Demand]) -> Option<usize> {
    let longer = |best: usize, next: usize| if demands[next].exceeds(&demands[best]) { next } else { best };
    (0..demands.len()).reduce(longer)
}

/// Places all copies of all stages, each stage from a tile of its own on, and the stages of the vector unit beside their latest source.
fn place(program: &mut Program, copies: &[u64]) {
    let (mut tile, mut copies) = (0, copies.iter());
    // The last tile of every source; images lie in the first of all.
    let mut last = vec![0];
    for stage in &mut program.stages {
        let latest = stage.inputs().iter().max().and_then(|&source| last.get(source as usize)).copied().unwrap_or(0);
        match stage {
            Stage::Mvm(mvm) => {
                let end = place_copies(mvm, copies.next().copied().unwrap_or(1), tile, &program.chip);
                tile = end + 1;
                last.push(end);
            }
            Stage::Pool(PoolStage { tile, .. })
            | Stage::Add(AddStage { tile, .. })
            | Stage::Concat(ConcatStage { tile, .. })
            | Stage::Table(TableStage { tile, .. }) => {
                *tile = latest;
                last.push(latest);
            }
        }
    }
}

/// Places the copies of a stage from a tile on; the last tile.
fn place_copies(stage: &mut MvmStage, copies: u64, tile: u32, chip: &Chip) -> u32 {
    let mut site = Site::new(tile);
    let (crossbars, arrays) = (stage.crossbars.len() as u64, stage.polarities);
    let mut next_copy = || {
        site.begin_copy(crossbars, arrays, chip);
        (0..crossbars).map(|_| site.take(arrays, chip)).collect::<Vec<Place>>()
    };
    for (crossbar, place) in stage.crossbars.iter_mut().zip(next_copy()) {
        (crossbar.tile, crossbar.array, crossbar.bank) = (place.tile, place.array, place.bank);
    }
    stage.replicas = (1..copies).map(|_| next_copy()).collect();
    site.tile
}
