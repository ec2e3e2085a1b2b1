//! Where everything is: routers, their ports and lanes as numbers, and routes.
//!
//! A router has [`Plan::places`] places for inputs and as many for outputs: those of its tiles, then west, east, north, south. Port `router *
//! places + place` is an input or an output; lane `port * lanes + lane` belongs to the input.

use super::NONE;
use crate::machine::hardware::MeshHardware;

/// Where a packet goes: column and row of the router, and the place of its output there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    column: u32,
    row: u32,
    place: u32,
}

/// The geometry of a mesh.
#[derive(Debug)]
pub(super) struct Plan {
    /// Tiles.
    width: u32,
    height: u32,
    /// Tiles along one side of a router's block.
    side: u32,
    /// Routers.
    columns: u32,
    rows: u32,
    concentration: u32,
    /// Lanes of an input: 1, or one for each output.
    lanes: u32,
    /// By port: what costs a division to find.
    ports: Vec<Port>,
}

/// Where a port is.
#[derive(Clone, Copy, Debug)]
struct Port {
    column: u32,
    row: u32,
    place: u32,
    /// The first port of the router.
    first: u32,
}

impl Plan {
    pub(super) fn new(mesh: &MeshHardware) -> Self {
        let side = if mesh.concentration == 4 { 2 } else { 1 };
        let (columns, rows) = (mesh.width.div_ceil(side), mesh.height.div_ceil(side));
        let places = mesh.concentration + 4;
        let lanes = if mesh.virtual_output_queues { places } else { 1 };
        let ports = (0..columns * rows)
            .flat_map(|router| {
                let (column, row, first) = (router % columns, router / columns, router * places);
                (0..places).map(move |place| Port { column, row, place, first })
            })
            .collect();
        let (width, height, concentration) = (mesh.width, mesh.height, mesh.concentration);
        Self { width, height, side, columns, rows, concentration, lanes, ports }
    }

    pub(super) fn tiles(&self) -> u32 {
        self.width * self.height
    }

    /// Inputs, and outputs, of a router.
    pub(super) fn places(&self) -> u32 {
        self.concentration + 4
    }

    /// Inputs, and outputs, of all routers.
    pub(super) fn ports_in_all(&self) -> u32 {
        self.columns * self.rows * self.places()
    }

    /// Lanes of an input.
    pub(super) fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Where packets for a tile go.
    pub(super) fn seat(&self, tile: u32) -> Seat {
        let (x, y) = (tile % self.width, tile / self.width);
        Seat { column: x / self.side, row: y / self.side, place: x % self.side + self.side * (y % self.side) }
    }

    /// The port, input and output, of a tile.
    pub(super) fn port_of_tile(&self, tile: u32) -> u32 {
        let seat = self.seat(tile);
        (seat.row * self.columns + seat.column) * self.places() + seat.place
    }

    /// The tile of a port, if it is one of a tile's (which may be outside a mesh of odd width).
    pub(super) fn tile_of_port(&self, port: u32) -> Option<u32> {
        let Port { column, row, place, .. } = self.ports[port as usize];
        (place < self.concentration)
            .then(|| (row * self.side + place / self.side) * self.width + column * self.side + place % self.side)
    }

    /// The place of a port in its router.
    pub(super) fn place(&self, port: u32) -> u32 {
        self.ports[port as usize].place
    }

    /// The place, behind those of the tiles, if the port is one to a neighbour.
    pub(super) fn direction(&self, port: u32) -> Option<u32> {
        self.place(port).checked_sub(self.concentration)
    }

    /// Column and row of the router of a port.
    pub(super) fn router(&self, port: u32) -> (u32, u32) {
        let Port { column, row, .. } = self.ports[port as usize];
        (column, row)
    }

    /// The place of the output by which a packet leaves the router of a port: along the row first.
    pub(super) fn route(&self, port: u32, goal: Seat) -> u32 {
        let Port { column, row, .. } = self.ports[port as usize];
        if goal.column != column {
            self.concentration + u32::from(goal.column > column)
        } else if goal.row != row {
            self.concentration + 2 + u32::from(goal.row > row)
        } else {
            goal.place
        }
    }

    /// The output with a place in the router of a port.
    pub(super) fn output(&self, port: u32, place: u32) -> u32 {
        self.ports[port as usize].first + place
    }

    /// The lane of an input that packets for the output with a place take.
    pub(super) fn lane(&self, input: u32, place: u32) -> u32 {
        if self.lanes == 1 { input } else { input * self.lanes + place }
    }

    /// The port at the other end of the link of a port, or [`NONE`] for those of tiles and at the edge.
    pub(super) fn entry(&self, port: u32) -> u32 {
        let Port { column, row, .. } = self.ports[port as usize];
        let (columns, places) = (self.columns, self.places());
        // The ports of a link are neighbours in number: west and east, north and south.
        match self.direction(port) {
            Some(0) if column > 0 => port - places + 1,
            Some(1) if column + 1 < columns => port + places - 1,
            Some(2) if row > 0 => port - columns * places + 1,
            Some(3) if row + 1 < self.rows => port + columns * places - 1,
            _ => NONE,
        }
    }
}
