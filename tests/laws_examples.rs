//! Two examples worked out on paper: exact cycles, actions and energies of one layer, with the prices of ISAAC (Shafiee et al., ISCA
//! 2016) and 20.45 pJ per access of 256 bits to the buffer (CiMLoop library).

use crate::support::chips;
use crate::support::worked::OneStage;
use chip::config::{Chip, Digital};
use chip::energy::{ArrayEnergy, price};
use chip::program::Program;
use chip::timing;
use tile::actions::ActionCounts;

/// 1 GHz; an array read takes 1 (DAC) + 10 (settling) + 1 (sampling) = 12 cycles, a conversion 1, an access 1 and a cycle per 256 bits.
fn chip(input_bits: u32, cell_bits: u32, converters: u32) -> Chip {
    let mut chip = chips::chip("default");
    chip.clock_hz = 1e9;
    chip.format.input_bits = input_bits;
    chip.tile.cell.bits = cell_bits;
    chip.tile.cell.device = chips::device("ideal");
    chip.tile.dac.time_s = 1e-9;
    (chip.tile.array.read_time_s, chip.tile.array.sample_time_s) = (10e-9, 1e-9);
    chips::adc_table(&mut chip).conversion_time_s = 1e-9;
    (chip.tile.adc.per_bank, chip.tile.adc.arrays_per_bank) = (converters, 2);
    chip.tile.digital.offset_cycles = 0;
    // Wide enough for all outputs, and all additions, at once.
    (chip.tile.digital.vector_width, chip.tile.digital.adder_width) = (32, 256);
    chip
}

/// 128 inputs and 32 outputs, 8-bit weights in two 4-bit cells: 64 columns of one array, 8-bit inputs applied bit by bit.
fn fully_connected(converters: u32) -> Program {
    let chip = chip(8, 4, converters);
    OneStage { chip, input: (1, 1, 128), kernel: 1, padding: 0, outputs: 32, slices: 2, rows: &[128] }.program()
}

/// A 3x3 convolution of 16 channels into 32 on a map of 8 x 8: 144 rows in two arrays, which share all converters; 4-bit inputs. A pair
/// that is subtracted after conversion takes four columns per output (two slices, two polarities), a biased encoding two. The subtraction
/// takes one cycle, here a second one of merging.
fn convolution(converters: u32, columns_per_output: usize) -> Program {
    let mut chip = chip(4, 2, converters);
    chip.tile.digital.merge_cycles = 2;
    let slices = columns_per_output;
    OneStage { chip, input: (8, 8, 16), kernel: 3, padding: 1, outputs: 32, slices, rows: &[128, 16] }.program()
}

fn cycles(program: &Program) -> u64 {
    timing::run(program, 1).unwrap().cycles()
}

fn counts(program: &Program) -> ActionCounts {
    timing::run(program, 1).unwrap().counts
}

/// 5 to load, 12 to read, 8 slices at the pace of the converters (or the array), 4 behind them.
#[test]
fn cycles_of_the_fully_connected_layer() {
    for (converters, expected) in [(8, 113), (4, 149), (3, 197), (1, 533)] {
        assert_eq!(cycles(&fully_connected(converters)), expected, "{converters} converters");
    }
}

#[test]
fn cycles_of_the_convolution() {
    assert_eq!(cycles(&convolution(4, 4)), 16_405);
    assert_eq!(cycles(&convolution(32, 4)), 3_089);
    assert_eq!(cycles(&convolution(4, 2)), 8_213);
}

/// A load of 73 cycles is slower than the 48 of the arrays. With a port of 8 bits writing the 128 bits of a pixel takes 16 cycles, not 1.
#[test]
fn cycles_of_the_convolution_bound_by_its_load_port() {
    let mut late = convolution(32, 4);
    late.chip.tile.buffer.access_cycles = 70;
    assert_eq!(cycles(&late), 4_733);
    let mut narrow = convolution(32, 4);
    narrow.chip.tile.buffer.word_bits = 8;
    assert_eq!(cycles(&narrow), 4_733 + 15);
}

/// What stands behind the converters is pipelined: each latency is paid once, at the end.
#[test]
fn latencies_behind_the_converters_add_up() {
    let add: [fn(&mut Digital); 4] = [
        |digital| digital.shift_add_cycles += 3,
        |digital| digital.merge_cycles += 3,
        |digital| digital.offset_cycles += 3,
        |digital| digital.requantise_cycles += 3,
    ];
    for add in add {
        let mut program = convolution(4, 4);
        add(&mut program.chip.tile.digital);
        assert_eq!(cycles(&program), 16_405 + 3);
    }
}

/// DAC, cells, sample-and-hold, ADC, shift-and-add, buffer reads, buffer writes.
fn listed(counts: ActionCounts) -> [u64; 7] {
    [
        counts.dac_drive,
        counts.cell_read,
        counts.sample_hold,
        counts.adc_conversion,
        counts.shift_add,
        counts.buffer_read,
        counts.buffer_write,
    ]
}

#[test]
fn actions_of_the_examples() {
    assert_eq!(listed(counts(&fully_connected(8))), [1_024, 65_536, 512, 512, 512, 4, 1]);
    assert_eq!(listed(counts(&convolution(4, 4))), [36_864, 4_718_592, 65_536, 65_536, 65_536, 192, 64]);
    assert_eq!(listed(counts(&convolution(4, 2))), [36_864, 2_359_296, 32_768, 32_768, 32_768, 192, 64]);
}

/// DAC, array, sample-and-hold, ADC, shift-and-add and buffer in pJ. The engine's sums of them must hold the same.
fn energies_pj(program: &Program) -> [f64; 6] {
    let (counts, costs) = (counts(program), &program.chip.costs.energy_j);
    let energy = price(&counts, program, ArrayEnergy::PerCellRead, 0.0).unwrap();
    let sample_hold_j = counts.sample_hold as f64 * costs.sample_hold;
    let bus_j = counts.bus_bit as f64 * costs.bus_bit;
    let parts = [
        energy.dac_j,
        energy.array_j,
        sample_hold_j,
        energy.adc_j - sample_hold_j,
        energy.shift_add_j,
        energy.buffer_j - bus_j,
    ];
    parts.map(|energy_j| energy_j * 1e12)
}

fn close(value: f64, expected: f64) -> bool {
    (value - expected).abs() <= 1e-9 * expected
}

fn check_energies(program: &Program, expected: [f64; 6], sum: f64) {
    let energies = energies_pj(program);
    for (energy, expected) in energies.into_iter().zip(expected) {
        assert!(close(energy, expected), "{energies:?} pJ, expected {expected}");
    }
    assert!(close(energies.iter().sum(), sum), "{energies:?} pJ do not add up to {sum}");
}

/// 0.350 pJ per multiply-accumulate, 0.448 in the convolution.
#[test]
fn energies_of_the_examples() {
    check_energies(&fully_connected(8), [400.0, 120.0, 0.5, 800.0, 10.0, 102.25], 1_432.75);
    check_energies(&convolution(4, 4), [14_400.0, 8_640.0, 64.0, 102_400.0, 1_280.0, 5_235.2], 132_019.2);
    check_energies(&convolution(4, 2), [14_400.0, 4_320.0, 32.0, 51_200.0, 640.0, 5_235.2], 75_827.2);
    assert_eq!((fully_connected(8).macs, convolution(4, 4).macs), (4_096, 294_912));
}

#[test]
fn energies_of_the_examples_do_not_depend_on_the_number_of_converters() {
    for converters in [1, 4, 8, 64] {
        assert_eq!(counts(&fully_connected(converters)), counts(&fully_connected(2)));
        assert_eq!(energies_pj(&convolution(converters, 4)), energies_pj(&convolution(2, 4)));
    }
}
