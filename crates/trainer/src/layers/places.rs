//! Which values of a channel every window sees.

use nn::{Shape, Window};

/// The places of all windows over one channel, in ascending order within each.
pub(super) struct Places {
    /// Values of a channel.
    pub(super) channel: usize,
    /// End of every window's part of `places`.
    ends: Vec<u32>,
    places: Vec<u32>,
}

impl Places {
    /// The places of the windows over maps of shape `window.input`.
    pub(super) fn of(window: Window) -> Self {
        let channel = Window { input: Shape { channels: 1, ..window.input }, ..window };
        let (mut ends, mut places) = (Vec::new(), Vec::new());
        for (oy, ox) in channel.outputs() {
            places.extend(channel.runs(oy, ox).flat_map(|run| run.map..run.map + run.len).map(|place| place as u32));
            ends.push(places.len() as u32);
        }
        Self { channel: channel.input.len(), ends, places }
    }

    /// Number of windows.
    pub(super) fn windows(&self) -> usize {
        self.ends.len()
    }

    /// The places of each window.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.places[start as usize..end as usize])
    }
}
