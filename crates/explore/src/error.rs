//! Why an experiment failed.

/// Why an experiment failed.
#[derive(Debug, thiserror::Error)]
pub enum ExploreError {
    /// A configuration cannot be used.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// A data set cannot be read.
    #[error(transparent)]
    Data(#[from] nn::datasets::DataError),
    /// A data set is not where it was looked for.
    #[error(
        "{source}, or name another directory by --data or $OHMIC_DATA (`ohmic list datasets` says where files are from)"
    )]
    NoData {
        /// What is missing.
        source: nn::datasets::DataError,
    },
    /// A network file cannot be read or written.
    #[error(transparent)]
    NetworkFile(#[from] nn::files::FileError),
    /// An ONNX file cannot be read.
    #[error(transparent)]
    Onnx(#[from] nn::onnx::OnnxError),
    /// A network cannot be run.
    #[error(transparent)]
    Network(#[from] nn::NetworkError),
    /// A program cannot be read or written.
    #[error(transparent)]
    Program(#[from] chip::program::ProgramError),
    /// A network cannot be trained.
    #[error("training: {0}")]
    Train(#[from] trainer::TrainError),
    /// A network cannot be compiled.
    #[error("compiling: {0}")]
    Compile(#[from] nn_compiler::CompileError),
    /// A program cannot finish on its chip.
    #[error("timing: {0}")]
    Timing(#[from] chip::timing::TimingError),
    /// A figure cannot be drawn.
    #[error("plot: {0}")]
    Plot(#[from] crate::plot::PlotError),
    /// A table cannot be written.
    #[error("table: {0}")]
    Table(String),
    /// A file cannot be written or read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The store of a sweep.
    #[error("store: {0}")]
    Store(#[from] crate::store::StoreError),
    /// A comparison came out negative.
    #[error("{0}")]
    Disagreement(String),
    /// Something asked for does not exist or does not fit.
    #[error("{0}")]
    Request(String),
}
