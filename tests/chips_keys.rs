//! The keys of a chip: what they become in cycles, and which values are refused.

use chip::config::{Chip, Images};
use explore::config::{Kind, load, preset_names};

fn chip(set: &[&str]) -> Result<Chip, String> {
    let set: Vec<String> = set.iter().map(|&key| key.to_owned()).collect();
    load(Kind::Chip, "default", &set).map_err(|error| error.to_string())
}

/// Each refusal names the key, its value and what is allowed.
#[test]
fn values_out_of_range_are_refused_by_name() {
    for (set, expected) in [
        (&["clocks.array_cycles=0"][..], "clocks.array_cycles = 0 is not allowed: an integer from 1 to 1000000"),
        (
            &["clocks.memory_cycles=1000001"],
            "clocks.memory_cycles = 1000001 is not allowed: an integer from 1 to 1000000",
        ),
        (&["tile.output_registers=0"], "tile.output_registers = 0 is not allowed: an integer from 1 to 16"),
        (&["tile.array.write_time_s=-1.0"], "tile.array.write_time_s = -1 is not allowed: a number from 0e0 to 1e2 s"),
        (&["tile.dac.pulse_time_s=1.0"], "tile.dac.pulse_time_s = 1 is not allowed: a number from 0e0 to 1e-3 s"),
        (&["tile.dac.phases=0"], "tile.dac.phases = 0 is not allowed: an integer from 1 to 16"),
        (&["tile.buffer.ports=0"], "tile.buffer.ports = 0 is not allowed: an integer from 1 to 64"),
        (&["tile.buffer.banks=2000"], "tile.buffer.banks = 2000 is not allowed: an integer from 1 to 1024"),
        (&["tile.buffer.words_per_cycle=0"], "tile.buffer.words_per_cycle = 0 is not allowed: an integer"),
        (&["tile.digital.adder_width=0"], "tile.digital.adder_width = 0 is not allowed: an integer from 1 to 1048576"),
        (&["tile.digital.vector_width=0"], "tile.digital.vector_width = 0 is not allowed: an integer from 1"),
        (&["tile.digital.add_cycles=1000001"], "tile.digital.add_cycles = 1000001 is not allowed: an integer from 0"),
        (
            &["tile.digital.lookup_cycles=1000001"],
            "tile.digital.lookup_cycles = 1000001 is not allowed: an integer from 0",
        ),
        (&["mesh.concentration=2"], "mesh.concentration = 2 is not allowed: 1 or 4"),
        (
            &["mesh.concentration=4", "mesh.width=7"],
            "mesh.width = 7 is not allowed: a multiple of 2 where mesh.concentration = 4",
        ),
        (
            &["mesh.router_cycles=0", "mesh.link_cycles=0"],
            "mesh.link_cycles = 0 is not allowed: at least 1 where mesh.router_cycles = 0: a hop takes a cycle",
        ),
        (&["mesh.buffer_flits=0"], "mesh.buffer_flits = 0 is not allowed: an integer from 1 to 65536"),
        (&["mesh.credit_cycles=1001"], "mesh.credit_cycles = 1001 is not allowed: an integer from 1 to 1000"),
        (&["memory.bits_per_cycle=0"], "memory.bits_per_cycle = 0 is not allowed: an integer from 1 to 1048576"),
        (&["memory.latency_cycles=0"], "memory.latency_cycles = 0 is not allowed: an integer from 1 to 1000000"),
        (&["memory.buffer_bytes=0"], "memory.buffer_bytes = 0 is not allowed: an integer from 1"),
        (&["memory.port_tile=168"], "memory.port_tile = 168 is not allowed: an integer from 0 to 167"),
        (&["costs.energy_j.memory_bit=-1.0"], "costs.energy_j.memory_bit = -1 is not allowed: a number from 0e0"),
        (
            &["tile.adc.integrating=true"],
            "tile.adc.per_bank = 1 is not allowed: at least 128, one a column, where tile.adc.integrating = true",
        ),
        (
            &["tile.adc.skip_applied_bits=true"],
            "tile.adc.skip_applied_bits = true is not allowed: false, or slices that leave a resolution with a price: one of 4, 5",
        ),
        (
            &["costs.cell_read_bits_factor=[1.0]", "tile.dac.bits=2"],
            "costs.cell_read_bits_factor = too short is not allowed: 1 to 1 (cost table `isaac-32nm` prices no other digit)",
        ),
        // A check that divides by it comes later.
        (
            &["tile.dac.bits=0", "tile.adc.skip_applied_bits=true", "tile.dac.pulse_time_s=1e-9"],
            "tile.dac.bits = 0 is not allowed: an integer from 1 to 8",
        ),
        (&["mesh.hop_cycles=4"], "unknown key mesh.hop_cycles; nearest known key: mesh."),
    ] {
        let error = chip(set).unwrap_err();
        assert!(error.contains(expected), "{set:?}: {error}");
    }
    assert!(chip(&["memory.input_images=nowhere"]).unwrap_err().contains("resident"));
    assert!(chip(&["mesh.concentration=4"]).is_ok() && chip(&["memory.port_tile=167"]).is_ok());
    assert!(chip(&["mesh.router_cycles=0"]).is_ok() && chip(&["mesh.link_cycles=0"]).is_ok());
    assert_eq!(chip(&["memory.input_images=streamed"]).unwrap().memory.input_images, Images::Streamed);
}

/// Every time is rounded up to cycles of its own domain: a read of 12 ns at 1 GHz is 12 cycles, 3 of 5 base cycles each, and a latency of
/// the vector unit is one cycle at least.
#[test]
fn times_become_cycles_of_their_domain() {
    let hardware = chip(&[]).unwrap().hardware();
    assert_eq!((&hardware.tile.read, hardware.tile.read.len()), (&vec![12; 8], 8));
    assert_eq!(hardware.tile.conversion, [0.78125; 8]);
    // 128 columns of 0.78125 ns: exactly 100.
    assert_eq!(hardware.tile.convert_cycles(0, 128, &hardware.clocks), 100);
    let slow =
        chip(&["clocks.array_cycles=5", "clocks.digital_cycles=3", "tile.digital.offset_cycles=0"]).unwrap().hardware();
    assert_eq!((slow.tile.read_cycles(7), slow.tile.convert_cycles(7, 128, &slow.clocks)), (3, 20));
    assert_eq!((slow.clocks.arrays, slow.clocks.digital, slow.clocks.network, slow.clocks.memory), (5, 3, 1, 1));
    assert_eq!(slow.tile.vector_cycles, [1; 5]);
}

/// Requantisation, offset, pooling, addition, look-up: the order of the machine's operations.
#[test]
fn latencies_keep_their_places() {
    let keys = [
        "requantise_cycles=2",
        "offset_cycles=3",
        "pool_cycles=4",
        "add_cycles=5",
        "lookup_cycles=6",
        "merge_cycles=7",
    ];
    let set: Vec<String> = keys.iter().map(|key| format!("tile.digital.{key}")).collect();
    let set: Vec<&str> = set.iter().map(String::as_str).collect();
    let tile = chip(&set).unwrap().hardware().tile;
    assert_eq!((tile.vector_cycles, tile.merge_cycles), ([2, 3, 4, 5, 6], 7));
}

/// Buffer, bus, mesh and memory arrive as they are written.
#[test]
fn the_machine_gets_what_the_file_says() {
    let set = [
        "tile.input_registers=3",
        "tile.sample_hold_depth=4",
        "tile.output_registers=5",
        "tile.bus.duplex=false",
        "tile.buffer.words_per_cycle=6",
        "tile.buffer.ports=7",
        "tile.buffer.banks=8",
        "tile.digital.adder_width=9",
        "tile.digital.vector_width=10",
        "tile.digital.shift_add_cycles=11",
        "mesh.concentration=4",
        "mesh.router_cycles=12",
        "mesh.link_cycles=13",
        "mesh.buffer_flits=14",
        "mesh.credit_cycles=15",
        "memory.bits_per_cycle=16",
        "memory.latency_cycles=17",
    ];
    let hardware = chip(&set).unwrap().hardware();
    let (tile, mesh, memory) = (&hardware.tile, hardware.mesh, hardware.memory);
    assert_eq!((tile.input_registers, tile.sample_hold_depth, tile.output_registers), (3, 4, 5));
    assert_eq!((tile.duplex, tile.word_bits, tile.words_per_cycle, tile.ports, tile.banks), (false, 256, 6, 7, 8));
    assert_eq!((tile.adder_width, tile.vector_width, tile.shift_add_cycles), (9, 10, 11));
    assert_eq!((tile.buffer_bits, tile.access_cycles, tile.converters), (65_536 * 8, 1, 1));
    assert_eq!((mesh.concentration, mesh.router_cycles, mesh.link_cycles), (4, 12, 13));
    assert_eq!((mesh.width, mesh.height, mesh.flit_bits), (14, 12, 32));
    assert_eq!((mesh.buffer_flits, mesh.credit_cycles), (14, 15));
    assert_eq!((memory.bits_per_cycle, memory.latency), (16, 17));
}

/// A pulse for each unit of a digit, on top of the fixed times; the last slice has fewer bits. 7 bits of magnitude in slices of 4.
#[test]
fn digits_of_pulses_take_the_time_of_their_pulses() {
    let pulses = ["tile.dac.format=sign-magnitude", "tile.dac.bits=4", "tile.dac.pulse_time_s=2e-9"];
    let tile = chip(&pulses).unwrap().hardware().tile;
    assert_eq!(tile.read, [12 + 15 * 2, 12 + 7 * 2]);
    let phases = [&pulses[..], &["tile.dac.phases=2"]].concat();
    let tile = chip(&phases).unwrap().hardware().tile;
    assert_eq!(tile.read, [42, 42, 26, 26]);
    assert_eq!(tile.conversion.len(), 4);
}

/// Tiles 0, 1, 14 and 15 of a mesh 14 wide share a router; counts and machine agree on hops.
#[test]
fn four_tiles_share_a_router() {
    let chip = chip(&["mesh.concentration=4"]).unwrap();
    assert_eq!([1, 14, 15, 2, 28, 167].map(|tile| chip.mesh.hops(0, tile)), [0, 0, 0, 1, 1, 6 + 5]);
    let mesh = chip.hardware().mesh;
    for (from, to) in [(0, 15), (3, 160), (29, 13), (167, 0)] {
        assert_eq!(chip.mesh.hops(from, to), mesh.links(from, to));
    }
}

/// Shipped chips are valid, and nothing in them takes no time where the machine needs some.
#[test]
fn every_shipped_chip_can_be_run() {
    for name in preset_names(Kind::Chip) {
        let chip: Chip = load(Kind::Chip, name, &[]).unwrap();
        assert_eq!(chip.name, name);
        let hardware = chip.hardware();
        assert_eq!(hardware.tile.read.len(), chip.array_reads(chip.magnitude_bits()) as usize, "{name}");
        assert!(hardware.tile.read.iter().all(|&cycles| cycles >= 1), "{name}");
        assert!(hardware.mesh.router_cycles + hardware.mesh.link_cycles >= 1, "{name}");
    }
}

/// Converters that integrate keep the array busy: 300 ns a bit, 8 bits in the first slice and 3 less in each later one.
#[test]
fn integrating_converters_are_part_of_the_read() {
    let set = [
        "tile.adc.integrating=true",
        "tile.adc.per_bank=128",
        "tile.adc.preset=neurram-neuron",
        "tile.adc.skip_applied_bits=true",
        "tile.dac.bits=3",
    ];
    let chip = chip(&set).unwrap();
    assert_eq!([0, 1, 2].map(|slice| chip.slice_bits(chip.magnitude_bits(), slice)), [3, 3, 2]);
    assert_eq!([0, 1, 2].map(|slice| chip.conversion_bits(slice)), [8, 5, 2]);
    let tile = chip.hardware().tile;
    assert_eq!(tile.read, [12 + 2400, 12 + 1500, 12 + 600]);
    assert_eq!(tile.conversion, [0.0; 3]);
}

/// The energy of a conversion is the mean over the slices, where they differ: 8, 7, 6, 5 bits of the table.
#[test]
fn skipped_bits_save_energy() {
    let chip = chip(&["format.input_bits=4", "tile.adc.skip_applied_bits=true"]).unwrap();
    let mean = (1.5625e-12 + 1.33125e-12 + 1.125e-12 + 0.928125e-12) / 4.0;
    assert!((chip.conversion_energy_j(chip.magnitude_bits()).unwrap() / mean - 1.0).abs() < 1e-12);
}
