//! How windows step along one axis of a feature map.

use crate::error::{Invalid, check_dimension};

/// Windows along one axis: their places are `position * stride + place * dilation - before`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Places under a window.
    pub kernel: usize,
    /// Step from one window to the next.
    pub stride: usize,
    /// Distance of neighbouring places of a window.
    pub dilation: usize,
    /// Places of padding in front of the map.
    pub before: usize,
    /// Places of padding behind it.
    pub after: usize,
}

impl Axis {
    /// Neighbouring places, and the same padding on both sides.
    #[must_use]
    pub fn new(kernel: usize, stride: usize, padding: usize) -> Self {
        Self { kernel, stride, dilation: 1, before: padding, after: padding }
    }

    /// The single window over a whole axis of `size` places.
    #[must_use]
    pub fn whole(size: usize) -> Self {
        Self::new(size, 1, 0)
    }

    /// Places from the first to the last one of a window.
    #[must_use]
    pub fn reach(self) -> usize {
        self.kernel.saturating_sub(1).saturating_mul(self.dilation).saturating_add(1)
    }

    /// Number of windows over `size` places; 0 if none fits.
    #[must_use]
    pub fn positions(self, size: usize) -> usize {
        let room = size.saturating_add(self.before).saturating_add(self.after).checked_sub(self.reach());
        room.and_then(|room| room.checked_div(self.stride)).map_or(0, |steps| steps + 1)
    }

    /// Refuses what does not fit `size` places; `name` is that of the axis.
    pub(crate) fn check(self, name: &str, size: usize) -> Result<(), Invalid> {
        check_dimension(&format!("kernel {name}"), self.kernel)?;
        check_dimension(&format!("{name} stride"), self.stride)?;
        check_dimension(&format!("{name} dilation"), self.dilation)?;
        // Wider padding would make windows that see nothing but zeros.
        for padding in [self.before, self.after] {
            if padding >= self.reach() {
                let allowed = format!("less than the kernel, 0 to {}", self.reach() - 1);
                return Err(Invalid::new(format!("{name} padding"), padding, allowed));
            }
        }
        let padded = size + self.before + self.after;
        if self.reach() > padded {
            let allowed = format!("at most the padded input's {padded}");
            return Err(Invalid::new(format!("kernel {name}"), self.reach(), allowed));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Axes whose padding is less than their reach.
    pub(crate) fn any_axis() -> impl Strategy<Value = Axis> {
        let axis = |(kernel, stride, dilation, before, after)| Axis { kernel, stride, dilation, before, after };
        let sides = |(kernel, stride, dilation): (usize, usize, usize)| {
            let padding = 0..(kernel - 1) * dilation + 1;
            (Just(kernel), Just(stride), Just(dilation), padding.clone(), padding)
        };
        (1usize..5, 1usize..4, 1usize..4).prop_flat_map(sides).prop_map(axis)
    }
}
