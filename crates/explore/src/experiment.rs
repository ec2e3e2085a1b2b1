//! An experiment: networks trained by several methods, compiled by several mapping strategies, simulated on many chip samples.

use crate::compare::{OperatingPoint, SigmaAxis};
use chip::config::Chip;
use nn_compiler::mapping::{AUTO, Mapping};
use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};
use trainer::{Architecture, METHODS, Training};

/// A resolved experiment, as `run.toml` holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Name, kebab-case.
    pub name: String,
    /// What it is, in one line.
    #[serde(default)]
    pub doc: String,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Mapping strategies, in the order of the table.
    pub mappings: Vec<String>,
    /// Training methods, in the order of the table.
    pub methods: Vec<String>,
    /// Independently trained networks per row.
    pub training_seeds: u32,
    /// Chip samples per network.
    pub chips: u32,
    /// Test images; 0 = all.
    pub images: u32,
    /// Images that are streamed to measure the throughput.
    pub timing_images: u32,
    /// The network.
    pub network: Architecture,
    /// The chip.
    pub chip: Chip,
    /// Training parameters.
    pub training: Training,
    /// Where the comparison is made; without it at the chip's own scale of variation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_point: Option<OperatingPoint>,
    /// Other scales of variation at which the networks are simulated as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma_axis: Option<SigmaAxis>,
}

impl Check for Experiment {
    fn check(&self, problems: &mut Problems) {
        let methods: Vec<&str> = METHODS.iter().map(|(_, name, _)| *name).collect();
        check_mappings(problems, &self.mappings);
        check_names(problems, "methods", &self.methods, &methods);
        problems.integer("training_seeds", self.training_seeds.into(), 1..=1000);
        problems.integer("chips", self.chips.into(), 1..=1_000_000);
        problems.integer("timing_images", self.timing_images.into(), 2..=10_000);
        // A TOML integer is signed.
        problems.integer("seed", self.seed, 0..=i64::MAX as u64);
        problems.within("network", |p| self.network.check(p));
        problems.within("chip", |p| self.chip.check(p));
        problems.within("training", |p| {
            self.training.check(p);
            p.within("biased", |p| self.check_constraint(p));
        });
        if let Some(point) = &self.operating_point {
            problems.within("operating_point", |p| point.check(p));
        }
        if let Some(axis) = &self.sigma_axis {
            problems.within("sigma_axis", |p| axis.check(p));
        }
    }
}

impl Experiment {
    /// What biased training asks of the cells must exist.
    fn check_constraint(&self, problems: &mut Problems) {
        let (biased, cell_bits) = (&self.training.biased, self.chip.tile.cell.bits.clamp(1, 8));
        // Strategies have different numbers of slices, hardly more than a weight has bits; more than there are means all.
        let bits = self.chip.format.weight_bits.clamp(1, 16);
        problems.integer("constrained_slices", biased.constrained_slices.into(), 1..=bits.into());
        for &state in &biased.states {
            problems.integer("states", state.into(), 0..=(1 << cell_bits) - 1);
        }
    }
}

/// Why experiments cannot choose mappings.
const CHOSEN: &str = "strategies by name (see `ohmic list mappings`); choosing one per layer takes a trained network, and is for `ohmic compile` \
                      and `ohmic infer`";

fn check_mappings(problems: &mut Problems, names: &[String]) {
    problems.require("mappings", "no names", !names.is_empty(), "at least one mapping strategy");
    for (index, name) in names.iter().enumerate() {
        problems.require("mappings", name, !names[..index].contains(name), "each name once");
        if name == AUTO {
            problems.require("mappings", name, false, CHOSEN);
        } else if let Err(what) = Mapping::parse(name) {
            problems.require("mappings", name, false, what);
        }
    }
}

fn check_names(problems: &mut Problems, key: &str, names: &[String], known: &[&str]) {
    let allowed = format!("any of {}, each once", known.join(", "));
    problems.require(key, "no names", !names.is_empty(), &allowed);
    for (index, name) in names.iter().enumerate() {
        problems.require(key, name, known.contains(&name.as_str()) && !names[..index].contains(name), &allowed);
    }
}
