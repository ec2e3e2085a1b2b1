//! `dW += dY P^T`.

use super::runs::{Panel, gather};
use super::{Convolution, Scratch, clear};
use crate::gemm::{Operand, PanelProduct, ROWS, Start, WIDTH, blocks};
use crate::window::Window;
use pulp::{Simd, WithSimd};

/// The gradient of the weights over some images.
pub(super) struct WeightGradient<'a> {
    pub(super) convolution: &'a Convolution,
    pub(super) maps: &'a [f32],
    pub(super) slopes: &'a [f32],
    pub(super) gradient: &'a mut [f32],
    pub(super) scratch: &'a mut Scratch,
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { convolution, maps, slopes, gradient, scratch } = self;
        let map = &convolution.channels_last;
        let (windows, values, columns) = (map.windows(), map.values(), columns(convolution.window));
        clear(&mut scratch.map, map.len());
        for group in 0..convolution.groups {
            let rows = gradient[convolution.weights(group)].chunks_exact_mut(columns.len());
            clear(&mut scratch.sums, convolution.outputs * columns.len());
            for (row, sums) in rows.zip(scratch.sums.chunks_exact_mut(columns.len())) {
                row.iter().zip(&columns).for_each(|(&value, &column)| sums[column] = value);
            }
            for (image, slope) in convolution.maps(maps, group).zip(convolution.results(slopes, group)) {
                map.fill(image, &mut scratch.map);
                add(simd, scratch, slope, &windows, &values);
            }
            let rows = gradient[convolution.weights(group)].chunks_exact_mut(columns.len());
            for (row, sums) in rows.zip(scratch.sums.chunks_exact(columns.len())) {
                row.iter_mut().zip(&columns).for_each(|(value, &column)| *value = sums[column]);
            }
        }
    }
}

/// Where every weight of an output stands when the channels of a place of the window stand together.
fn columns(window: Window) -> Vec<usize> {
    let (channels, places) = (window.input.channels, window.vertical.kernel * window.horizontal.kernel);
    (0..channels * places).map(|index| index % places * channels + index / places).collect()
}

/// Adds an image, whose map is in `scratch`.
#[inline(always)]
fn add<S: Simd>(simd: S, scratch: &mut Scratch, slope: &[f32], windows: &[usize], values: &[Panel]) {
    let Scratch { a, b, map, sums } = scratch;
    let outputs = slope.len() / windows.len();
    let slope = Operand::along(slope, windows.len());
    for block in blocks(windows.len()) {
        a.clear();
        slope.pack_groups(outputs, block.clone(), a);
        b.resize(block.len(), [0.0; WIDTH]);
        for (number, panel) in values.iter().enumerate() {
            gather(map, &windows[block.clone()], panel, b);
            let (n, column) = (sums.len() / outputs, number * WIDTH);
            let a: &[[f32; ROWS]] = a;
            simd.vectorize(PanelProduct { a, b, c: &mut *sums, n, column, start: Start::Stored });
        }
    }
}
