//! The order of the training images.

use rand::Rng;
use tile::address::{Purpose, stream};

/// Images in the order of one epoch: a Fisher-Yates shuffle from the epoch's own stream.
pub(crate) fn shuffled(count: usize, seed: u64, epoch: u32) -> Vec<usize> {
    let mut stream = stream(seed, Purpose::Shuffling, &[u64::from(epoch)]);
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        // The high half of a 128-bit product: uniform to within 2^-64 * count.
        let index = (u128::from(stream.next_u64()) * (last as u128 + 1)) >> 64;
        order.swap(last, index as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_comes_once_and_each_epoch_has_its_own_order() {
        let (first, second) = (shuffled(100, 1, 0), shuffled(100, 1, 1));
        let sorted = |mut order: Vec<usize>| {
            order.sort_unstable();
            order
        };
        assert_eq!(sorted(first.clone()), (0..100).collect::<Vec<_>>());
        assert_eq!(sorted(second.clone()), (0..100).collect::<Vec<_>>());
        assert_ne!(first, second);
        assert_eq!(first, shuffled(100, 1, 0));
    }
}
