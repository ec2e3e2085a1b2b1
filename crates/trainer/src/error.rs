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
    /// No epoch came after noise and constraint were in force.
    #[error(
        "no checkpoint is eligible: training.epochs is too small for training.noise.ramp_end and training.biased.freeze"
    )]
    NoCheckpoint,
}
