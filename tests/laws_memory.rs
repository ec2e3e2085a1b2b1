//! Images that come through the off-chip memory port: at the pace of the port, with the latency overlapped, and refused if the global buffer holds no pixel.

use crate::support::chips;
use crate::support::compiled::Compiled;
use crate::support::counts::counts;
use crate::support::networks::{Builder, dataset};
use crate::support::random::Random;
use chip::config::{Chip, Images};
use chip::machine::Settings;
use chip::machine::account::Class;
use chip::machine::report::UnitKind;
use chip::program::Program;
use chip::timing::{self, ProgramTiming};
use nn::Shape;
use nn_compiler::mapping::Mapping;

/// One convolution without overlap over a map of 64 x 64 pixels of 8 bits, and a small layer: 64 windows that take less than 100 cycles each.
fn program(change: impl FnOnce(&mut Chip)) -> Program {
    let mut chip = chips::exact();
    chip.memory.input_images = Images::Streamed;
    (chip.memory.latency_cycles, chip.memory.buffer_bytes) = (200, 1 << 16);
    change(&mut chip);
    let mut random = Random(71);
    let mut chain = Builder::new(&mut random, 8, Shape { channels: 1, height: 64, width: 64 });
    chain.conv2d(2, 8, 8, 0);
    chain.relu();
    chain.linear(2);
    let network = chain.finish();
    let images = dataset(&mut random, network.input, 2, 2, 1);
    Compiled::new(&network, &images, &Mapping::parse("isaac").unwrap(), &chip).program
}

fn timed(program: &Program, images: u64) -> ProgramTiming {
    timing::run_with(program, images, Settings { critical_path: true, ..Settings::default() }).unwrap()
}

/// For which component the run waited longest, and its share of the run.
fn most(timing: &ProgramTiming) -> (&'static str, f64) {
    let first = timing.summary().critical_path().remove(0);
    (first.component, first.cycles as f64 / timing.cycles() as f64)
}

#[test]
fn large_images_come_at_the_pace_of_the_port() {
    let bits = 64 * 64 * 8;
    for width in [1, 2, 3] {
        let program = program(|chip| chip.memory.bits_per_cycle = width);
        for images in [1, 4] {
            let timing = timed(&program, images);
            let (cycles, bound) = (timing.cycles(), images * (bits as u64).div_ceil(width));
            assert!(cycles >= bound, "{cycles} cycles are less than {bound}");
            // The last cycle of a burst may be half full; behind the last burst come a latency, a few windows and the small layer.
            let behind = 200 + 2000;
            assert!(cycles <= bound + bound / 16 + behind, "{cycles} cycles, {bound} of the port");
            let port = timing.report.units.iter().find(|of| of.unit.kind == UnitKind::Memory).unwrap().cycles;
            let busy = port.of(Class::Busy) as f64 / cycles as f64;
            assert!(busy > 0.85, "the port works for {busy} of the run");
            let (component, share) = most(&timing);
            assert!(component == "memory-port" && share > 0.85, "{component}: {share}");
        }
    }
}

/// A buffer that holds little of what comes within a latency is bound by that, and said to be.
#[test]
fn the_latency_of_the_memory_is_named_apart_from_its_port() {
    let program = program(|chip| {
        (chip.memory.bits_per_cycle, chip.memory.latency_cycles, chip.memory.buffer_bytes) = (204, 5000, 2 * 512);
    });
    let timing = timed(&program, 1);
    // Half of the buffer is a burst of 512 pixels; two are under way, so that 8 bursts take 4 latencies.
    let (component, share) = most(&timing);
    assert!(component == "memory-latency" && share > 0.8, "{component}: {share}");
    // Between them the pixels of a burst are sent on, and windows are worked on.
    assert!((4 * 5000..4 * 7500).contains(&timing.cycles()), "{}", timing.cycles());
    let sentence = timing.summary().bottleneck().unwrap();
    assert!(sentence.contains("images is bound by the latency of the memory"), "{sentence}");
}

/// What is counted on the way: every bit crosses the port once, every word of the global buffer is written and read once.
#[test]
fn streamed_images_are_counted_once() {
    for (word_bits, buffer_bytes) in [(256, 1 << 16), (24, 1 << 16), (8, 3), (64, 1000)] {
        let program = program(|chip| {
            (chip.tile.buffer.word_bits, chip.memory.buffer_bytes) = (word_bits, buffer_bytes);
        });
        let timing = timing::run(&program, 1).unwrap();
        let mut resident = program.clone();
        resident.chip.memory.input_images = Images::Resident;
        let (found, without) = (timing.counts, counts(&resident));
        assert_eq!(found.memory_bit, 64 * 64 * 8);
        assert_eq!(found.cell_read, without.cell_read);
        // Into the global buffer, out of it, and into the buffer of the stage's tile; words of whole pixels.
        let stream = program.image_stream();
        let words = |pixels: u64| (pixels * 8).div_ceil(u64::from(word_bits));
        let (mut written, mut read) = (0, 0);
        for first in (0..4096_u64).step_by(stream.burst as usize) {
            let burst = stream.burst.min(4096 - first);
            written += words(burst);
            let of_word = u64::from(word_bits / 8);
            read += (0..burst).step_by(of_word as usize).map(|at| words(of_word.min(burst - at))).sum::<u64>();
        }
        assert_eq!(found.buffer_write - without.buffer_write, written + 4096);
        assert_eq!(found.buffer_read - without.buffer_read, read);
        assert!(stream.burst * 8 <= (buffer_bytes * 8 / 2).max(8), "{stream:?}");
    }
}

#[test]
fn a_global_buffer_without_room_for_a_pixel_is_refused() {
    for port_tile in [0, 100] {
        let program = program(|chip| {
            chip.format.input_bits = 16;
            (chip.memory.buffer_bytes, chip.memory.port_tile) = (1, port_tile);
        });
        let refused = timing::run(&program, 1).unwrap_err().to_string();
        assert_eq!(
            refused,
            "memory.buffer_bytes = 1 is not allowed: a pixel of the streamed images needs 2 bytes; allowed is memory.buffer_bytes >= 2"
        );
        let mut enough = program;
        enough.chip.memory.buffer_bytes = 2;
        timing::run(&enough, 1).unwrap();
    }
}
