//! Panels of an operand that is not stored: its value in row `i` and column `j` is the stored one at `rows[i] + columns[j]`.

use crate::gemm::WIDTH;

/// Neighbouring columns of a panel whose values are neighbours in memory as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// First column within the panel.
    lane: usize,
    /// Where its values are found, to which a row's offset is added.
    offset: usize,
    len: usize,
}

/// The columns of a panel, from the first on.
pub(super) type Panel = Vec<Run>;

/// Cuts the columns, given as stretches (offset, number) of neighbours, into panels.
pub(super) fn panels(stretches: impl IntoIterator<Item = (usize, usize)>) -> Vec<Panel> {
    let (mut panels, mut lane) = (vec![Panel::new()], 0);
    for (mut offset, mut rest) in stretches {
        while rest > 0 {
            if lane == WIDTH {
                panels.push(Panel::new());
                lane = 0;
            }
            let len = rest.min(WIDTH - lane);
            if let Some(panel) = panels.last_mut() {
                match panel.last_mut() {
                    Some(run) if run.offset + run.len == offset => run.len += len,
                    _ => panel.push(Run { lane, offset, len }),
                }
            }
            (lane, offset, rest) = (lane + len, offset + len, rest - len);
        }
    }
    panels
}

/// Number of columns of a panel.
pub(super) fn width(panel: &[Run]) -> usize {
    panel.last().map_or(0, |run| run.lane + run.len)
}

/// Copies a row of values for every offset of `rows`. `data` must go on for [`WIDTH`] values behind what is wanted.
#[inline(always)]
pub(super) fn gather(data: &[f32], rows: &[usize], panel: &[Run], packed: &mut [[f32; WIDTH]]) {
    for run in panel {
        // Whole vectors: what is too much is overwritten by the next run, or of no meaning.
        match (run.len, WIDTH - run.lane) {
            (..=8, 8..) => copy::<8>(data, rows, *run, packed),
            (..=16, 16..) => copy::<16>(data, rows, *run, packed),
            (_, 32) => copy::<32>(data, rows, *run, packed),
            _ => {
                for (row, &offset) in packed.iter_mut().zip(rows) {
                    let from = &data[run.offset + offset..][..run.len];
                    row[run.lane..].iter_mut().zip(from).for_each(|(to, &from)| *to = from);
                }
            }
        }
    }
}

#[inline(always)]
fn copy<const N: usize>(data: &[f32], rows: &[usize], run: Run, packed: &mut [[f32; WIDTH]]) {
    for (row, &offset) in packed.iter_mut().zip(rows) {
        let to = row[run.lane..].first_chunk_mut::<N>();
        if let (Some(to), Some(from)) = (to, data[run.offset + offset..].first_chunk::<N>()) {
            *to = *from;
        }
    }
}

/// Adds the rows of `tile`, which are as long as the panel is wide, to the values at the offsets of `rows`.
#[inline(always)]
pub(super) fn scatter_add(tile: &[f32], rows: impl Iterator<Item = usize>, panel: &[Run], data: &mut [f32]) {
    for (values, offset) in tile.chunks_exact(width(panel)).zip(rows) {
        for run in panel {
            let (to, values) = (&mut data[run.offset + offset..][..run.len], &values[run.lane..][..run.len]);
            match run.len {
                32 => add::<32>(to, values),
                16 => add::<16>(to, values),
                8 => add::<8>(to, values),
                _ => to.iter_mut().zip(values).for_each(|(sum, &value)| *sum += value),
            }
        }
    }
}

#[inline(always)]
fn add<const N: usize>(to: &mut [f32], values: &[f32]) {
    if let (Some(to), Some(values)) = (to.first_chunk_mut::<N>(), values.first_chunk::<N>()) {
        // Complete before it is stored, so that it compiles to vectors.
        *to = std::array::from_fn(|lane| to[lane] + values[lane]);
    }
}

/// The place of the only run of a full panel.
pub(super) fn single(panel: &[Run]) -> Option<usize> {
    panel.first().filter(|run| run.len == WIDTH).map(|run| run.offset)
}
