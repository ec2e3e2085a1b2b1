//! What the arrays themselves do to sums: stuck cells, wires with resistance, cells with a curved current-voltage characteristic.

use crate::support::chips::{self, Widths};
use crate::support::compiled::{Compiled, Read, SEED, reads, sample};
use crate::support::networks::{dataset, single_layer};
use crate::support::random::Random;
use chip::config::Chip;
use chip::functional::{Cells, ChipSample, SampleAddress, infer};
use chip::program::{MvmStage, Program, Subtraction};
use nn::datasets::Dataset;
use nn_compiler::mapping::Mapping;
use tile::adc::AdcKind;
use tile::address::Purpose;
use tile::device::{CurrentVoltage, FaultRates};
use tile::fault_map::FaultMap;
use tile::wires::{CellMatrix, Linear, Sensing, Wires, column_currents};

const WIDTHS: Widths = Widths { array: (24, 48), dac: 2, cell: 2, weight: 8, input: 8 };
const ADDRESS: SampleAddress = SampleAddress { seed: SEED, purpose: Purpose::Programming, chip_sample: 0 };
/// One strategy of each kind of array: single, pair of currents, pair of codes.
const FORMS: [&str; 3] = ["isaac", "differential", "differential+after-adc"];

fn transparent(device: &str) -> Chip {
    let mut chip = WIDTHS.of(chips::exact());
    chip.tile.cell.device = chips::device(device);
    chip.tile.cell.device.sigma_scale = 0.0;
    (chip.tile.adc.kind, chip.tile.arrays) = (AdcKind::Ideal, 4);
    chip
}

fn case(mapping: &str, chip: &Chip) -> (Compiled, Dataset) {
    let mut random = Random(111);
    let weights: Vec<i32> = (0..40 * 16).map(|_| random.within(0, 254) as i32 - 127).collect();
    let network = single_layer(40, 16, |output, input| weights[output * 40 + input], 0.5);
    let dataset = dataset(&mut random, network.input, 16, 6, 4);
    (Compiled::new(&network, &dataset, &Mapping::parse(mapping).unwrap(), chip), dataset)
}

fn codes() -> Vec<i32> {
    (0..3 * 40).map(|row| row * 67 % 256).collect()
}

fn layer(program: &Program) -> &MvmStage {
    program.mvm_stages().next().unwrap().1
}

#[test]
fn a_fault_map_changes_the_cells_it_lists_and_no_others() {
    for mapping in ["isaac", "differential", "twos-complement", "unbalanced", "isaac+flip"] {
        let mut chip = transparent("ideal");
        chip.tile.arrays = 2;
        let (case, _) = case(mapping, &chip);
        let stage = layer(&case.program);
        assert!(stage.tiles().len() > 1, "several tiles");
        let mut random = Random(112);
        let mut listed = std::collections::BTreeMap::new();
        for _ in 0..3000 {
            let place = [random.within(0, 5), random.within(0, 1), random.within(0, 23), random.within(0, 47)];
            listed.insert(place.map(|at| at as u32), random.once_in(2));
        }
        let mut text = "tile,array,row,column,fault\n".to_owned();
        for ([tile, array, row, column], high) in &listed {
            text += &format!("{tile},{array},{row},{column},{}\n", if *high { "high" } else { "low" });
        }
        let before = Cells::program(&case.program, ADDRESS).unwrap();
        let mut after = before.clone();
        let applied = after.apply_faults(&case.program, &FaultMap::from_csv(&text).unwrap()).unwrap();
        let mut stuck = 0;
        for (crossbar, placed) in stage.crossbars.iter().enumerate() {
            let columns = placed.outputs as usize * stage.slices.len();
            for polarity in 0..stage.polarities as usize {
                for at in 0..placed.rows as usize * columns {
                    let key =
                        [placed.tile, placed.array + polarity as u32, (at / columns) as u32, (at % columns) as u32];
                    let top = f32::from((1_u8 << stage.slices[at % columns % stage.slices.len()].bits) - 1);
                    let old = before.stages[0].values[crossbar][polarity][at];
                    let expected = listed.get(&key).map_or(old, |&high| if high { top } else { 0.0 });
                    assert_eq!(after.stages[0].values[crossbar][polarity][at], expected, "{mapping} {key:?}");
                    stuck += u64::from(listed.contains_key(&key));
                }
            }
        }
        assert!(stuck == applied && applied > 50, "{applied} {stuck}");
        // Places that the chip does not have are a mistake, not cells out of use.
        let array = case.program.chip.tile.array;
        for place in [
            "4294967295,0,0,0".to_owned(),
            format!("0,{},0,0", case.program.chip.tile.arrays),
            format!("0,0,{},0", array.rows),
            format!("0,0,0,{}", array.cols),
        ] {
            let map = FaultMap::from_csv(&format!("tile,array,row,column,fault\n0,0,0,0,low\n{place},low\n")).unwrap();
            let error = after.apply_faults(&case.program, &map).unwrap_err();
            assert!(error.contains("the fault map lists tile"), "{error}");
        }
    }
}

#[test]
fn an_array_of_cells_stuck_low_gives_no_sums() {
    for mapping in FORMS {
        let (case, _) = case(mapping, &transparent("paper-order"));
        let mut text = "tile,array,row,column,fault\n".to_owned();
        for tile in 0..4 {
            for (array, row) in (0..4).flat_map(|array| (0..24).map(move |row| (array, row))) {
                (0..48).for_each(|column| text += &format!("{tile},{array},{row},{column},low\n"));
            }
        }
        let mut cells = Cells::program(&case.program, ADDRESS).unwrap();
        cells.apply_faults(&case.program, &FaultMap::from_csv(&text).unwrap()).unwrap();
        let chip = ChipSample::from_cells(&case.program, &cells).unwrap();
        let reads = reads(&case.program, &chip, &codes());
        assert!(!reads.is_empty() && reads.iter().all(|read| read.3.iter().all(|&sum| sum == 0.0)), "{mapping}");
    }
}

#[test]
fn faults_by_rate_have_their_shares() {
    let mut chip = transparent("paper-order");
    chip.tile.cell.device.faults = Some(FaultRates { stuck_low: 0.0904, stuck_high: 0.0175 });
    let (case, _) = case("differential", &chip);
    let (mut low, mut high, mut cells) = (0, 0, 0);
    for chip_sample in 0..10 {
        let sample = Cells::program(&case.program, SampleAddress { chip_sample, ..ADDRESS }).unwrap();
        low += sample.stages[0].totals.stuck_low;
        high += sample.stages[0].totals.stuck_high;
        cells += sample.stages[0].values.iter().flatten().map(Vec::len).sum::<usize>();
    }
    for (found, share) in [(low, 0.0904), (high, 0.0175)] {
        let n = cells as f64;
        let standard_error = (share * (1.0 - share) / n).sqrt();
        assert!((found as f64 / n - share).abs() < 4.0 * standard_error, "{found} of {cells}, expected {share}");
    }
}

fn wires(ohm: f64, tolerance: f64) -> Wires {
    Wires {
        word_line_ohm: ohm,
        bit_line_ohm: ohm,
        driver_ohm: 10.0 * ohm,
        sense_ohm: 5.0 * ohm,
        sensing: Sensing::OneEnd,
        tolerance,
    }
}

/// Currents of the columns of one read by `current(conductances, voltages)` for each array, in level spacings and DAC steps, without the
/// reference where there is one.
fn by_currents(
    program: &Program,
    cells: &Cells,
    (crossbar, array, driven, _): &Read,
    current: impl Fn(usize, usize, &[f64], &[f64]) -> Vec<f64>,
    reference: impl Fn(f64, f64) -> f64,
) -> Vec<f64> {
    let (stage, device) = (layer(program), &program.chip.tile.cell.device);
    let placed = &stage.crossbars[*crossbar];
    let columns = placed.outputs as usize * stage.slices.len();
    let step_v = program.chip.tile.array.read_voltage_v / f64::from((1_u32 << program.chip.tile.dac.bits) - 1);
    let mut voltages_v = vec![0.0; placed.rows as usize];
    driven.iter().for_each(|&(row, digit)| voltages_v[row] = digit * step_v);
    let together: &[(usize, f64)] = match (stage.polarities, stage.subtraction) {
        (2, Subtraction::BeforeAdc) => &[(0, 1.0), (1, -1.0)],
        _ => &[(*array, 1.0)],
    };
    let mut sums = vec![0.0; columns];
    for &(polarity, sign) in together {
        let conductances_s = cells.conductances_s(program, 0, *crossbar, polarity).unwrap();
        let currents_a = current(placed.rows as usize, columns, &conductances_s, &voltages_v);
        sums.iter_mut().zip(currents_a).for_each(|(sum, current_a)| *sum += sign * current_a);
    }
    let reference_a: f64 = voltages_v.iter().map(|&voltage_v| reference(device.g_min_s, voltage_v)).sum();
    let reference_a = if together.len() == 1 { reference_a } else { 0.0 };
    let spacing_s = |column: usize| {
        let levels = f64::from(1_u32 << stage.slices[column % stage.slices.len()].bits) - 1.0;
        (device.g_max_s - device.g_min_s) / levels
    };
    sums.iter().enumerate().map(|(column, sum)| (sum - reference_a) / (spacing_s(column) * step_v)).collect()
}

#[test]
fn linear_cells_behind_wires_give_what_a_solution_of_the_network_gives() {
    for mapping in FORMS.into_iter().chain(["unbalanced"]) {
        let mut chip = transparent("paper-order");
        (chip.tile.cell.device.sigma_scale, chip.tile.wires) = (1.0, wires(2.0, 1e-4));
        let (case, _) = case(mapping, &chip);
        let cells = Cells::program(&case.program, ADDRESS).unwrap();
        let sample = ChipSample::from_cells(&case.program, &cells).unwrap();
        let bound = infer(&case.program, &sample, &codes(), None).unwrap().wire_error_bound;
        assert!(bound > 0.0 && bound < 0.5, "{bound}");
        let (mut moved, exact_wires) = (0.0_f64, wires(2.0, 1e-11));
        let solve = |rows: usize, cols: usize, conductance_s: &[f64], voltages_v: &[f64]| {
            column_currents(&exact_wires, &CellMatrix { rows, cols, conductance_s }, &Linear, voltages_v)
                .unwrap()
                .currents_a
        };
        let plain =
            |_: usize, cols: usize, conductance_s: &[f64], voltages_v: &[f64]| dot(cols, conductance_s, voltages_v);
        for read in reads(&case.program, &sample, &codes()) {
            let reference = |g: f64, v: f64| g * v;
            let expected = by_currents(&case.program, &cells, &read, solve, reference);
            let without = by_currents(&case.program, &cells, &read, plain, reference);
            for ((sum, expected), without) in read.3.iter().zip(expected).zip(without) {
                // Sums are single precision.
                assert!((sum - expected).abs() <= bound + 1e-4, "{mapping}: {sum}, expected {expected} +- {bound}");
                moved = moved.max((expected - without).abs());
            }
        }
        assert!(moved > 0.5, "{mapping}: the wires must matter: {moved}");
    }
}

fn dot(cols: usize, conductance_s: &[f64], voltages_v: &[f64]) -> Vec<f64> {
    let column = |col: usize| voltages_v.iter().enumerate().map(move |(row, v)| v * conductance_s[row * cols + col]);
    (0..cols).map(|col| column(col).sum()).collect()
}

/// On all three: wires lose less read from both ends, and a gain on every column gives most of the loss back.
#[test]
fn both_ends_and_column_gains_reduce_the_error_of_wires() {
    for mapping in ["differential", "isaac"] {
        let error = |change: fn(&mut Chip)| {
            let mut chip = transparent("ideal");
            (chip.tile.array.rows, chip.tile.wires) = (64, wires(5.0, 1e-6));
            change(&mut chip);
            let (case, dataset) = case(mapping, &chip);
            case.squared_error(0, &dataset.test)
        };
        let plain = error(|_| {});
        let both = error(|chip| chip.tile.wires.sensing = Sensing::BothEnds);
        let gained = error(|chip| chip.tile.adc.column_gain = true);
        assert!(plain > 1.3 * both, "{mapping}: {plain:e}, both ends {both:e}");
        assert!(plain > 4.0 * gained, "{mapping}: {plain:e}, with column gains {gained:e}");
    }
}

/// `I = G V + c2 V^2 + c3 V^3` with polynomials of log10 G, evaluated by hand.
fn milo_current_a(law: &CurrentVoltage, conductance_s: f64, voltage_v: f64) -> f64 {
    let CurrentVoltage::Polynomial { quadratic, cubic, .. } = law else { panic!("milo-2021 has a polynomial") };
    let log = conductance_s.log10();
    let at = |coefficients: &[f64]| coefficients.iter().zip(0..).map(|(c, power)| c * log.powi(power)).sum::<f64>();
    conductance_s * voltage_v + at(quadratic) * voltage_v.powi(2) + at(cubic) * voltage_v.powi(3)
}

#[test]
fn nonlinear_cells_are_evaluated_one_by_one() {
    for mapping in FORMS {
        for dac in [1, 2] {
            let mut chip = transparent("milo-2021-nonlinear");
            chip.tile.dac.bits = dac;
            let (case, _) = case(mapping, &chip);
            let cells = Cells::program(&case.program, ADDRESS).unwrap();
            let law = chip.tile.cell.device.iv.clone().unwrap();
            let current = |_: usize, cols: usize, conductance_s: &[f64], voltages_v: &[f64]| {
                let cell =
                    |row: usize, col: usize| milo_current_a(&law, conductance_s[row * cols + col], voltages_v[row]);
                (0..cols).map(|col| (0..voltages_v.len()).map(|row| cell(row, col)).sum()).collect()
            };
            let (mut curved, mut energy_j) = (0.0_f64, 0.0);
            let all = reads(&case.program, &sample(&case.program, 0), &codes());
            for read in &all {
                let expected = by_currents(&case.program, &cells, read, current, |g, v| milo_current_a(&law, g, v));
                let plain = by_currents(&case.program, &cells, read, |_, c, g, v| dot(c, g, v), |g, v| g * v);
                for ((sum, expected), linear) in read.3.iter().zip(expected).zip(plain) {
                    assert!((sum - expected).abs() <= 1e-3, "{mapping} {dac}: {sum}, expected {expected}");
                    curved = curved.max((expected - linear).abs());
                }
                energy_j += read_energy_j(&case.program, &cells, read, &law);
            }
            assert!(curved > 0.5, "{mapping} {dac}: the law must be curved: {curved}");
            let found = infer(&case.program, &sample(&case.program, 0), &codes(), None).unwrap().array_energy_j;
            assert!((found / energy_j - 1.0).abs() < 1e-9, "{mapping} {dac}: {found:e} J, expected {energy_j:e} J");
        }
    }
}

/// `sum V I t` over the cells of a read and of its reference column.
fn read_energy_j(program: &Program, cells: &Cells, (crossbar, array, driven, _): &Read, law: &CurrentVoltage) -> f64 {
    let (stage, tile) = (layer(program), &program.chip.tile);
    let step_v = tile.array.read_voltage_v / f64::from((1_u32 << tile.dac.bits) - 1);
    let pair = stage.polarities == 2 && stage.subtraction == Subtraction::BeforeAdc;
    let polarities = if pair { 0..2 } else { *array..array + 1 };
    let columns = stage.crossbars[*crossbar].outputs as usize * stage.slices.len();
    let power_w = |conductance_s: f64, digit: f64| digit * step_v * milo_current_a(law, conductance_s, digit * step_v);
    let mut sum_w = 0.0;
    for &(row, digit) in driven {
        for polarity in polarities.clone() {
            let all = cells.conductances_s(program, 0, *crossbar, polarity).unwrap();
            sum_w += all[row * columns..(row + 1) * columns].iter().map(|&g| power_w(g, digit)).sum::<f64>();
        }
        sum_w += if pair { 0.0 } else { power_w(tile.cell.device.g_min_s, digit) };
    }
    sum_w * tile.array.read_time_s
}

#[test]
fn nonlinear_cells_behind_vanishing_wires_are_as_without() {
    for mapping in FORMS {
        let scores = |ohm: f64| {
            let mut chip = transparent("milo-2021-nonlinear");
            chip.tile.wires = if ohm > 0.0 { wires(ohm, 1e-9) } else { Wires::none() };
            let (case, _) = case(mapping, &chip);
            infer(&case.program, &sample(&case.program, 0), &codes()[..40], None).unwrap().scores
        };
        let ideal = scores(0.0);
        let off = |ohm| {
            let pairs = scores(ohm).into_iter().zip(&ideal).map(|(score, ideal)| (score - ideal).abs());
            pairs.fold(0.0, f64::max)
        };
        let largest = ideal.iter().fold(0.0_f64, |largest, score| largest.max(score.abs()));
        let (large, small) = (off(1.0), off(1e-5));
        assert!(large > 1e-2 * largest && small < 1e-3 * large, "{mapping}: {large} {small} of {largest}");
    }
}
