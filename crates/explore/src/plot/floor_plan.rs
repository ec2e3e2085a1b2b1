//! The chip from above: which stage is in which arrays of which tile.

use super::PlotError;
use super::canvas::{BLACK, Canvas, GRID, Lettering, Point};
use super::marks::{colour, pale};
use chip::program::{Program, Stage};
use std::collections::BTreeMap;

/// Side of a tile and the gap to the next, pixels.
const TILE: f64 = 58.0;
const GAP: f64 = 8.0;
const MARGIN: f64 = 24.0;
const LINE: f64 = 18.0;
/// Most tiles on a side that are drawn.
const MOST: u32 = 64;

/// Draws the tiles in use and those between them; every array has the colour of its stage, every tile the numbers of its stages.
///
/// # Errors
/// If the program uses more of the mesh than can be drawn.
pub fn floor_plan(program: &Program) -> Result<String, PlotError> {
    let stages = Seats::of(program);
    let (columns, rows) = stages.extent(program.chip.mesh.width);
    if columns > MOST || rows > MOST {
        return Err(PlotError::TooMuch(format!(
            "{columns} x {rows} tiles; a floor plan shows at most {MOST} x {MOST}"
        )));
    }
    let title = format!("{} on {}: {} tiles", program.network, program.chip.name, program.tiles());
    let (mut canvas, top) = (Canvas::default(), MARGIN + 2.0 * LINE);
    canvas.text((MARGIN, MARGIN), &title, Lettering::size(15.0).bold().left());
    for row in 0..rows {
        for column in 0..columns {
            let corner = (MARGIN + f64::from(column) * (TILE + GAP), top + f64::from(row) * (TILE + GAP));
            stages.draw_tile(&mut canvas, corner, row * program.chip.mesh.width + column, program.chip.tile.arrays);
        }
    }
    let left = MARGIN + f64::from(columns) * (TILE + GAP) + MARGIN;
    let height = legend(&mut canvas, program, (left, top)).max(top + f64::from(rows) * (TILE + GAP));
    let longest = program.stages.iter().map(|stage| stage.name().len()).max().unwrap_or(0);
    canvas.finish(left + 60.0 + 8.0 * longest as f64, height + MARGIN, &title)
}

/// The stage in every array, and the stages of the vector unit of every tile.
struct Seats {
    arrays: BTreeMap<(u32, u32), usize>,
    tiles: BTreeMap<u32, Vec<usize>>,
}

impl Seats {
    fn of(program: &Program) -> Self {
        let (mut arrays, mut tiles) = (BTreeMap::new(), BTreeMap::<u32, Vec<usize>>::new());
        for (index, stage) in program.stages.iter().enumerate() {
            stage.tiles().into_iter().for_each(|tile| tiles.entry(tile).or_default().push(index));
            if let Stage::Mvm(stage) = stage {
                for (_, place) in (0..stage.copies()).flat_map(|copy| stage.placed(copy)) {
                    (place.array..place.array + stage.polarities).for_each(|array| {
                        arrays.insert((place.tile, array), index);
                    });
                }
            }
        }
        Self { arrays, tiles }
    }

    /// Columns and rows of tiles from the first corner of the mesh to the last tile in use.
    fn extent(&self, width: u32) -> (u32, u32) {
        let most = |of: &dyn Fn(u32) -> u32| self.tiles.keys().map(|&tile| of(tile) + 1).max().unwrap_or(1);
        (most(&|tile| tile % width), most(&|tile| tile / width))
    }

    fn draw_tile(&self, canvas: &mut Canvas, (x, y): Point, tile: u32, arrays: u32) {
        canvas.box_outline((x, y), (x + TILE, y + TILE), if self.tiles.contains_key(&tile) { BLACK } else { GRID });
        let Some(stages) = self.tiles.get(&tile) else { return };
        let across = (1..).find(|side: &u32| side * side >= arrays).unwrap_or(1);
        let side = (TILE - 4.0) / f64::from(across);
        for array in 0..arrays {
            let corner = (x + 2.0 + f64::from(array % across) * side, y + 2.0 + f64::from(array / across) * side);
            if let Some(&stage) = self.arrays.get(&(tile, array)) {
                canvas.box_filled(corner, (corner.0 + side - 1.0, corner.1 + side - 1.0), pale(stage));
            }
        }
        let numbers: Vec<String> = stages.iter().map(|stage| (stage + 1).to_string()).collect();
        canvas.text((x + TILE / 2.0, y + TILE / 2.0), &numbers.join(" "), Lettering::size(11.0).bold());
    }
}

/// The stages with their numbers; returns where the list ends.
fn legend(canvas: &mut Canvas, program: &Program, (x, top): Point) -> f64 {
    let mut y = top;
    for (index, stage) in program.stages.iter().enumerate() {
        if matches!(stage, Stage::Mvm(_)) {
            canvas.box_filled((x, y), (x + 12.0, y + 12.0), pale(index));
            canvas.box_outline((x, y), (x + 12.0, y + 12.0), colour(index));
        }
        canvas.text((x + 36.0, y + 6.0), &(index + 1).to_string(), Lettering::size(12.0).bold().right());
        canvas.text((x + 44.0, y + 6.0), stage.name(), Lettering::size(12.0).left());
        y += LINE;
    }
    canvas.text((x, y + 6.0), "without colour: vector unit", Lettering::size(11.0).grey().left());
    y + LINE
}
