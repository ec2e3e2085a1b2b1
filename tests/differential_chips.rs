//! Random chips and devices.

use crate::support::chips::{self, Widths};
use crate::support::random::Random;
use chip::config::{Chip, Criterion, RangePolicy};
use explore::config::{Kind, preset_names};
use nn_compiler::mapping::{Mapping, OPTIONS};
use tile::adc::{AdcKind, NonIdealities};
use tile::dac::DacFormat;
use tile::device::{CurrentVoltage, Device, FaultRates};
use tile::wires::{Sensing, Wires};

/// What the cells of a case are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Levels {
    /// Whole level spacings, so that every sum is an exact integer.
    Whole,
    /// With programming errors.
    Varied,
}

/// What all cases choose from.
pub(crate) struct Bench {
    chip: Chip,
    devices: Vec<Device>,
    mappings: Vec<Mapping>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut chip = chips::exact();
        chip.tile.adc.kinds = vec![AdcKind::Sar, AdcKind::Flash, AdcKind::Ramp];
        let quiet = |name: &&str| Device { read_noise: None, ..chips::device(name) };
        let devices = preset_names(Kind::Device).iter().map(quiet).collect();
        Self { chip, devices, mappings: mappings() }
    }

    /// A chip and a mapping.
    pub(crate) fn chip(&self, random: &mut Random, levels: Levels) -> (Chip, Mapping) {
        let mapping = self.mappings[random.within(0, self.mappings.len() - 1)].clone();
        let mut chip = widths(random, &mapping).of(self.chip.clone());
        if random.once_in(3) {
            chip.tile.dac.format = DacFormat::SignMagnitude;
            chip.format.input_bits += 1;
        }
        chip.tile.arrays = random.pick(&[2, 3, 16, 96]);
        converters(random, &mut chip);
        if levels == Levels::Varied {
            self.vary(random, &mut chip);
        }
        if random.once_in(4) {
            let (stuck_low, stuck_high) = (0.1, 0.05);
            chip.tile.cell.device.faults = Some(FaultRates { stuck_low, stuck_high });
        }
        if random.once_in(4) {
            chip.tile.digital.accumulator_bits = if random.once_in(4) { 52 } else { random.within(3, 14) as u32 };
        }
        (chip, mapping)
    }

    /// Programming errors, and effects that no whole level survives.
    fn vary(&self, random: &mut Random, chip: &mut Chip) {
        let bits = chip.tile.cell.bits;
        let suits = |device: &&Device| (1..=bits).all(|bits| device.states(bits).is_ok());
        let suitable: Vec<&Device> = self.devices.iter().filter(suits).collect();
        chip.tile.cell.device = random.pick(&suitable).clone();
        let small = chip.tile.array.rows * chip.tile.array.cols <= 40 * 40;
        if random.once_in(5) && chip.tile.dac.bits <= 4 {
            let onset_v = 0.05 + f64::from(random.unit());
            chip.tile.cell.device.iv = Some(CurrentVoltage::Sinh { onset_v, max_voltage_v: 0.5 });
        }
        if chip.tile.dac.bits > 4 {
            // A matrix per digit: up to 255 of them, which a few cases may have.
            chip.tile.cell.device.iv = chip.tile.cell.device.iv.take().filter(|_| small && random.once_in(4));
        }
        if random.once_in(3) && small && chip.tile.cell.device.iv.is_none() {
            chip.tile.wires = wires(random);
        }
    }
}

/// Every strategy without and with one option, and pairs of options.
fn mappings() -> Vec<Mapping> {
    let mut all = Mapping::every();
    let single = all.clone();
    for mapping in &single {
        for (option, _) in OPTIONS {
            let twice = format!("{}+{option}", mapping.name());
            let new = Mapping::parse(&twice).ok().filter(|_| mapping.name().contains('+'));
            all.extend(new.filter(|_| !mapping.name().contains(*option)));
        }
    }
    all
}

fn widths(random: &mut Random, mapping: &Mapping) -> Widths {
    let (weight, cell) = (random.within(2, 8) as u32, random.pick(&[1, 1, 2, 2, 3, 4, 5]));
    let dac = random.pick(&[1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8]);
    let input = if random.once_in(10) { random.within(10, 15) } else { random.within(1, 9) } as u32;
    let rows = [random.within(1, 12), random.within(8, 40), random.within(32, 128), random.within(129, 300), 300];
    let columns = [random.within(8, 20), random.within(8, 64), 128];
    let unary = (1_u32 << (weight - 1)).div_ceil((1 << cell) - 1);
    let fewest = if mapping.name().starts_with("unary") { unary } else { weight };
    Widths { array: (random.pick(&rows) as u32, (random.pick(&columns) as u32).max(fewest)), dac, cell, weight, input }
}

/// Converters as a configuration can choose them.
fn converters(random: &mut Random, chip: &mut Chip) {
    let rows_in_use = u64::from(chip.tile.array.rows);
    let largest = rows_in_use * ((1 << chip.tile.dac.bits) - 1) * ((1 << chip.tile.cell.bits) - 1);
    let adc = &mut chip.tile.adc;
    adc.bits = random.within(1, 12) as u32;
    adc.range = match random.within(0, 9) {
        0..=3 if largest < 1 << 19 => RangePolicy::Lossless,
        9 => RangePolicy::Calibrated,
        _ => RangePolicy::Full,
    };
    (adc.calibration_images, adc.calibration_chips) = (2, 1);
    adc.criterion = random.pick(&[Criterion::Percentile, Criterion::LeastSquaredError]);
    adc.per_column = adc.range == RangePolicy::Calibrated && random.once_in(2);
    adc.column_gain = adc.range == RangePolicy::Calibrated && random.once_in(2);
    adc.power_of_two_step = random.once_in(2);
    (adc.per_bank, adc.arrays_per_bank) = (random.pick(&[1, 1, 2, 5]), random.pick(&[1, 2, 5]));
    adc.kind = random.pick(&[AdcKind::Sar, AdcKind::Sar, AdcKind::Flash, AdcKind::Ramp, AdcKind::Ideal]);
    if adc.kind != AdcKind::Ideal && adc.range != RangePolicy::Lossless && random.once_in(2) {
        adc.nonideal = errors(random, adc.kind);
    }
}

/// Errors of physical converters: gain and offset, those of the architecture, or both.
fn errors(random: &mut Random, kind: AdcKind) -> NonIdealities {
    let mut errors = NonIdealities::none();
    if random.once_in(2) {
        (errors.gain_sigma, errors.offset_sigma_codes) = (random.pick(&[0.0, 0.05]), random.pick(&[0.3, 2.0]));
    }
    if random.once_in(2) || errors.is_none() {
        match kind {
            AdcKind::Ideal => {}
            AdcKind::Sar => errors.capacitor_sigma = 0.05,
            AdcKind::Flash => errors.comparator_sigma_codes = 0.4,
            AdcKind::Ramp => errors.ramp_curvature_sigma_codes = 1.5,
        }
    }
    errors
}

fn wires(random: &mut Random) -> Wires {
    Wires {
        word_line_ohm: random.pick(&[0.0, 1.0, 5.0]),
        bit_line_ohm: random.pick(&[0.0, 2.5]),
        driver_ohm: random.pick(&[0.0, 100.0]),
        sense_ohm: random.pick(&[10.0, 200.0]),
        sensing: random.pick(&[Sensing::OneEnd, Sensing::BothEnds]),
        tolerance: 1e-6,
    }
}
