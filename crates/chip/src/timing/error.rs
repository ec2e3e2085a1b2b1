//! Why a pipeline cannot be timed.

/// Why [`simulate`](super::simulate) refused a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimingError {
    /// There is no stage to time.
    #[error("the pipeline has no stages")]
    NoStages,
    /// There is nothing to time the stages with.
    #[error("the number of images must be at least 1")]
    NoImages,
    /// A quantity that must be at least one is zero.
    #[error("stage `{stage}`: {what} must be at least 1")]
    Zero {
        /// Name of the stage.
        stage: String,
        /// The quantity.
        what: &'static str,
    },
    /// The two lists of a stage's flow disagree about its windows.
    #[error("stage `{stage}`: `need` lists {need} windows and `freed` lists {freed}")]
    Lengths {
        /// Name of the stage.
        stage: String,
        /// Entries of `need`.
        need: usize,
        /// Entries of `freed`.
        freed: usize,
    },
    /// A window waits for a pixel that never comes.
    #[error("stage `{stage}`: window {window} needs pixel {need}, but an image has {input_pixels} pixels")]
    NeedOutOfRange {
        /// Name of the stage.
        stage: String,
        /// The window, from 0.
        window: usize,
        /// The pixel it needs, from 0.
        need: u64,
        /// Pixels of the stage's input.
        input_pixels: u64,
    },
    /// A window takes back pixels that an earlier one gave away.
    #[error("stage `{stage}`: window {window} frees {freed} pixels, fewer than the {before} of the window before it")]
    FreedDecreases {
        /// Name of the stage.
        stage: String,
        /// The window, from 0.
        window: usize,
        /// Pixels freed after it.
        freed: u64,
        /// Pixels freed after the window before.
        before: u64,
    },
    /// The last window does not give the whole image back.
    #[error("stage `{stage}`: the last window frees {freed} pixels instead of all {input_pixels}")]
    FreedIncomplete {
        /// Name of the stage.
        stage: String,
        /// Pixels freed after the last window.
        freed: u64,
        /// Pixels of the stage's input.
        input_pixels: u64,
    },
    /// The inputs of a stage do not have the same number of windows.
    #[error("stage `{stage}`: its first input has {windows} windows and another one {other}")]
    Windows {
        /// Name of the stage.
        stage: String,
        /// Windows of its first input.
        windows: usize,
        /// Windows of another input.
        other: usize,
    },
    /// A stage does not stand behind its source.
    #[error("stage `{stage}`: its source is {number}, allowed is 0 (the images) to {most}")]
    Source {
        /// Name of the stage.
        stage: String,
        /// The source, counted from 1.
        number: usize,
        /// Stages before it.
        most: usize,
    },
    /// Two stages do not read the same images.
    #[error("stage `{stage}` reads images of {input_pixels} pixels, but the first stage images of {images}")]
    Images {
        /// Name of the stage.
        stage: String,
        /// Pixels of its images.
        input_pixels: u64,
        /// Pixels of the images of the first stage.
        images: u64,
    },
    /// A stage does not read what its source writes.
    #[error("stage `{stage}` reads {input_pixels} pixels per image, but `{previous}` writes {windows}")]
    Chain {
        /// Name of the reading stage.
        stage: String,
        /// Pixels it reads per image.
        input_pixels: u64,
        /// Name of the writing stage.
        previous: String,
        /// Pixels, one per window, that it writes per image.
        windows: u64,
    },
    /// A window waits for a pixel that has no room before the window is done: the pipeline would stand still for ever.
    #[error("the input buffer of stage `{stage}` holds {capacity} pixels and needs {required}")]
    Deadlock {
        /// Name of the stage whose input buffer is too small.
        stage: String,
        /// Pixels that it holds.
        capacity: u64,
        /// Least number of pixels with which the stage never waits for itself.
        required: u64,
    },
    /// A stage that joins inputs waits for one of them while the buffer of another is full, and the stages that write them wait for room there:
    /// the pipeline would stand still for ever.
    #[error(
        "the buffer of stage `{stage}` for the result of `{previous}` holds {capacity} pixels and needs {required}, \
         as its other input comes later"
    )]
    Join {
        /// Name of the stage that joins.
        stage: String,
        /// Name of the stage whose pixels do not fit.
        previous: String,
        /// Pixels that the buffer holds.
        capacity: u64,
        /// Number of pixels that is enough; the least where no other buffer before a joining stage is too small.
        required: u64,
    },
    /// A cycle or a pixel count is beyond 64 bits.
    #[error("stage `{stage}`: its times or pixel counts exceed 64 bits")]
    Overflow {
        /// Name of the stage.
        stage: String,
    },
    /// The events ran out before the work: a fault of the engine, since every deadlock is refused beforehand.
    #[error("internal error: stage `{stage}` stopped after {written} of {expected} pixels")]
    Stuck {
        /// Name of the stage.
        stage: String,
        /// Pixels that it wrote.
        written: u64,
        /// Pixels that it had to write.
        expected: u64,
    },
}
