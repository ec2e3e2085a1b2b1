//! The figures of sweeps.

use super::*;
use crate::results::Row;

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for mapping in ["isaac", "offset"] {
        for size in [32, 64] {
            for bits in [4_u8, 5, 6] {
                let accuracy = 0.5 + 0.05 * f64::from(bits) + if mapping == "offset" { 0.1 } else { 0.0 };
                rows.push(Row {
                    mapping: mapping.to_owned(),
                    training: "conventional".to_owned(),
                    array_rows: size,
                    adc_bits: bits.into(),
                    software_accuracy: 0.97,
                    accuracy_mean: accuracy,
                    accuracy_ci95_low: accuracy - 0.01,
                    accuracy_ci95_high: accuracy + 0.01,
                    accuracy_p5: accuracy - 0.05,
                    energy_j: 1e-8 * f64::from(bits) * size as f64,
                    energy_adc_j: 1e-8 * f64::from(bits) * size as f64,
                    ..Row::default()
                });
            }
        }
    }
    rows
}

#[test]
fn a_heat_map_has_every_value_in_its_place() {
    let svg = heat_map(&rows(), "adc_bits", "array_rows").unwrap();
    for (accuracy, times) in [("70.0", 2), ("75.0", 2), ("80.0", 4), ("85.0", 2), ("90.0", 2)] {
        assert_eq!(svg.matches(&format!("\n{accuracy}\n")).count(), times, "{accuracy}");
    }
    for text in ["isaac, conventional", "offset, conventional", "ADC bits", "Array rows"] {
        assert!(svg.contains(text), "{text}");
    }
    // The ends of the scale: the worst and the best.
    assert_eq!((svg.matches("#00224E").count(), svg.matches("#FDE737").count()), (2, 2));
    assert!(matches!(heat_map(&rows(), "adc_bit", "array_rows"), Err(PlotError::UnknownColumn(_))));
    assert!(matches!(heat_map::<Row>(&[], "adc_bits", "array_rows"), Err(PlotError::Empty)));
}

#[test]
fn the_front_holds_what_nothing_beats() {
    let row = |energy_j, accuracy_mean| Row { energy_j, accuracy_mean, ..Row::default() };
    let rows =
        [row(2.0, 0.9), row(1.0, 0.8), row(3.0, 0.9), row(1.0, 0.7), row(0.5, 0.1), row(4.0, 0.95), row(2.0, 0.9)];
    assert_eq!(pareto_front(&rows), [4, 1, 0, 5]);
    assert!(pareto_front(&[]).is_empty());
}

#[test]
fn energies_are_as_long_as_they_are() {
    let mut rows = rows();
    rows[0].energy_adc_j = 0.0;
    rows[0].energy_array_j = rows[0].energy_j;
    let svg = energy_bars(&rows).unwrap();
    // Bars of nothing have no width.
    let widths: Vec<u32> =
        svg.lines().filter(|line| line.starts_with("<rect") && line.contains("#009E73")).map(width).collect();
    assert_eq!(widths.len(), rows.len() + 1, "and the legend");
    assert_eq!(widths.iter().filter(|width| **width == 0).count(), 1);
    let longest = widths.iter().max().unwrap();
    // 6 bits x 64 rows against 4 bits x 32 rows: three times as long.
    assert!(widths.iter().any(|width| width.abs_diff(longest / 3) <= 1), "{widths:?}");
}

fn width(rectangle: &str) -> u32 {
    let (_, rest) = rectangle.split_once(" width=\"").unwrap();
    rest.split_once('"').unwrap().0.parse().unwrap()
}

#[test]
fn chip_samples_are_counted() {
    let mut row = rows()[0].clone();
    row.accuracy_mean = 0.75;
    let axes = vec![AxisValue { column: "axis_rate".to_owned(), value: "0.01".to_owned(), shown: false }];
    let labelled = |row: Row| Labelled { row, axes: axes.clone() };
    let outlines = |accuracies: Vec<f64>| {
        let svg = chip_histograms(&[(labelled(row.clone()), accuracies)]).unwrap();
        assert!(svg.contains("\nRate 0.01\n"), "the setting is named");
        svg.lines().filter(|line| line.starts_with("<rect") && line.contains("#5A5A5A")).count()
    };
    assert_eq!(outlines(vec![0.7, 0.7, 0.7, 0.8]), 2, "two bins hold something");
    assert_eq!(outlines(vec![0.971, 0.973, 0.975, 0.977, 0.979]), 5, "good chips are told apart too");
    assert!(matches!(chip_histograms(&vec![(labelled(row.clone()), vec![0.5]); 25]), Err(PlotError::TooMuch(_))));
}

/// Rows over a setting that is no column are told apart, at their own places, in panels of their own.
#[test]
fn settings_without_columns_are_drawn() {
    let with = |row: Row, rate: &str| {
        let axis = AxisValue { column: "axis_rate".to_owned(), value: rate.to_owned(), shown: false };
        Labelled { row, axes: vec![axis] }
    };
    let rows: Vec<Labelled> =
        ["0.001", "0.002", "0.004"].iter().flat_map(|rate| rows().into_iter().map(|row| with(row, rate))).collect();
    let over_rate = lines(&rows, "axis_rate", &["adc_bits"], &["energy_j", "latency_s"]).unwrap();
    assert!(over_rate.contains("<title>Accuracy, energy and latency over rate</title>"));
    for tick in ["0.001", "0.002", "0.004"] {
        assert!(over_rate.contains(&format!("\n{tick}\n")), "{tick}");
    }
    let panels = lines(&rows, "adc_bits", &["array_rows"], &["energy_j"]).unwrap();
    assert_eq!(panels.matches("\nRate: 0.002\n").count(), 2, "a panel for each mapping strategy");
    // No line joins two rates: at every place there is one point, so that no stroke is vertical.
    let strokes = panels.lines().filter(|line| line.starts_with("<polyline") || line.starts_with("<line"));
    let thick = strokes.filter(|line| line.contains("stroke-width=\"2\"") && line.contains("#0072B2"));
    for line in thick {
        let at =
            |name: &str| line.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert_ne!(at("x1"), at("x2"), "{line}");
    }
    assert_eq!(heat_map(&rows, "axis_rate", "adc_bits").unwrap().matches("\nArray rows: 32\n").count(), 2);
    assert!(energy_bars(&rows).unwrap().contains("Rate 0.004"));
}

#[test]
fn a_heat_map_is_refused_where_it_says_nothing() {
    let twice = [rows(), rows()].concat();
    let error = heat_map(&twice, "adc_bits", "array_rows").unwrap_err().to_string();
    assert_eq!(error, "several rows have the same ADC bits and Array rows");
    let error = heat_map(&rows(), "latency_cycles", "array_rows").unwrap_err().to_string();
    assert!(error.starts_with("latency_cycles is a result"), "{error}");
}

#[test]
fn bars_that_are_left_out_are_counted() {
    let many: Vec<Row> = (0..8).flat_map(|seed| rows().into_iter().map(move |row| Row { seed, ..row })).collect();
    assert!(energy_bars(&many).unwrap().contains("60 of 96 rows, evenly chosen"));
    assert!(!energy_bars(&rows()).unwrap().contains("evenly chosen"));
}

#[test]
fn all_figures_are_drawn_for_any_order_of_the_rows() {
    let mut reversed = rows();
    reversed.reverse();
    for rows in [rows(), reversed] {
        for svg in [heat_map(&rows, "adc_bits", "array_rows"), energy_bars(&rows), pareto(&rows)] {
            let svg = svg.unwrap();
            assert!(svg.starts_with("<svg role=\"img\"") && svg.contains("<title>") && !svg.contains("NaN"));
            assert_ne!(dark(&svg), svg);
            assert!(!dark(&svg).contains("#FFFFFF"));
        }
    }
}

/// Accuracies that lie together at the top of a common axis are told apart by axes of their own.
#[test]
fn a_panel_far_from_others_has_its_own_range() {
    let set = |row: Row, low: f64| {
        let accuracy = if row.mapping == "isaac" { low } else { 0.96 } + 0.002 * row.adc_bits as f64;
        let (accuracy_ci95_low, accuracy_ci95_high) = (accuracy - 0.001, accuracy + 0.001);
        Row { accuracy_mean: accuracy, accuracy_ci95_low, accuracy_ci95_high, ..row }
    };
    let drawn = |low: f64| {
        let rows: Vec<Row> = rows().into_iter().map(|row| set(row, low)).collect();
        lines(&rows, "adc_bits", &["array_rows"], &["energy_j"]).unwrap()
    };
    let (apart, together) = (drawn(0.3), drawn(0.95));
    assert!(apart.contains("own ranges") && !together.contains("own ranges"));
    // 97.2 % is a tick's breadth above 96.8 %, instead of a pixel.
    assert!(apart.contains("\n97\n") && apart.contains("\n40\n"));
    for svg in [apart, together] {
        super::texts::demand_readable("own ranges", &svg);
    }
}
