//! Cycles as time.

use super::RecordError;

/// Femtoseconds of a second.
const FEMTO: u128 = 1_000_000_000_000_000;

/// What time a recording is exported in.
///
/// Perfetto keeps whole nanoseconds: cycles of a clock beyond 1 GHz only stay apart there if they are exported as [`Timebase::Cycles`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Timebase {
    /// A cycle is shown as a microsecond (JSON) or as a nanosecond (VCD).
    Cycles,
    /// A cycle is shown as long as it lasts at this clock, in Hz, rounded to a femtosecond in JSON.
    Clock {
        /// Cycles per second, a whole number.
        clock_hz: f64,
    },
}

/// A time base that can be used.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    Cycles,
    Hertz(u128),
}

impl Timebase {
    pub(super) fn scale(self) -> Result<Scale, RecordError> {
        match self {
            Self::Cycles => Ok(Scale::Cycles),
            Self::Clock { clock_hz } if (1.0..=1e15).contains(&clock_hz) && clock_hz.fract() == 0.0 => {
                Ok(Scale::Hertz(clock_hz as u128))
            }
            Self::Clock { clock_hz } => Err(RecordError::Clock { clock_hz }),
        }
    }
}

impl Scale {
    /// A cycle's beginning in femtoseconds, to the nearest one; a cycle counts as a microsecond without a clock.
    pub(super) fn femtoseconds(self, cycle: u64) -> u128 {
        let cycle = u128::from(cycle);
        match self {
            Self::Cycles => cycle * 1_000_000_000,
            Self::Hertz(hertz) => (cycle * FEMTO + hertz / 2) / hertz,
        }
    }

    /// Femtoseconds of a cycle, if they are a whole number.
    pub(super) fn period(self) -> Option<u128> {
        match self {
            Self::Cycles => None,
            Self::Hertz(hertz) => FEMTO.is_multiple_of(hertz).then_some(FEMTO / hertz),
        }
    }
}

/// Femtoseconds as microseconds in decimal, without rounding.
pub(super) fn microseconds(femtoseconds: u128) -> String {
    let (whole, part) = (femtoseconds / 1_000_000_000, femtoseconds % 1_000_000_000);
    if part == 0 {
        return whole.to_string();
    }
    format!("{whole}.{part:09}").trim_end_matches('0').to_owned()
}
