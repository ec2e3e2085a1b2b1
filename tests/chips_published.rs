//! Published numbers of named chips and what their files give. A *calibrated* number was used to choose a constant of the file, a *predicted* one was not.

use crate::support::chips::chip;
use crate::support::compiled::Compiled;
use crate::support::networks::{dataset, single_layer};
use crate::support::random::Random;
use chip::config::Chip;
use chip::energy::{ArrayEnergy, Energy, area_m2, price};
use chip::machine::account::Class;
use chip::machine::report::UnitKind;
use chip::program::Program;
use chip::timing;
use explore::config::{Kind, load};
use explore::outline::{Outline, Placement};
use nn_compiler::mapping::Mapping;
use tile::cost::CostTable;

pub(crate) fn with(name: &str, set: &[String]) -> Chip {
    load(Kind::Chip, name, set).unwrap()
}

/// Prints a line of the table in `docs/chips.md` and holds the tolerance (relative).
pub(crate) fn hold(what: &str, published: f64, computed: f64, tolerance: f64) {
    let error = computed / published - 1.0;
    println!("{what}: published {published:.6}, computed {computed:.6}, {:+.2} %", 100.0 * error);
    assert!(error.abs() <= tolerance, "{what}: {computed} instead of {published}");
}

/// A product that fills one array, or a pair: the program, and the energy of one of them at the price of a cell read.
pub(crate) struct Product {
    pub(crate) program: Program,
    pub(crate) energy: Energy,
}

impl Product {
    pub(crate) fn of(chip: &Chip, mapping: &str, slices: u32) -> Self {
        let (rows, outputs) = (chip.tile.array.rows as usize, (chip.tile.array.cols / slices) as usize);
        let network = single_layer(rows, outputs, |output, input| (output * 131 + input * 7) as i32 % 15 - 7, 0.0);
        let images = dataset(&mut Random(1), network.input, outputs, 2, 1);
        let case = Compiled::new(&network, &images, &Mapping::parse(mapping).unwrap(), chip);
        let counts = case.infer(0, &images.test).counts;
        let energy = price(&counts, &case.program, ArrayEnergy::PerCellRead, interval_s(chip)).unwrap();
        Self { program: case.program, energy }
    }

    pub(crate) fn operations(&self) -> f64 {
        2.0 * self.program.macs as f64
    }

    /// Operations per second of all arrays of the chip, 10^12.
    pub(crate) fn tops(&self) -> f64 {
        let chip = &self.program.chip;
        let used: u64 =
            self.program.mvm_stages().map(|(_, s)| s.crossbars.len() as u64 * u64::from(s.polarities)).sum();
        let products = (u64::from(chip.tile.arrays) * chip.mesh.tiles() / used) as f64;
        products * self.operations() / interval_s(chip) / 1e12
    }
}

/// A layer that fills all arrays of a tile, without weights.
fn full_tile(chip: &Chip, mapping: &str, outputs: u32) -> Program {
    let text = format!(
        "kind = 'outline'\nversion = 1\nname = 'full'\nsource = 'test'\n\
         input = {{ channels = {}, height = 1, width = 1 }}\nlayers = [{{ kind = 'linear', name = 'fc', outputs = {outputs} }}]\n",
        chip.tile.array.rows
    );
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(&file, text).unwrap();
    let outline: Outline = load(Kind::Outline, file.path().to_str().unwrap(), &[]).unwrap();
    let program = outline.program(chip, Placement { mapping, replicate: None }).unwrap();
    let arrays: usize = program.mvm_stages().map(|(_, s)| s.crossbars.len() * s.polarities as usize).sum();
    assert_eq!((arrays, program.tiles()), (chip.tile.arrays as usize, 1), "one whole tile");
    program
}

/// Operations per second and watt (10^9) of a whole tile that does nothing but products, by the prices of the file: every action that an inference counts,
/// and leakage.
fn priced_gops_per_w(program: &Program) -> f64 {
    let counts = timing::run(program, 1).unwrap().counts;
    let energy = price(&counts, program, ArrayEnergy::PerCellRead, interval_s(&program.chip)).unwrap();
    println!("  energy {:?} nJ", energy.entries().map(|(part, joules)| (part, (joules * 1e14).round() / 1e5)));
    2.0 * program.macs as f64 / energy.total_j() / 1e9
}

/// The prices of actions do not add up to the powers of the tables, which hold for every cycle and for what never happens here: what the files give is pinned.
#[test]
fn whole_tiles_by_the_prices_of_actions() {
    let isaac = full_tile(&chip("isaac_isca_2016"), "isaac", 96 * 16);
    hold("ISAAC, GOPS/W of a tile by actions (627.4 by the table of powers)", 838.7, priced_gops_per_w(&isaac), 2e-3);
    let puma = full_tile(&chip("puma_asplos_2019"), "isaac", 128 * 16);
    hold("PUMA, GOPS/W of a tile by actions (565 by its powers)", 733.7, priced_gops_per_w(&puma), 2e-3);
    let router_m2 = puma.chip.costs.area_m2.unwrap().router;
    hold("PUMA, mm2 of a tile", 0.479, 1e6 * (area_m2(&puma).unwrap().unwrap() - router_m2), 1e-3);
    // However many bits a word line is driven with.
    for bits in [1, 3] {
        let chip = with("neurram_nature_2022", &[format!("tile.dac.bits={bits}")]);
        let core = full_tile(&chip, "differential", 256);
        hold("NeuRRAM, mm2 of a core", 256.0 * 1270e-6 / 0.28, 1e6 * area_m2(&core).unwrap().unwrap(), 1e-3);
    }
}

/// Base cycles of a product that follows others: array reads and conversions overlap.
fn interval(chip: &Chip) -> u64 {
    let hardware = chip.hardware();
    let columns = u64::from(chip.tile.array.cols);
    let slowest =
        |read: u32| hardware.tile.read_cycles(read).max(hardware.tile.convert_cycles(read, columns, &hardware.clocks));
    (0..chip.array_reads(chip.magnitude_bits())).map(slowest).sum::<u64>() * hardware.clocks.arrays
}

fn interval_s(chip: &Chip) -> f64 {
    interval(chip) as f64 / chip.clock_hz
}

/// Base cycles from the first array read of a product to the end of its shift-and-add: an array starts its next read when its last one is
/// latched, which takes a free sample-and-hold.
fn latency(chip: &Chip) -> u64 {
    let hardware = chip.hardware();
    let columns = u64::from(chip.tile.array.cols);
    let (mut latched, mut converted) = (0, 0);
    for read in 0..chip.array_reads(chip.magnitude_bits()) {
        latched = converted.max(latched + hardware.tile.read_cycles(read));
        converted = converted.max(latched) + hardware.tile.convert_cycles(read, columns, &hardware.clocks);
    }
    converted * hardware.clocks.arrays + hardware.tile.shift_add_cycles * hardware.clocks.digital
}

/// A product on the machine, input and output included: base cycles of its load, from there to the end of its shift-and-add, and behind it.
fn on_the_machine(program: &Program) -> [u64; 3] {
    let timing = timing::run(program, 1).unwrap();
    let cycles = |kind: UnitKind, classes: &[Class]| -> u64 {
        let of_kind = timing.report.units.iter().filter(|of| of.unit.kind == kind);
        of_kind.flat_map(|of| classes.iter().map(|class| of.cycles.of(*class))).sum()
    };
    let load = cycles(UnitKind::Fetch, &[Class::Busy]);
    let behind = cycles(UnitKind::WriteBack, &[Class::Busy, Class::Link]);
    [load, timing.cycles() - load - behind, behind]
}

/// Power (W) and area (m2) of the published rows of a level.
fn published(costs: &CostTable, level: &str) -> (f64, f64) {
    let rows = || costs.published.iter().filter(|row| row.level == level);
    (rows().map(|row| row.power_w).sum(), rows().map(|row| row.area_m2).sum())
}

/// Power and area of a chip of so many tiles, each with so many units.
fn published_sum(chip: &Chip, unit: &str, units: f64) -> (f64, f64) {
    let tiles = chip.mesh.tiles() as f64;
    let [a, b, c] = [unit, "tile", "chip"].map(|level| published(&chip.costs, level));
    (tiles * (units * a.0 + b.0) + c.0, tiles * (units * a.1 + b.1) + c.1)
}

/// Shafiee et al., ISCA 2016, Table 6 (configuration CE). Equal to the digits printed; 478.95 GOPS/mm2 is what the paper quotes.
#[test]
fn isaac() {
    let chip = chip("isaac_isca_2016");
    let product = Product::of(&chip, "isaac", 8);
    let (power_w, area_m2) = published_sum(&chip, "ima", f64::from(chip.tile.arrays / 8));
    hold("ISAAC, W", 65.81, power_w, 1e-4);
    hold("ISAAC, mm2", 85.42, area_m2 * 1e6, 1e-4);
    hold("ISAAC, TOPS", 41.288, product.tops(), 2e-5);
    hold("ISAAC, GOPS/mm2", 483.3, product.tops() / area_m2 / 1e3, 2e-4);
    hold("ISAAC, GOPS/mm2 as quoted", 478.95, product.tops() / area_m2 / 1e3, 0.01);
    hold("ISAAC, GOPS/W by its table", 627.4, product.tops() * 1e3 / power_w, 2e-4);
    // The quoted efficiency does not follow from the table of powers.
    assert!(product.tops() * 1e3 / power_w > 1.6 * 380.7);
    let hardware = chip.hardware();
    let stage = hardware.clocks.digital;
    assert_eq!((stage, hardware.clocks.arrays, hardware.clocks.network), (120, 120, 1));
    // Load; 16 reads, converted a stage later; shift-and-add, merge, activation, store.
    let (tile, bits) = (&hardware.tile, 128 * 16);
    let load = tile.access_cycles + tile.transfer_cycles(bits);
    let behind = tile.merge_cycles + tile.vector_cycles[0] + tile.transfer_cycles(16 * 16);
    assert_eq!((load + behind) * stage + latency(&chip), 22 * 120);
    assert_eq!(interval(&chip), 16 * 120);
}

/// Ankit et al., ASPLOS 2019: 2304 cycles, 19.09 mW; 62.5 W and 90.64 mm2. Their 52.31 TOPS are not what 2208 units of 2048 or 2304 cycles do.
#[test]
fn puma() {
    let chip = chip("puma_asplos_2019");
    assert_eq!(latency(&chip), 2304);
    let product = Product::of(&chip, "isaac", 8);
    // Behind it: eight slices of 16 outputs are merged, requantised and stored.
    assert_eq!(on_the_machine(&product.program), [10, 2304, 7]);
    let unit_j = product.energy.array_j + product.energy.adc_j + product.energy.dac_j + product.energy.shift_add_j;
    // The program has the 16 outputs of one array; a unit has 8 of them.
    hold("PUMA, nJ per product", 43.98, 8.0 * unit_j * 1e9, 2e-4);
    let (power_w, area_m2) = published_sum(&chip, "none", 0.0);
    hold("PUMA, W", 62.5, power_w, 1e-3);
    hold("PUMA, mm2", 90.64, area_m2 * 1e6, 1e-3);
    let tops = product.tops();
    println!("PUMA, TOPS: published 52.31, computed {tops:.2} back to back");
    assert!((35.2..35.4).contains(&tops), "{tops}");
    hold("PUMA, GOPS/W of the published rate", 837.0, 52_310.0 / power_w, 2e-3);
}

/// Le Gallo et al., Nature Electronics 2023: 63.1 TOPS and 9.76 TOPS/W in one phase are calibrated, 16.1 and 2.48 in four phases predicted.
#[test]
fn hermes() {
    for (phases, ns, nj, tops, tolerance) in [(1, 132.9, 13.43, 63.1, 1e-3), (4, 521.0, 52.85, 16.1, 0.025)] {
        let chip = with("hermes_natelec_2023", &[format!("tile.dac.phases={phases}")]);
        let product = Product::of(&chip, "differential", 1);
        hold(&format!("HERMES, {phases} phases, ns"), ns, interval_s(&chip) * 1e9, tolerance);
        hold(&format!("HERMES, {phases} phases, nJ"), nj, product.energy.adc_j * 1e9, tolerance);
        hold(&format!("HERMES, {phases} phases, TOPS"), tops, product.tops(), tolerance);
        assert_eq!(product.energy.array_j + product.energy.dac_j + product.energy.leakage_j, 0.0);
    }
}

/// Diware et al., AICAS 2023, Table I: 3738 pJ and 21765 um2 a unit; correct operations per joule are accuracy times operations per joule.
#[test]
fn aicas() {
    let chip = chip("aicas_2023");
    let product = Product::of(&chip, "isaac", 4);
    let bits = f64::from(chip.format.input_bits);
    hold("AICAS, pJ per input bit", 3738.0, product.energy.adc_j * 1e12 / bits, 1e-3);
    let per_joule = product.operations() / product.energy.adc_j / 1e9;
    hold("AICAS, GOP/J at 35.4 %", 96.9, 0.354 * per_joule, 2e-3);
    hold("AICAS, GOP/J at 85.2 %", 233.4, 0.852 * per_joule, 2e-3);
    let area = chip.costs.area_m2.unwrap();
    let unit_m2 = area.input_register + chip.tile.adc.cost().unwrap().area_m2;
    hold("AICAS, um2", 21_765.0, unit_m2 * 1e12, 1e-9);
}
