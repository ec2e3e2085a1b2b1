//! Worked examples.

use chip::machine::hardware::{Clocks, Hardware, MemoryHardware, MeshHardware, TileHardware};
use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::work::{Bank, Core, Region, Workload};

use super::windows::Windows;

/// One clock; everything that an example does not speak of takes the least time and is wide enough not to be in the way.
pub(crate) fn plain_hardware() -> Hardware {
    Hardware {
        clocks: Clocks { arrays: 1, digital: 1, network: 1, memory: 1 },
        tile: TileHardware {
            input_registers: 2,
            sample_hold_depth: 1,
            output_registers: 1 << 16,
            read: vec![1],
            converters: 1,
            conversion: vec![1.0],
            word_bits: 1,
            words_per_cycle: 1,
            access_cycles: 0,
            duplex: true,
            ports: 4,
            banks: 1 << 20,
            buffer_bits: 1 << 40,
            shift_add_cycles: 1,
            adder_width: 1,
            merge_cycles: 1,
            vector_width: 1,
            vector_cycles: [1; 5],
        },
        mesh: MeshHardware {
            width: 1,
            height: 1,
            concentration: 1,
            flit_bits: 1,
            router_cycles: 1,
            link_cycles: 1,
            virtual_output_queues: false,
            buffer_flits: 4,
            credit_cycles: 1,
        },
        memory: MemoryHardware { tile: 0, buffer_bits: 0, bits_per_cycle: 1, latency: 1 },
    }
}

/// A region without an upper bound.
pub(crate) fn region(name: &str, items: u64, writers: &[u32], readers: &[u32]) -> Region {
    Region {
        name: name.into(),
        tile: 0,
        items,
        item_bits: 1,
        capacity: None,
        writers: writers.to_vec(),
        readers: readers.to_vec(),
    }
}

/// A core on the first tile.
pub(crate) fn core(name: &str, banks: &[Bank], instructions: Vec<Instruction>) -> Core {
    Core { name: name.into(), stage: name.into(), tile: 0, banks: banks.to_vec(), instructions }
}

/// One stream of matrix-vector products through one bank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub(crate) mvms: u64,
    pub(crate) slices: u32,
    /// Cycles of a load.
    pub(crate) load: u64,
    /// Array cycles of a read.
    pub(crate) read: u64,
    /// Array cycles in which the bank converts its columns.
    pub(crate) convert: u64,
    /// Cycles from the last conversion to the end; at least 2: shift-and-add and a store.
    pub(crate) post: u64,
    pub(crate) input_registers: u32,
    pub(crate) sample_hold_depth: u32,
    pub(crate) output_registers: u32,
}

/// Every step loads a window and stores its result.
pub(crate) fn stream(stream: &Stream) -> (Workload, Hardware) {
    let mut hardware = plain_hardware();
    hardware.tile.read = vec![stream.read];
    hardware.tile.input_registers = stream.input_registers;
    hardware.tile.sample_hold_depth = stream.sample_hold_depth;
    hardware.tile.output_registers = stream.output_registers;
    hardware.tile.shift_add_cycles = stream.post - 1;
    let steps = (1..=stream.mvms).flat_map(|count| {
        [
            Instruction::Wait { region: 1, count },
            Instruction::Room { region: 0 },
            Instruction::Load { region: 1, bits: stream.load },
            Instruction::Free { region: 1, count },
            Instruction::Mvm { slices: stream.slices },
            Instruction::Store { region: 0, bits: 1 },
        ]
    });
    let bank = Bank { count: 1, columns: stream.convert };
    let workload = Workload {
        // Number 0 is the result, so that no store begins in the bank of a load in progress.
        regions: vec![region("result", stream.mvms, &[0], &[]), region("image", stream.mvms, &[], &[0])],
        cores: vec![core("stream", &[bank], steps.collect())],
        result: 0,
    };
    (workload, hardware)
}

/// A stage that begins a window every so many cycles and hands over its item a fixed time later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) interval: u64,
    /// From the begin of a window to its item in the next buffer; at least one more than the interval.
    pub(crate) latency: u64,
}

/// Operation and least latency by which a stage with a fixed interval is made: its vector unit is taken for the interval,
/// so that its only input register is, and the item is stored a cycle after the latency.
fn interval_core(
    name: &str,
    number: u32,
    stage: Interval,
    operation: VectorOperation,
    windows: &Windows,
    tile: u32,
) -> Core {
    let [from, to] = [number, number + 1];
    let steps = (0..windows.count()).flat_map(|window| {
        [
            Instruction::Wait { region: from, count: windows.need[window as usize] },
            Instruction::Room { region: to },
            Instruction::Free { region: from, count: windows.freed(window, 1) },
            Instruction::Vector { operation, values: stage.interval },
            if number == 0 {
                Instruction::Send { region: to, bits: 1 }
            } else {
                Instruction::Store { region: to, bits: 1 }
            },
        ]
    });
    Core { tile, ..core(name, &[], steps.collect()) }
}

/// Two stages with fixed intervals on two tiles, and a buffer between them. One vector of the first takes `latency` less the way to the other tile
/// (a link and a router, and the write), one of the second `latency` less the store.
pub(crate) fn two_intervals(
    first: Interval,
    second: Interval,
    windows: &Windows,
    capacity: Option<u64>,
) -> (Workload, Hardware) {
    let mut hardware = plain_hardware();
    hardware.tile.input_registers = 1;
    hardware.mesh.width = 2;
    let way = hardware.mesh.router_cycles + hardware.mesh.link_cycles + 1;
    hardware.tile.vector_cycles[0] = first.latency - way - first.interval + 1;
    hardware.tile.vector_cycles[1] = second.latency - 1 - second.interval + 1;
    let pixels = Windows::items(windows.items);
    let at_second = |region: Region| Region { tile: 1, ..region };
    let workload = Workload {
        regions: vec![
            region("image", windows.items, &[], &[0]),
            at_second(Region { capacity, ..region("between", windows.items, &[0], &[1]) }),
            at_second(region("result", windows.count(), &[1], &[])),
        ],
        cores: vec![
            interval_core("first", 0, first, VectorOperation::Requantise, &pixels, 0),
            interval_core("second", 1, second, VectorOperation::Offset, windows, 1),
        ],
        result: 2,
    };
    (workload, hardware)
}
