//! Maxima and averages over windows.

use super::places::Places;
use super::{Backward, Forward, LayerWeights, Memory, Pass, Reads};

/// Maximum over windows of each channel.
pub(super) struct MaxPoolPass(pub(super) Places);

/// Average over windows of each channel.
pub(super) struct AveragePoolPass {
    pub(super) places: Places,
    /// What sums are divided by; none if it is the number of places seen.
    pub(super) divisor: Option<usize>,
}

impl Pass for MaxPoolPass {
    fn reads(&self) -> Reads {
        Reads::NOTHING
    }

    /// Remembers where each maximum was found, among equal values the first.
    fn forward(&self, _: &LayerWeights, pass: Forward<'_>, memory: &mut Memory, output: &mut [f32]) {
        memory.places.resize(output.len(), 0);
        let results = output.chunks_exact_mut(self.0.windows()).zip(memory.places.chunks_exact_mut(self.0.windows()));
        for (map, (output, found)) in pass.inputs[0].chunks_exact(self.0.channel).zip(results) {
            for ((output, found), places) in output.iter_mut().zip(found).zip(self.0.iter()) {
                let (mut best, mut largest) = (places[0], map[places[0] as usize]);
                for &place in &places[1..] {
                    let value = map[place as usize];
                    (best, largest) = if value > largest { (place, value) } else { (best, largest) };
                }
                (*output, *found) = (largest, best);
            }
        }
    }

    /// Every result's gradient goes to the value it was taken from.
    fn input(&self, _: &LayerWeights, pass: Backward<'_>, memory: &mut Memory, _: usize, slope: &mut [f32]) {
        slope.fill(0.0);
        let above = pass.slope.chunks_exact(self.0.windows()).zip(memory.places.chunks_exact(self.0.windows()));
        for (map, (above, found)) in slope.chunks_exact_mut(self.0.channel).zip(above) {
            above.iter().zip(found).for_each(|(&above, &place)| map[place as usize] += above);
        }
    }
}

impl AveragePoolPass {
    fn divisor(&self, places: &[u32]) -> usize {
        self.divisor.unwrap_or(places.len()).max(1)
    }
}

impl Pass for AveragePoolPass {
    fn reads(&self) -> Reads {
        Reads::NOTHING
    }

    /// Rounded once.
    fn forward(&self, _: &LayerWeights, pass: Forward<'_>, _: &mut Memory, output: &mut [f32]) {
        let results = output.chunks_exact_mut(self.places.windows());
        for (map, output) in pass.inputs[0].chunks_exact(self.places.channel).zip(results) {
            for (output, places) in output.iter_mut().zip(self.places.iter()) {
                let sum: f64 = places.iter().map(|&place| f64::from(map[place as usize])).sum();
                *output = (sum / self.divisor(places) as f64) as f32;
            }
        }
    }

    fn input(&self, _: &LayerWeights, pass: Backward<'_>, _: &mut Memory, _: usize, slope: &mut [f32]) {
        slope.fill(0.0);
        let above = pass.slope.chunks_exact(self.places.windows());
        for (map, above) in slope.chunks_exact_mut(self.places.channel).zip(above) {
            for (&above, places) in above.iter().zip(self.places.iter()) {
                let share = above / self.divisor(places) as f32;
                places.iter().for_each(|&place| map[place as usize] += share);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::Case;
    use super::*;
    use nn::{Axis, Shape, Window};

    const SHAPE: Shape = Shape { channels: 2, height: 5, width: 6 };

    fn windows() -> impl Iterator<Item = (Window, Shape)> {
        let axes =
            [Axis::new(2, 2, 0), Axis::new(3, 1, 1), Axis::new(2, 3, 0), Axis { dilation: 2, ..Axis::new(2, 1, 1) }];
        let window = |axis| Window { input: SHAPE, vertical: axis, horizontal: axis };
        axes.into_iter().map(window).map(|w| (w, Shape { channels: 2, height: w.out_height(), width: w.out_width() }))
    }

    #[test]
    fn gradients_of_maxima_are_the_slopes() {
        // All values are at least 0.1 apart, so that no step changes which one is the largest.
        let input: Vec<f32> = (0..3 * SHAPE.len()).map(|i| (i * 77 % 180) as f32 * 0.1 - 6.0).collect();
        for (window, shape) in windows() {
            let pass = MaxPoolPass(Places::of(window));
            Case { inputs: vec![input.clone()], step: 0.03, ..Case::new(&pass, &[SHAPE], shape) }.check();
        }
    }

    #[test]
    fn gradients_of_averages_are_the_slopes() {
        for (window, shape) in windows() {
            for divisor in [None, Some(9)] {
                let pass = AveragePoolPass { places: Places::of(window), divisor };
                Case { step: 0.5, ..Case::new(&pass, &[SHAPE], shape) }.check();
            }
        }
    }

    #[test]
    fn among_equal_values_the_first_takes_the_gradient() {
        let pass = MaxPoolPass(Places::of(Window::whole(Shape { channels: 1, height: 2, width: 2 })));
        let (mut memory, mut output, mut slope) = (Memory::default(), [0.0], [0.0; 4]);
        let inputs = [&[1.0_f32, 2.0, 2.0, 2.0][..]];
        pass.forward(&LayerWeights::default(), Forward { inputs: &inputs, training: true }, &mut memory, &mut output);
        let backward = Backward { inputs: &inputs, output: &output, slope: &[3.0] };
        pass.input(&LayerWeights::default(), backward, &mut memory, 0, &mut slope);
        assert_eq!((output, slope), ([2.0], [0.0, 3.0, 0.0, 0.0]));
    }
}
