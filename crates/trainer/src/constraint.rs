//! Which columns are constrained: importance of crossbar columns, and the choice of the most important ones.

use crate::checkpoint::{Reader, Stored, Writer};
use crate::config::{Biased, Importance};
use crate::error::TrainError;
use crate::target::LayerMatrix;
use rand::RngExt;
use tile::address::Stream;

/// Importance of a layer's crossbar columns: for each column, i.e. one output within one row partition, the sum of what its weights count
/// in an epoch, smoothed over epochs (smoothing ours).
#[derive(Clone, Debug)]
pub struct ColumnImportance {
    measure: Importance,
    /// Per weight: sum over this epoch's steps.
    epoch: Vec<f32>,
    /// Per column.
    smoothed: Vec<f64>,
    epochs: u32,
}

impl ColumnImportance {
    /// No gradient seen yet; `control` draws the columns of the random measure.
    #[must_use]
    pub fn new(matrix: &LayerMatrix, measure: Importance, control: &mut Stream) -> Self {
        let (weights, columns) = (matrix.outputs * matrix.rows, matrix.outputs * matrix.partitions);
        let mut draw = || if measure == Importance::Random { control.random::<f64>() } else { 0.0 };
        Self { measure, epoch: vec![0.0; weights], smoothed: (0..columns).map(|_| draw()).collect(), epochs: 0 }
    }

    /// Adds the gradients of one step.
    pub fn add(&mut self, gradient: &[f32]) {
        let sums = self.epoch.iter_mut().zip(gradient);
        match self.measure {
            Importance::Gradient => sums.for_each(|(sum, gradient)| *sum += gradient.abs()),
            Importance::Fisher | Importance::Benefit => sums.for_each(|(sum, gradient)| *sum += gradient * gradient),
            Importance::Magnitude | Importance::Random => {}
        }
    }

    /// Closes an epoch: sums over the columns and follows the running mean. `counts` says what a weight counts, from its number and its sum over the steps.
    pub fn end_epoch(&mut self, matrix: &LayerMatrix, decay: f64, counts: impl Fn(usize, f32) -> f64) {
        if self.measure == Importance::Random {
            return;
        }
        let mut columns = vec![0.0; self.smoothed.len()];
        for (output, sums) in self.epoch.chunks_exact(matrix.rows).enumerate() {
            for (row, (&partition, &sum)) in matrix.partition.iter().zip(sums).enumerate() {
                columns[output * matrix.partitions + partition] += counts(output * matrix.rows + row, sum);
            }
        }
        let decay = if self.epochs == 0 { 0.0 } else { decay };
        for (smoothed, epoch) in self.smoothed.iter_mut().zip(columns) {
            *smoothed = decay * *smoothed + (1.0 - decay) * epoch;
        }
        self.epoch.fill(0.0);
        self.epochs += 1;
    }

    /// The most important share of the columns, as a mask; the lower index among equals. By benefit only those that have one.
    #[must_use]
    pub fn most_important(&self, share: f64) -> Vec<bool> {
        let count = (share * self.smoothed.len() as f64).round_ties_even() as usize;
        let mut order: Vec<usize> = (0..self.smoothed.len()).collect();
        order.sort_by(|&a, &b| self.smoothed[b].total_cmp(&self.smoothed[a]).then(a.cmp(&b)));
        let mut mask = vec![false; self.smoothed.len()];
        for &column in order.iter().take(count) {
            mask[column] = self.measure != Importance::Benefit || self.smoothed[column] > 0.0;
        }
        mask
    }
}

impl Stored for ColumnImportance {
    fn store(&self, writer: &mut Writer) {
        writer.list(&self.epoch);
        writer.list(&self.smoothed);
        writer.number(self.epochs);
    }

    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        reader.list(&mut self.epoch)?;
        reader.list(&mut self.smoothed)?;
        self.epochs = reader.number()?;
        Ok(())
    }
}

/// When columns are chosen, and how many: the schedule of biased training.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    first: u32,
    frozen: u32,
    refresh: u32,
    share: f64,
}

impl Schedule {
    /// The schedule for a final share of constrained columns.
    #[must_use]
    pub fn new(biased: &Biased, epochs: u32, share: f64) -> Self {
        // At the end of the first epoch at the earliest, so that a choice is always made.
        let epoch = |part: f64| ((part * f64::from(epochs)).round_ties_even() as u32).max(1);
        Self { first: epoch(biased.warm_up), frozen: epoch(biased.freeze), refresh: biased.refresh_epochs, share }
    }

    /// Share of columns to choose after `done` epochs, if it is time to choose: at the end of the warm-up, then every few epochs, and last
    /// when the choice is frozen. The share rises along a cubic to its final value.
    #[must_use]
    pub fn choose(&self, done: u32) -> Option<f64> {
        let due = done == self.frozen
            || (done < self.frozen && done >= self.first && (done - self.first).is_multiple_of(self.refresh));
        due.then(|| {
            let remaining = f64::from(self.frozen - done) / f64::from((self.frozen - self.first).max(1));
            self.share * (1.0 - remaining.powi(3))
        })
    }

    /// Whether the constraint is final after `done` epochs, so that a checkpoint is eligible.
    #[must_use]
    pub fn is_final(&self, done: u32) -> bool {
        done >= self.frozen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tile::address::{Purpose, stream};

    fn matrix() -> LayerMatrix {
        LayerMatrix {
            outputs: 2,
            rows: 4,
            scale: 1.0,
            partition: vec![0, 0, 1, 1],
            partitions: 2,
            row_order: vec![0, 1, 2, 3],
        }
    }

    fn new(measure: Importance, seed: u64) -> ColumnImportance {
        ColumnImportance::new(&matrix(), measure, &mut stream(seed, Purpose::Control, &[0]))
    }

    #[test]
    fn importance_is_summed_over_each_crossbar_column() {
        let sums = |_: usize, sum: f32| f64::from(sum);
        let mut importance = new(Importance::Gradient, 1);
        importance.add(&[1.0, -2.0, 0.5, 0.0, 0.0, 0.0, -4.0, 4.0]);
        importance.end_epoch(&matrix(), 0.9, sums);
        assert_eq!(importance.smoothed, [3.0, 0.5, 0.0, 8.0]);
        assert_eq!(importance.most_important(0.5), [true, false, false, true]);
        assert_eq!(importance.most_important(0.0), [false; 4]);
        assert_eq!(importance.most_important(1.0), [true; 4]);
        importance.end_epoch(&matrix(), 0.9, sums);
        assert!((importance.smoothed[3] - 7.2).abs() < 1e-12);
    }

    #[test]
    fn other_measures_count_what_they_say() {
        let gradient = [1.0, -2.0, 0.5, 0.0, 0.0, 0.0, -4.0, 4.0];
        let mut fisher = new(Importance::Fisher, 1);
        fisher.add(&gradient);
        fisher.add(&gradient);
        fisher.end_epoch(&matrix(), 0.9, |_, sum| sum.into());
        assert_eq!(fisher.smoothed, [10.0, 0.5, 0.0, 64.0]);
        let mut magnitude = new(Importance::Magnitude, 1);
        magnitude.add(&gradient);
        magnitude.end_epoch(&matrix(), 0.9, |index, _| index as f64);
        assert_eq!(magnitude.smoothed, [1.0, 5.0, 9.0, 13.0]);
        // Only columns that gain are constrained, whatever the share.
        let mut benefit = new(Importance::Benefit, 1);
        benefit.add(&gradient);
        benefit.end_epoch(&matrix(), 0.9, |index, sum| if index < 2 { -f64::from(sum) } else { sum.into() });
        assert_eq!(benefit.smoothed, [-5.0, 0.25, 0.0, 32.0]);
        assert_eq!(benefit.most_important(1.0), [false, true, false, true]);
        assert_eq!(benefit.most_important(0.25), [false, false, false, true]);
    }

    #[test]
    fn random_columns_are_drawn_once_by_the_seed() {
        let mut random = new(Importance::Random, 1);
        let drawn = random.most_important(0.5);
        random.add(&[9.0; 8]);
        random.end_epoch(&matrix(), 0.9, |_, sum| sum.into());
        assert_eq!((random.most_important(0.5), drawn.iter().filter(|&&chosen| chosen).count()), (drawn.clone(), 2));
        assert!((2..20).any(|seed| new(Importance::Random, seed).most_important(0.5) != drawn));
    }

    #[test]
    fn the_share_rises_to_its_value_when_the_choice_is_frozen() {
        let schedule = Schedule { first: 10, frozen: 30, refresh: 5, share: 0.5 };
        let chosen: Vec<(u32, f64)> = (0..50).filter_map(|done| Some((done, schedule.choose(done)?))).collect();
        assert_eq!(chosen.iter().map(|c| c.0).collect::<Vec<_>>(), [10, 15, 20, 25, 30]);
        assert_eq!((chosen[0].1, chosen[4].1), (0.0, 0.5));
        assert!(chosen.windows(2).all(|pair| pair[0].1 < pair[1].1));
        assert!(!schedule.is_final(29) && schedule.is_final(30));
    }
}
