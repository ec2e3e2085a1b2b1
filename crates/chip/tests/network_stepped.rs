//! Does the network do, to the cycle, what a naive model does that looks at everything in every cycle?

use crate::support::Draws;
use crate::support::driver::{Packet, Run, accounts, run, run_until};
use crate::support::naive::{Mesh, Naive};
use chip::machine::hardware::MeshHardware;
use chip::machine::network::{Direction, Network};

/// A random mesh and the clock of its network.
fn random_mesh(draws: Draws) -> (MeshHardware, u64) {
    let side = |place: u64| match draws.within(&[1, place, 0], 0, 3) {
        0 => 1,
        _ => draws.within(&[1, place, 1], 1, 6) as u32,
    };
    let within = |place: u64, low: u64, high: u64| draws.within(&[2, place], low, high);
    let mesh = MeshHardware {
        width: side(0),
        height: side(1),
        concentration: [1, 4][within(0, 0, 1) as usize],
        flit_bits: 32,
        router_cycles: within(1, 0, 4),
        link_cycles: within(2, 1, 4),
        virtual_output_queues: within(3, 0, 1) == 1,
        buffer_flits: within(4, 1, 8) as u32,
        credit_cycles: within(5, 1, 4),
    };
    (mesh, within(6, 1, 3))
}

/// Bursts of packets with pauses in between, some of them long enough for the network to drain.
fn random_traffic(draws: Draws, tiles: u64) -> Vec<Packet> {
    let longest = [1, 3, 20][draws.within(&[3], 0, 2) as usize];
    let favourite = draws.within(&[4], 0, tiles - 1);
    let mut at = draws.within(&[5], 0, 5);
    let mut packets = Vec::new();
    for burst in 0..draws.within(&[6], 1, 6) {
        for number in 0..draws.within(&[7, burst], 1, 30) {
            let within = |place: u64, low: u64, high: u64| draws.within(&[8, burst, number, place], low, high);
            at += if within(0, 0, 2) == 0 { within(1, 0, 7) } else { 0 };
            let to = if within(2, 0, 3) == 0 { favourite } else { within(3, 0, tiles - 1) };
            packets.push(Packet {
                at,
                from: within(4, 0, tiles - 1) as u32,
                to: to as u32,
                flits: within(5, 1, longest),
            });
        }
        at += draws.within(&[9, burst], 0, 3) * draws.within(&[10, burst], 0, 60);
    }
    packets
}

/// Runs the naive model up to an instant or to the end of the network cycle in which it is empty, whichever comes first, which is returned.
fn stepped(mesh: &MeshHardware, clock: u64, packets: &[Packet], end: u64) -> (Run, Naive, u64) {
    let mut naive = Naive::new(Mesh {
        width: mesh.width as usize,
        height: mesh.height as usize,
        concentration: mesh.concentration as usize,
        queues: mesh.virtual_output_queues,
        router: mesh.router_cycles,
        link: mesh.link_cycles,
        buffer: mesh.buffer_flits as usize,
        credit: mesh.credit_cycles,
        clock,
    });
    let (mut sent, mut now) = (0, 0);
    while now < end && (sent < packets.len() || !naive.is_empty() || now % clock != 0) {
        while let Some(packet) = packets.get(sent).filter(|packet| packet.at == now) {
            naive.send(packet.from as usize, packet.to as usize, packet.flits, sent as u32);
            sent += 1;
        }
        naive.tick(now);
        now += 1;
        assert!(now < 1_000_000, "the naive model does not drain");
    }
    let mut run = Run { injected: vec![u64::MAX; packets.len()], arrived: vec![u64::MAX; packets.len()] };
    for &(tag, at, to) in &naive.events {
        let noted = if to.is_some() { &mut run.arrived } else { &mut run.injected };
        noted[tag as usize] = at;
    }
    (run, naive, now)
}

fn compare(case: u64) {
    let draws = Draws(case);
    let (mesh, clock) = random_mesh(draws);
    let packets = random_traffic(draws, u64::from(mesh.width * mesh.height));
    let (expected, naive, end) = stepped(&mesh, clock, &packets, u64::MAX);
    let (found, network) = run(&mesh, clock, &packets);
    assert_eq!(found, expected, "case {case}: {mesh:?}, clock {clock}, {packets:?}");
    compare_accounts(&mesh, clock, &network, &naive, end);
    // And in the midst of it, where runs of flits have begun and not ended.
    let middle = draws.within(&[11], 0, end / clock) * clock;
    let (_, naive, _) = stepped(&mesh, clock, &packets, middle);
    let (_, network) = run_until(&mesh, clock, &packets, middle);
    compare_accounts(&mesh, clock, &network, &naive, middle);
}

fn compare_accounts(mesh: &MeshHardware, clock: u64, network: &Network, naive: &Naive, end: u64) {
    let (links, interfaces) = accounts(network, end);
    let columns = mesh.width.div_ceil(if mesh.concentration == 4 { 2 } else { 1 });
    let mut of_links = naive.links();
    for link in &links {
        let router = (link.router.1 * columns + link.router.0) as usize;
        let direction = Direction::ALL.iter().position(|direction| *direction == link.direction).unwrap();
        let at = of_links.iter().position(|known| (known.0, known.1) == (router, direction)).unwrap();
        let (.., busy, blocked) = of_links.swap_remove(at);
        assert_eq!((link.busy, link.blocked), (busy, blocked), "{link:?} of {mesh:?}, clock {clock}, at {end}");
        assert_eq!(link.flits * clock, busy, "{link:?}");
    }
    assert!(of_links.iter().all(|link| link.2 + link.3 == 0), "a link that does not exist was used: {mesh:?}");
    for (tile, interface) in interfaces.iter().enumerate() {
        let found = (interface.busy, interface.blocked);
        let expected = (naive.interface_busy[tile], naive.interface_blocked[tile]);
        assert_eq!(found, expected, "tile {tile} of {mesh:?}, clock {clock}, at {end}");
        assert!(mesh.virtual_output_queues || interface.flits * clock == interface.busy, "tile {tile}, at {end}");
    }
}

#[test]
fn random_traffic_moves_as_in_the_naive_model() {
    (0..1000).for_each(compare);
}
