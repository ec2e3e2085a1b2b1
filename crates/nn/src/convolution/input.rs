//! `dP = W^T dY`, added up where the windows saw the values.

use super::padded::Padded;
use super::runs::{Panel, scatter_add, single, width};
use super::{Convolution, Scratch, clear};
use crate::gemm::{Operand, PanelProduct, ROWS, Start, WIDTH};
use pulp::{Simd, WithSimd};

/// The gradient of some images.
pub(super) struct InputGradient<'a> {
    pub(super) convolution: &'a Convolution,
    pub(super) weight: &'a [f32],
    pub(super) slopes: &'a [f32],
    pub(super) gradient: &'a mut [f32],
    pub(super) scratch: &'a mut Scratch,
}

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { convolution, weight, slopes, gradient, scratch } = self;
        let Convolution { window, outputs, groups, padded, .. } = convolution;
        let windows = padded.windows();
        for group in 0..*groups {
            pack(&weight[convolution.weights(group)], window.rows(), window.input.channels, &mut scratch.a);
            let maps = gradient.chunks_exact_mut(window.input.len()).skip(group).step_by(*groups);
            for (map, slope) in maps.zip(convolution.results(slopes, group)) {
                clear(&mut scratch.map, padded.len());
                image(simd, padded, &windows, (slope, *outputs), scratch);
                padded.cut(simd, &scratch.map, map);
            }
        }
    }
}

/// Packs the weights of a group: the last place of the window first, for each all channels in groups, for each a term per output.
fn pack(weight: &[f32], rows: usize, channels: usize, a: &mut Vec<[f32; ROWS]>) {
    let (outputs, places) = (weight.len() / rows, rows / channels);
    a.clear();
    a.resize(places * channels.div_ceil(ROWS) * outputs, [0.0; ROWS]);
    for (output, row) in weight.chunks_exact(rows).enumerate() {
        for (channel, values) in row.chunks_exact(places).enumerate() {
            let groups = a[channel / ROWS * outputs + output..].iter_mut().step_by(channels.div_ceil(ROWS) * outputs);
            groups.zip(values.iter().rev()).for_each(|(group, &value)| group[channel % ROWS] = value);
        }
    }
}

/// One image, into the padded map of `scratch`. A value gets its windows in their order: in those of a panel it stands at the later places
/// of the earlier windows.
#[inline(always)]
fn image<S: Simd>(
    simd: S,
    padded: &Padded,
    windows: &[Panel],
    (slope, outputs): (&[f32], usize),
    scratch: &mut Scratch,
) {
    let Scratch { a, b, map, sums } = scratch;
    let (positions, channels) = (slope.len() / outputs, padded.channels());
    b.resize(outputs, [0.0; WIDTH]);
    for (number, panel) in windows.iter().enumerate() {
        Operand::across(slope, positions).pack(number * WIDTH, positions, 0, b);
        let n = width(panel);
        sums.resize(channels * n, 0.0);
        for (a, tap) in a.chunks_exact(channels.div_ceil(ROWS) * outputs).zip(padded.taps().rev()) {
            if let Some(place) = single(panel) {
                let (n, column, c) = (padded.channel(), tap + place, &mut map[..channels * padded.channel()]);
                simd.vectorize(PanelProduct { a, b, c, n, column, start: Start::Added });
                continue;
            }
            simd.vectorize(PanelProduct { a, b, c: &mut *sums, n, column: 0, start: Start::Zero });
            let offsets = (0..channels).map(|channel| channel * padded.channel() + tap);
            scatter_add(sums, offsets, panel, map);
        }
    }
}
