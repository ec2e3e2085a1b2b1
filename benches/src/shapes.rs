//! Networks of shapes, without weights: what the timing engine needs of them.

use nn::coding::InputCoding;
use nn::quantised::{
    MvmOutput, QuantisedAdd, QuantisedAveragePool, QuantisedLayer, QuantisedMaxPool, QuantisedMvm, QuantisedNetwork,
};
use nn::{Shape, Window};

const BITS: u32 = 8;

/// A network whose layers have no weights.
#[derive(Clone, Copy, Debug)]
pub struct Outline {
    /// Name, kebab-case.
    pub name: &'static str,
    /// Pixels on a side of its images.
    pub size: usize,
    /// Makes it for images of so many pixels on a side, with channels multiplied by a factor.
    pub network: fn(usize, usize) -> QuantisedNetwork,
}

/// VGG-8.
pub const VGG8: Outline = Outline { name: "vgg-8", size: 32, network: vgg8 };
/// ResNet-18.
pub const RESNET18: Outline = Outline { name: "resnet-18", size: 224, network: resnet18 };

/// VGG-8 for images of 3 x 32 x 32, as NeuroSim has it (Peng et al., IEDM 2019): six convolutions and two linear layers.
#[must_use]
pub fn vgg8(size: usize, factor: usize) -> QuantisedNetwork {
    let mut network = Shapes::new("vgg-8", size);
    let mut last = 0;
    for (block, channels) in [128, 256, 512].into_iter().enumerate() {
        last = network.conv(&format!("conv{block}-a"), last, channels * factor, [3, 1, 1], false);
        last = network.conv(&format!("conv{block}-b"), last, channels * factor, [3, 1, 1], false);
        last = network.max_pool(&format!("pool{block}"), last, [2, 2, 0]);
    }
    last = network.linear("fc1", last, 1024 * factor, false);
    network.linear("fc2", last, 10, true);
    network.0
}

/// ResNet-18 (He et al., CVPR 2016, table 1) with projections where the shape changes.
#[must_use]
pub fn resnet18(size: usize, factor: usize) -> QuantisedNetwork {
    let mut network = Shapes::new("resnet-18", size);
    let mut last = network.conv("conv1", 0, 64 * factor, [7, 2, 3], false);
    last = network.max_pool("pool1", last, [3, 2, 1]);
    for (stack, channels) in [64, 128, 256, 512].into_iter().enumerate() {
        for block in 0..2 {
            let stride = if stack > 0 && block == 0 { 2 } else { 1 };
            last = network.residual(&format!("block{stack}-{block}"), last, channels * factor, stride);
        }
    }
    last = network.global_average("average", last);
    network.linear("fc", last, 1000, true);
    network.0
}

/// A network in the making.
struct Shapes(QuantisedNetwork);

impl Shapes {
    fn new(name: &str, size: usize) -> Self {
        let (name, dataset) = (name.to_owned(), "shapes".to_owned());
        let input = Shape { channels: 3, height: size, width: size };
        Self(QuantisedNetwork { name, dataset, input, coding: InputCoding::unsigned(BITS), layers: Vec::new() })
    }

    /// Two convolutions and a shortcut, added before the ReLU.
    fn residual(&mut self, name: &str, input: usize, channels: usize, stride: usize) -> usize {
        let first = self.conv(&format!("{name}-a"), input, channels, [3, stride, 1], false);
        let second = self.conv(&format!("{name}-b"), first, channels, [3, 1, 1], true);
        let shape = self.0.shape_of(second);
        let shortcut = match self.0.shape_of(input) == shape {
            true => input,
            false => self.conv(&format!("{name}-projection"), input, channels, [1, stride, 0], true),
        };
        let (name, inputs, multipliers) = (format!("{name}-add"), [second, shortcut], [0.5; 2]);
        self.push(QuantisedLayer::Add(QuantisedAdd { name, inputs, shape, multipliers, bits: BITS, signed: false }))
    }

    fn conv(&mut self, name: &str, input: usize, channels: usize, kernel: [usize; 3], signed: bool) -> usize {
        let window = self.window(input, kernel);
        self.mvm(name, input, (window, channels), MvmOutput::Codes { multipliers: Vec::new(), bits: BITS, signed })
    }

    fn linear(&mut self, name: &str, input: usize, outputs: usize, last: bool) -> usize {
        let codes = MvmOutput::Codes { multipliers: Vec::new(), bits: BITS, signed: false };
        let window = Window::whole(self.0.shape_of(input));
        self.mvm(name, input, (window, outputs), if last { MvmOutput::Scores } else { codes })
    }

    fn max_pool(&mut self, name: &str, input: usize, kernel: [usize; 3]) -> usize {
        let window = self.window(input, kernel);
        self.push(QuantisedLayer::MaxPool(QuantisedMaxPool { name: name.to_owned(), input, window }))
    }

    fn global_average(&mut self, name: &str, input: usize) -> usize {
        let window = Window::whole(self.0.shape_of(input));
        let multiplier = 1.0 / window.rows() as f64;
        self.push(QuantisedLayer::AveragePool(QuantisedAveragePool {
            name: name.to_owned(),
            input,
            window,
            multiplier,
        }))
    }

    fn mvm(&mut self, name: &str, input: usize, (window, outputs): (Window, usize), output: MvmOutput) -> usize {
        let (name, weights, bias) = (name.to_owned(), Vec::new(), Vec::new());
        let mvm = QuantisedMvm { name, input, window, groups: 1, weights, outputs, weight_bits: BITS, bias, output };
        self.push(QuantisedLayer::Mvm(mvm))
    }

    fn window(&self, input: usize, [size, stride, padding]: [usize; 3]) -> Window {
        Window::square(self.0.shape_of(input), size, stride, padding)
    }

    fn push(&mut self, layer: QuantisedLayer) -> usize {
        self.0.layers.push(layer);
        self.0.layers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chip::timing;
    use explore::config::{Kind, load};
    use nn_compiler::mapping::Mapping;
    use nn_compiler::{Chip, outline, replicate};

    /// Multiply-accumulates as published: 1.8 G for ResNet-18 (He et al., table 1); those of VGG-8 by hand.
    #[test]
    fn networks_have_their_published_sizes() {
        let chip = chip();
        let macs = |network: &QuantisedNetwork| outline(network, &mapping(), &chip).unwrap().macs;
        assert_eq!(macs(&resnet18(224, 1)), 1_814_073_344);
        let convolutions = 1024 * 9 * (3 + 128) * 128 + 256 * 9 * (128 + 256) * 256 + 64 * 9 * (256 + 512) * 512;
        assert_eq!(macs(&vgg8(32, 1)), convolutions + 8192 * 1024 + 10_240);
    }

    /// The whole path from shapes to cycles, with and without copies, on small images.
    #[test]
    fn networks_run_and_copies_make_them_faster() {
        for network in [vgg8(8, 1), resnet18(32, 1)] {
            let mut program = outline(&network, &mapping(), &chip()).unwrap();
            let slow = timing::run(&program, 2).unwrap();
            let least = program.mvm_stages().map(|(_, stage)| 2 * stage.crossbars.len() as u64).sum::<u64>();
            replicate(&mut program, 2 * least).unwrap();
            let fast = timing::run(&program, 2).unwrap();
            assert!(fast.cycles() < slow.cycles(), "{}: {} and {}", network.name, fast.cycles(), slow.cycles());
            assert_eq!(fast.counts.adc_conversion, slow.counts.adc_conversion);
        }
    }

    /// An outline is for timing only, and a network with weights is none.
    #[test]
    fn outlines_are_told_from_programs() {
        let mut network = vgg8(8, 1);
        let program = outline(&network, &mapping(), &chip()).unwrap();
        assert_eq!(program.validate_outline(), Ok(()));
        assert!(program.validate().unwrap_err().contains("it must have one bias per output"));
        let QuantisedLayer::Mvm(mvm) = &mut network.layers[0] else { panic!("a convolution") };
        mvm.bias = vec![0; 128];
        assert!(outline(&network, &mapping(), &chip()).unwrap_err().to_string().contains("an outline has none"));
    }

    fn mapping() -> Mapping {
        Mapping::parse("differential").unwrap()
    }

    fn chip() -> Chip {
        let overrides = ["mesh.width=64", "mesh.height=64", "tile.buffer.bytes=1000000"];
        load(Kind::Chip, "default", &overrides.map(str::to_owned)).unwrap()
    }
}
