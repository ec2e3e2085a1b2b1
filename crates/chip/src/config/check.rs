//! What values a chip may have.

use super::{Adc, Buffer, Cell, Chip, Dac, Digital, RangePolicy, Tile};
use tile::check::{Check, Problems};
use tile::cost::MAX_ADC_BITS;
use tile::dac::DacFormat;

impl Check for Chip {
    fn check(&self, problems: &mut Problems) {
        problems.number("clock_hz", self.clock_hz, 1e3..=1e12, "Hz");
        problems.within("format", |p| {
            p.integer("weight_bits", self.format.weight_bits.into(), 1..=16);
            p.integer("input_bits", self.format.input_bits.into(), 1..=16);
        });
        problems.within("clocks", |p| self.clocks.check(p));
        problems.within("tile", |p| self.tile.check(p));
        problems.within("mesh", |p| self.mesh.check(p));
        problems.within("memory", |p| self.memory.check(self.mesh.tiles(), p));
        problems.within("costs", |p| self.costs.check(p));
        let magnitude = self.tile.dac.format.magnitude_bits(self.format.input_bits);
        let coded = self.tile.dac.format == DacFormat::Unsigned || magnitude > 0;
        let allowed = "at least 2 where tile.dac.format = \"sign-magnitude\", for a sign and a bit";
        problems.require("format.input_bits", self.format.input_bits, coded, allowed);
        let dac_bits = self.tile.dac.bits;
        if let Err(allowed) = self.costs.dac_factor(dac_bits).and_then(|_| self.costs.dac_size_factor(dac_bits)) {
            problems.require("tile.dac.bits", self.tile.dac.bits, false, allowed);
        }
        if let (true, Err(allowed)) = (self.tile.adc.cost().is_ok(), self.conversion_energy_j(self.magnitude_bits())) {
            let allowed = format!("false, or slices that leave a resolution with a price: {allowed}");
            problems.require("tile.adc.skip_applied_bits", true, false, allowed);
        }
        if let Err(allowed) = self.cell_read_factor(self.magnitude_bits()) {
            problems.require("costs.cell_read_bits_factor", "too short", false, allowed);
        }
    }
}

impl Check for Tile {
    fn check(&self, problems: &mut Problems) {
        problems.integer("arrays", self.arrays.into(), 1..=65_536);
        problems.integer("input_registers", self.input_registers.into(), 1..=16);
        problems.integer("sample_hold_depth", self.sample_hold_depth.into(), 1..=16);
        problems.integer("output_registers", self.output_registers.into(), 1..=16);
        problems.within("array", |p| self.check_array(p));
        problems.within("cell", |p| self.cell.check(p));
        problems.within("wires", |p| self.wires.check(p));
        problems.within("dac", |p| self.dac.check(p));
        problems.within("adc", |p| {
            self.adc.check(p);
            let columns = u64::from(self.array.cols) * u64::from(self.adc.arrays_per_bank);
            let enough = !self.adc.integrating || u64::from(self.adc.per_bank) >= columns;
            let allowed = format!("at least {columns}, one a column, where tile.adc.integrating = true");
            p.require("per_bank", self.adc.per_bank, enough, allowed);
        });
        problems.within("buffer", |p| self.buffer.check(p));
        problems.within("digital", |p| self.digital.check(p));
    }
}

impl Tile {
    fn check_array(&self, p: &mut Problems) {
        p.integer("rows", self.array.rows.into(), 1..=4096);
        p.integer("cols", self.array.cols.into(), 1..=4096);
        p.number("read_voltage_v", self.array.read_voltage_v, 1e-3..=10.0, "V");
        p.number("read_time_s", self.array.read_time_s, 0.0..=1e-3, "s");
        p.number("sample_time_s", self.array.sample_time_s, 0.0..=1e-3, "s");
        p.number("write_time_s", self.array.write_time_s, 0.0..=100.0, "s");
        p.integer("written_at_once", self.array.written_at_once.into(), 1..=65_536);
        if let Some(law) = &self.cell.device.iv {
            let (read_v, most_v) = (self.array.read_voltage_v, law.max_voltage_v());
            let allowed =
                format!("at most {most_v} V, to which the I-V relation of `{}` is known", self.cell.device.name);
            p.require("read_voltage_v", read_v, read_v <= most_v, allowed);
        }
    }
}

impl Check for Cell {
    fn check(&self, p: &mut Problems) {
        p.integer("bits", self.bits.into(), 1..=8);
        // Out-of-range bits are a problem of their own, reported above.
        let levels = 1 << self.bits.clamp(1, 8);
        if let Err(allowed) = self.device.variation.model().supports(levels) {
            p.require("bits", self.bits, false, format!("for device `{}`: {allowed}", self.device.name));
        }
        p.within("device", |p| self.device.check(p));
    }
}

impl Check for Dac {
    fn check(&self, p: &mut Problems) {
        p.integer("bits", self.bits.into(), 1..=8);
        p.number("time_s", self.time_s, 0.0..=1e-3, "s");
        p.number("pulse_time_s", self.pulse_time_s, 0.0..=1e-3, "s");
        p.integer("phases", self.phases.into(), 1..=16);
    }
}

impl Check for Buffer {
    fn check(&self, p: &mut Problems) {
        p.integer("bytes", self.bytes, 1..=1 << 40);
        p.integer("word_bits", self.word_bits.into(), 1..=65_536);
        p.integer("words_per_cycle", self.words_per_cycle.into(), 1..=65_536);
        p.integer("access_cycles", self.access_cycles, 0..=1_000_000);
        p.integer("ports", self.ports.into(), 1..=64);
        p.integer("banks", self.banks.into(), 1..=1024);
    }
}

impl Check for Digital {
    fn check(&self, p: &mut Problems) {
        p.integer("adder_width", self.adder_width, 1..=1 << 20);
        p.integer("vector_width", self.vector_width, 1..=1 << 20);
        for (key, cycles) in self.entries() {
            p.integer(key, cycles, 0..=1_000_000);
        }
        p.integer("accumulator_bits", self.accumulator_bits.into(), 2..=Self::WIDEST_ACCUMULATOR.into());
    }
}

impl Digital {
    /// Most bits of an accumulator: sums are held exactly in `f64`.
    pub const WIDEST_ACCUMULATOR: u32 = 52;

    fn entries(&self) -> [(&'static str, u64); 7] {
        [
            ("shift_add_cycles", self.shift_add_cycles),
            ("merge_cycles", self.merge_cycles),
            ("offset_cycles", self.offset_cycles),
            ("requantise_cycles", self.requantise_cycles),
            ("pool_cycles", self.pool_cycles),
            ("add_cycles", self.add_cycles),
            ("lookup_cycles", self.lookup_cycles),
        ]
    }
}

impl Check for Adc {
    fn check(&self, problems: &mut Problems) {
        problems.integer("bits", self.bits.into(), 1..=MAX_ADC_BITS);
        if let (1..=MAX_ADC_BITS, Err(allowed)) = (u64::from(self.bits), self.cost()) {
            problems.require("bits", self.bits, false, allowed);
        }
        problems.number("percentile", self.percentile, 50.0..=100.0, "per cent");
        problems.number("finest_step_levels", self.finest_step_levels, 1e-6..=1e6, "level spacings");
        problems.integer("per_bank", self.per_bank.into(), 1..=65_536);
        problems.integer("arrays_per_bank", self.arrays_per_bank.into(), 1..=65_536);
        problems.integer("calibration_images", self.calibration_images.into(), 1..=1_000_000);
        problems.integer("calibration_chips", self.calibration_chips.into(), 1..=1000);
        if let Err(allowed) = self.priced_kind() {
            problems.require("kind", format!("\"{}\"", self.kind.name()), false, allowed);
        }
        let calibrated = !self.per_column || self.range == RangePolicy::Calibrated;
        problems.require("per_column", self.per_column, calibrated, "false unless range = \"calibrated\"");
        problems.within("prices", |p| self.prices.check(p));
        problems.within("nonideal", |p| self.nonideal.check(self.kind, self.bits, p));
    }
}
