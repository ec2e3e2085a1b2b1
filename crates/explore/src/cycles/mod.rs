//! Where the cycles of a program, or of an instruction trace, go: accounts of every unit, critical path, buffers, prices, recordings.

mod export;
mod input;
mod names;
mod prices;
mod record;
mod rows;
mod run;

pub use export::{Form, Written, export};
pub use input::{CHIP_OF_OUTLINES, Input, Source};
pub use names::unit_name;
pub use prices::{Prices, StageActions};
pub use record::{MOST_EVENTS, Window, record};
pub use rows::{Entry, Value, cycles_csv, entries};
pub use run::{BufferPeak, CyclesReport, MOST_IMAGES, MOST_OPERATIONS, check_images, cycles};
