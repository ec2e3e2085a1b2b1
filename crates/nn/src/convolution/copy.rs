//! Copies of short lines.

/// Copies a line. Lines are mostly short: up to 32 values are copied by a few vectors, which may overlap, and not by a call.
#[inline(always)]
pub(super) fn copy(to: &mut [f32], from: &[f32]) {
    let count = to.len();
    match count {
        0..4 => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
        4..8 => {
            vector::<4>(to, from, 0);
            vector::<4>(to, from, count - 4);
        }
        8..=32 => {
            vector::<8>(to, from, 0);
            if count > 16 {
                vector::<8>(to, from, 8);
            }
            if count > 24 {
                vector::<8>(to, from, 16);
            }
            vector::<8>(to, from, count - 8);
        }
        _ => to.copy_from_slice(from),
    }
}

/// Copies `N` values from place `at` on.
#[inline(always)]
fn vector<const N: usize>(to: &mut [f32], from: &[f32], at: usize) {
    if let (Some(to), Some(from)) = (to[at..].first_chunk_mut::<N>(), from[at..].first_chunk::<N>()) {
        *to = *from;
    }
}

/// Copies every second value, the first included.
#[inline(always)]
pub(super) fn every_second(to: &mut [f32], from: &[f32]) {
    let pairs = from.as_chunks::<2>().0;
    let whole = to.len().min(pairs.len());
    to.iter_mut().zip(pairs).for_each(|(to, pair)| *to = pair[0]);
    to[whole..].iter_mut().zip(&from[2 * whole..]).for_each(|(to, &from)| *to = from);
}
