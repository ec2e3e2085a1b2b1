//! The loading of weights, in cycles: a closed form for one array, bounds for many.

use crate::compare::agreed;
use crate::support::chips;
use crate::support::compiled::Compiled;
use crate::support::networks::{Builder, dataset, single_layer};
use crate::support::random::Random;
use chip::config::{Chip, Images};
use chip::program::Program;
use chip::timing::{self, TimingError, WeightWriting, lower, weight_writing};
use nn::{Graph, Shape};
use nn_compiler::mapping::Mapping;
use nn_compiler::replicate;

fn compiled(network: &Graph, mapping: &str, chip: &Chip) -> Program {
    let images = dataset(&mut Random(5), network.input, 2, 2, 1);
    Compiled::new(network, &images, &Mapping::parse(mapping).unwrap(), chip).program
}

/// An array of `rows x 4` weights in four slices of 2 bits: rows of 32 bits.
fn one_array(rows: usize, chip: &Chip) -> Program {
    let program = compiled(&single_layer(rows, 4, |output, input| (output + input) as i32 % 9 - 4, 0.0), "isaac", chip);
    let crossbars: usize = program.mvm_stages().map(|(_, stage)| stage.crossbars.len()).sum();
    assert_eq!(crossbars, 1);
    program
}

/// A row takes 100 cycles; a word of buffers and bus is a row.
fn slow_writes() -> Chip {
    let mut chip = chips::exact();
    (chip.tile.array.write_time_s, chip.tile.buffer.word_bits) = (100e-9, 32);
    (chip.memory.bits_per_cycle, chip.memory.latency_cycles) = (16, 70);
    // Transfers that meet in a bank avoid each other by a cycle.
    chip.tile.buffer.banks = 1024;
    chip
}

#[test]
fn one_array_beside_the_port_follows_the_closed_form() {
    for rows in [1_u64, 2, 20, 100, 128] {
        let chip = slow_writes();
        let program = one_array(rows as usize, &chip);
        let writing = weight_writing(&program).unwrap();
        // Eight blocks, all in one burst of at most 4096 bits. The port moves half a row per cycle, its latency is counted from the end, words of a row go into
        // the global buffer; of the first block they are loaded from there, stored beside it and loaded into the register, a cycle each and one for an access.
        // With a second block, its load from the global buffer, which begins in the bank of the first one's store and therefore a cycle later, keeps the bus for two
        // cycles longer than the first block needs to be back there.
        // Then rows are written one after the other, for the next ones are there before; shift-and-add, which has nothing to do here, and the word that says so
        // end it.
        let block = rows.div_ceil(8);
        let port = 2 * rows;
        let second = if rows > 1 { 2 } else { 0 };
        let way = port + (70 - 1) + rows + (1 + block) + block + second + (1 + block);
        assert_eq!(writing.cycles, way + 100 * rows + 1 + 1, "{rows} rows");
        assert_eq!([writing.port_cycles, writing.network_cycles, writing.writing_cycles], [port, 0, 100 * rows]);
        assert_eq!((writing.counts.cell_write, writing.counts.memory_bit), (16 * rows, 32 * rows));
        let path: u64 = writing.critical_path.iter().map(|share| share.cycles).sum();
        assert_eq!(path, writing.cycles);
        assert_eq!(writing.time_s(), writing.cycles as f64 / chip.clock_hz);
    }
}

#[test]
fn the_network_carries_every_row_to_its_tile() {
    let mut chip = slow_writes();
    chip.memory.port_tile = 3;
    let program = one_array(100, &chip);
    let (near, far) = (weight_writing(&one_array(100, &slow_writes())).unwrap(), weight_writing(&program).unwrap());
    // One flit of 32 bits a row; three links of 4 cycles for the first packet, and as many for the flit that says that all is done.
    assert_eq!(far.network_cycles, 100);
    let packet = 3 * 4 + 13 - 1;
    // On the other side the packet's words are written behind it, instead of the store; the last flit's word too. There no second block is in the way.
    assert_eq!(far.cycles, near.cycles + packet + 3 * 4 - 2);
}

/// Cells of many arrays, in several tiles, some of them twice.
fn many(change: impl FnOnce(&mut Chip)) -> Program {
    let mut chip = chips::exact();
    (chip.tile.array.rows, chip.tile.array.cols, chip.tile.arrays) = (32, 32, 4);
    change(&mut chip);
    let mut random = Random(6);
    let mut chain = Builder::new(&mut random, 8, Shape { channels: 4, height: 6, width: 6 });
    chain.conv2d(16, 3, 1, 1);
    chain.relu();
    chain.conv2d(8, 3, 1, 0);
    chain.relu();
    chain.linear(5);
    let network = chain.finish();
    let mut program = compiled(&network, "isaac", &chip);
    let arrays: u64 = program.mvm_stages().map(|(_, stage)| stage.crossbars.len() as u64).sum();
    replicate(&mut program, arrays + 30).unwrap();
    assert!(program.mvm_stages().any(|(_, stage)| stage.copies() > 1));
    program
}

/// Rows of the arrays of each tile.
fn rows_of_tiles(program: &Program) -> Vec<Vec<u64>> {
    let mut tiles = std::collections::BTreeMap::<u32, Vec<u64>>::new();
    for (_, stage) in program.mvm_stages() {
        for (crossbar, place) in (0..stage.copies()).flat_map(|copy| stage.placed(copy)) {
            tiles.entry(place.tile).or_default().push(crossbar.rows.into());
        }
    }
    tiles.into_values().collect()
}

/// Cycles that the port, the interface of its tile and the arrays need at least.
fn bounds(program: &Program, row_cycles: u64) -> [u64; 3] {
    let chip = &program.chip;
    let mut flits = 0;
    for (_, stage) in program.mvm_stages() {
        for (crossbar, place) in (0..stage.copies()).flat_map(|copy| stage.placed(copy)) {
            let bits = stage.columns(crossbar) * u64::from(stage.polarities) * u64::from(chip.tile.cell.bits);
            let sent = u64::from(crossbar.rows) * bits;
            flits += if place.tile == chip.memory.port_tile { 0 } else { sent.div_ceil(chip.mesh.flit_bits.into()) };
        }
    }
    let at_once = u64::from(chip.tile.array.written_at_once);
    let tile = |rows: &Vec<u64>| {
        let longest = rows.iter().max().copied().unwrap_or(0);
        longest.max(rows.iter().sum::<u64>().div_ceil(at_once))
    };
    let rows = rows_of_tiles(program).iter().map(tile).max().unwrap_or(0);
    let bits = weight_writing(program).unwrap().counts.memory_bit;
    [bits.div_ceil(chip.memory.bits_per_cycle), flits, rows * row_cycles]
}

fn check(program: &Program, row_cycles: u64) -> (WeightWriting, [u64; 3]) {
    let (writing, bounds) = (weight_writing(program).unwrap(), bounds(program, row_cycles));
    let most = bounds.iter().max().copied().unwrap();
    assert!(writing.cycles >= most, "{writing:?}, at least {bounds:?}");
    // Nothing takes longer than if port, network and arrays came one after the other, with a latency and some ways.
    let sum: u64 = bounds.iter().sum();
    assert!(writing.cycles <= sum + sum / 2 + 2000, "{writing:?}, at least {bounds:?}");
    assert!(writing.port_cycles >= bounds[0] && writing.port_cycles <= bounds[0] + bounds[0] / 16 + 1);
    assert!(writing.network_cycles >= bounds[1] && writing.writing_cycles >= bounds[2]);
    (writing, bounds)
}

/// What is slowest decides, to within a few per cent.
#[test]
fn many_arrays_take_as_long_as_what_is_slowest() {
    type Change = fn(&mut Chip);
    let slow: [(Change, u64, usize); 4] = [
        (|chip| chip.memory.bits_per_cycle = 1, 86, 0),
        (|chip| chip.mesh.flit_bits = 1, 86, 1),
        (|chip| chip.tile.array.write_time_s = 10e-6, 10_000, 2),
        (|chip| (chip.tile.array.write_time_s, chip.tile.array.written_at_once) = (10e-6, 1), 10_000, 2),
    ];
    let mut cycles = Vec::new();
    for (change, row_cycles, slowest) in slow {
        let (writing, bounds) = check(&many(change), row_cycles);
        assert_eq!(bounds.iter().max(), Some(&bounds[slowest]));
        let over = writing.cycles as f64 / bounds[slowest] as f64;
        assert!(over < 1.06, "{over} times the bound: {writing:?}, {bounds:?}");
        cycles.push(writing.cycles);
    }
    // Four arrays of a tile one after the other instead of side by side.
    assert!(cycles[3] > 3 * cycles[2], "{cycles:?}");
}

#[test]
fn the_loading_of_weights_takes_the_same_cycles_on_both_models() {
    for (at_once, bytes) in [(1, 64), (2, 200), (96, 65_536)] {
        let program = many(|chip| {
            (chip.mesh.width, chip.mesh.height, chip.memory.port_tile) = (6, 6, 8);
            (chip.tile.array.written_at_once, chip.tile.buffer.bytes, chip.memory.buffer_bytes) = (at_once, bytes, 300);
        });
        let (workload, hardware) = chip::timing::loading(&program).unwrap();
        workload.check(&hardware, 1).unwrap();
        workload.check_liveness(&hardware).unwrap();
        let outcome = agreed(format_args!("{at_once} at once"), &workload, &hardware, 1).unwrap();
        assert_eq!(outcome.image_done, [weight_writing(&program).unwrap().cycles]);
    }
}

#[test]
fn buffers_without_room_for_a_row_are_refused() {
    let mut program = one_array(20, &slow_writes());
    program.chip.memory.buffer_bytes = 3;
    let refused = weight_writing(&program).unwrap_err().to_string();
    assert!(refused.contains("memory.buffer_bytes = 3 is not allowed: a row of weights needs 4 bytes"), "{refused}");
    (program.chip.memory.buffer_bytes, program.chip.tile.buffer.bytes) = (4, 3);
    let refused = weight_writing(&program).unwrap_err().to_string();
    assert!(refused.contains("the buffer of tile 0 has 3 bytes and needs 4"), "{refused}");
    program.chip.tile.buffer.bytes = 4;
    let slow = weight_writing(&program).unwrap();
    assert!((20 * 100..20 * (2 + 70 + 100)).contains(&slow.cycles), "row by row: {slow:?}");
}

/// Stages with copies that share tiles of any size.
fn copies_that_share(random: &mut Random) -> Program {
    let mut chip = chips::exact();
    (chip.tile.array.rows, chip.tile.arrays) = (16, random.pick(&[8, 96]));
    chip.tile.array.written_at_once = random.pick(&[2, 4, 16]);
    let mut chain = Builder::new(random, 8, Shape { channels: 2, height: 5, width: 5 });
    chain.conv2d(5, 3, 1, 1);
    chain.relu();
    chain.conv2d(7, 2, 1, 0);
    chain.relu();
    chain.linear(3);
    let mut program = compiled(&chain.finish(), "differential", &chip);
    let budget = 4 * program.arrays();
    replicate(&mut program, budget).unwrap();
    program
}

/// Copies in one tile share a lane, whose part of the buffer may hold one row: it gets them one after the other. Whatever the sizes of the buffers, all is written,
/// or they are said to be too small, by a size that is enough.
#[test]
fn no_size_of_a_buffer_makes_the_loading_stand_still() {
    let mut random = Random(77);
    let (mut shared, mut refused) = (0, 0);
    for _ in 0..12 {
        let mut program = copies_that_share(&mut random);
        let copies = program.mvm_stages().any(|(_, of)| (1..of.copies()).any(|copy| of.home(copy) == of.home(0)));
        shared += usize::from(copies);
        for _ in 0..25 {
            program.chip.tile.buffer.bytes = 20 + u64::from(random.pick(&[0_u32, 13, 60, 111, 200, 333]));
            program.chip.memory.buffer_bytes = 10 + u64::from(random.pick(&[0_u32, 30, 77, 300, 2000]));
            refused += enlarged(&mut program, |program| weight_writing(program).map(drop)).len();
        }
    }
    assert!(shared > 3 && refused > 10, "{shared}, {refused}");
}

/// Buffers that are too small get the size that the refusal names; which ones, in order.
fn enlarged(program: &mut Program, time: impl Fn(&Program) -> Result<(), TimingError>) -> Vec<&'static str> {
    let mut keys = Vec::new();
    while let Err(error) = time(program) {
        match error {
            TimingError::Buffer { needed_bytes, bytes, .. } if needed_bytes > bytes => {
                program.chip.tile.buffer.bytes = needed_bytes;
                keys.push("tile.buffer.bytes");
            }
            TimingError::GlobalBuffer { needed_bytes, bytes, .. } if needed_bytes > bytes => {
                program.chip.memory.buffer_bytes = needed_bytes;
                keys.push("memory.buffer_bytes");
            }
            error => panic!("{error}"),
        }
    }
    keys
}

/// Whoever times a program refuses buffers that cannot load its weights, by a size that is enough for them and for the images at once.
#[test]
fn programs_whose_weights_do_not_pass_the_buffers_are_refused() {
    let mut program = one_array(20, &slow_writes());
    program.chip.memory.buffer_bytes = 3;
    for refused in [timing::run(&program, 1).unwrap_err(), lower::workload(&program, &program.hardware()).unwrap_err()]
    {
        let refused = refused.to_string();
        assert!(
            refused.contains("memory.buffer_bytes = 3 is not allowed: a row of weights needs 4 bytes"),
            "{refused}"
        );
    }
    let mut random = Random(78);
    let (mut by_rows, mut by_regions) = (0, 0);
    for _ in 0..12 {
        let mut program = copies_that_share(&mut random);
        if random.pick(&[false, true]) {
            program.chip.memory.input_images = Images::Streamed;
        }
        // Wide cells make rows longer than pixels.
        program.chip.tile.cell.bits = random.pick(&[1, 4, 16]);
        (program.chip.tile.buffer.bytes, program.chip.memory.buffer_bytes) = (1, 1);
        let keys = enlarged(&mut program, |program| timing::run(program, 1).map(drop));
        assert_eq!(keys, ["memory.buffer_bytes", "tile.buffer.bytes"], "each is refused once");
        weight_writing(&program).unwrap();
        program.chip.tile.buffer.bytes -= 1;
        match timing::run(&program, 1).unwrap_err() {
            TimingError::Buffer { region, .. } if region == "rows of weights" => by_rows += 1,
            _ => by_regions += 1,
        }
    }
    assert!(by_rows > 1 && by_regions > 1, "{by_rows} {by_regions}");
}

/// Rows travel in blocks, and a block is written when all of it is there. A buffer with room for two rows gets them one by one and begins to write after the
/// first; one with room for more gets blocks of an eighth of the array, and begins later. What follows takes no longer, as long as rows come in time.
#[test]
fn larger_tile_buffers_may_begin_to_write_later() {
    let with = |bytes: u64| {
        let mut chip = slow_writes();
        chip.tile.buffer.bytes = bytes;
        weight_writing(&one_array(128, &chip)).unwrap().cycles
    };
    let cycles = [8, 16, 32, 64, 128, 65_536].map(with);
    // Rows of 4 bytes, two blocks in the buffer: blocks of 1, 2, 4, 8, 16 and 16 rows.
    // Three cycles for every row more of the first one.
    assert_eq!(cycles, [13_262, 13_265, 13_271, 13_283, 13_307, 13_307]);
}
