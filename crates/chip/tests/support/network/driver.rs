//! Runs lists of packets as the machine does: packets first, then a step, and none where nothing can change.

use chip::machine::hardware::MeshHardware;
use chip::machine::network::{Happening, InterfaceUse, LinkUse, Network};

/// A packet; its tag is its number in the list. Lists are in the order of the instants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub(crate) at: u64,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) flits: u64,
}

/// What became of a list of packets, by number.
#[derive(Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) injected: Vec<u64>,
    pub(crate) arrived: Vec<u64>,
}

/// Runs a list until the network is empty.
pub(crate) fn run(mesh: &MeshHardware, clock: u64, packets: &[Packet]) -> (Run, Network) {
    let (run, network) = run_until(mesh, clock, packets, u64::MAX);
    assert!(network.is_empty(), "the network always drains");
    (run, network)
}

/// Runs a list up to an instant.
pub(crate) fn run_until(mesh: &MeshHardware, clock: u64, packets: &[Packet], end: u64) -> (Run, Network) {
    let mut network = Network::new(mesh, clock).unwrap();
    let mut run = Run { injected: vec![u64::MAX; packets.len()], arrived: vec![u64::MAX; packets.len()] };
    let (mut sent, mut happenings, mut after) = (0, Vec::new(), None);
    loop {
        let step = after.and_then(|after| network.next(after));
        let Some(now) = packets.get(sent).map(|packet| packet.at).into_iter().chain(step).min() else { break };
        if now >= end {
            break;
        }
        while let Some(packet) = packets.get(sent).filter(|packet| packet.at == now) {
            network.send(now, packet.from, packet.to, packet.flits, sent as u32).unwrap();
            sent += 1;
        }
        if now % clock == 0 {
            network.step(now, &mut happenings);
        }
        run.note(packets, &mut happenings);
        after = Some(now);
    }
    (run, network)
}

impl Run {
    fn note(&mut self, packets: &[Packet], happenings: &mut Vec<Happening>) {
        for happening in happenings.drain(..) {
            let (noted, tag, instant) = match happening {
                Happening::Injected { tag, at } => (&mut self.injected, tag, at),
                Happening::Arrived { tag, at, to } => {
                    assert_eq!(to, packets[tag as usize].to, "packet {tag}");
                    (&mut self.arrived, tag, at)
                }
            };
            assert_eq!(noted[tag as usize], u64::MAX, "{happening:?} for the second time");
            noted[tag as usize] = instant;
        }
    }

    /// The last arrival.
    pub(crate) fn end(&self) -> u64 {
        self.arrived.iter().copied().max().unwrap_or(0)
    }
}

/// The accounts up to an instant.
pub(crate) fn accounts(network: &Network, end: u64) -> (Vec<LinkUse>, Vec<InterfaceUse>) {
    (network.links(end).collect(), network.interfaces(end).collect())
}
