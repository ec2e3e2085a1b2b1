//! One programmed array as a circuit: an ngspice deck, and our currents beside those of ngspice.

use crate::error::ExploreError;
use chip::functional::{Cells, ChipSample, ColumnProbe, Observation, SampleAddress, infer};
use chip::program::{MvmStage, Program};
use nn::datasets::Split;
use nn_compiler::compile::encode_images;
use tile::crossbar::DrivenRow;
use tile::device::States;
use tile::wires::{CellMatrix, Linear, SpiceLaw, Wires, column_currents, parse_spice_currents, spice_deck};

/// Which array of a program, in which chip sample.
#[derive(Clone, Debug)]
pub struct ArrayChoice {
    /// Name of the stage; the first one if none.
    pub stage: Option<String>,
    /// Index of the crossbar in its stage.
    pub crossbar: usize,
    /// 0 = positive, 1 = negative array of a pair.
    pub polarity: usize,
    /// Which chip sample.
    pub sample: SampleAddress,
}

/// What drives the word lines.
#[derive(Clone, Copy, Debug)]
pub enum Drive<'a> {
    /// Every word line at full scale.
    FullScale,
    /// The digits of one read of this array while an image runs.
    Image {
        /// The images of the program's data set.
        images: &'a Split,
        /// Which of them.
        image: usize,
        /// Which read of the array, in the order of windows and input slices.
        read: usize,
    },
}

/// An array with its inputs.
#[derive(Clone, Debug)]
pub struct Circuit {
    wires: Wires,
    states: States,
    rows: usize,
    cols: usize,
    conductance_s: Vec<f64>,
    voltages_v: Vec<f64>,
    title: String,
}

/// Currents of one column, A.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct ComparedCurrent {
    /// Column.
    pub column: usize,
    /// Ours.
    pub ohmic_a: f64,
    /// Of ngspice.
    pub ngspice_a: f64,
}

impl Circuit {
    /// Takes one array out of a program.
    ///
    /// # Errors
    /// If there is no such array, image or read, or the chip sample cannot be made.
    pub fn new(program: &Program, choice: &ArrayChoice, drive: &Drive<'_>) -> Result<Self, ExploreError> {
        let (layer, stage) = find_stage(program, choice.stage.as_deref())?;
        let cells = Cells::program(program, choice.sample).map_err(ExploreError::Request)?;
        let conductance_s = cells.conductances_s(program, layer, choice.crossbar, choice.polarity);
        let conductance_s = conductance_s.map_err(ExploreError::Request)?;
        let placed = &stage.crossbars[choice.crossbar];
        let tile = &program.chip.tile;
        let rows = placed.rows as usize;
        let full_scale = f64::from((1_u32 << tile.dac.bits) - 1);
        let mut voltages_v = vec![tile.array.read_voltage_v; rows];
        if let Drive::Image { images, image, read } = *drive {
            let driven = Reads::of(program, &cells, (layer, choice.crossbar), images, image)?;
            let driven = driven.get(read).ok_or_else(|| {
                ExploreError::Request(format!(
                    "--read {read} is not allowed: the array is read {} times an image",
                    driven.len()
                ))
            })?;
            voltages_v.fill(0.0);
            for row in driven {
                voltages_v[row.row as usize] = tile.array.read_voltage_v * f64::from(row.digit) / full_scale;
            }
        }
        let states = tile.cell.device.states(stage.slices[0].bits).map_err(ExploreError::Request)?;
        let cols = stage.columns(placed) as usize;
        let title = format!(
            "ohmic: network {}, mapping {}, stage {}, crossbar {}, polarity {}, chip sample {}",
            program.network, program.mapping, stage.name, choice.crossbar, choice.polarity, choice.sample.chip_sample
        );
        Ok(Self { wires: tile.wires, states, rows, cols, conductance_s, voltages_v, title })
    }

    /// Word lines and bit lines.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    fn cells(&self) -> CellMatrix<'_> {
        CellMatrix { rows: self.rows, cols: self.cols, conductance_s: &self.conductance_s }
    }

    /// The ngspice deck.
    ///
    /// # Errors
    /// If the circuit cannot be written as one.
    pub fn deck(&self) -> Result<String, ExploreError> {
        let cubics: Vec<[f64; 3]>;
        let law = match self.states.current_voltage() {
            None => SpiceLaw::Linear,
            Some(law) => {
                let all: Option<Vec<[f64; 3]>> = self.conductance_s.iter().map(|&g| law.cubic(g)).collect();
                let what =
                    || ExploreError::Request("only a polynomial I-V relation can be written as a deck".to_owned());
                cubics = all.ok_or_else(what)?;
                SpiceLaw::Cubic(&cubics)
            }
        };
        spice_deck(&self.wires, &self.cells(), law, &self.voltages_v, &self.title)
            .map_err(|error| ExploreError::Request(error.to_string()))
    }

    /// Column currents as we solve them, A.
    ///
    /// # Errors
    /// If the solution does not converge.
    pub fn currents_a(&self) -> Result<Vec<f64>, ExploreError> {
        let solution = match self.states.current_voltage() {
            Some(law) => column_currents(&self.wires, &self.cells(), law, &self.voltages_v),
            None => column_currents(&self.wires, &self.cells(), &Linear, &self.voltages_v),
        };
        Ok(solution.map_err(|error| ExploreError::Request(error.to_string()))?.currents_a)
    }

    /// Puts the currents that ngspice printed for the deck beside ours.
    ///
    /// # Errors
    /// If a current is missing in the text, or our solution does not converge.
    pub fn compare(&self, printed: &str) -> Result<Vec<ComparedCurrent>, ExploreError> {
        let theirs = parse_spice_currents(printed, self.cols).map_err(ExploreError::Request)?;
        let ours = self.currents_a()?;
        let compared = ours.into_iter().zip(theirs).enumerate();
        Ok(compared.map(|(column, (ohmic_a, ngspice_a))| ComparedCurrent { column, ohmic_a, ngspice_a }).collect())
    }
}

/// Largest difference relative to the largest current.
#[must_use]
pub fn worst_difference(currents: &[ComparedCurrent]) -> f64 {
    let largest = currents.iter().map(|c| c.ngspice_a.abs()).fold(f64::MIN_POSITIVE, f64::max);
    currents.iter().map(|c| (c.ohmic_a - c.ngspice_a).abs()).fold(0.0, f64::max) / largest
}

fn find_stage<'a>(program: &'a Program, name: Option<&str>) -> Result<(usize, &'a MvmStage), ExploreError> {
    let found = program.mvm_stages().find(|(_, stage)| name.is_none_or(|name| stage.name == name));
    let known = || program.mvm_stages().map(|(_, stage)| stage.name.as_str()).collect::<Vec<_>>().join(", ");
    let (layer, stage) = found.ok_or_else(|| {
        ExploreError::Request(format!(
            "--stage {} does not exist; the program has {}",
            name.unwrap_or_default(),
            known()
        ))
    })?;
    Ok((layer as usize, stage))
}

/// The word lines of every read of one crossbar.
struct Reads {
    layer: usize,
    crossbar: usize,
    driven: Vec<Vec<DrivenRow>>,
}

impl ColumnProbe for Reads {
    fn observe(&mut self, read: &Observation<'_>) {
        if (read.layer, read.crossbar, read.array) == (self.layer, self.crossbar, 0) {
            self.driven.push(read.driven());
        }
    }
}

impl Reads {
    fn of(
        program: &Program,
        cells: &Cells,
        (layer, crossbar): (usize, usize),
        images: &Split,
        image: usize,
    ) -> Result<Vec<Vec<DrivenRow>>, ExploreError> {
        if image >= images.len() {
            let what = format!("--image {image} is not allowed: the data set has {} test images", images.len());
            return Err(ExploreError::Request(what));
        }
        let sample = ChipSample::from_cells(program, cells).map_err(ExploreError::Request)?;
        let mut reads = Self { layer, crossbar, driven: Vec::new() };
        let codes = encode_images(program, images.image(image));
        infer(program, &sample, &codes, Some(&mut reads)).map_err(ExploreError::Request)?;
        Ok(reads.driven)
    }
}
