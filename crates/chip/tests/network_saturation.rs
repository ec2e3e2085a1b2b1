//! How much traffic the network takes, against bounds that hold for any network with the same links.
//!
//! Uniform traffic (every tile to each of the others alike, `x` flits a cycle): a link that leaves the middle of a `k x k` mesh, `k` even, carries
//! `x (k / 2) (k^2 / 2) / (k^2 - 1)` flits a cycle, at most 1, so that `x <= 4 (k^2 - 1) / k^3` (Dally and Towles, Principles and Practices of
//! Interconnection Networks, 2004, chapter 3, who include traffic to oneself and find `4 / k`). Interfaces take in, and tiles
//! take out, one flit a cycle, which is above the bound for `k >= 4`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail the test; its numbers are those of docs/timing.md"
)]

use crate::support::driver::{Packet, accounts, run};
use crate::support::{Draws, mesh};
use chip::machine::hardware::MeshHardware;

/// The bound of uniform traffic on a 4 x 4 mesh, flits per tile and cycle.
const BOUND: f64 = 4.0 * 15.0 / 64.0;

/// Every tile sends `rounds` packets to each of the others, in random order within a round, and offers `rate` flits a cycle.
fn all_to_all(rounds: u64, flits: u64, rate: f64) -> Vec<Packet> {
    let draws = Draws(5);
    let mut packets = Vec::new();
    for round in 0..rounds {
        for from in 0..16 {
            let mut others: Vec<u32> = (0..16).filter(|to| *to != from).collect();
            draws.shuffle(round * 16 + u64::from(from), &mut others);
            let at = |turn: usize| (((round * 15 + turn as u64) * flits) as f64 / rate) as u64;
            packets.extend(others.iter().enumerate().map(|(turn, &to)| Packet { at: at(turn), from, to, flits }));
        }
    }
    packets.sort_by_key(|packet| packet.at);
    packets
}

/// Flits per tile and cycle until everything has arrived.
fn throughput(mesh: &MeshHardware, packets: &[Packet]) -> f64 {
    let flits: u64 = packets.iter().map(|packet| packet.flits).sum();
    let (run, network) = run(mesh, 1, packets);
    let end = run.end();
    for link in accounts(&network, end).0 {
        assert!(link.flits <= end, "{link:?} carries more than a flit a cycle");
    }
    flits as f64 / 16.0 / end as f64
}

fn with_queues(virtual_output_queues: bool, buffer_flits: u32) -> MeshHardware {
    MeshHardware { virtual_output_queues, buffer_flits, ..mesh(4, 4) }
}

#[test]
fn uniform_traffic_reaches_the_bound_of_the_middle_links_and_not_more() {
    // Exactly as much from everybody to everybody: the bound is exact, and so is "not more". What offers more than the bound ends later than
    // what offers just as much: outputs take turns between inputs, not between senders, and the last senders are alone at the end.
    for (flits, rounds, buffer, rate, least) in [
        (1, 600, 16, BOUND, 0.99),
        (1, 600, 64, BOUND, 0.99),
        (4, 300, 64, BOUND, 0.99),
        (4, 300, 256, BOUND, 0.99),
        (1, 600, 16, 1.0, 0.85),
        (1, 600, 256, 1.0, 0.99),
    ] {
        let share = throughput(&with_queues(true, buffer), &all_to_all(rounds, flits, rate)) / BOUND;
        assert!(share <= 1.0, "packets of {flits}, {buffer} flits a lane: {share}");
        assert!(share >= least, "packets of {flits}, {buffer} flits a lane: {share}");
    }
}

#[test]
fn one_queue_per_input_suffers_from_head_of_line_blocking() {
    // Karol, Hluchyj and Morgan 1987: a switch with queues at its inputs saturates at 0.586 (many ports) to 0.75 (two).
    for (buffer, most) in [(16, 0.80), (256, 0.85)] {
        let share = throughput(&with_queues(false, buffer), &all_to_all(600, 1, BOUND)) / BOUND;
        assert!((0.586..most).contains(&share), "{buffer} flits: {share}");
    }
}

/// Flits per tile and cycle that Bernoulli traffic brings over the middle of the mesh, either way, in the first `cycles` cycles, from an empty network on.
///
/// Of uniform traffic 8 of 15 packets cross the middle between columns, and as many that between rows. What has crossed by a cycle has used one of 8 links in one of the
/// cycles before, so that this measure cannot exceed the bound, whatever was drawn and whatever waited.
fn accepted(mesh: &MeshHardware, rate: f64, cycles: u64) -> f64 {
    let draws = Draws(6);
    let mut packets = Vec::new();
    for (at, from) in (0..cycles).flat_map(|at| (0..16).map(move |from| (at, from))) {
        if draws.happens(&[at, from, 0], rate) {
            let other = draws.within(&[at, from, 1], 0, 14);
            let to = other + u64::from(other >= from);
            packets.push(Packet { at, from: from as u32, to: to as u32, flits: 1 });
        }
    }
    let (run, _) = run(mesh, 1, &packets);
    let arrived = packets.iter().zip(&run.arrived).filter(|(_, at)| **at < cycles);
    let halves = |tile: u32| [tile % 4 / 2, tile / 8];
    let crossings = |packet: &Packet| (0..2).filter(|&cut| halves(packet.from)[cut] != halves(packet.to)[cut]).count();
    let crossed: usize = arrived.map(|(packet, _)| crossings(packet)).sum();
    crossed as f64 / 2.0 / (cycles as f64 * 16.0 * 8.0 / 15.0)
}

#[test]
fn bernoulli_traffic_is_accepted_up_to_the_bound() {
    for (offered, buffer, least) in
        [(0.3, 64, 0.985), (0.6, 64, 0.985), (0.9, 64, 0.985), (BOUND, 64, 0.985), (BOUND, 16, 0.96), (1.0, 64, 0.95)]
    {
        let accepted = accepted(&with_queues(true, buffer), offered, 20_000);
        println!("offered {offered} to {buffer} flits a lane: {accepted}, {} of the bound", accepted / BOUND);
        assert!(accepted <= BOUND, "offered {offered} to {buffer} flits a lane: {accepted} is more than the bound");
        // Three standard deviations of the number of packets offered are at most 1 % (at 0.3).
        let allowed = least * offered.min(BOUND)..1.01 * offered;
        assert!(allowed.contains(&accepted), "offered {offered} to {buffer} flits a lane: {accepted}");
    }
    let one_queue = accepted(&with_queues(false, 64), BOUND, 20_000);
    println!("one queue: {one_queue}, {} of the bound", one_queue / BOUND);
    assert!((0.70..0.74).contains(&one_queue), "one queue: {one_queue}");
}

/// The mesh of the default chip, cut to 4 x 4.
fn shipped() -> MeshHardware {
    let text = include_str!("../../../configs/chips/default.toml");
    let file: toml::Table = text.parse().unwrap();
    let mesh = file["mesh"].as_table().unwrap();
    let number = |key: &str| mesh[key].as_integer().unwrap() as u64;
    MeshHardware {
        width: 4,
        height: 4,
        concentration: number("concentration") as u32,
        flit_bits: number("flit_bits"),
        router_cycles: number("router_cycles"),
        link_cycles: number("link_cycles"),
        virtual_output_queues: mesh["virtual_output_queues"].as_bool().unwrap(),
        buffer_flits: number("buffer_flits") as u32,
        credit_cycles: number("credit_cycles"),
    }
}

/// What the default chip has, and what it would have with one queue for each input.
#[test]
fn the_default_chip_saturates_within_a_few_per_cent_of_the_bound() {
    let share = |mesh: &MeshHardware| accepted(mesh, BOUND, 20_000) / BOUND;
    let (with, without) = (shipped(), MeshHardware { virtual_output_queues: false, buffer_flits: 8, ..shipped() });
    assert!((0.96..=1.0).contains(&share(&with)), "{} of the bound", share(&with));
    assert!((0.68..0.72).contains(&share(&without)), "{} of the bound", share(&without));
}

#[test]
fn traffic_without_conflicts_takes_every_link_in_full() {
    // Along the rows, along the columns, and to the tile next door in both directions: no link or tile is shared.
    let patterns: [fn(u32) -> Option<u32>; 3] =
        [|tile| (tile % 4 < 3).then_some(tile + 1), |tile| tile.checked_sub(4), |tile| Some(tile ^ 1)];
    for pattern in patterns {
        for (flits, number) in [(1, 2000), (20, 100)] {
            let packet = |n: u32| pattern(n % 16).map(|to| Packet { at: 0, from: n % 16, to, flits });
            let packets: Vec<Packet> = (0..16 * number).filter_map(packet).collect();
            for queues in [false, true] {
                // All wait from the start, so that the last flit leaves its interface in cycle 1999 and arrives 2 cycles later.
                let (run, _) = run(&with_queues(queues, 3), 1, &packets);
                assert_eq!(run.end(), 1999 + 2, "packets of {flits}, queues {queues}");
            }
        }
    }
}

#[test]
fn a_shared_link_is_the_bound_of_a_permutation() {
    // Every tile of the left half sends to its mirror image: two flows meet in the middle of each row.
    let packets: Vec<Packet> = (0..2000)
        .flat_map(|_| (0..4).flat_map(|row| (0..2).map(move |x| (4 * row + x, 4 * row + 3 - x))))
        .map(|(from, to)| Packet { at: 0, from, to, flits: 5 })
        .collect();
    let (run, network) = run(&with_queues(false, 3), 1, &packets);
    let middle = accounts(&network, run.end()).0.into_iter().filter(|link| link.router.0 == 1 && link.flits > 0);
    for link in middle {
        assert_eq!((link.flits, link.blocked), (20_000, 0), "{link:?}");
    }
    // The nearer tile's first flit takes the middle link at once; the last flit arrives 2 or 3 links later.
    assert!((19_999 + 2 * 2..=19_999 + 2 * 3).contains(&run.end()), "{}", run.end());
}
