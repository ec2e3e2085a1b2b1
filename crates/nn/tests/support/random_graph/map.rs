//! A map with its values.

/// A map of one image with its name in the file.
#[derive(Clone)]
pub(crate) struct Map {
    pub(crate) name: String,
    /// Channels, rows, columns.
    pub(crate) size: [usize; 3],
    pub(crate) values: Vec<f64>,
}

impl Map {
    /// A value, or none beyond the border.
    pub(crate) fn at(&self, channel: usize, y: isize, x: isize) -> Option<f64> {
        let [_, height, width] = self.size;
        let inside = y >= 0 && x >= 0 && (y as usize) < height && (x as usize) < width;
        inside.then(|| self.values[(channel * height + y as usize) * width + x as usize])
    }

    /// The value of a place that there is.
    pub(crate) fn value(&self, channel: usize, y: usize, x: usize) -> f64 {
        self.at(channel, y as isize, x as isize).unwrap()
    }

    /// A map whose values are a function of channel, row and column.
    pub(crate) fn fill(name: String, size: [usize; 3], mut value: impl FnMut(usize, usize, usize) -> f64) -> Self {
        let mut values = Vec::new();
        for channel in 0..size[0] {
            for y in 0..size[1] {
                for x in 0..size[2] {
                    values.push(value(channel, y, x));
                }
            }
        }
        Self { name, size, values }
    }
}
