//! Which features of the engine a set of cases has been through.

use crate::differential_cases::Case;
use chip::config::RangePolicy;
use chip::functional::Inference;
use chip::program::{MvmStage, Output, PoolKind, Program, Stage, Subtraction};
use std::collections::BTreeMap;
use tile::adc::{AdcKind, NonIdealities};

#[derive(Default)]
pub(crate) struct Coverage {
    pub(crate) cases: u64,
    pub(crate) conversions: u64,
    features: BTreeMap<String, u64>,
}

impl Coverage {
    pub(crate) fn note(&mut self, case: &Case, inference: &Inference) {
        self.cases += 1;
        self.conversions += inference.counts.adc_conversion;
        let mut seen = of_numbers(case);
        seen.extend(of_program(&case.program));
        seen.extend(of_converters(&case.program));
        seen.extend(of_cells(case));
        seen.extend(of_run(case, inference));
        for (name, has) in seen {
            *self.features.entry(name).or_default() += u64::from(has);
        }
    }

    /// A line for every feature.
    pub(crate) fn table(&self) -> String {
        let lines = self.features.iter().map(|(name, count)| format!("{count:>7} {name}\n"));
        format!("{} cases, {} conversions\n{}", self.cases, self.conversions, lines.collect::<String>())
    }

    /// Every feature must have been there `least` times, save those that are impossible here.
    pub(crate) fn demand(&self, least: u64, impossible: &[&str]) {
        let missing = |(name, count): &(&String, &u64)| **count < least && !impossible.contains(&name.as_str());
        let rare: Vec<_> = self.features.iter().filter(missing).collect();
        assert!(rare.is_empty(), "fewer than {least} cases have {rare:?}\n{}", self.table());
    }
}

type Features = Vec<(String, bool)>;

fn named<const N: usize>(features: [(&str, bool); N]) -> Features {
    features.into_iter().map(|(name, has)| (name.to_owned(), has)).collect()
}

fn any(program: &Program, holds: impl Fn(&MvmStage) -> bool) -> bool {
    program.mvm_stages().any(|(_, stage)| holds(stage))
}

fn of_numbers(case: &Case) -> Features {
    let chip = &case.program.chip;
    let mut features: Features =
        (1..=8).map(|bits| (format!("dac of {bits} bits"), chip.tile.dac.bits == bits)).collect();
    features.extend((1..=5).map(|bits| (format!("cells of {bits} bits"), chip.tile.cell.bits == bits)));
    let applied = |holds: &dyn Fn(u32) -> bool| any(&case.program, |stage| holds(stage.applied_bits()));
    features.push(("inputs of 10 bits or more".to_owned(), applied(&|bits| bits >= 10)));
    features.push(("layers of other widths".to_owned(), applied(&|bits| bits != chip.magnitude_bits())));
    features.push(("inputs with an offset".to_owned(), any(&case.program, |stage| stage.input_offset > 0)));
    features.push(("signed inputs".to_owned(), chip.signed_inputs()));
    let strategies = ["isaac", "offset", "differential", "twos-complement", "unbalanced", "unary"];
    let base = case.program.mapping.split('+').next().unwrap_or_default();
    features.extend(strategies.iter().map(|name| (format!("mapping {name}"), base == *name)));
    let options = ["+flip", "+after-adc", "+common-mode"];
    features.extend(options.iter().map(|name| (format!("mapping {name}"), case.program.mapping.contains(name))));
    features
}

fn of_program(program: &Program) -> Features {
    let stages = program.mvm_stages().count();
    let has_rows = |least: u32| any(program, |stage| stage.crossbars.iter().any(|placed| placed.rows >= least));
    let pools = |holds: fn(PoolKind) -> bool| {
        program.stages.iter().any(|stage| matches!(stage, Stage::Pool(pool) if holds(pool.kind)))
    };
    named([
        ("1 layer", stages == 1),
        ("2 layers", stages == 2),
        ("3 layers", stages == 3),
        ("convolutions", any(program, |stage| stage.window.out_height() > 1)),
        ("strides", any(program, |stage| stage.window.vertical.stride > 1 || stage.window.horizontal.stride > 1)),
        ("dilations", any(program, |stage| stage.window.vertical.dilation > 1)),
        ("kernels of two sizes", any(program, |stage| stage.window.vertical.kernel != stage.window.horizontal.kernel)),
        ("padding of two sizes", any(program, |stage| stage.window.vertical.before != stage.window.vertical.after)),
        ("padding", any(program, |stage| stage.window.vertical.before > 0)),
        ("maxima", pools(|kind| kind == PoolKind::Max)),
        ("averages", pools(|kind| kind != PoolKind::Max)),
        ("additions", program.stages.iter().any(|stage| matches!(stage, Stage::Add(_)))),
        ("concatenations", program.stages.iter().any(|stage| matches!(stage, Stage::Concat(_)))),
        ("tables", program.stages.iter().any(|stage| matches!(stage, Stage::Table(_)))),
        ("results of both signs", any(program, |stage| matches!(stage.output, Output::Codes { signed: true, .. }))),
        ("groups", any(program, |stage| stage.groups > 1)),
        ("groups that share an array", any(program, |s| s.crossbars.iter().any(|c| s.groups().of(c).len() > 1))),
        ("groups that are cut", any(program, |s| s.groups > 1 && s.crossbars.len() > s.groups as usize)),
        ("multipliers of their own", any(program, |s| s.multipliers.windows(2).any(|pair| pair[0] != pair[1]))),
        ("row partitions", any(program, |stage| stage.row_partitions() > 1)),
        ("column partitions", any(program, |stage| stage.crossbars.len() as u64 > stage.row_partitions())),
        ("several tiles", any(program, |stage| stage.tiles().len() > 1)),
        ("an array of one row", any(program, |stage| stage.crossbars.iter().any(|placed| placed.rows == 1))),
        ("arrays of 129 rows", has_rows(129)),
        ("arrays of 200 rows", has_rows(200)),
        ("arrays of 257 rows", has_rows(257)),
        ("single arrays", any(program, |stage| stage.polarities == 1)),
        ("pairs before conversion", any(program, |s| s.polarities == 2 && s.subtraction == Subtraction::BeforeAdc)),
        ("pairs after conversion", any(program, |s| s.subtraction == Subtraction::AfterAdc)),
        ("digital offset", any(program, |stage| stage.offset != 0)),
        ("complemented columns", any(program, |stage| stage.flipped_columns() > 0)),
    ])
}

fn of_converters(program: &Program) -> Features {
    let adc = &program.chip.tile.adc;
    let own = |holds: fn(&chip::program::ColumnAdc) -> bool| {
        any(program, |stage| stage.crossbars.iter().flat_map(|placed| &placed.column_adcs).any(holds))
    };
    let NonIdealities { gain_sigma, offset_sigma_codes, .. } = adc.nonideal;
    let plain = NonIdealities { gain_sigma, offset_sigma_codes, ..NonIdealities::none() };
    let erring = |kind: AdcKind| adc.kind == kind && !adc.nonideal.is_none();
    named([
        ("range full", adc.range == RangePolicy::Full),
        ("range lossless", adc.range == RangePolicy::Lossless),
        ("range calibrated", adc.range == RangePolicy::Calibrated),
        ("steps that are no shifts", any(program, |stage| !stage.steps_are_shifts())),
        ("steps of columns", own(|_| true)),
        ("gains of columns", own(|own| own.gain != 1.0)),
        ("ideal converters", adc.kind == AdcKind::Ideal),
        ("erring sar", erring(AdcKind::Sar)),
        ("erring flash", erring(AdcKind::Flash)),
        ("erring ramp", erring(AdcKind::Ramp)),
        ("gain or offset errors alone", !adc.nonideal.is_none() && adc.nonideal == plain),
        ("non-linear converters", adc.nonideal != plain),
        ("converters shared in a bank", adc.per_bank > 1),
    ])
}

fn of_cells(case: &Case) -> Features {
    let device = &case.program.chip.tile.cell.device;
    let values = || case.cells.stages.iter().flat_map(|stage| &stage.values).flatten().flatten();
    named([
        ("cells below the lowest level", values().any(|&value| value < 0.0)),
        ("cells between levels", values().any(|&value| value.fract() != 0.0)),
        ("faults by rates", device.faults.is_some()),
        ("faults by a map", case.mapped_faults > 0),
        ("non-linear cells", device.iv.is_some()),
        ("wires", !case.program.chip.tile.wires.is_ideal()),
        ("compensated drift", case.cells.stages.iter().any(|stage| stage.drift_gain != 1.0)),
    ])
}

fn of_run(case: &Case, inference: &Inference) -> Features {
    let images = case.image_count();
    let windows = any(&case.program, |stage| stage.window.count() > 256);
    let codes = || case.images.chunks(case.program.input.len());
    let zeros = |image: &[i32]| image.iter().filter(|&&code| code == 0).count() as f64 / image.len() as f64;
    named([
        ("several images", images > 1),
        ("more than 128 images", images > 128),
        ("more than 256 images", images > 256),
        ("more than 256 windows", windows),
        ("more than 256 windows in a batch", any(&case.program, |stage| stage.window.count() * images > 256)),
        ("all-zero images", codes().any(|image| zeros(image) == 1.0)),
        ("sparse images", codes().any(|image| (0.8..1.0).contains(&zeros(image)))),
        ("dense images", codes().any(|image| zeros(image) < 0.2)),
        ("clipped conversions", inference.converters.iter().any(|used| used.clipped > 0)),
        (
            "codes beyond 2^16",
            inference.converters.iter().any(|used| used.codes.is_some_and(|(_, highest)| highest > 1 << 16)),
        ),
        ("saturated accumulators", inference.converters.iter().any(|used| used.saturated > 0)),
        ("saturated outputs", inference.saturated_outputs > 0),
    ])
}
