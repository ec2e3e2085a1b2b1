//! A whole product, block by block and panel by panel.

use super::kernel::{PanelProduct, Start};
use super::pack::Operand;
use super::{GemmSize, Panels, WIDTH, blocks};
use pulp::{Simd, WithSimd};

/// A product to be computed.
pub(super) struct Product<'a> {
    pub(super) size: GemmSize,
    pub(super) a: Operand<'a>,
    pub(super) b: Operand<'a>,
    pub(super) c: &'a mut [f32],
    pub(super) panels: &'a mut Panels,
}

impl WithSimd for Product<'_> {
    type Output = ();

    /// A block of terms after the other in ascending order; within a block one panel of `B` after the other.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { size: GemmSize { m, n, k }, a, b, c, panels } = self;
        for block in blocks(k) {
            panels.a.clear();
            a.pack_groups(m, block.clone(), &mut panels.a);
            // Stale content is overwritten: packing fills whole groups.
            panels.b.resize(block.len(), [0.0; WIDTH]);
            for column in (0..n).step_by(WIDTH) {
                b.pack(column, n, block.start, &mut panels.b);
                let (a, b) = (panels.a.as_slice(), panels.b.as_slice());
                simd.vectorize(PanelProduct { a, b, c: &mut *c, n, column, start: Start::Stored });
            }
        }
    }
}
