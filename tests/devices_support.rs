//! Devices to test with, programmed cells and their distributions.

use explore::config::{Kind, load};
use tile::address::{CellRow, Purpose};
use tile::device::{Device, RowPart, RowTotals, States};

/// A shipped device with some keys changed.
pub(crate) fn device(name: &str, overrides: &[&str]) -> Device {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    load(Kind::Device, name, &overrides).unwrap()
}

/// Row 0 of a layer of its own for these tests.
pub(crate) const ROW: CellRow =
    CellRow { seed: 5, purpose: Purpose::Programming, chip_sample: 0, layer: 0, slice: 0, polarity: 0, row: 0 };

/// `rows` rows of 1000 cells whose levels take turns: the values by level, and the totals.
pub(crate) fn programmed(states: &States, rows: u64) -> (Vec<Vec<f64>>, RowTotals) {
    let levels = states.levels();
    let mut by_level = vec![Vec::new(); levels];
    let (mut row_values, mut totals) = ([0.0; 1000], RowTotals::default());
    for row in 0..rows {
        let level = |column: usize| ((column + row as usize) % levels) as u8;
        let row_levels: [u8; 1000] = std::array::from_fn(level);
        totals.add(&states.program_row(CellRow { row, ..ROW }, [RowPart::new(&row_levels, &mut row_values, 1)]));
        for (column, &value) in row_values.iter().enumerate() {
            by_level[usize::from(level(column))].push(f64::from(value));
        }
    }
    (by_level, totals)
}

/// Mean and variance.
pub(crate) fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n)
}

/// `P(xi <= x)` of a standard normal xi.
pub(crate) fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// Largest distance between the values' empirical distribution and `cumulative` times the square root of their number; `cumulative` gives
/// the limits from below and at a value, which differ at an atom. Above 2.2 with a probability of 1e-4.
pub(crate) fn kolmogorov_smirnov(values: &mut [f64], cumulative: impl Fn(f64) -> (f64, f64)) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len() as f64;
    let (mut distance, mut start) = (0.0_f64, 0);
    while start < values.len() {
        let end = start + values[start..].iter().take_while(|&&value| value == values[start]).count();
        let (below, at) = cumulative(values[start]);
        distance = distance.max((start as f64 / n - below).abs()).max((end as f64 / n - at).abs());
        start = end;
    }
    distance * n.sqrt()
}

/// Equal to all digits printed: `decimals` of them stand behind the point.
pub(crate) fn assert_printed(value: f64, expected: f64, decimals: i32) {
    assert!((value - expected).abs() < 0.5001 * 10_f64.powi(-decimals), "{value}, published {expected}");
}
