//! Why a training failed.

/// Why a training failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The network is not valid.
    #[error(transparent)]
    Network(#[from] nn::NetworkError),
    /// Data and network do not fit together.
    #[error(transparent)]
    Data(#[from] nn::Invalid),
    /// The chip cannot hold the network.
    #[error(transparent)]
    Compile(#[from] nn_compiler::CompileError),
    /// No weight sits in the favourable states that were given.
    #[error(
        "training.biased.states = {states:?}: no weight under mapping strategy `{mapping}` has its constrained slices in these states"
    )]
    NoFavourableWeight {
        /// The states.
        states: Vec<u32>,
        /// The mapping strategy.
        mapping: String,
    },
    /// Weights of one bit.
    #[error("format.weight_bits = {bits}; a training takes 2 to 16: weights of 1 bit have no 0 to round to")]
    WeightBits {
        /// The width.
        bits: u32,
    },
    /// The network's outputs are not the data set's classes.
    #[error("network `{network}` has {outputs} outputs in its last layer; data set `{dataset}` has {classes} classes")]
    Classes {
        /// The network.
        network: String,
        /// Its outputs.
        outputs: usize,
        /// The data set.
        dataset: &'static str,
        /// Its classes.
        classes: usize,
    },
    /// The network's images are not the data set's.
    #[error(
        "network `{network}` takes images of {input} (channels x height x width); those of data set `{dataset}` are {shape}{}",
        channels_last(*.input, *.shape)
    )]
    Shape {
        /// The network.
        network: String,
        /// What it takes.
        input: nn::Shape,
        /// The data set.
        dataset: &'static str,
        /// What its images are.
        shape: nn::Shape,
    },
    /// The loss is no number any more.
    #[error(
        "the training diverged: the loss is {loss} in step {step} of epoch {epoch}; lower training.learning_rate = {rate}"
    )]
    Diverged {
        /// Mean loss of the step.
        loss: f64,
        /// Number of the step in its epoch, from 1.
        step: u32,
        /// Number of the epoch, from 1.
        epoch: u32,
        /// The learning rate.
        rate: f64,
    },
    /// A checkpoint cannot be used.
    #[error("checkpoint: {0}")]
    Checkpoint(String),
    /// No epoch came after noise and constraint were in force.
    #[error(
        "no checkpoint is eligible: training.epochs is too small for training.noise.ramp_end and training.biased.freeze"
    )]
    NoCheckpoint,
}

/// What to do where a network would fit if its channels came last.
fn channels_last(input: nn::Shape, images: nn::Shape) -> &'static str {
    let turned = nn::Shape { channels: images.height, height: images.width, width: images.channels };
    if input == turned { "; a network document says by input.layout = \"nhwc\" that channels come last" } else { "" }
}
