//! A single router against the published figures of a switch: Karol, Hluchyj and Morgan, "Input versus output queueing on a space-division packet
//! switch", IEEE Transactions on Communications 35(12), 1987.

use crate::support::driver::{Packet, run};
use crate::support::{Draws, mesh};
use chip::machine::hardware::MeshHardware;

/// A router with `tiles` tiles, 2 or 4, and nothing else.
fn switch(tiles: u64, virtual_output_queues: bool) -> MeshHardware {
    MeshHardware { concentration: 4, virtual_output_queues, ..mesh(2, tiles as u32 / 2) }
}

/// Single flits, to all tiles alike (the sender too), that tiles send with probability `load` in every cycle.
fn bernoulli(tiles: u64, load: f64, cycles: u64) -> Vec<Packet> {
    let draws = Draws(7);
    let places = (0..cycles).flat_map(|at| (0..tiles).map(move |from| (at, from)));
    places
        .filter(|&(at, from)| draws.happens(&[at, from, 0], load))
        .map(|(at, from)| Packet {
            at,
            from: from as u32,
            to: draws.within(&[at, from, 1], 0, tiles - 1) as u32,
            flits: 1,
        })
        .collect()
}

#[test]
fn queues_at_the_inputs_saturate_as_published() {
    // Their table I: 0.7500 for 2 inputs and 0.6553 for 4. The order of service does not matter, only how many wait for each output.
    for (tiles, published) in [(2, 0.7500), (4, 0.6553)] {
        let cycles = 60_000;
        let (run, _) = run(&switch(tiles, false), 1, &bernoulli(tiles, 1.0, cycles));
        let arrived = run.arrived.iter().filter(|at| (1000..cycles).contains(at)).count();
        let throughput = arrived as f64 / tiles as f64 / (cycles - 1000) as f64;
        assert!((throughput - published).abs() < 0.004, "{tiles} tiles: {throughput}, published {published}");
    }
}

#[test]
fn queues_at_the_outputs_wait_as_published() {
    // Their equation for the mean wait with N inputs: (N - 1) / N * p / (2 (1 - p)) slots.
    for (tiles, load) in [(2, 0.5), (4, 0.3), (4, 0.6), (4, 0.8)] {
        let packets = bernoulli(tiles, load, 100_000);
        let (run, _) = run(&switch(tiles, true), 1, &packets);
        // A packet that does not wait takes the router's one cycle.
        let waits: u64 = packets.iter().zip(&run.arrived).map(|(packet, arrived)| arrived - packet.at - 1).sum();
        let wait = waits as f64 / packets.len() as f64;
        let published = (tiles - 1) as f64 / tiles as f64 * load / (2.0 * (1.0 - load));
        assert!((wait / published - 1.0).abs() < 0.03, "{tiles} tiles, load {load}: {wait}, published {published}");
    }
}
