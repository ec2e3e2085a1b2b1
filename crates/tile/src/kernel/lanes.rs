//! Sixteen numbers side by side: one AVX-512 register, two AVX2 registers, or a plain array.

/// Columns that are computed together.
pub const LANES: usize = 16;

/// One value per column of a block. Every operation is a plain loop over the lanes, which the compiler turns into vector instructions of whatever
/// instruction set the calling function is compiled for; none is reordered, nor fused by itself, so the bits are the same on all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes<T>(pub [T; LANES]);

impl<T: Copy> Lanes<T> {
    /// The same value in every lane.
    #[inline(always)]
    pub fn splat(value: T) -> Self {
        Self([value; LANES])
    }

    /// `f(self, other)`, lane by lane.
    #[inline(always)]
    pub fn zip<U: Copy, R: Copy + Default>(self, other: Lanes<U>, f: impl Fn(T, U) -> R) -> Lanes<R> {
        let mut result = Lanes([R::default(); LANES]);
        for lane in 0..LANES {
            result.0[lane] = f(self.0[lane], other.0[lane]);
        }
        result
    }

    /// `f(self)`, lane by lane.
    #[inline(always)]
    pub fn map<R: Copy + Default>(self, f: impl Fn(T) -> R) -> Lanes<R> {
        self.zip(self, |value, _| f(value))
    }
}

impl Lanes<f32> {
    /// Sum, lane by lane.
    #[inline(always)]
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}
