//! Parameters of a training.

use crate::augment::Augmentation;
use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};

/// The training methods, in the order in which tables list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Quantisation-aware training that knows nothing of the device.
    Conventional,
    /// Quantisation-aware training with the device's own noise on the weights.
    NoiseInjection,
    /// Mapping-aware biased training: important columns may only hold favourable weights.
    Biased,
    /// Both together.
    BiasedNoise,
}

/// Every method with its description.
pub const METHODS: &[(Method, &str, &str)] = &[
    (Method::Conventional, "conventional", "quantisation-aware, straight-through; knows nothing of the device"),
    (
        Method::NoiseInjection,
        "noise-injection",
        "conventional, with the device's state-dependent noise on every weight, ramped up",
    ),
    (Method::Biased, "biased", "important columns only hold weights whose significant slices sit in favourable states"),
    (Method::BiasedNoise, "biased+noise", "biased, with the device's noise on every weight as in noise-injection"),
];

impl Method {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        METHODS.iter().find(|(method, ..)| *method == self).map_or("", |(_, name, _)| name)
    }

    /// The method of a name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        METHODS.iter().find(|(_, known, _)| *known == name).map(|(method, ..)| *method)
    }

    /// Whether important columns are confined to favourable weights.
    #[must_use]
    pub fn is_biased(self) -> bool {
        matches!(self, Self::Biased | Self::BiasedNoise)
    }

    /// Whether the device's noise is injected.
    #[must_use]
    pub fn injects_noise(self) -> bool {
        matches!(self, Self::NoiseInjection | Self::BiasedNoise)
    }

    /// Whether the result depends on mapping strategy and device.
    #[must_use]
    pub fn knows_hardware(self) -> bool {
        self != Self::Conventional
    }
}

/// Parameters of a training, all methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Passes over the training images.
    pub epochs: u32,
    /// Images per step.
    pub batch: u32,
    /// Step size at the start; it falls along a cosine to a twentieth.
    pub learning_rate: f64,
    /// How parameters follow gradients.
    #[serde(default)]
    pub optimiser: Optimiser,
    /// Share of a weight that every step takes off, per unit of the step size.
    #[serde(default)]
    pub weight_decay: f64,
    /// Random changes of training images.
    #[serde(default)]
    pub augment: Augmentation,
    /// Value of one integer step of the weights; the same for every method.
    pub weight_scale: WeightScale,
    /// Chip samples on which a checkpoint's hardware accuracy is validated.
    pub validation_chips: u32,
    /// Noise injection.
    pub noise: Noise,
    /// Biased training.
    pub biased: Biased,
}

/// How parameters follow gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimiser {
    /// Adam (Kingma and Ba, ICLR 2015).
    #[default]
    Adam,
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Share of the last step's velocity that is kept.
        momentum: f64,
    },
}

fn one() -> f64 {
    1.0
}

/// Value of one integer step of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightScale {
    /// Fixed point with one integer bit, `2^-(weight_bits - 2)`: Q1.6 for 8 bits, as in Diware et al., AICAS 2023.
    FixedPoint,
    /// Per layer, so that initial weights have a standard deviation of a quarter of the range: fixed point times `2 sqrt(2 / fan_in)`.
    FanIn,
    /// Per layer, at first that of `fan-in`; after every epoch until noise may set in, the one of least squared rounding error of the layer's weights.
    Calibrated,
    /// Per layer, at first that of `fan-in`; its logarithm follows the gradient (learned step size: Esser et al., ICLR 2020).
    Learned,
}

impl WeightScale {
    /// Value of one integer step for a layer with `fan_in` inputs, at the start of a training.
    #[must_use]
    pub fn step(self, weight_bits: u32, fan_in: usize) -> f32 {
        let fixed_point = 1.0 / f64::from(1_u32 << (weight_bits - 2));
        match self {
            Self::FixedPoint => fixed_point as f32,
            Self::FanIn | Self::Calibrated | Self::Learned => (fixed_point * 2.0 * (2.0 / fan_in as f64).sqrt()) as f32,
        }
    }
}

/// Parameters of noise injection.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Share of the training after which noise sets in.
    pub ramp_start: f64,
    /// Share of the training after which noise is as strong as the device's; earlier checkpoints are not eligible.
    pub ramp_end: f64,
}

/// How the constraint is imposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Projection {
    /// The weights themselves are replaced after every epoch.
    Hard,
    /// The forward pass sees projected weights, the gradient goes to the weights behind them.
    StraightThrough,
    /// As straight-through, but weights are drawn towards immune values and not confined to them: each becomes the value `q` of least
    /// `(q - w)^2 + softness v(q)`, the square of its bias plus a multiple of the variance of what is stored, both in weight steps.
    Soft,
}

/// What makes a crossbar column important, so that it is constrained first. Sums over its weights and an epoch's steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Importance {
    /// `|dQ/dw|` (Diware et al., AICAS 2023).
    #[default]
    Gradient,
    /// `|w|`.
    Magnitude,
    /// `(dQ/dw)^2` of a step, the empirical Fisher information of its mini-batch.
    Fisher,
    /// What the constraint is expected to take off the loss, `h (v(q) - v(p) - (q - p)^2) / 2` with the projection `p` of `q`, the variances `v` of what is stored and `h`
    /// as of `fisher`. Only columns in which it is positive are constrained: the share is an upper bound.
    Benefit,
    /// Drawn once: the control that every other measure has to beat.
    Random,
}

/// Parameters of biased training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Biased {
    /// How the constraint is imposed.
    pub projection: Projection,
    /// Weight of the variance under `projection = "soft"`.
    #[serde(default = "one")]
    pub softness: f64,
    /// What makes a column important.
    #[serde(default)]
    pub importance: Importance,
    /// Shares of constrained columns that are tried; the one with the best hardware accuracy on validation data is kept.
    pub shares: Vec<f64>,
    /// Constrained slices, counted from the most significant.
    pub constrained_slices: u32,
    /// Favourable states; empty = computed from the device.
    pub states: Vec<u32>,
    /// Share of the training before the first constraint.
    pub warm_up: f64,
    /// Share of the training after which the constrained columns stay the same.
    pub freeze: f64,
    /// Epochs between two choices of the constrained columns.
    pub refresh_epochs: u32,
    /// Decay of the running mean of a column's importance, per epoch.
    pub importance_decay: f64,
}

impl Check for Training {
    fn check(&self, problems: &mut Problems) {
        problems.integer("epochs", self.epochs.into(), 1..=100_000);
        problems.integer("batch", self.batch.into(), 1..=100_000);
        problems.number("learning_rate", self.learning_rate, 1e-9..=10.0, "");
        problems.number("weight_decay", self.weight_decay, 0.0..=10.0, "");
        if let Optimiser::Sgd { momentum } = self.optimiser {
            problems.within("optimiser", |p| p.number("momentum", momentum, 0.0..=0.9999, ""));
        }
        problems.within("augment", |p| self.augment.check(p));
        problems.integer("validation_chips", self.validation_chips.into(), 1..=10_000);
        problems.within("noise", |p| {
            p.number("ramp_start", self.noise.ramp_start, 0.0..=1.0, "");
            p.number("ramp_end", self.noise.ramp_end, 0.0..=1.0, "");
            p.require(
                "ramp_end",
                self.noise.ramp_end,
                self.noise.ramp_end >= self.noise.ramp_start.min(1.0),
                "at least ramp_start",
            );
        });
        problems.within("biased", |p| {
            let biased = &self.biased;
            p.require("shares", "no values", !biased.shares.is_empty(), "at least one share");
            for (index, &share) in biased.shares.iter().enumerate() {
                p.number("shares", share, 0.0..=1.0, "");
                p.require("shares", share, !biased.shares[..index].contains(&share), "each share once");
            }
            let given = biased.projection == Projection::Soft && !biased.states.is_empty();
            p.require(
                "states",
                format!("{:?}", biased.states),
                !given,
                "none with projection = \"soft\", which knows no set",
            );
            p.number("softness", biased.softness, 0.0..=1e6, "");
            let hard = biased.projection == Projection::Hard && biased.importance == Importance::Benefit;
            // Weights that were replaced have nothing to gain any more.
            p.require("importance", "benefit", !hard, "another, or projection = \"straight-through\" or \"soft\"");
            p.number("warm_up", biased.warm_up, 0.0..=1.0, "");
            p.number("freeze", biased.freeze, 0.0..=1.0, "");
            p.require("freeze", biased.freeze, biased.freeze >= biased.warm_up.min(1.0), "at least warm_up");
            p.integer("refresh_epochs", biased.refresh_epochs.into(), 1..=100_000);
            p.number("importance_decay", biased.importance_decay, 0.0..=1.0, "");
        });
    }
}
