//! Closed forms, recurrences and worked examples, to which both the engine and the naive model that it is compared with are held.

use crate::compare::both;
use crate::stepped::Stuck;
use crate::stepped::account::Unit;
use crate::workloads::examples::{self, Interval, Stream, core, plain_hardware, region, two_intervals};
use crate::workloads::random::Random;
use crate::workloads::windows::Windows;
use chip::machine::hardware::Hardware;
use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::work::{Region, Workload};

/// Double-buffered inputs, a sample-and-hold for one column vector.
fn single(slices: u32, load: u64, read: u64, convert: u64, post: u64) -> Stream {
    Stream {
        mvms: 1,
        slices,
        load,
        read,
        convert,
        post,
        input_registers: 2,
        sample_hold_depth: 1,
        output_registers: 1 << 16,
    }
}

/// The end of every matrix-vector product: each is an image.
fn every_mvm(mvms: u64, stream: &Stream) -> Vec<u64> {
    let (workload, hardware) = examples::stream(&Stream { mvms: 1, ..*stream });
    both(&workload, &hardware, mvms).unwrap().image_done
}

/// The end of a stream as one image.
fn end(mvms: u64, stream: Stream) -> u64 {
    let (workload, hardware) = examples::stream(&Stream { mvms, ..stream });
    let outcome = both(&workload, &hardware, 1).unwrap();
    assert_eq!(outcome.image_done, [outcome.end]);
    outcome.end
}

/// Max-plus recurrence of one stream through one bank: `l` end of a load, `s` latch, `d` end of a conversion.
fn recurrence(mvms: u64, stream: &Stream) -> Vec<u64> {
    let (registers, depth) = (stream.input_registers as usize, stream.sample_hold_depth as usize);
    let outputs = stream.output_registers as usize;
    let (mut load_end, mut free, mut done) = (0, Vec::<u64>::new(), Vec::<u64>::new());
    let (mut latched, mut converted) = (0, Vec::<u64>::new());
    let behind = |ends: &[u64], depth: usize| ends.len().checked_sub(depth).map_or(0, |at| ends[at]);
    for _ in 0..mvms {
        load_end = behind(&free, registers).max(load_end) + stream.load;
        for slice in 0..stream.slices {
            let read = load_end.max(latched) + stream.read;
            latched = read.max(behind(&converted, depth));
            let register = if slice == 0 { behind(&done, outputs) } else { 0 };
            let begin = latched.max(behind(&converted, 1)).max(register);
            converted.push(begin + stream.convert);
        }
        free.push(latched);
        done.push(behind(&converted, 1) + stream.post);
    }
    done
}

#[test]
fn a_stream_follows_the_recurrence() {
    let mut random = Random(1);
    let mut shaped = [0; 3];
    for case in 0..1500 {
        let stream = Stream {
            mvms: 1,
            slices: random.within(1, 5) as u32,
            load: random.within(1, 40),
            read: random.within(1, 12),
            convert: random.within(1, 12),
            post: random.within(2, 24),
            input_registers: random.within(1, 3) as u32,
            sample_hold_depth: random.within(1, 3) as u32,
            output_registers: if random.once_in(2) { random.within(1, 3) as u32 } else { 1 << 16 },
        };
        let mvms = random.within(1, 7);
        let expected = recurrence(mvms, &stream);
        assert_eq!(every_mvm(mvms, &stream), expected, "case {case}: {mvms} x {stream:?}");
        let without = [
            Stream { output_registers: 1 << 16, ..stream },
            Stream { sample_hold_depth: 9, ..stream },
            Stream { input_registers: 9, ..stream },
        ];
        for (count, without) in shaped.iter_mut().zip(&without) {
            *count += u32::from(recurrence(mvms, without) != expected);
        }
    }
    assert!(shaped.iter().all(|count| *count > 50), "registers that bind in {shaped:?} of 1500 cases");
}

#[test]
fn a_stream_follows_the_closed_form() {
    let mut random = Random(2);
    for _ in 0..500 {
        let cycles = [random.within(1, 40), random.within(1, 12), random.within(1, 12), random.within(2, 8)];
        let [load, read, convert, post] = cycles;
        let (mvms, slices) = (random.within(1, 7), random.within(1, 5));
        let interval = read.max(convert);
        let expected = if load <= slices * interval {
            load + read + (mvms * slices - 1) * interval + convert + post
        } else {
            mvms * load + read + (slices - 1) * interval + convert + post
        };
        let stream = single(slices as u32, load, read, convert, post);
        assert_eq!(end(mvms, stream), expected, "{mvms} x {stream:?}");
    }
}

/// Shafiee et al., ISCA 2016: 22 stages of 100 ns for 16 one-bit slices.
#[test]
fn isaac_takes_22_cycles() {
    assert_eq!(end(1, single(16, 1, 1, 1, 4)), 22);
}

/// A fully connected layer of 128 x 32 with 8, 4 and 1 converters; a convolution with 4 converters, with 32, with a narrow bus, and with half the columns.
#[test]
fn worked_examples_of_one_layer() {
    assert_eq!([8, 16, 64].map(|convert| end(1, single(8, 5, 12, convert, 4))), [113, 149, 533]);
    assert_eq!(end(64, single(4, 4, 12, 64, 5)), 16_405);
    assert_eq!(end(64, single(4, 4, 12, 8, 5)), 3_089);
    assert_eq!(end(64, single(4, 73, 12, 8, 5)), 4_733);
    assert_eq!(end(64, single(4, 4, 12, 32, 5)), 8_213);
}

/// A 3 x 3 convolution of 6 x 6 pixels behind a layer of 8 x 8: the first pixel after 83 cycles and one every 64; intervals of 256, 76 and 64, and a
/// finite buffer between. Cycles of the run, and cycles in which the first layer waits for a place.
#[test]
fn two_layers_with_credits() {
    let windows = Windows::square(8, 8, 3, 1, 0);
    let first = Interval { interval: 64, latency: 83 };
    let second = [(256, 277), (76, 97), (64, 85)].map(|(interval, latency)| Interval { interval, latency });
    let run = |capacity, second| {
        let (workload, hardware) = two_intervals(first, second, &windows, capacity);
        let outcome = both(&workload, &hardware, 1)?;
        // The first layer waits for its register or for a place until it begins its last pixel.
        let waits = outcome.cycles(Unit::Fetch { core: 0 }).output_full;
        Ok((outcome.end, waits - 63 * 64))
    };
    let ends = |capacity| second.map(|second| run(capacity, second).map(|outcome| outcome.0).unwrap());
    assert_eq!(ends(Some(19)), [10_472, 4_877, 4_865]);
    assert_eq!(ends(Some(20)), [10_472, 4_347, 4_200]);
    assert_eq!(ends(Some(22)), [10_472, 4_272, 4_200]);
    assert_eq!(ends(None), [10_472, 4_272, 4_200]);
    assert_eq!(run(Some(19), second[0]), Ok((10_472, 5_907)));
    assert_eq!(run(None, second[0]), Ok((10_472, 0)));
    for second in second {
        assert!(matches!(run(Some(18), second), Err(Stuck::Dead { .. })), "18 pixels are no window");
    }
}

/// One vector operation, whose result goes to another tile.
fn one_packet(from: u32, to: u32, bits: u64) -> Workload {
    let steps = vec![
        Instruction::Room { region: 0 },
        Instruction::Vector { operation: VectorOperation::Pool, values: 1 },
        Instruction::Send { region: 0, bits },
    ];
    let result = Region { tile: to, ..region("result", 1, &[0], &[]) };
    let mut sender = core("sender", &[], steps);
    sender.tile = from;
    Workload { regions: vec![result], cores: vec![sender], result: 0 }
}

fn random_mesh(random: &mut Random) -> Hardware {
    let mut hardware = plain_hardware();
    hardware.tile.word_bits = 1 << 20;
    let mesh = &mut hardware.mesh;
    (mesh.width, mesh.height) = (random.within(2, 5) as u32, random.within(1, 5) as u32);
    mesh.concentration = if random.once_in(2) { 4 } else { 1 };
    (mesh.router_cycles, mesh.link_cycles) = (random.within(1, 4), random.within(1, 3));
    mesh.credit_cycles = random.within(1, 3);
    mesh.buffer_flits = (mesh.router_cycles + mesh.link_cycles + mesh.credit_cycles) as u32;
    hardware
}

#[test]
fn a_packet_alone_takes_its_zero_load_latency() {
    let mut random = Random(3);
    for case in 0..500 {
        let mut hardware = random_mesh(&mut random);
        hardware.clocks.network = random.within(1, 3);
        let mesh = hardware.mesh;
        let tiles = u64::from(mesh.width * mesh.height);
        let from = random.within(0, tiles - 1);
        let to = (from + random.within(1, tiles - 1)) % tiles;
        let flits = random.within(1, 9);
        let links = mesh.links(from as u32, to as u32);
        let way = links * (mesh.router_cycles + mesh.link_cycles) + flits - 1;
        let way = if links == 0 { way + mesh.router_cycles } else { way };
        // A cycle of the vector unit, the next one of the network, the way, a word into the buffer.
        let expected = hardware.clocks.network * (1 + way) + 1;
        for queues in [false, true] {
            let workload = one_packet(from as u32, to as u32, flits);
            hardware.mesh.virtual_output_queues = queues;
            let outcome = both(&workload, &hardware, 1).unwrap();
            assert_eq!(outcome.image_done, [expected], "case {case}: {from} to {to}, {flits} flits, {hardware:?}");
            assert_eq!(outcome.links.iter().map(|link| link.flits).sum::<u64>(), links * flits);
        }
    }
}

/// With fewer places than the round trip of a credit a long packet takes a round trip for every `buffer_flits` flits.
#[test]
fn few_places_throttle_a_long_packet() {
    let mut hardware = plain_hardware();
    hardware.tile.word_bits = 1 << 20;
    hardware.mesh.width = 3;
    (hardware.mesh.router_cycles, hardware.mesh.link_cycles, hardware.mesh.credit_cycles) = (2, 1, 3);
    let arrival = |places, flits| {
        let mut hardware = hardware.clone();
        hardware.mesh.buffer_flits = places;
        both(&one_packet(0, 2, flits), &hardware, 1).unwrap().end - 2
    };
    for rounds in 1..5 {
        for (places, round_trip) in [(1, 6), (2, 6), (4, 6), (6, 6)] {
            // The last of the flits that go in groups: groups begin a round trip after one another.
            let flits = rounds * places;
            assert_eq!(arrival(places as u32, flits), 6 + (rounds - 1) * round_trip + places - 1, "{places} {rounds}");
        }
    }
}
