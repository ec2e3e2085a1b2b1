//! Networks on the chip of the benchmarks.

use crate::Failure;
use crate::networks::Benchmark;
use chip::functional::{Cells, ChipSample, SampleAddress};
use chip::program::Program;
use explore::config::{Kind, load};
use nn::datasets::Dataset;
use nn_compiler::compile::encode_images;
use nn_compiler::mapping::Mapping;
use nn_compiler::{Chip, CompilationSettings, compile_quantised};
use tile::address::Purpose;
use tile::device::ReadNoise;
use tile::variation::{Ideal, Independent, Variation};

/// Programming error, and read noise, as a share of the range and of the conductance.
const ERROR: f64 = 0.05;

/// What its cells do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// Exactly what they are told.
    None,
    /// They are off by 5 % of the range of conductances, whatever the state.
    Programming,
    /// In addition, every read draws anew, 5 % of the conductance.
    ReadNoise,
}

/// A network on the chip with images to run.
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// Input codes of the images.
    pub codes: Vec<i32>,
    /// Multiply-accumulates of cells per image: weights used per image x slices x input bits.
    pub cell_macs: f64,
}

/// Compiles a network and makes images for it.
///
/// # Errors
/// If the network does not fit the chip.
pub fn compile(benchmark: &Benchmark, errors: Errors, images: usize) -> Result<Compiled, Failure> {
    let network = (benchmark.network)()?;
    let few = (benchmark.make_images)(1);
    let digits = nn::datasets::load("digits-8x8")?;
    let (train, validation, test) = (few.clone(), few.clone(), few);
    let dataset = Dataset { shape: network.input, train, validation, test, ..digits };
    let (chip, mapping) = (chip(errors)?, Mapping::parse("differential")?);
    let settings = CompilationSettings { dataset: &dataset, training: "none", mapping: &mapping, chip: &chip, seed: 1 };
    let program = compile_quantised(&network, &settings)?;
    let codes = encode_images(&program, &(benchmark.make_images)(images).images);
    let slices = program.mvm_stages().map(|(_, stage)| stage.slices.len()).max().unwrap_or(1);
    let cell_macs = (network.mac_count() * slices as u64 * u64::from(network.coding.format.bits)) as f64;
    Ok(Compiled { program, codes, cell_macs })
}

impl Compiled {
    /// Programs the cells of a chip sample.
    ///
    /// # Errors
    /// If the device cannot be programmed.
    pub fn cells(&self, chip_sample: u64) -> Result<Cells, String> {
        Cells::program(&self.program, address(chip_sample))
    }

    /// Programs those of another chip sample in the same memory, as an evaluation does with one chip sample after the other.
    ///
    /// # Errors
    /// As [`Self::cells`].
    pub fn reprogram(&self, cells: &mut Cells, chip_sample: u64) -> Result<(), String> {
        cells.reprogram(&self.program, address(chip_sample))
    }

    /// A chip sample.
    ///
    /// # Errors
    /// As [`Self::cells`].
    pub fn sample(&self, chip_sample: u64) -> Result<ChipSample, String> {
        ChipSample::from_cells(&self.program, &self.cells(chip_sample)?)
    }
}

fn address(chip_sample: u64) -> SampleAddress {
    SampleAddress { seed: 1, purpose: Purpose::Programming, chip_sample }
}

/// The default chip (128 x 128 arrays of 2-bit cells, 8-bit weights and inputs, one bit a cycle, 8-bit converters with calibrated ranges) with
/// room for every network and little calibration, on which speed does not depend.
fn chip(errors: Errors) -> Result<Chip, Failure> {
    let overrides = [
        "mesh.width=64",
        "mesh.height=64",
        "tile.buffer.bytes=1000000",
        "tile.adc.calibration_images=1",
        "tile.adc.calibration_chips=1",
    ];
    let mut chip: Chip = load(Kind::Chip, "default", &overrides.map(str::to_owned))?;
    let device = &mut chip.tile.cell.device;
    device.name = "benchmark".to_owned();
    device.source = "the errors of the benchmarks, which stand for no device".to_owned();
    device.variation = match errors {
        Errors::None => Variation::Ideal(Ideal {}),
        _ => Variation::Independent(Independent { sigma_s: ERROR * (device.g_max_s - device.g_min_s) }),
    };
    device.read_noise = (errors == Errors::ReadNoise).then_some(ReadNoise::Relative { relative_sigma: ERROR });
    Ok(chip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::NETWORKS;

    /// The settings that the peer was measured with.
    #[test]
    fn the_chip_is_the_one_that_is_described() {
        let compiled = compile(&NETWORKS[0], Errors::Programming, 2).unwrap();
        assert_eq!(compiled.cell_macs, 203_264.0 * 4.0 * 8.0);
        assert_eq!(compiled.codes.len(), 2 * 784);
        for (_, stage) in compiled.program.mvm_stages() {
            assert_eq!((stage.polarities, stage.converted_arrays(), stage.slices.len()), (2, 1, 4));
            assert!(stage.crossbars.iter().all(|placed| placed.rows <= 128));
        }
        let tile = &compiled.program.chip.tile;
        assert_eq!((tile.dac.bits, tile.adc.bits, tile.array.rows, tile.array.cols), (1, 8, 128, 128));
    }

    #[test]
    fn errors_are_five_percent_of_the_range() {
        let exact = compile(&NETWORKS[0], Errors::None, 1).unwrap().cells(0).unwrap();
        let cells = compile(&NETWORKS[0], Errors::Programming, 1).unwrap().cells(0).unwrap();
        let (mut count, mut squares) = (0, 0.0);
        for (cells, exact) in cells.stages[0].values.iter().flatten().zip(exact.stages[0].values.iter().flatten()) {
            // Only inner levels, whose error is not cut off.
            for (cell, exact) in cells.iter().zip(exact).filter(|&(_, &exact)| exact == 1.0 || exact == 2.0) {
                count += 1;
                squares += f64::from(cell - exact).powi(2);
            }
        }
        // Three level spacings in the range.
        let sigma: f64 = (squares / f64::from(count)).sqrt() / 3.0;
        assert!((sigma - ERROR).abs() < 0.001, "{sigma} of {count} cells");
    }

    /// Published results rest on these values. The digests were computed before programming became parallel, one row after the other.
    #[test]
    fn cells_have_their_golden_values_for_1_2_and_8_threads() {
        for (network, expected) in [(1, LENET_5), (2, RESNET_8)] {
            let compiled = compile(&NETWORKS[network], Errors::Programming, 1).unwrap();
            let mut all = Vec::new();
            for threads in [1, 2, 8] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                all.push(pool.install(|| compiled.cells(0)).unwrap());
                // Cells of another program, then those of another chip sample, then the same again.
                let mut again = Cells { stages: all[0].stages[1..].to_vec(), ..all[0] };
                pool.install(|| compiled.reprogram(&mut again, 1).and_then(|()| compiled.reprogram(&mut again, 0)))
                    .unwrap();
                all.push(again);
                let cells = in_order(&compiled, &all[all.len() - 1]).into_iter();
                // FNV-1a over the bits.
                let digest = |hash: u64, cell: &f32| (hash ^ u64::from(cell.to_bits())).wrapping_mul(0x0100_0000_01b3);
                assert_eq!(
                    cells.fold(0xcbf2_9ce4_8422_2325, |hash, cell| digest(hash, &cell)),
                    expected,
                    "network {network}, {threads} threads"
                );
                // Totals as well, whose sums have an order.
                assert!(all.iter().all(|cells| *cells == all[0]), "network {network}, {threads} threads");
            }
        }
    }

    /// All cells, row part by row part and in these output by output, wherever their crossbars stand in the program.
    fn in_order(compiled: &Compiled, cells: &Cells) -> Vec<f32> {
        let mut all = Vec::new();
        for ((_, stage), cells) in compiled.program.mvm_stages().zip(&cells.stages) {
            let mut order: Vec<usize> = (0..stage.crossbars.len()).collect();
            order.sort_by_key(|&index| (stage.crossbars[index].row_start, stage.crossbars[index].output_start));
            order.iter().for_each(|&index| all.extend(cells.values[index].iter().flatten()));
        }
        all
    }

    const LENET_5: u64 = 0x3538_3f90_d21e_2075;
    const RESNET_8: u64 = 0x4067_5f82_a177_40bd;
}
