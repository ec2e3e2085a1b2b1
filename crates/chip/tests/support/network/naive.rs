//! The rules of section 5 of docs/timing.md, word for word: everything is looked at in every network cycle. Shares no code with the
//! network that it judges.

use std::collections::VecDeque;

/// What a mesh is, apart from the library's own description.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mesh {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) concentration: usize,
    pub(crate) queues: bool,
    pub(crate) router: u64,
    pub(crate) link: u64,
    pub(crate) buffer: usize,
    pub(crate) credit: u64,
    pub(crate) clock: u64,
}

#[derive(Clone, Copy, Debug)]
struct Flit {
    packet: usize,
    head: bool,
    last: bool,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    from: usize,
    to: usize,
    tag: u32,
}

#[derive(Clone, Debug, Default)]
struct Output {
    owner: Option<(usize, usize)>,
    behind: usize,
    credits: Vec<usize>,
    busy: u64,
    blocked: u64,
}

/// An event as (tag, instant, tile); injections name no tile.
pub(crate) type Event = (u32, u64, Option<usize>);

/// The stepped model.
#[derive(Debug)]
pub(crate) struct Naive {
    mesh: Mesh,
    packets: Vec<Packet>,
    /// What interfaces have not handed on, by tile.
    interfaces: Vec<VecDeque<Flit>>,
    lanes: Vec<Vec<Vec<VecDeque<Flit>>>>,
    outputs: Vec<Vec<Output>>,
    flits: Vec<(u64, usize, usize, usize, Flit)>,
    credits: Vec<(u64, usize, usize, usize)>,
    /// Tiles whose interface moved a flit in this network cycle.
    moved: Vec<bool>,
    pub(crate) events: Vec<Event>,
    pub(crate) interface_busy: Vec<u64>,
    pub(crate) interface_blocked: Vec<u64>,
}

impl Mesh {
    fn side(&self) -> usize {
        if self.concentration == 4 { 2 } else { 1 }
    }

    fn columns(&self) -> usize {
        self.width.div_ceil(self.side())
    }

    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let (x, y) = (tile % self.width, tile / self.width);
        (x / self.side(), y / self.side(), x % self.side() + self.side() * (y % self.side()))
    }

    fn route(&self, router: usize, to: usize) -> usize {
        let (x, y) = (router % self.columns(), router / self.columns());
        let (goal_x, goal_y, seat) = self.place(to);
        let c = self.concentration;
        if goal_x < x {
            c
        } else if goal_x > x {
            c + 1
        } else if goal_y < y {
            c + 2
        } else if goal_y > y {
            c + 3
        } else {
            seat
        }
    }

    fn neighbour(&self, router: usize, output: usize) -> usize {
        match output - self.concentration {
            0 => router - 1,
            1 => router + 1,
            2 => router - self.columns(),
            _ => router + self.columns(),
        }
    }

    /// The number of the port on the other side: west and east, north and south.
    fn opposite(&self, port: usize) -> usize {
        self.concentration + ((port - self.concentration) ^ 1)
    }

    fn lane(&self, output: usize) -> usize {
        if self.queues { output } else { 0 }
    }
}

impl Naive {
    pub(crate) fn new(mesh: Mesh) -> Self {
        let ports = mesh.concentration + 4;
        let routers = mesh.columns() * mesh.height.div_ceil(mesh.side());
        let output = Output { credits: vec![mesh.buffer; ports], ..Output::default() };
        let tiles = mesh.width * mesh.height;
        Self {
            mesh,
            packets: Vec::new(),
            interfaces: vec![VecDeque::new(); tiles],
            lanes: vec![vec![vec![VecDeque::new(); ports]; ports]; routers],
            outputs: vec![vec![output; ports]; routers],
            flits: Vec::new(),
            credits: Vec::new(),
            moved: vec![false; tiles],
            events: Vec::new(),
            interface_busy: vec![0; tiles],
            interface_blocked: vec![0; tiles],
        }
    }

    fn router_of(&self, tile: usize) -> (usize, usize) {
        let (x, y, seat) = self.mesh.place(tile);
        (y * self.mesh.columns() + x, seat)
    }

    pub(crate) fn send(&mut self, from: usize, to: usize, flits: u64, tag: u32) {
        for number in 0..flits {
            let flit = Flit { packet: self.packets.len(), head: number == 0, last: number + 1 == flits };
            self.interfaces[from].push_back(flit);
        }
        self.packets.push(Packet { from, to, tag });
    }

    pub(crate) fn is_empty(&self) -> bool {
        let interfaces = self.interfaces.iter().all(VecDeque::is_empty);
        interfaces && self.flits.is_empty() && self.lanes.iter().flatten().flatten().all(VecDeque::is_empty)
    }

    /// One network cycle: arrivals, then all outputs on what they find.
    fn step(&mut self, now: u64) {
        for &(due, router, input, lane, flit) in &self.flits {
            if due == now {
                self.lanes[router][input][lane].push_back(flit);
            }
        }
        self.flits.retain(|flit| flit.0 > now);
        for tile in 0..self.interfaces.len() {
            if let Some(flit) = self.interfaces[tile].pop_front() {
                let (router, seat) = self.router_of(tile);
                let lane = self.mesh.lane(self.mesh.route(router, self.packets[flit.packet].to));
                self.lanes[router][seat][lane].push_back(flit);
            }
        }
        for &(due, router, output, lane) in &self.credits {
            if due == now {
                self.outputs[router][output].credits[lane] += 1;
            }
        }
        self.credits.retain(|credit| credit.0 > now);
        let seen = self.lanes.clone();
        self.moved.fill(false);
        for (router, seen) in seen.iter().enumerate() {
            for output in 0..self.mesh.concentration + 4 {
                self.compete(router, output, seen);
                self.decide(now, router, output, seen);
            }
        }
    }

    /// A base cycle, behind what is sent at its instant.
    pub(crate) fn tick(&mut self, now: u64) {
        if now.is_multiple_of(self.mesh.clock) {
            self.step(now);
        }
        for tile in 0..self.moved.len() {
            if self.moved[tile] {
                self.interface_busy[tile] += 1;
            } else if self.is_waiting(tile) {
                self.interface_blocked[tile] += 1;
            }
        }
    }

    fn is_waiting(&self, tile: usize) -> bool {
        let (router, seat) = self.router_of(tile);
        !self.interfaces[tile].is_empty() || self.lanes[router][seat].iter().any(|lane| !lane.is_empty())
    }

    /// Rule 1.
    fn compete(&mut self, router: usize, output: usize, seen: &[Vec<VecDeque<Flit>>]) {
        if self.outputs[router][output].owner.is_some() {
            return;
        }
        let ports = self.mesh.concentration + 4;
        for turn in 0..ports {
            let input = (self.outputs[router][output].behind + turn) % ports;
            if let Some(first) = seen[input][self.mesh.lane(output)].front()
                && first.head
                && self.mesh.route(router, self.packets[first.packet].to) == output
            {
                self.outputs[router][output].owner = Some((input, first.packet));
                self.outputs[router][output].behind = (input + 1) % ports;
                return;
            }
        }
    }

    /// Rule 2.
    fn decide(&mut self, now: u64, router: usize, output: usize, seen: &[Vec<VecDeque<Flit>>]) {
        let Some((input, packet)) = self.outputs[router][output].owner else { return };
        let lane = self.mesh.lane(output);
        let first = seen[input][lane].front().copied().filter(|first| first.packet == packet);
        let Some(flit) = first.filter(|flit| self.pass(now, router, output, *flit)) else {
            self.outputs[router][output].blocked += self.mesh.clock;
            return;
        };
        self.outputs[router][output].busy += self.mesh.clock;
        self.lanes[router][input][lane].pop_front();
        if flit.last {
            self.outputs[router][output].owner = None;
        }
        if input >= self.mesh.concentration {
            let due = now + self.mesh.credit * self.mesh.clock;
            self.credits.push((due, self.mesh.neighbour(router, input), self.mesh.opposite(input), lane));
        } else {
            self.moved[self.packets[packet].from] = true;
            if flit.last {
                self.events.push((self.packets[packet].tag, now + self.mesh.clock, None));
            }
        }
    }

    /// Lets a flit through an output, to the tile or, with a credit, to the neighbour.
    fn pass(&mut self, now: u64, router: usize, output: usize, flit: Flit) -> bool {
        let (mesh, Packet { from, to, tag }) = (self.mesh, self.packets[flit.packet]);
        if output < mesh.concentration {
            let router_cycles = if self.router_of(from).0 == router { mesh.router } else { 0 };
            if flit.last {
                self.events.push((tag, now + router_cycles * mesh.clock, Some(to)));
            }
            return true;
        }
        let next = mesh.neighbour(router, output);
        let lane = mesh.lane(mesh.route(next, to));
        if self.outputs[router][output].credits[lane] == 0 {
            return false;
        }
        self.outputs[router][output].credits[lane] -= 1;
        let due = now + (mesh.router + mesh.link) * mesh.clock;
        self.flits.push((due, next, mesh.opposite(output), lane, flit));
        true
    }

    /// Busy and blocked base cycles of every output to a side as (router, 0 west to 3 south, busy, blocked).
    pub(crate) fn links(&self) -> Vec<(usize, usize, u64, u64)> {
        let c = self.mesh.concentration;
        let of = |(router, outputs): (usize, &Vec<Output>)| {
            outputs[c..].iter().enumerate().map(|(to, o)| (router, to, o.busy, o.blocked)).collect::<Vec<_>>()
        };
        self.outputs.iter().enumerate().flat_map(of).collect()
    }
}
