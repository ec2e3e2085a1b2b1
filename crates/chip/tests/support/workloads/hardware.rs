//! Random small hardware.

use chip::machine::hardware::{Clocks, Hardware, MemoryHardware, MeshHardware, TileHardware};

use super::random::Random;

pub(crate) fn hardware(random: &mut Random) -> Hardware {
    // Half of the chips have one clock, so that faults do not hide behind the waits for clocks.
    let slowest = if random.once_in(2) { 1 } else { 3 };
    let clocks = Clocks {
        arrays: random.within(1, slowest),
        digital: random.within(1, slowest),
        network: random.within(1, slowest),
        memory: random.within(1, slowest),
    };
    let (tile, mesh) = (tile(random), mesh(random));
    let memory = MemoryHardware {
        tile: random.within(0, u64::from(mesh.width * mesh.height) - 1) as u32,
        buffer_bits: 0,
        bits_per_cycle: random.within(4, 32),
        latency: random.within(1, 12),
    };
    Hardware { clocks, tile, mesh, memory }
}

fn tile(random: &mut Random) -> TileHardware {
    TileHardware {
        input_registers: random.within(1, 3) as u32,
        sample_hold_depth: random.within(1, 3) as u32,
        output_registers: random.within(1, 3) as u32,
        read: (0..random.within(1, 3)).map(|_| random.within(1, 5)).collect(),
        converters: random.within(1, 3),
        conversion: (0..random.within(1, 2)).map(|_| random.within(0, 8) as f64 / 4.0).collect(),
        word_bits: random.within(8, 32),
        words_per_cycle: random.within(1, 2),
        access_cycles: random.within(0, 2),
        duplex: random.once_in(2),
        ports: random.within(1, 2) as u32,
        banks: random.within(0, 4),
        buffer_bits: 1 << 32,
        shift_add_cycles: random.within(1, 3),
        adder_width: random.within(1, 8),
        merge_cycles: random.within(1, 4),
        vector_width: random.within(1, 8),
        vector_cycles: [0; 5].map(|_| random.within(1, 4)),
    }
}

fn mesh(random: &mut Random) -> MeshHardware {
    let (width, height) = (random.within(1, 3) as u32, random.within(1, 3) as u32);
    let concentration = if random.once_in(3) { 4 } else { 1 };
    let flit_bits = random.within(8, 32);
    // A flit may pass a router or a link at once, but not both.
    let router_cycles = random.within(0, 3);
    let link_cycles = random.within(u64::from(router_cycles == 0), 2);
    MeshHardware {
        width,
        height,
        concentration,
        flit_bits,
        router_cycles,
        link_cycles,
        virtual_output_queues: random.once_in(2),
        buffer_flits: random.within(1, 6) as u32,
        credit_cycles: random.within(1, 2),
    }
}
