//! The graph of stages: what each reads and writes.

use super::{FeatureMap, Program, Stage, Window};

impl Stage {
    /// Name of the stage.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Mvm(stage) => &stage.name,
            Self::Pool(stage) => &stage.name,
            Self::Add(stage) => &stage.name,
            Self::Concat(stage) => &stage.name,
            Self::Table(stage) => &stage.name,
        }
    }

    /// Its sources: 0 is the program's input, `k` the result of stage `k - 1`. Several of an addition or a concatenation, else one.
    #[must_use]
    pub fn inputs(&self) -> &[u32] {
        match self {
            Self::Mvm(stage) => std::slice::from_ref(&stage.input),
            Self::Pool(stage) => std::slice::from_ref(&stage.input),
            Self::Add(stage) => &stage.inputs,
            Self::Concat(stage) => &stage.inputs,
            Self::Table(stage) => std::slice::from_ref(&stage.input),
        }
    }

    /// The feature map of each source.
    #[must_use]
    pub fn input_maps(&self) -> &[FeatureMap] {
        match self {
            Self::Mvm(stage) => std::slice::from_ref(&stage.window.input),
            Self::Pool(stage) => std::slice::from_ref(&stage.window.input),
            Self::Add(stage) => &stage.maps,
            Self::Concat(stage) => &stage.maps,
            Self::Table(stage) => std::slice::from_ref(&stage.map),
        }
    }

    /// The windows of its sources that it works on, one after the other; those of an addition or a concatenation lie at the same place in all
    /// sources, and for the latter this is the joined map.
    #[must_use]
    pub fn window(&self) -> Window {
        match self {
            Self::Mvm(stage) => stage.window,
            Self::Pool(stage) => stage.window,
            Self::Add(stage) => stage.window(),
            Self::Concat(stage) => stage.window(),
            Self::Table(stage) => stage.window(),
        }
    }

    /// The feature map it writes.
    #[must_use]
    pub fn output(&self) -> FeatureMap {
        let window = self.window();
        let (height, width) = (window.out_height(), window.out_width());
        match self {
            Self::Mvm(stage) => {
                let (channels, bits, signed) = (stage.outputs, stage.output_bits(), stage.output_signed());
                FeatureMap { height, width, channels, bits, signed }
            }
            Self::Pool(stage) => FeatureMap { height, width, bits: stage.output_bits(), ..window.input },
            Self::Add(stage) => stage.output(),
            Self::Concat(stage) => stage.output(),
            Self::Table(stage) => stage.output(),
        }
    }

    /// The tile that writes its results.
    #[must_use]
    pub fn home_tile(&self) -> u32 {
        match self {
            Self::Mvm(stage) => stage.crossbars.first().map_or(0, |crossbar| crossbar.tile),
            Self::Pool(stage) => stage.tile,
            Self::Add(stage) => stage.tile,
            Self::Concat(stage) => stage.tile,
            Self::Table(stage) => stage.tile,
        }
    }

    /// The tiles that read its sources, ascending, each once.
    #[must_use]
    pub fn tiles(&self) -> Vec<u32> {
        match self {
            Self::Mvm(stage) => stage.tiles(),
            _ => vec![self.home_tile()],
        }
    }
}

impl Program {
    /// The stages that read the result of stage `index`, in their order.
    pub fn readers(&self, index: usize) -> impl Iterator<Item = &Stage> {
        let source = u32::try_from(index + 1).ok();
        self.stages.iter().filter(move |stage| stage.inputs().iter().any(|&input| Some(input) == source))
    }
}
