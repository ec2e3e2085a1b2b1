//! What the windows of a core wait for in the regions of a source, and what they give back.

use crate::program::Needs;

/// A region that holds pixels of a source from one writer, ascending.
#[derive(Clone, Copy)]
pub(super) struct Pixels<'a> {
    pub(super) region: u32,
    pub(super) writer: usize,
    pub(super) pixels: &'a [u32],
}

/// So many leading items of a region.
#[derive(Clone, Copy)]
pub(super) struct Leading {
    pub(super) region: u32,
    pub(super) count: u64,
}

/// What a core does with the regions of a source.
///
/// A window waits for all that its core needs of what comes before the last pixel under it, even where the window itself needs less: tiles of a copy hold rows
/// of different places of a window, and keep pace with each other so; none fills its buffer with pixels of later windows before the others have theirs.
pub(super) struct Flow {
    /// Number of the source.
    pub(super) source: usize,
    /// The regions that the core reads, ascending.
    pub(super) regions: Vec<u32>,
    /// Items that none of its windows needs, before the first item that one does.
    pub(super) before: Vec<Leading>,
    /// For each window: what must be there, beyond what earlier windows waited for.
    pub(super) waits: Vec<Vec<Leading>>,
    /// For each window: the region of the first pixel that it needs.
    pub(super) loads: Vec<u32>,
    /// For each window: what no later one needs any more.
    pub(super) frees: Vec<Vec<Leading>>,
}

/// The first item that a window needs of the region at a place in the list.
#[derive(Clone, Copy)]
struct First {
    at: usize,
    item: u64,
}

impl Flow {
    /// Of windows of a core, in their order; `regions` are sorted by writer.
    pub(super) fn new(
        source: usize,
        (needs, windows): (&Needs, &[usize]),
        writer_of: impl Fn(usize) -> usize,
        regions: &[Pixels<'_>],
    ) -> Self {
        let firsts: Vec<Vec<First>> =
            windows.iter().map(|&window| firsts(needs.of(window), &writer_of, regions)).collect();
        // From the back: the first item of each region that the windows so far need.
        let mut least: Vec<u64> = regions.iter().map(|region| region.pixels.len() as u64).collect();
        let mut frees = Vec::with_capacity(windows.len());
        for of_window in firsts.iter().rev() {
            let ends = of_window.iter().filter(|first| first.item < least[first.at]);
            frees.push(ends.map(|first| regions[first.at].leading(least[first.at])).collect());
            of_window.iter().for_each(|first| least[first.at] = first.item.min(least[first.at]));
        }
        frees.reverse();
        let read: Vec<usize> = (0..regions.len()).filter(|&at| least[at] < regions[at].pixels.len() as u64).collect();
        let ahead = read.iter().filter(|&&at| least[at] > 0);
        Self {
            source,
            regions: read.iter().map(|&at| regions[at].region).collect(),
            before: ahead.map(|&at| regions[at].leading(least[at])).collect(),
            waits: waits((needs, windows), &firsts, &read, regions),
            loads: firsts.iter().flat_map(|of| of.first()).map(|first| regions[first.at].region).collect(),
            frees,
        }
    }
}

impl Pixels<'_> {
    fn leading(&self, count: u64) -> Leading {
        Leading { region: self.region, count }
    }
}

/// What each window waits for in the regions at the places `read`.
fn waits(
    (needs, windows): (&Needs, &[usize]),
    firsts: &[Vec<First>],
    read: &[usize],
    regions: &[Pixels<'_>],
) -> Vec<Vec<Leading>> {
    let mut there: Vec<usize> = vec![0; regions.len()];
    let of_window = |(&window, firsts): (&usize, &Vec<First>)| {
        let last = needs.last_under(window) as u32;
        let mut waits = Vec::new();
        for &at in read {
            let region = &regions[at];
            let under = region.pixels.iter().skip(there[at]).take_while(|&&pixel| pixel <= last).count();
            let own = firsts.iter().filter(|first| first.at == at).map(|first| first.item as usize + 1).max();
            let count = (there[at] + under).max(own.unwrap_or(0));
            if count > there[at] {
                there[at] = count;
                waits.push(region.leading(count as u64));
            }
        }
        waits
    };
    windows.iter().zip(firsts).map(of_window).collect()
}

/// The first item that a window needs of every region from which it needs any, in the order of its pixels.
fn firsts(needed: Vec<usize>, writer_of: &impl Fn(usize) -> usize, regions: &[Pixels<'_>]) -> Vec<First> {
    let mut firsts: Vec<First> = Vec::new();
    for pixel in needed {
        let found = regions.binary_search_by_key(&writer_of(pixel), |region| region.writer);
        let Some(at) = found.ok().filter(|&at| firsts.iter().all(|first| first.at != at)) else { continue };
        let Ok(item) = regions[at].pixels.binary_search(&(pixel as u32)) else { continue };
        firsts.push(First { at, item: item as u64 });
    }
    firsts
}
