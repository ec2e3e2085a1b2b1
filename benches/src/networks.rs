//! The networks of the benchmarks, in integers: 8-bit weights and activations. Weights are random, as speed does not depend on what a
//! network has learnt; activations use their codes as those of trained networks do.

use crate::Failure;
use crate::builder::{Builder, Kernel};
use crate::images::{photographs, strokes};
use nn::Shape;
use nn::datasets::Split;
use nn::quantised::QuantisedNetwork;

const DIGIT: Shape = Shape { channels: 1, height: 28, width: 28 };
const PHOTOGRAPH: Shape = Shape { channels: 3, height: 32, width: 32 };
const THREE: Kernel = Kernel { size: 3, stride: 1, padding: 1 };

/// A network of the benchmarks.
#[derive(Clone, Copy, Debug)]
pub struct Benchmark {
    /// Name, kebab-case.
    pub name: &'static str,
    /// Images of one measured batch: some tens of milliseconds, or two hundred of the largest.
    pub images: usize,
    /// Makes images.
    pub make_images: fn(usize) -> Split,
    /// Makes the network.
    pub network: fn() -> Result<QuantisedNetwork, Failure>,
}

/// All networks, the smallest first.
pub const NETWORKS: &[Benchmark] = &[
    Benchmark { name: "mlp-784-256-10", images: 512, make_images: strokes, network: mlp },
    Benchmark { name: "lenet-5", images: 256, make_images: strokes, network: lenet5 },
    Benchmark { name: "resnet-8", images: 32, make_images: photographs, network: resnet8 },
    Benchmark { name: "resnet-20", images: 16, make_images: photographs, network: resnet20 },
];

/// 784-256-10.
///
/// # Errors
/// If the network is not valid.
pub fn mlp() -> Result<QuantisedNetwork, Failure> {
    let mut network = Builder::new("mlp-784-256-10", "strokes", DIGIT, &strokes(1).images);
    let hidden = network.linear("fc1", 0, 256);
    network.scores("fc2", hidden, 10);
    network.finish()
}

/// LeNet-5 (LeCun et al., Proc. IEEE 86(11), 1998) with ReLU and maximum pooling, as it is built today.
///
/// # Errors
/// If the network is not valid.
pub fn lenet5() -> Result<QuantisedNetwork, Failure> {
    let mut network = Builder::new("lenet-5", "strokes", DIGIT, &strokes(1).images);
    let conv1 = network.conv("conv1", 0, 6, Kernel { size: 5, stride: 1, padding: 2 });
    let pool1 = network.max_pool("pool1", conv1);
    let conv2 = network.conv("conv2", pool1, 16, Kernel { size: 5, stride: 1, padding: 0 });
    let pool2 = network.max_pool("pool2", conv2);
    let fc1 = network.linear("fc1", pool2, 120);
    let fc2 = network.linear("fc2", fc1, 84);
    network.scores("fc3", fc2, 10);
    network.finish()
}

/// ResNet-8 of MLPerf Tiny (Banbury et al., NeurIPS 2021): one block of 16, 32 and 64 channels each, 12.5 M multiply-accumulates.
///
/// # Errors
/// If the network is not valid.
pub fn resnet8() -> Result<QuantisedNetwork, Failure> {
    resnet("resnet-8", 1)
}

/// ResNet-20 (He et al., CVPR 2016, section 4.2), with projections where the shape changes: 41 M multiply-accumulates.
///
/// # Errors
/// If the network is not valid.
pub fn resnet20() -> Result<QuantisedNetwork, Failure> {
    resnet("resnet-20", 3)
}

fn resnet(name: &str, blocks: usize) -> Result<QuantisedNetwork, Failure> {
    let mut network = Builder::new(name, "photographs", PHOTOGRAPH, &photographs(1).images);
    let mut last = network.conv("conv", 0, 16, THREE);
    for (stack, channels) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if stack > 0 && block == 0 { 2 } else { 1 };
            last = residual(&mut network, &format!("block{stack}-{block}"), last, (channels, stride));
        }
    }
    let average = network.global_average("average", last);
    network.scores("fc", average, 10);
    network.finish()
}

/// Two convolutions and a shortcut, added before the ReLU.
fn residual(network: &mut Builder, name: &str, input: usize, (channels, stride): (usize, usize)) -> usize {
    let first = network.conv(&format!("{name}-a"), input, channels, Kernel { stride, ..THREE });
    let second = network.signed_conv(&format!("{name}-b"), first, channels, THREE);
    let projection = Kernel { size: 1, stride, padding: 0 };
    let shortcut = match network.shape_of(input) == network.shape_of(second) {
        true => input,
        false => network.signed_conv(&format!("{name}-projection"), input, channels, projection),
    };
    network.add(&format!("{name}-add"), [second, shortcut])
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::quantised::{MvmOutput, QuantisedLayer};

    /// Multiply-accumulates: worked out by hand for the first two; MLPerf Tiny states 12.5 M for ResNet-8 and He et al. 41 M for ResNet-20.
    #[test]
    fn networks_have_their_published_sizes() {
        let macs = NETWORKS.iter().map(|benchmark| (benchmark.network)().unwrap().mac_count()).collect::<Vec<_>>();
        assert_eq!(macs[..2], [784 * 256 + 2_560, 784 * 150 + 100 * 2_400 + 400 * 120 + 120 * 84 + 840]);
        assert_eq!(macs[2..], [12_501_632, 40_813_184]);
    }

    /// Half of the sums are negative, and the codes behind them are neither all small nor all clipped.
    #[test]
    fn activations_use_their_codes() {
        for benchmark in NETWORKS {
            let (network, images) = ((benchmark.network)().unwrap(), (benchmark.make_images)(2));
            // The second image, on which nothing was fitted.
            let results = network.infer_layers(&network.input_codes(images.image(1))).unwrap();
            let behind_relu = |layer: &QuantisedLayer| match layer {
                QuantisedLayer::Mvm(mvm) => matches!(mvm.output, MvmOutput::Codes { signed: false, .. }),
                QuantisedLayer::Add(_) => true,
                _ => false,
            };
            for (layer, codes) in network.layers.iter().zip(&results).filter(|(layer, _)| behind_relu(layer)) {
                let share = |wanted: &dyn Fn(i64) -> bool| {
                    codes.iter().filter(|&&code| wanted(code)).count() as f64 / codes.len() as f64
                };
                let (zeros, clipped) = (share(&|code| code == 0), share(&|code| code == 255));
                let at = format!("{} {}: {zeros} zeros, {clipped} clipped", network.name, layer.name());
                assert!((0.1..0.9).contains(&zeros) && clipped < 0.1, "{at}");
                assert!(codes.iter().any(|&code| code > 100), "{at}");
            }
        }
    }
}
