//! Whole figures.

use super::*;
use crate::results::Row;

fn row(mapping: &str, training: &str, accuracy: f64, energy_j: f64) -> Row {
    Row {
        network: "lenet-5".to_owned(),
        dataset: "fashion-mnist".to_owned(),
        device: "paper-order".to_owned(),
        mapping: mapping.to_owned(),
        training: training.to_owned(),
        sigma_scale: 1.0,
        array_rows: 128,
        array_cols: 128,
        cell_bits: 2,
        weight_bits: 8,
        adc_bits: 8,
        chips: 50,
        software_accuracy: 0.88,
        accuracy_mean: accuracy,
        accuracy_ci95_low: accuracy - 0.04,
        accuracy_ci95_high: accuracy + 0.03,
        accuracy_p5: accuracy - 0.12,
        energy_j,
        ..Row::default()
    }
}

fn table() -> Vec<Row> {
    let mut rows = Vec::new();
    for (m, mapping) in ["isaac", "offset", "differential", "twos-complement", "unary"].into_iter().enumerate() {
        for (t, training) in ["conventional", "noise-injection", "biased"].into_iter().enumerate() {
            let accuracy = 0.3 + 0.1 * m as f64 + 0.08 * t as f64;
            rows.push(row(mapping, training, accuracy, 1.234e-8 * (1.0 + m as f64 + 0.1 * t as f64)));
        }
    }
    rows
}

fn sweep() -> Vec<Row> {
    let mut rows = Vec::new();
    for mapping in ["isaac", "differential"] {
        for training in ["conventional", "biased"] {
            for array_rows in [32, 128, 512] {
                for adc_bits in 4..=10 {
                    let gain = if training == "biased" { 0.15 } else { 0.0 };
                    let lost = 2.0_f64.powi(5 - adc_bits) * (array_rows as f64 / 128.0).sqrt();
                    let accuracy = (0.7 + gain - 0.15 * lost).max(0.1);
                    let energy_j = 2e-9 * 1.5_f64.powi(adc_bits) * 128.0 / array_rows as f64;
                    rows.push(Row {
                        array_rows,
                        adc_bits: adc_bits as u64,
                        ..row(mapping, training, accuracy, energy_j)
                    });
                }
            }
        }
    }
    rows
}

/// Checks that tags nest and attributes are quoted, and returns all tags with their attributes.
fn tags(svg: &str) -> Vec<String> {
    let mut open = Vec::new();
    let mut found = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("every tag ends");
        assert!(tag.matches('"').count() % 2 == 0 && !text.contains('>'), "{part}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap().to_owned();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "tags nest");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        found.push(tag.to_owned());
    }
    assert!(open.is_empty());
    assert!(!svg.contains("NaN") && !svg.contains("inf\""));
    found
}

fn count(svg: &str, tag: &str, fill: &str) -> usize {
    tags(svg).iter().filter(|text| text.starts_with(tag) && text.contains(&format!("fill=\"{fill}\""))).count()
}

#[test]
fn every_row_has_a_bar_and_a_percentile() {
    let svg = accuracy_bars(&table(), 10).unwrap();
    for index in 0..3 {
        let plotters::style::RGBColor(red, green, blue) = marks::pale(index);
        // One more is in the legend.
        assert_eq!(count(&svg, "rect", &format!("#{red:02X}{green:02X}{blue:02X}")), 5 + 1);
    }
    assert_eq!(count(&svg, "polygon", "#FFFFFF"), 15 + 1);
    assert!(svg.contains("<title>Accuracy under device variation</title>"));
    assert!(svg.contains("lenet-5 on fashion-mnist"));
}

#[test]
fn every_row_has_two_marks() {
    let svg = lines(&sweep(), "adc_bits", &["array_rows"], &["energy_j"]).unwrap();
    assert_eq!(count(&svg, "circle", "#0072B2"), 2 * 28 + 1);
    // Beside the marks, a band in each of the four panels.
    assert_eq!(count(&svg, "polygon", "#E69F00"), 2 * 28 + 1 + 4);
    assert_eq!(count(&svg, "polygon", "#009E73"), 2 * 28 + 1 + 4);
    let veiled = tags(&svg).iter().filter(|tag| tag.starts_with("polygon") && tag.contains("opacity=\"0.22\"")).count();
    assert_eq!(veiled, 4 * 3 + 1, "bands, and that of the legend");
}

#[test]
fn equal_rows_give_equal_bytes() {
    assert_eq!(accuracy_bars(&table(), 10), accuracy_bars(&table(), 10));
    assert_eq!(
        lines(&sweep(), "adc_bits", &["array_rows"], &["energy_j"]),
        lines(&sweep(), "adc_bits", &["array_rows"], &["energy_j"])
    );
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    assert_eq!(accuracy_bars(&[], 10), Err(PlotError::Empty));
    assert_eq!(lines::<Row>(&[], "adc_bits", &[], &["energy_j"]), Err(PlotError::Empty));
    assert_eq!(lines(&table(), "adc_bits", &[], &["x"]), Err(PlotError::UnknownColumn("x".to_owned())));
    assert!(matches!(lines(&table(), "adc_bits", &[], &["network"]), Err(PlotError::Unsuitable(_))));
    assert_eq!(lines(&table(), "adc", &[], &["energy_j"]), Err(PlotError::UnknownColumn("adc".to_owned())));
    assert_eq!(lines(&table(), "adc_bits", &["x"], &["energy_j"]), Err(PlotError::UnknownColumn("x".to_owned())));
    let bad = [table(), vec![row("a", "b", f64::NAN, 1.0)]].concat();
    assert_eq!(accuracy_bars(&bad, 10), Err(PlotError::NotFinite { column: "accuracy_mean", row: 16 }));
    let many: Vec<Row> = (0..36).map(|index| row("a", &format!("t{index}"), 0.5, 1.0)).collect();
    assert!(matches!(accuracy_bars(&many, 10), Err(PlotError::TooMuch(_))));
    assert!(matches!(lines(&many, "adc_bits", &["training"], &["energy_j"]), Err(PlotError::TooMuch(_))));
}

#[test]
fn odd_data_still_has_a_figure() {
    for (accuracy, energy_j) in [(0.0, 0.0), (1.0, 1e-300), (0.5, 1e300), (0.5, -1.0), (2.0, 1.0)] {
        let one = [row("<&\"'>", "\u{1}é", accuracy, energy_j)];
        tags(&accuracy_bars(&one, 0).unwrap());
        tags(&lines(&one, "adc_bits", &[], &["energy_j"]).unwrap());
        tags(&lines(&one, "mapping", &["training"], &["energy_j"]).unwrap());
    }
}

#[test]
fn rows_that_differ_elsewhere_are_told_apart() {
    let rows: Vec<Row> =
        ["pcm", "sonos"].map(|device| Row { device: device.to_owned(), ..row("isaac", "biased", 0.5, 1e-9) }).into();
    assert!(accuracy_bars(&rows, 10).unwrap().contains("Device: pcm"));
    assert!(lines(&rows, "adc_bits", &[], &["energy_j"]).unwrap().contains("Device: sonos"));
}

/// The states of devices at 1 to 4 bits per cell.
fn surveyed(devices: &[&str]) -> crate::states::Survey {
    let chip: chip::config::Chip = crate::config::load(crate::config::Kind::Chip, "default", &[]).unwrap();
    let devices: Vec<String> = devices.iter().map(|name| (*name).to_owned()).collect();
    crate::states::survey(&chip, &devices, &[1, 2, 3, 4], &[]).unwrap()
}

/// Size of a figure, and every coordinate in it as `(value, whether horizontal)`.
fn coordinates(svg: &str) -> ((f64, f64), Vec<(f64, bool)>) {
    let attribute = |tag: &str, name: &str| -> Option<String> {
        let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
        Some(tag[start..].split('"').next()?.to_owned())
    };
    let tags = tags(svg);
    let side = |name| attribute(&tags[0], name).unwrap().parse::<f64>().unwrap();
    let mut found = Vec::new();
    for tag in &tags[1..] {
        for name in ["x", "x1", "x2", "cx", "y", "y1", "y2", "cy"] {
            found.extend(attribute(tag, name).map(|value| (value.parse().unwrap(), name.contains('x'))));
        }
        for pair in attribute(tag, "points").unwrap_or_default().split_whitespace() {
            let (x, y) = pair.split_once(',').unwrap();
            found.extend([(x.parse().unwrap(), true), (y.parse().unwrap(), false)]);
        }
    }
    ((side("width"), side("height")), found)
}

#[test]
fn every_device_has_a_panel_with_all_its_states_inside_the_figure() {
    let survey = surveyed(&["all"]);
    let svg = state_errors(&survey).unwrap();
    let ((width, height), coordinates) = coordinates(&svg);
    assert!(coordinates.len() > 1000);
    for (value, horizontal) in coordinates {
        assert!((0.0..=if horizontal { width } else { height }).contains(&value), "{value} {horizontal}");
    }
    for device in &survey.devices {
        assert!(svg.contains(&format!("\n{}\n", device.device)), "{}", device.device);
    }
    // Marks of 1, 2, 3 and 4 bits, with one more in the legend; a mark is two shapes, the rim white.
    let cells = |bits| {
        survey.devices.iter().flat_map(|d| &d.cells).filter(move |c| c.cell_bits == bits).map(|c| c.levels.len())
    };
    assert_eq!(count(&svg, "circle", "#0072B2"), cells(1).sum::<usize>() + 1);
    assert_eq!(count(&svg, "polygon", "#E69F00"), cells(2).sum::<usize>() + 1);
    assert_eq!(count(&svg, "polygon", "#009E73"), cells(3).sum::<usize>() + 1);
    assert_eq!(count(&svg, "polygon", "#D55E00"), cells(4).sum::<usize>() + 1);
    assert_eq!(svg, state_errors(&survey).unwrap());
}

#[test]
fn odd_surveys_have_a_figure_or_a_reason() {
    let mut survey = surveyed(&["radar-2021", "ideal"]);
    survey.devices[0].cells.iter_mut().for_each(|cell| cell.levels.clear());
    let svg = state_errors(&survey).unwrap();
    assert!(svg.contains("no such cells"));
    tags(&svg);
    survey.devices[1].cells[0].levels[1].error_levels = f64::NAN;
    assert_eq!(state_errors(&survey), Err(PlotError::NotFinite { column: "error_levels", row: 2 }));
    survey.devices.clear();
    assert_eq!(state_errors(&survey), Err(PlotError::Empty));
}

/// Writes the figures for a look at them: `FIGURES=folder cargo test -p explore figures`.
#[test]
fn figures_can_be_written() {
    let Ok(folder) = std::env::var("FIGURES") else { return };
    let write = |name: &str, svg: Result<String, PlotError>| {
        std::fs::write(format!("{folder}/{name}.svg"), svg.unwrap()).unwrap();
    };
    write("bars", accuracy_bars(&table(), 10));
    write("bars-2", accuracy_bars(&table()[..2], 10));
    let mut long = table();
    long.extend(table().into_iter().map(|row| Row {
        device: "pcm-joshi".to_owned(),
        accuracy_mean: 0.85,
        accuracy_p5: 0.8,
        ..row
    }));
    write("bars-long", accuracy_bars(&long, 2));
    write("lines-long", lines(&long, "mapping", &["training"], &["energy_j"]));
    write("lines", lines(&sweep(), "adc_bits", &["array_rows"], &["energy_j"]));
    write("lines-training", lines(&sweep(), "array_rows", &["training", "adc_bits"], &["energy_j"]));
    write("lines-words", lines(&table(), "mapping", &["training"], &["energy_j"]));
    write("states", state_errors(&surveyed(&["all"])));
    write("lines-one", lines(&sweep()[..7], "adc_bits", &[], &["energy_j"]));
}
