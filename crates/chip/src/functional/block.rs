//! A block of images through all stages.

use super::mvm::{Images, MvmRun};
use super::plan::StagePlan;
use super::probe::ColumnProbe;
use super::totals::StageTotals;
use super::{Settings, vector};
use crate::program::{Program, Stage};
use tile::actions::ActionCounts;

/// What a block of images did.
pub(super) struct BlockResult {
    pub(super) scores: Vec<f64>,
    pub(super) counts: ActionCounts,
    /// One entry per MVM stage.
    pub(super) totals: Vec<StageTotals>,
}

impl BlockResult {
    /// Of no images.
    pub(super) fn empty(plans: &[StagePlan<'_>]) -> Self {
        let totals = plans.iter().map(|plan| StageTotals::new(plan, true)).collect();
        Self { scores: Vec::new(), counts: ActionCounts::default(), totals }
    }

    /// Adds the images behind these.
    pub(super) fn append(&mut self, next: Self) {
        self.scores.extend(next.scores);
        self.counts += next.counts;
        self.totals.iter_mut().zip(&next.totals).for_each(|(totals, next)| totals.add(next));
    }
}

/// Runs one block of images.
pub(super) struct BlockRun<'a> {
    program: &'a Program,
    runs: Vec<MvmRun<'a>>,
    counts: ActionCounts,
    /// The maps of all images, by stage: map 0 is the input, map `k` the result of stage `k - 1`.
    maps: Vec<Vec<i32>>,
}

impl<'a> BlockRun<'a> {
    pub(super) fn new(program: &'a Program, plans: &'a [StagePlan<'a>], settings: Settings) -> Self {
        let run = |plan| MvmRun::new(plan, settings.isa, settings.errors);
        Self { program, runs: plans.iter().map(run).collect(), counts: ActionCounts::default(), maps: Vec::new() }
    }

    /// Runs images, the first of which is number `first` of its batch.
    pub(super) fn run(
        mut self,
        first: u64,
        codes: &[i32],
        mut probe: Option<&mut dyn ColumnProbe>,
    ) -> Result<BlockResult, String> {
        let images = codes.len() / self.program.input.len().max(1);
        self.maps.push(codes.to_vec());
        self.counts += self.program.distribution(0).times(images as u64);
        let (mut scores, mut layer) = (Vec::new(), 0);
        for (index, stage) in self.program.stages.iter().enumerate() {
            let mut result = Vec::new();
            match stage {
                Stage::Mvm(mvm) => {
                    let images = Images { first, count: images, maps: &self.maps[mvm.input as usize] };
                    let outputs = self.runs[layer].run(&images, &mut self.counts, &mut probe)?;
                    (result, scores) = (outputs.codes, outputs.scores);
                    layer += 1;
                }
                Stage::Pool(pool) => {
                    result.reserve(images * stage.output().len());
                    for map in per_image(&self.maps[pool.input as usize], images) {
                        self.counts += vector::run_pool(pool, &self.program.chip, map, &mut result);
                    }
                }
                Stage::Add(add) => {
                    let [a, b] = add.inputs.map(|source| per_image(&self.maps[source as usize], images));
                    for (a, b) in a.zip(b) {
                        let (codes, counts) = vector::run_add(add, &self.program.chip, [a, b]);
                        result.extend(codes);
                        self.counts += counts;
                    }
                }
                Stage::Concat(concat) => {
                    let sources = concat.inputs.iter().map(|&source| &self.maps[source as usize]);
                    let mut sources: Vec<_> = sources.map(|maps| per_image(maps, images)).collect();
                    for _ in 0..images {
                        let maps: Vec<&[i32]> = sources.iter_mut().filter_map(Iterator::next).collect();
                        let (codes, counts) = vector::run_concat(concat, &self.program.chip, &maps);
                        result.extend(codes);
                        self.counts += counts;
                    }
                }
                Stage::Table(table) => {
                    for map in per_image(&self.maps[table.input as usize], images) {
                        let (codes, counts) = vector::run_table(table, &self.program.chip, map);
                        result.extend(codes);
                        self.counts += counts;
                    }
                }
            }
            self.counts += self.program.movement(index).times(images as u64);
            self.maps.push(result);
            self.drop_read_maps(index);
        }
        let codes = self.maps.pop().unwrap_or_default();
        if scores.is_empty() {
            scores.extend(codes.iter().map(|&code| f64::from(code)));
        }
        Ok(BlockResult { scores, counts: self.counts, totals: self.runs.into_iter().map(|run| run.totals).collect() })
    }

    /// Gives back the maps that no stage behind stage `index` reads.
    fn drop_read_maps(&mut self, index: usize) {
        for &source in self.program.stages[index].inputs() {
            let later = self.program.stages[index + 1..].iter().any(|stage| stage.inputs().contains(&source));
            if !later {
                self.maps[source as usize] = Vec::new();
            }
        }
    }
}

/// The map of each of `images` images.
fn per_image(maps: &[i32], images: usize) -> impl Iterator<Item = &[i32]> {
    maps.chunks_exact((maps.len() / images.max(1)).max(1))
}
