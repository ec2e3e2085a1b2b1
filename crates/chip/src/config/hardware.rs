//! The chip in cycles, as the machine executes it.

use super::{Chip, ClockDividers, Digital, Memory, Mesh};
use crate::machine::hardware::{Clocks, Hardware, MemoryHardware, MeshHardware, TileHardware};
use crate::machine::instruction::VectorOperation;

impl Chip {
    /// Everything in cycles of its clock domain, for inputs of the chip's own width. Times are rounded up here, once.
    #[must_use]
    pub fn hardware(&self) -> Hardware {
        self.hardware_for(&[self.magnitude_bits()])
    }

    /// The same for inputs of several widths (bits that are applied in digits): an input slice takes as long as the longest of them.
    #[must_use]
    pub fn hardware_for(&self, widths: &[u32]) -> Hardware {
        Hardware {
            clocks: self.clocks.hardware(),
            tile: self.tile_hardware(widths),
            mesh: self.mesh.hardware(),
            memory: self.memory.hardware(),
        }
    }

    fn tile_hardware(&self, widths: &[u32]) -> TileHardware {
        let read_s = |slice: u32| {
            let wide_enough = widths.iter().filter(|&&bits| slice < self.input_cycles(bits));
            wide_enough.map(|&bits| self.read_time_s(bits, slice)).fold(0.0, f64::max)
        };
        let reads = widths.iter().map(|&bits| self.array_reads(bits)).max().unwrap_or(0);
        let (tile, buffer, digital) = (&self.tile, &self.tile.buffer, &self.tile.digital);
        TileHardware {
            input_registers: tile.input_registers,
            sample_hold_depth: tile.sample_hold_depth,
            output_registers: tile.output_registers,
            read: self.per_read(reads, |slice| self.cycles_of(read_s(slice), self.clocks.array_cycles).max(1)),
            converters: tile.adc.per_bank.into(),
            conversion: self.per_read(reads, |slice| self.separate_conversion_s(slice) * self.clock_hz),
            word_bits: buffer.word_bits.into(),
            words_per_cycle: buffer.words_per_cycle.into(),
            access_cycles: buffer.access_cycles,
            duplex: tile.bus.duplex,
            ports: buffer.ports,
            banks: buffer.banks.into(),
            buffer_bits: buffer.bytes.saturating_mul(8),
            shift_add_cycles: digital.shift_add_cycles,
            adder_width: digital.adder_width,
            merge_cycles: digital.merge_cycles.max(1),
            vector_width: digital.vector_width,
            vector_cycles: digital.vector_cycles(),
        }
    }

    /// Time of a conversion behind the array read, s: none where it is part of the read.
    fn separate_conversion_s(&self, slice: u32) -> f64 {
        if self.tile.adc.integrating { 0.0 } else { self.slice_conversion_time_s(slice) }
    }

    /// A value for every array read of a matrix-vector product: the phases of a slice follow each other.
    fn per_read<T>(&self, reads: u32, of_slice: impl Fn(u32) -> T) -> Vec<T> {
        let phases = self.tile.dac.phases.max(1);
        (0..reads).map(|read| of_slice(read / phases)).collect()
    }
}

impl Digital {
    /// Latencies in the order of [`VectorOperation::ALL`]. An operation takes a cycle
    /// at least; whose latency is 0 is part of what stands before it, and best left out of programs.
    fn vector_cycles(&self) -> [u64; VectorOperation::ALL.len()] {
        let Self { requantise_cycles, offset_cycles, pool_cycles, add_cycles, lookup_cycles, .. } = *self;
        [requantise_cycles, offset_cycles, pool_cycles, add_cycles, lookup_cycles].map(|cycles| cycles.max(1))
    }
}

impl ClockDividers {
    fn hardware(self) -> Clocks {
        Clocks {
            arrays: self.array_cycles,
            digital: self.digital_cycles,
            network: self.network_cycles,
            memory: self.memory_cycles,
        }
    }
}

impl Mesh {
    fn hardware(self) -> MeshHardware {
        MeshHardware {
            width: self.width,
            height: self.height,
            concentration: self.concentration,
            flit_bits: self.flit_bits.into(),
            router_cycles: self.router_cycles,
            link_cycles: self.link_cycles,
            virtual_output_queues: self.virtual_output_queues,
            buffer_flits: self.buffer_flits,
            credit_cycles: self.credit_cycles,
        }
    }
}

impl Memory {
    fn hardware(self) -> MemoryHardware {
        MemoryHardware {
            tile: self.port_tile,
            buffer_bits: self.buffer_bytes.saturating_mul(8),
            bits_per_cycle: self.bits_per_cycle,
            latency: self.latency_cycles.max(1),
        }
    }
}
