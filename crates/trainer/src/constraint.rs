//! Which columns are constrained: importance of crossbar columns, and the choice of the most important ones.

use crate::checkpoint::{Reader, Stored, Writer};
use crate::config::Biased;
use crate::error::TrainError;
use crate::target::LayerMatrix;

/// Importance of a layer's crossbar columns: for each column, i.e. one output within one row partition, the sum of `|dQ/dw|` of its
/// weights over an epoch, smoothed over epochs (Diware et al., AICAS 2023; smoothing ours).
#[derive(Clone, Debug)]
pub struct ColumnImportance {
    /// Per weight: sum of the magnitudes of this epoch's gradients.
    epoch: Vec<f32>,
    /// Per column.
    smoothed: Vec<f64>,
    epochs: u32,
}

impl ColumnImportance {
    /// No gradient seen yet.
    #[must_use]
    pub fn new(matrix: &LayerMatrix) -> Self {
        let (weights, columns) = (matrix.outputs * matrix.rows, matrix.outputs * matrix.partitions);
        Self { epoch: vec![0.0; weights], smoothed: vec![0.0; columns], epochs: 0 }
    }

    /// Adds the gradients of one step.
    pub fn add(&mut self, gradient: &[f32]) {
        for (sum, gradient) in self.epoch.iter_mut().zip(gradient) {
            *sum += gradient.abs();
        }
    }

    /// Closes an epoch: sums over the columns and follows the running mean.
    pub fn end_epoch(&mut self, matrix: &LayerMatrix, decay: f64) {
        let mut columns = vec![0.0; self.smoothed.len()];
        for (output, sums) in self.epoch.chunks_exact(matrix.rows).enumerate() {
            for (&partition, &sum) in matrix.partition.iter().zip(sums) {
                columns[output * matrix.partitions + partition] += f64::from(sum);
            }
        }
        let decay = if self.epochs == 0 { 0.0 } else { decay };
        for (smoothed, epoch) in self.smoothed.iter_mut().zip(columns) {
            *smoothed = decay * *smoothed + (1.0 - decay) * epoch;
        }
        self.epoch.fill(0.0);
        self.epochs += 1;
    }

    /// The most important share of the columns, as a mask; the lower index among equals.
    #[must_use]
    pub fn most_important(&self, share: f64) -> Vec<bool> {
        let count = (share * self.smoothed.len() as f64).round_ties_even() as usize;
        let mut order: Vec<usize> = (0..self.smoothed.len()).collect();
        order.sort_by(|&a, &b| self.smoothed[b].total_cmp(&self.smoothed[a]).then(a.cmp(&b)));
        let mut mask = vec![false; self.smoothed.len()];
        for &column in order.iter().take(count) {
            mask[column] = true;
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

    #[test]
    fn importance_is_summed_over_each_crossbar_column() {
        let mut importance = ColumnImportance::new(&matrix());
        importance.add(&[1.0, -2.0, 0.5, 0.0, 0.0, 0.0, -4.0, 4.0]);
        importance.end_epoch(&matrix(), 0.9);
        assert_eq!(importance.smoothed, [3.0, 0.5, 0.0, 8.0]);
        assert_eq!(importance.most_important(0.5), [true, false, false, true]);
        assert_eq!(importance.most_important(0.0), [false; 4]);
        assert_eq!(importance.most_important(1.0), [true; 4]);
        importance.end_epoch(&matrix(), 0.9);
        assert!((importance.smoothed[3] - 7.2).abs() < 1e-12);
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
