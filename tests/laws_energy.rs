//! Energy is what was counted times its price, summed once; the energy of the arrays is exact.

use crate::support::cells::programmed;
use crate::support::chips::{self, Widths, all_widths, widths_for};
use crate::support::compiled::{Compiled, SEED};
use crate::support::energy::{array_energy_j, layer_inputs};
use crate::support::graphs::compiled;
use crate::support::networks::{Builder, convolutions, dataset, linear_chain, single_layer};
use crate::support::random::Random;
use chip::config::{Chip, RangePolicy};
use chip::energy::{ArrayEnergy, Energy, area_m2, leakage_w, price, price_stage};
use chip::program::Program;
use chip::timing;
use explore::config::{Kind, load_text, preset_text};
use nn::datasets::Dataset;
use nn::{Graph, Shape};
use nn_compiler::mapping::Mapping;
use tile::actions::ActionCounts;
use tile::address::Purpose;
use tile::cost::CostTable;

const WIDTHS: Widths = Widths { array: (16, 24), dac: 2, cell: 2, weight: 8, input: 8 };

pub(crate) fn relative(value: f64, expected: f64) -> f64 {
    (value - expected).abs() / expected.abs()
}

/// A small CNN under `mapping`, with its images.
fn case(mapping: &str, chip: &Chip) -> (Compiled, Dataset) {
    let mut random = Random(31);
    let mut chain = Builder::new(&mut random, chip.format.weight_bits, Shape { channels: 2, height: 6, width: 5 });
    chain.conv2d(4, 3, 1, 1);
    chain.relu();
    chain.max_pool(2, 2);
    chain.linear(6);
    let network = chain.finish();
    let dataset = dataset(&mut random, network.input, 6, 4, 3);
    (Compiled::new(&network, &dataset, &Mapping::parse(mapping).unwrap(), chip), dataset)
}

/// The brute-force energy of the arrays of one chip sample, which the reference's codes must describe.
fn brute_force_j(case: &Compiled, dataset: &Dataset, chip_sample: u64) -> f64 {
    let cells = programmed(&case.program, SEED, Purpose::Programming, chip_sample);
    let maps = |image| layer_inputs(&case.reference, dataset.test.image(image));
    let images: Vec<Vec<Vec<i64>>> = (0..dataset.test.len()).map(maps).collect();
    array_energy_j(&case.program, &cells, &images)
}

fn check_array_energy(network: &Graph, random: &mut Random, mapping: &str, chip: &Chip) {
    let dataset = dataset(random, network.input, 2, 3, 2);
    let case = Compiled::new(network, &dataset, &Mapping::parse(mapping).unwrap(), chip);
    let energy_j = case.infer(3, &dataset.test).array_energy_j;
    let expected = brute_force_j(&case, &dataset, 3);
    assert!(
        expected > 0.0 && relative(energy_j, expected) < 1e-11,
        "{energy_j:e}, expected {expected:e}: {mapping}, {:?}",
        chip.format
    );
}

/// Codes do not depend on the device here, so the integer reference knows what every word line was driven with.
#[test]
fn the_array_energy_of_an_ideal_chip_is_the_sum_over_its_cells() {
    let mut random = Random(32);
    for mapping in &Mapping::every() {
        for (index, widths) in widths_for(mapping, all_widths(&[(16, 24)])).into_iter().enumerate() {
            let network = [linear_chain, convolutions][index % 2](&mut random, widths.weight);
            check_array_energy(&network, &mut random, mapping.name(), &widths.of(chips::exact()));
        }
    }
}

/// The same with the programmed conductances of real devices. Only one layer: the inputs of a second would depend on the errors of the first.
#[test]
fn the_array_energy_of_a_noisy_chip_is_the_sum_over_its_cells() {
    let mut random = Random(33);
    for mapping in &Mapping::every() {
        for name in chips::devices_of_two_bits() {
            // Wide enough for unary weights.
            let mut chip = Widths { array: (16, 48), ..WIDTHS }.of(chips::exact());
            chip.tile.cell.device = chips::device(name);
            // The power of nonlinear cells has a law of its own.
            chip.tile.cell.device.iv = None;
            let weights: Vec<i32> = (0..50 * 9).map(|_| random.within(0, 254) as i32 - 127).collect();
            let network = single_layer(50, 9, |output, input| weights[output * 50 + input], 0.5);
            check_array_energy(&network, &mut random, mapping.name(), &chip);
        }
    }
}

#[test]
fn the_array_energy_follows_voltage_and_time() {
    let energy_j = |change: fn(&mut Chip)| {
        let (mut case, dataset) = case("isaac", &WIDTHS.of(chips::exact()));
        change(&mut case.program.chip);
        case.infer(0, &dataset.test).array_energy_j
    };
    let once = energy_j(|_| {});
    assert!(relative(energy_j(|chip| chip.tile.array.read_voltage_v *= 2.0), 4.0 * once) < 1e-15);
    assert!(relative(energy_j(|chip| chip.tile.array.read_time_s *= 2.0), 2.0 * once) < 1e-15);
}

/// Energy of the whole batch and one second of leakage.
fn priced(case: &Compiled, dataset: &Dataset, seconds: f64) -> Energy {
    let inference = case.infer(0, &dataset.test);
    price(&inference.counts, &case.program, ArrayEnergy::Exact(inference.array_energy_j), seconds).unwrap()
}

#[test]
fn the_total_is_the_sum_of_its_parts() {
    for mapping in ["isaac", "differential"] {
        let (case, dataset) = case(mapping, &WIDTHS.of(chips::exact()));
        let e = priced(&case, &dataset, 1e-3);
        let digital_j = e.shift_add_j + e.vector_j;
        let total_j = e.array_j + e.dac_j + e.adc_j + digital_j + e.buffer_j + e.link_j + e.leakage_j;
        assert_eq!((e.total_j(), e.digital_j()), (total_j, digital_j));
        assert_eq!(e.array_j, case.infer(0, &dataset.test).array_energy_j);
        assert_eq!(e.leakage_j, leakage_w(&case.program).unwrap() * 1e-3);
    }
}

/// No action may be left out of the parts and none may be in two of them.
#[test]
fn every_counted_action_is_paid_once() {
    let mut chip = WIDTHS.of(chips::exact());
    // A layer over two tiles sends flits; steps that are no powers of two scale slices.
    chip.tile.arrays = 2;
    chip.tile.adc.range = RangePolicy::Full;
    (chip.costs.energy_j.adc_conversion, chip.costs.leakage_w.tile) = (3e-13, 0.0);
    let (case, dataset) = case("isaac", &chip);
    let counts = case.infer(0, &dataset.test).counts;
    let prices = chip.costs.energy_j.entries().into_iter();
    let mut expected = 0.0;
    for ((action, count), (_, price_j)) in counts.entries().into_iter().zip(prices) {
        let price_j = price_j.unwrap();
        let price_j = match action {
            // The array's own energy is exact, no price per read.
            "cell_read" => 0.0,
            "dac_drive" => chip.costs.energy_j.dac_drive * chip.costs.dac_factor(2).unwrap(),
            "adc_conversion" => price_j + case.program.chip.tile.adc.cost().unwrap().energy_j,
            _ => price_j,
        };
        // Images are resident, arrays programmed before, and a chain has no tables.
        assert_eq!(count > 0, !["memory_bit", "cell_write", "lookup"].contains(&action), "{action}: {count}");
        expected += count as f64 * price_j;
    }
    let energy = priced(&case, &dataset, 0.0);
    assert_eq!(energy.leakage_j, 0.0);
    assert!(relative(energy.total_j() - energy.array_j, expected) < 1e-12, "{energy:?}, expected {expected:e}");
}

/// A bit costs as much whatever the width of the word or flit that it is in: the same counts of words and flits twice as wide cost twice as much.
#[test]
fn words_and_flits_cost_by_their_width() {
    let mut chip = WIDTHS.of(chips::exact());
    chip.tile.arrays = 2;
    (chip.tile.buffer.word_bits, chip.mesh.flit_bits) = (chip.costs.word_bits, chip.costs.flit_bits);
    let (case, dataset) = case("isaac", &chip);
    let counts = case.infer(0, &dataset.test).counts;
    let of = |words: u32, flits: u32| {
        let mut program = case.program.clone();
        program.chip.tile.buffer.word_bits *= words;
        program.chip.mesh.flit_bits *= flits;
        price(&counts, &program, ArrayEnergy::PerCellRead, 0.0).unwrap()
    };
    let (energy, unit) = (of(1, 1), chip.costs.energy_j);
    let bus_j = counts.bus_bit as f64 * unit.bus_bit;
    assert!(energy.link_j > 0.0 && bus_j > 0.0 && energy.buffer_j > bus_j, "{energy:?}");
    assert!(relative(energy.link_j, counts.flit_hop as f64 * unit.flit_hop) < 1e-12);
    assert!(relative(of(1, 2).link_j, 2.0 * energy.link_j) < 1e-12);
    assert!(relative(of(2, 1).buffer_j - bus_j, 2.0 * (energy.buffer_j - bus_j)) < 1e-12);
    assert_eq!((of(2, 1).link_j, of(1, 2).buffer_j), (energy.link_j, energy.buffer_j));
}

/// What only decides when things happen: clocks, times, widths of units, and how much of them there is. (Widths of words and flits, and the size of the global buffer,
/// decide how many of them there are too.)
const TIME_ONLY: [fn(&mut Chip); 29] = [
    |chip| chip.tile.adc.per_bank = 16,
    |chip| chips::adc_table(chip).conversion_time_s *= 3.0,
    |chip| chip.tile.input_registers = 5,
    |chip| chip.tile.sample_hold_depth = 4,
    |chip| chip.tile.buffer.access_cycles = 9,
    |chip| chip.mesh.link_cycles = 11,
    |chip| chip.clock_hz = 3e8,
    |chip| chip.clocks.array_cycles = 3,
    |chip| chip.clocks.digital_cycles = 2,
    |chip| chip.clocks.network_cycles = 3,
    |chip| chip.clocks.memory_cycles = 5,
    |chip| chip.tile.output_registers = 1,
    |chip| chip.tile.buffer.words_per_cycle = 2,
    |chip| chip.tile.buffer.ports = 1,
    |chip| chip.tile.buffer.banks = 1,
    |chip| chip.tile.bus.duplex = false,
    |chip| chip.tile.digital.adder_width = 1,
    |chip| chip.tile.digital.vector_width = 1,
    |chip| chip.tile.digital.shift_add_cycles = 7,
    |chip| chip.tile.digital.merge_cycles = 6,
    |chip| chip.tile.digital.offset_cycles = 5,
    |chip| chip.tile.digital.requantise_cycles = 8,
    |chip| chip.tile.digital.pool_cycles = 9,
    |chip| chip.mesh.router_cycles = 5,
    |chip| chip.mesh.buffer_flits = 1,
    |chip| chip.mesh.credit_cycles = 7,
    |chip| chip.mesh.virtual_output_queues = !chip.mesh.virtual_output_queues,
    |chip| chip.memory.latency_cycles = 333,
    |chip| chip.memory.bits_per_cycle = 3,
];

#[test]
fn what_only_takes_time_costs_no_energy() {
    let mut chip = WIDTHS.of(chips::exact());
    chip.memory.input_images = chip::config::Images::Streamed;
    let (mut case, dataset) = case("offset", &chip);
    let (energy, counts) = (priced(&case, &dataset, 0.0), case.infer(0, &dataset.test).counts);
    let timing = timing::run(&case.program, 3).unwrap();
    let chip = case.program.chip.clone();
    let mut slower_or_faster = 0;
    for change in TIME_ONLY {
        case.program.chip = chip.clone();
        change(&mut case.program.chip);
        let changed = timing::run(&case.program, 3).unwrap();
        assert_eq!((priced(&case, &dataset, 0.0), changed.counts), (energy, counts));
        slower_or_faster += usize::from(changed.cycles() != timing.cycles());
    }
    assert!(slower_or_faster >= 22, "the changes must change the time: {slower_or_faster} do");
}

#[test]
fn a_wider_bus_only_saves_accesses_to_the_buffer() {
    let (mut case, dataset) = case("isaac", &WIDTHS.of(chips::exact()));
    case.program.chip.tile.buffer.word_bits = 16;
    let narrow = case.infer(0, &dataset.test).counts;
    case.program.chip.tile.buffer.word_bits *= 4;
    let wide = case.infer(0, &dataset.test).counts;
    assert!(wide.buffer_read < narrow.buffer_read);
    let same = ActionCounts { buffer_read: wide.buffer_read, buffer_write: wide.buffer_write, ..narrow };
    assert_eq!(wide, same);
}

/// Converters leak and take area, one like the other.
#[test]
fn more_converters_leak_more() {
    let (mut case, _) = case("isaac", &WIDTHS.of(chips::exact()));
    let banks: usize = case.program.mvm_stages().map(|(_, stage)| stage.banks().len()).sum();
    // The shipped model prices leakage with the conversions.
    for cost in &mut chips::adc_table(&mut case.program.chip).costs {
        cost.leakage_w = 2e-4;
    }
    let totals = |program: &Program| (leakage_w(program).unwrap(), area_m2(program).unwrap().unwrap());
    let (leakage, area) = totals(&case.program);
    case.program.chip.tile.adc.per_bank += 3;
    let (more_leakage, more_area) = totals(&case.program);
    let (cost, added) = (case.program.chip.tile.adc.cost().unwrap(), 3.0 * banks as f64);
    assert!(relative(more_leakage - leakage, added * cost.leakage_w) < 1e-9);
    assert!(relative(more_area - area, added * cost.area_m2) < 1e-9);
}

#[test]
fn a_resolution_without_a_price_is_an_error() {
    let (case, dataset) = case("isaac", &WIDTHS.of(chips::exact()));
    let counts = case.infer(0, &dataset.test).counts;
    let refused = |change: fn(&mut Chip), what: &str| {
        let mut program = case.program.clone();
        change(&mut program.chip);
        let error = price(&counts, &program, ArrayEnergy::PerCellRead, 0.0).unwrap_err();
        assert!(error.contains(what), "{error}");
        assert!(program.validate().is_err(), "a program that cannot be priced must not run");
    };
    refused(|chip| chip.costs.dac_bits_factor.truncate(1), "1 to 1 (cost table `isaac-32nm`");
    refused(|chip| chip.tile.dac.bits = 9, "1 to 8 (cost table `isaac-32nm`");
    refused(|chip| chip.tile.adc.bits = 22, "covers no other");
    refused(|chip| chips::adc_table(chip).costs.retain(|cost| cost.bits == 4), "one of 4 (ADC model `isaac-table`");
}

/// Conversions of later slices are cheaper and take fewer pulses, so that stages with more slices have cheaper means.
#[test]
fn stages_of_several_widths_are_priced_by_their_own_slices() {
    let mut random = Random(35);
    let mut several = 0;
    for mapping in ["isaac", "differential"] {
        for _ in 0..20 {
            let mut chip = Widths { dac: 3, ..WIDTHS }.of(chips::exact());
            (chip.tile.dac.pulse_time_s, chip.tile.adc.range) = (1e-9, RangePolicy::Full);
            (chip.tile.adc.bits, chip.tile.adc.skip_applied_bits) = (8, true);
            for (factor, row) in (1..).zip(&mut chips::adc_table(&mut chip).costs) {
                row.energy_j = f64::from(factor) * 1e-13;
            }
            chip.costs.dac_bits_factor = vec![1.0, 5.0, 11.0];
            let mapping = Mapping::parse(mapping).unwrap();
            let program = compiled(&mut random, &mapping, &chip, 1).0.program;
            let counts = timing::run(&program, 1).unwrap();
            let energy = price(&counts.counts, &program, ArrayEnergy::PerCellRead, 0.0).unwrap();
            let (mut of_stages, mut dac_j, mut adc_j) = (0.0, 0.0, 0.0);
            for (_, stage) in program.mvm_stages() {
                let cores = counts.lowered.workload.cores.iter().zip(&counts.counts_of_cores);
                let mut own = ActionCounts::default();
                cores.filter(|(core, _)| core.stage == stage.name).for_each(|(_, of_core)| own += *of_core);
                of_stages += price_stage(&own, &program, &stage.name, ArrayEnergy::PerCellRead).unwrap().adc_j;
                // Slice by slice.
                let slices = stage.window.input.bits.div_ceil(3);
                for slice in 0..slices {
                    let bits = if slice + 1 == slices { stage.window.input.bits - 3 * slice } else { 3 };
                    dac_j += (own.dac_drive / u64::from(slices)) as f64
                        * chip.costs.energy_j.dac_drive
                        * [1.0, 5.0, 11.0][bits as usize - 1];
                    let conversion_bits = 8_u32.saturating_sub(3 * slice).max(1);
                    let converter_j = chip.tile.adc.prices.at(conversion_bits).unwrap().energy_j;
                    let of_slice = (own.adc_conversion / u64::from(slices)) as f64;
                    adc_j += of_slice * (converter_j + chip.costs.energy_j.adc_conversion);
                }
                adc_j += own.sample_hold as f64 * chip.costs.energy_j.sample_hold;
            }
            assert!(relative(energy.dac_j, dac_j) < 1e-12, "{energy:?}, expected {dac_j:e}");
            assert!(relative(energy.adc_j, adc_j) < 1e-12, "{energy:?}, expected {adc_j:e}");
            assert!(relative(of_stages, adc_j) < 1e-12, "{of_stages:e}, expected {adc_j:e}");
            let mut widths: Vec<u32> = program.mvm_stages().map(|(_, stage)| stage.window.input.bits).collect();
            widths.dedup();
            several += usize::from(widths.len() > 1);
        }
    }
    assert!(several > 10, "{several} programs have stages of several widths");
}

/// A cost table that lacks the price of any action but a look-up, which few networks take, is refused by the name of that action.
#[test]
fn an_action_without_a_price_is_an_error() {
    let text = preset_text(Kind::Costs, "isaac-32nm").unwrap();
    let table: CostTable = load_text(Kind::Costs, "costs.toml", text, &[]).unwrap();
    for (action, _) in table.energy_j.entries().into_iter().filter(|(action, _)| *action != "lookup") {
        // The tables of areas and leakages, which come later, have keys of the same names.
        let mut lines: Vec<&str> = text.lines().collect();
        let prices = lines.iter().position(|line| *line == "[energy_j]").unwrap();
        let key = format!("{action} =");
        lines.remove(prices + lines[prices..].iter().position(|line| line.starts_with(&key)).unwrap());
        let error = load_text::<CostTable>(Kind::Costs, "costs.toml", &lines.join("\n"), &[]).unwrap_err();
        assert!(error.to_string().contains(action), "{error}");
    }
}
