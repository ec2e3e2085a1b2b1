//! `Y = b + W P`.

use super::runs::{Panel, gather};
use super::{Convolution, Scratch, clear};
use crate::gemm::{Operand, PanelProduct, ROWS, Start, WIDTH, blocks};
use pulp::{Simd, WithSimd};

/// The convolution of some images.
pub(super) struct Forward<'a> {
    pub(super) convolution: &'a Convolution,
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) maps: &'a [f32],
    pub(super) results: &'a mut [f32],
    pub(super) scratch: &'a mut Scratch,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { convolution, weight, bias, maps, results, scratch } = self;
        let Convolution { window, outputs, groups, padded, .. } = convolution;
        let (windows, terms) = (padded.windows(), terms(convolution));
        clear(&mut scratch.map, padded.len());
        for group in 0..*groups {
            let weight = Operand::along(&weight[convolution.weights(group)], terms.len());
            scratch.a.clear();
            for block in blocks(terms.len()) {
                weight.pack_groups(*outputs, block, &mut scratch.a);
            }
            let bias = &bias[group * outputs..(group + 1) * outputs];
            let size = outputs * window.positions();
            let results = results.chunks_exact_mut(size).skip(group).step_by(*groups);
            for (map, result) in convolution.maps(maps, group).zip(results) {
                padded.fill(simd, map, &mut scratch.map);
                image(simd, &terms, &windows, bias, scratch, result);
            }
        }
    }
}

/// Offsets of the values under a window.
fn terms(convolution: &Convolution) -> Vec<usize> {
    let padded = &convolution.padded;
    let channel = |channel| padded.taps().map(move |tap| channel * padded.channel() + tap);
    (0..convolution.window.input.channels).flat_map(channel).collect()
}

/// One image whose padded map and the packed weights are in `scratch`.
#[inline(always)]
fn image<S: Simd>(
    simd: S,
    terms: &[usize],
    windows: &[Panel],
    bias: &[f32],
    scratch: &mut Scratch,
    result: &mut [f32],
) {
    let Scratch { a, b, map, .. } = scratch;
    let groups = bias.len().div_ceil(ROWS);
    for block in blocks(terms.len()) {
        let start = if block.start == 0 { Start::Rows(bias) } else { Start::Stored };
        let a = &a[block.start * groups..block.end * groups];
        b.resize(block.len(), [0.0; WIDTH]);
        for (number, panel) in windows.iter().enumerate() {
            gather(map, &terms[block.clone()], panel, b);
            let (n, column) = (result.len() / bias.len(), number * WIDTH);
            simd.vectorize(PanelProduct { a, b, c: &mut *result, n, column, start });
        }
    }
}
