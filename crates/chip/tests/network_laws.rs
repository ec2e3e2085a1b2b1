//! Closed forms and conservation laws of the network.

use std::collections::BTreeMap;

use crate::support::driver::{Packet, accounts, run};
use crate::support::{Draws, mesh};
use chip::machine::hardware::MeshHardware;
use chip::machine::network::{Direction, Happening, Network};

/// Random packets of 1 to 12 flits between all tiles, many at once.
fn crowd(seed: u64, mesh: &MeshHardware, number: u64) -> Vec<Packet> {
    let draws = Draws(seed);
    let tile = |place: u64, end: u64| draws.within(&[place, end], 0, u64::from(mesh.width * mesh.height) - 1) as u32;
    let packet = |n: u64| Packet { at: n / 3, from: tile(n, 0), to: tile(n, 1), flits: draws.within(&[n, 2], 1, 12) };
    (0..number).map(packet).collect()
}

/// Both kinds of router.
fn kinds(mesh: MeshHardware) -> [MeshHardware; 2] {
    [false, true].map(|virtual_output_queues| MeshHardware { virtual_output_queues, ..mesh })
}

#[test]
fn an_undisturbed_packet_takes_its_hops_and_its_flits() {
    for concentration in [1, 4] {
        for (width, height) in [(4, 4), (7, 3), (1, 5), (1, 1)] {
            let times = MeshHardware { concentration, router_cycles: 3, link_cycles: 2, ..mesh(width, height) };
            for mesh in kinds(MeshHardware { buffer_flits: 7, credit_cycles: 2, ..times }) {
                for (from, to) in (0..width * height).flat_map(|from| (0..width * height).map(move |to| (from, to))) {
                    let flits = u64::from((from * 5 + to * 3) % 11 + 1);
                    let clock = u64::from(from % 3 + 1);
                    let (run, _) = run(&mesh, clock, &[Packet { at: 6, from, to, flits }]);
                    let hops = mesh.links(from, to);
                    let network_cycles = if hops == 0 { 3 + flits - 1 } else { hops * (3 + 2) + flits - 1 };
                    assert_eq!(run.arrived[0], 6 + clock * network_cycles, "{from} to {to} of {mesh:?}");
                    assert_eq!(run.injected[0], 6 + clock * flits, "{from} to {to} of {mesh:?}");
                }
            }
        }
    }
}

#[test]
fn a_buffer_shorter_than_the_round_trip_of_a_credit_limits_a_worm() {
    // A place is taken for router + link + credit cycles, so that `buffer` flits pass a link in as many cycles.
    let trip = 3 + 2 + 2;
    for buffer_flits in 1..=9_u32 {
        let times = MeshHardware { router_cycles: 3, link_cycles: 2, credit_cycles: 2, ..mesh(3, 1) };
        let (run, _) = run(&MeshHardware { buffer_flits, ..times }, 1, &[Packet { at: 0, from: 0, to: 2, flits: 100 }]);
        let buffer = u64::from(buffer_flits);
        let last = if buffer >= trip { 99 } else { 99 / buffer * trip + 99 % buffer };
        assert_eq!(run.arrived[0], last + 2 * (3 + 2), "buffer of {buffer_flits}");
    }
}

#[test]
fn what_cannot_start_at_once_waits_for_the_clock() {
    let (run, network) = run(&mesh(2, 1), 4, &[Packet { at: 5, from: 0, to: 1, flits: 2 }]);
    assert_eq!(run.injected[0], 8 + 2 * 4);
    assert_eq!(run.arrived[0], 8 + 4 * 3);
    let (links, interfaces) = accounts(&network, 20);
    assert_eq!((interfaces[0].busy, interfaces[0].blocked), (8, 3), "5 to 8 is waiting");
    assert_eq!((links[0].direction, links[0].busy, links[0].blocked), (Direction::East, 8, 0));
}

/// Packets of 1000 flits that the middle of a 3 x 3 mesh sends at once to its four neighbours.
#[test]
fn an_interface_is_one_flit_wide() {
    let packets = [3, 5, 1, 7].map(|to| Packet { at: 0, from: 4, to, flits: 1000 });
    for mesh in kinds(mesh(3, 3)) {
        let (run, network) = run(&mesh, 1, &packets);
        assert_eq!(run.injected, [1000, 2000, 3000, 4000]);
        assert_eq!(run.arrived, [1001, 2001, 3001, 4001]);
        let (_, interfaces) = accounts(&network, 4001);
        assert_eq!((interfaces[4].flits, interfaces[4].busy, interfaces[4].blocked), (4000, 4000, 0));
    }
}

#[test]
fn no_packet_leaves_an_interface_before_all_that_was_sent_earlier_could() {
    for mesh in kinds(MeshHardware { concentration: 4, buffer_flits: 2, ..mesh(5, 4) }) {
        let packets = crowd(9, &mesh, 3000);
        let (run, _) = run(&mesh, 1, &packets);
        let mut free = [0; 20];
        for (packet, injected) in packets.iter().zip(run.injected) {
            let free = &mut free[packet.from as usize];
            *free = packet.at.max(*free) + packet.flits;
            assert!(injected >= *free, "{packet:?} left at {injected}, not before {free}");
        }
    }
}

#[test]
fn packets_of_a_pair_arrive_in_the_order_in_which_they_were_sent() {
    for mesh in kinds(MeshHardware { buffer_flits: 2, ..mesh(3, 3) }) {
        let packets = crowd(3, &mesh, 2000);
        let (run, _) = run(&mesh, 1, &packets);
        let mut last = BTreeMap::new();
        for (packet, arrived) in packets.iter().zip(run.arrived) {
            let before = last.insert((packet.from, packet.to), arrived).unwrap_or(0);
            // The last flits of two packets leave for the tile one after the other.
            assert!(before + packet.flits <= arrived || before == 0, "{packet:?}: {before}, {arrived}");
        }
    }
}

/// Flits over every link of XY routes, by walking them.
fn walked(mesh: &MeshHardware, packets: &[Packet]) -> BTreeMap<((u32, u32), Direction), u64> {
    let mut flits = BTreeMap::new();
    for packet in packets {
        let (mut at, goal) = (mesh.router(packet.from), mesh.router(packet.to));
        while at != goal {
            let (direction, next) = match (at.0.cmp(&goal.0), at.1.cmp(&goal.1)) {
                (std::cmp::Ordering::Less, _) => (Direction::East, (at.0 + 1, at.1)),
                (std::cmp::Ordering::Greater, _) => (Direction::West, (at.0 - 1, at.1)),
                (_, std::cmp::Ordering::Less) => (Direction::South, (at.0, at.1 + 1)),
                _ => (Direction::North, (at.0, at.1 - 1)),
            };
            *flits.entry((at, direction)).or_insert(0) += packet.flits;
            at = next;
        }
    }
    flits
}

#[test]
fn every_link_carries_what_xy_routes_say_and_at_most_a_flit_a_cycle() {
    for concentration in [1, 4] {
        for mesh in kinds(MeshHardware { concentration, ..mesh(5, 4) }) {
            let packets = crowd(4, &mesh, 3000);
            let (run, network) = run(&mesh, 2, &packets);
            let (end, expected) = (run.end(), walked(&mesh, &packets));
            let (links, interfaces) = accounts(&network, end);
            for link in links {
                let flits = expected.get(&(link.router, link.direction)).copied().unwrap_or(0);
                assert_eq!(link.flits, flits, "{link:?}");
                assert_eq!(link.busy, 2 * flits, "{link:?}");
                assert!(link.busy + link.blocked <= end, "{link:?}");
            }
            for (tile, interface) in interfaces.iter().enumerate() {
                let sent: u64 = packets.iter().filter(|p| p.from as usize == tile).map(|p| p.flits).sum();
                assert_eq!(interface.flits, sent, "tile {tile}");
                assert!(interface.busy + interface.blocked <= end, "tile {tile}");
                assert!(mesh.virtual_output_queues || interface.busy == 2 * sent, "one flit a cycle from tile {tile}");
            }
        }
    }
}

#[test]
fn outputs_take_turns() {
    // Four tiles of one router send single flits to the tile next door: one a cycle, in turn.
    let mesh = MeshHardware { concentration: 4, ..mesh(4, 2) };
    let from = [0, 1, 4, 5];
    let packets: Vec<Packet> =
        (0..40).map(|n| Packet { at: 0, from: from[n / 10], to: [2, 3, 6, 7][n % 2], flits: 1 }).collect();
    let (run, _) = run(&mesh, 1, &packets);
    for (n, injected) in run.injected.iter().enumerate() {
        assert_eq!(*injected, (4 * (n % 10) + n / 10 + 1) as u64, "packet {n}");
    }
}

#[test]
fn accounts_can_be_read_while_a_worm_is_blocked() {
    // One place a lane, free again after 3 cycles: a flit in cycles 0, 3, 6 and so on.
    let mut network = Network::new(&MeshHardware { buffer_flits: 1, ..mesh(3, 1) }, 2).unwrap();
    network.send(0, 0, 2, 100, 0).unwrap();
    let mut now = 0;
    let mut happenings = Vec::new();
    while now < 2 * 30 {
        network.step(now, &mut happenings);
        now = network.next(now).unwrap();
    }
    let (links, interfaces) = accounts(&network, 2 * 30);
    assert_eq!((links[0].flits, links[0].busy, links[0].blocked), (10, 2 * 10, 2 * 20));
    assert_eq!((interfaces[0].flits, interfaces[0].busy, interfaces[0].blocked), (10, 2 * 10, 2 * 20));
    // The second link belongs to the worm from cycle 2 on.
    let east = links.iter().find(|link| link.router == (1, 0) && link.direction == Direction::East).unwrap();
    assert_eq!((east.busy, east.blocked), (2 * 10, 2 * 18));
    assert!(!network.is_empty() && happenings.is_empty());
}

#[test]
fn credits_that_nobody_waits_for_wake_nobody() {
    let mut network = Network::new(&MeshHardware { credit_cycles: 9, ..mesh(2, 1) }, 1).unwrap();
    // 8 places: the ninth flit waits for the first credit, 9 cycles after the first flit left the second router in cycle 2.
    network.send(0, 0, 1, 9, 7).unwrap();
    let (mut happenings, mut steps, mut now) = (Vec::new(), Vec::new(), 0);
    loop {
        network.step(now, &mut happenings);
        steps.push(now);
        match network.next(now) {
            Some(next) => now = next,
            None => break,
        }
    }
    // A run of 8 flits from 0 on, which leaves the second router from 2 on; at 8 and 10 the outputs find what they wait for.
    assert_eq!(steps, [0, 2, 8, 10, 11, 13]);
    assert_eq!(happenings, [Happening::Injected { tag: 7, at: 12 }, Happening::Arrived { tag: 7, at: 13, to: 1 }]);
    assert!(network.is_empty());
}

#[test]
fn a_large_mesh_delivers_and_forgets() {
    let mesh = MeshHardware { virtual_output_queues: true, buffer_flits: 64, ..mesh(64, 64) };
    let corners = [0, 63, 64 * 63, 64 * 64 - 1];
    let packets: Vec<Packet> =
        (0..4).map(|n| Packet { at: 0, from: corners[n], to: corners[3 - n], flits: 10 }).collect();
    let (run, network) = run(&mesh, 1, &packets);
    assert_eq!(run.arrived, [126 * 2 + 9; 4]);
    assert_eq!(network.links(run.end()).map(|link| link.flits).sum::<u64>(), 4 * 126 * 10);
}

#[test]
fn what_a_mesh_cannot_be_is_named() {
    let wrong = MeshHardware { width: 0, concentration: 3, router_cycles: 0, link_cycles: 0, ..mesh(4, 4) };
    let found = Network::new(&MeshHardware { buffer_flits: 0, credit_cycles: 0, ..wrong }, 0).unwrap_err();
    let keys: Vec<&str> = found.iter().map(|problem| problem.key.as_str()).collect();
    let expected = ["width", "concentration", "router_cycles + link_cycles", "buffer_flits", "credit_cycles"];
    assert_eq!(keys[..5], expected.map(|key| format!("mesh.{key}")));
    assert_eq!(keys[5..], ["clocks.network"]);
    let mut network = Network::new(&mesh(2, 2), 1).unwrap();
    let message = network.send(0, 0, 4, 1, 0).unwrap_err().to_string();
    assert_eq!(message, "tile 4 is not in a mesh of 4 tiles");
}
