//! The presets of `configs/`, built into the program so that it needs no files beside it.

use super::Kind;

/// Builds the list of `(folder/name, text)`.
macro_rules! presets {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../configs/", $path, ".toml")))),*]
    };
}

/// Every preset; adding one is a file in `configs/` and a line here.
static BUILT_IN: &[(&str, &str)] = presets![
    "adcs/flash",
    "adcs/hermes-cco",
    "adcs/isaac-table",
    "adcs/neurosim-sar",
    "adcs/neurram-neuron",
    "adcs/puma-table",
    "adcs/survey-2024",
    "chips/aicas_2023",
    "chips/default",
    "chips/hermes_natelec_2023",
    "chips/isaac_isca_2016",
    "chips/large",
    "chips/neurram_nature_2022",
    "chips/puma_asplos_2019",
    "costs/aicas-2023",
    "costs/hermes-14nm",
    "costs/isaac-32nm",
    "costs/neurram-130nm",
    "costs/puma-32nm",
    "devices/agrawal-2022",
    "devices/cmo-0.2-percent",
    "devices/cmo-2-percent",
    "devices/hermes-1-device",
    "devices/hermes-2-devices",
    "devices/ideal",
    "devices/joshi-2020",
    "devices/milo-2021",
    "devices/milo-2021-nonlinear",
    "devices/paper-order",
    "devices/pcm-like",
    "devices/radar-2021",
    "devices/radar-2021-postbake",
    "devices/wan-2022",
    "devices/wan-2022-quartic-1day",
    "devices/wan-2022-quartic-1s",
    "devices/wan-2022-quartic-2days",
    "experiments/aicas_2023",
    "experiments/aicas_2023_published",
    "experiments/aicas_2023_seeds",
    "experiments/digits",
    "experiments/lenet-5-fashion-mnist",
    "experiments/lenet-5-mnist",
    "experiments/resnet-8-cifar10",
    "networks/burn-mnist",
    "networks/cifar10-resnet-2b",
    "networks/crosssim-resnet14",
    "networks/digits-cnn",
    "networks/digits-mlp",
    "networks/lenet-5",
    "networks/marabou-cifar10-small",
    "networks/mlperf-ad01",
    "networks/mlperf-resnet8",
    "networks/mlperf-vww96",
    "networks/mnist-8-cntk",
    "networks/mnist-mlp-bn",
    "networks/mnist-net-256x2",
    "networks/oval21-cifar-base",
    "networks/resnet-8",
    "networks/tfc-2w2a",
    "outlines/digits-mlp",
    "outlines/resnet-18",
    "outlines/vgg-8",
    "recommendations/aicas-2023",
    "recommendations/digits",
    "sweeps/adc-precision-x-array-size",
    "sweeps/adc-precision-x-range",
    "sweeps/aicas-2023-devices",
    "sweeps/aicas-2023-importance",
    "sweeps/aicas-2023-neurram",
    "sweeps/aicas-2023-ordered-states",
    "sweeps/aicas-2023-scales",
    "sweeps/columns-per-adc",
    "sweeps/device-x-bits-per-cell",
    "sweeps/device-x-sigma",
    "sweeps/importance-of-columns",
    "sweeps/sigma-x-training-x-mapping",
];

/// A list of presets; the built-in one, or another one in tests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Presets(pub(super) &'static [(&'static str, &'static str)]);

impl Presets {
    pub(super) fn built_in() -> Self {
        Self(BUILT_IN)
    }

    /// The names of the presets of one kind.
    pub(super) fn names(self, kind: Kind) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter_map(move |(path, _)| name_within(kind, path))
    }

    /// The text of one preset.
    pub(super) fn text(self, kind: Kind, name: &str) -> Option<&'static str> {
        self.0.iter().find(|(path, _)| name_within(kind, path) == Some(name)).map(|(_, text)| *text)
    }
}

fn name_within(kind: Kind, path: &str) -> Option<&str> {
    path.strip_prefix(kind.folder())?.strip_prefix('/')
}

/// The names of the built-in presets of one kind.
pub fn preset_names(kind: Kind) -> Vec<&'static str> {
    Presets::built_in().names(kind).collect()
}

/// The text of a built-in preset, as it is in `configs/`.
pub fn preset_text(kind: Kind, name: &str) -> Option<&'static str> {
    Presets::built_in().text(kind, name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_list_and_the_folder_hold_the_same_presets() {
        let configs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs"));
        let mut files = BTreeSet::new();
        for kind in Kind::ALL {
            for entry in fs::read_dir(configs.join(kind.folder())).into_iter().flatten() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if let Some(stem) = name.strip_suffix(".toml") {
                    files.insert(format!("{}/{stem}", kind.folder()));
                }
            }
        }
        let listed: BTreeSet<_> = BUILT_IN.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(listed, files, "presets.rs and configs/ differ");
        assert_eq!(listed.len(), BUILT_IN.len(), "a preset is listed twice");
    }

    #[test]
    fn every_preset_has_the_kind_of_its_folder() {
        for (path, text) in BUILT_IN {
            let kind = super::super::kind_of(path, text).unwrap();
            assert!(name_within(kind, path).is_some(), "{path} has kind {kind}");
        }
    }
}
