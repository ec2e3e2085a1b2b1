//! Tests of the integer reference inference and of the checks that it relies on.

use super::*;
use crate::coding::InputCoding;
use crate::datasets::Split;

const INPUT: Shape = Shape { channels: 1, height: 2, width: 2 };

/// A layer of a chain, which reads what the layers before it leave; set by [`network`].
fn mvm(name: &str, window: Window, weights: &[i32], bias: &[i64], output: MvmOutput) -> QuantisedLayer {
    let (weights, bias) = (weights.to_vec(), bias.to_vec());
    QuantisedLayer::Mvm(QuantisedMvm {
        name: name.into(),
        input: 0,
        window,
        groups: 1,
        weights,
        outputs: bias.len(),
        weight_bits: 8,
        weight_offset: None,
        bias,
        output,
    })
}

fn network(input: Shape, mut layers: Vec<QuantisedLayer>) -> QuantisedNetwork {
    for (index, layer) in layers.iter_mut().enumerate() {
        if let QuantisedLayer::Mvm(mvm) = layer {
            mvm.input = index;
        }
    }
    let coding = InputCoding::unsigned(4);
    QuantisedNetwork { name: "small".into(), dataset: "digits-8x8".into(), input, coding, layers }
}

/// Unsigned codes.
fn codes(multipliers: &[f64], bits: u32) -> MvmOutput {
    MvmOutput::Codes { multipliers: multipliers.to_vec(), bits, signed: false }
}

fn two_layers() -> QuantisedNetwork {
    let hidden = codes(&[0.5; 2], 4);
    let flat = Window::whole(Shape { channels: 2, height: 1, width: 1 });
    network(
        INPUT,
        vec![
            mvm("fc1", Window::whole(INPUT), &[1, 2, 3, 4, -1, -1, -1, 127], &[1, -2], hidden),
            mvm("fc2", flat, &[1, -1, 2, 1, 0, 0], &[0, 0, 5], MvmOutput::Scores),
        ],
    )
}

#[test]
fn two_linear_layers_by_hand() {
    // fc1: 1*1 + 2*0 + 3*2 + 4*0 + 1 = 8 -> 4; -1 + 0 - 2 + 0 - 2 = -5 -> -2.5 -> clipped to 0.
    assert_eq!(two_layers().infer_codes(&[1, 0, 2, 0]).unwrap(), [4, 8, 5]);
    // fc1: 0 + 4 + 1 = 5 -> 2.5 -> 2 (half to even); 127 - 2 = 125 -> 62.5 -> clipped to 15.
    assert_eq!(two_layers().infer_layers(&[0, 0, 0, 1]).unwrap(), [vec![2, 15], vec![-13, 19, 5]]);
}

#[test]
fn rounding_is_half_to_even_and_clips() {
    let accumulators = [-3, -1, 0, 1, 2, 3, 5, 7, 13, 14, 15, 1 << 52];
    let layer = |output: MvmOutput| {
        let QuantisedLayer::Mvm(layer) = mvm("fc", Window::whole(INPUT), &[], &[0; 12], output) else { panic!() };
        layer.requantise(&accumulators)
    };
    assert_eq!(layer(codes(&[0.5; 12], 3)), [0, 0, 0, 0, 1, 2, 2, 4, 6, 7, 7, 7]);
    assert_eq!(layer(MvmOutput::Scores), accumulators);
    // Every output has its own multiplier.
    let own: Vec<f64> = (1..=12).map(f64::from).collect();
    assert_eq!(layer(codes(&own, 6)), [0, 0, 0, 4, 10, 18, 35, 56, 63, 63, 63, 63]);
}

#[test]
fn input_codes_cover_the_range() {
    let net = two_layers();
    assert_eq!(net.input_codes(&[0.0, 1.0, 0.5, 1.0 / 15.0]), [0, 15, 8, 1]);
    assert_eq!(net.input_codes(&[-1.0, 2.0, f32::NAN, f32::INFINITY]), [0, 15, 0, 15]);
    // Above, 0.5 gives 7.5 and so 8; with one bit it gives 0.5 and so 0: ties go to the even code.
    assert_eq!(
        QuantisedNetwork { coding: InputCoding::unsigned(1), ..net }.input_codes(&[0.5, 0.500_001, 0.0, 1.0]),
        [0, 1, 0, 1]
    );
}

/// A convolution by the definition, with its own index arithmetic.
fn naive_conv(map: &[i64], shape: Shape, weights: &[i32], output: (usize, usize), at: (usize, usize)) -> i64 {
    let (kernel, padding, (channel, stride)) = (3, 1, output);
    let mut sum = 0;
    for c in 0..shape.channels {
        for ky in 0..kernel {
            for kx in 0..kernel {
                let (y, x) = ((at.0 * stride + ky) as i64 - padding, (at.1 * stride + kx) as i64 - padding);
                if (0..shape.height as i64).contains(&y) && (0..shape.width as i64).contains(&x) {
                    let weight = weights[((channel * shape.channels + c) * kernel + ky) * kernel + kx];
                    sum += i64::from(weight) * map[(c * shape.height + y as usize) * shape.width + x as usize];
                }
            }
        }
    }
    sum
}

#[test]
fn convolution_follows_the_definition() {
    let input = Shape { channels: 3, height: 5, width: 4 };
    let codes: Vec<i32> = (0..60).map(|i| i * 7 % 16).collect();
    let map: Vec<i64> = codes.iter().map(|&c| i64::from(c)).collect();
    let weights: Vec<i32> = (0..2 * 27).map(|i| i * 53 % 255 - 127).collect();
    for stride in [1, 2] {
        let window = Window::square(input, 3, stride, 1);
        let net = network(input, vec![mvm("conv1", window, &weights, &[100, -100], MvmOutput::Scores)]);
        let scores = net.infer_codes(&codes).unwrap();
        let (height, width) = (window.out_height(), window.out_width());
        assert_eq!(scores.len(), 2 * height * width);
        for (index, &score) in scores.iter().enumerate() {
            let (channel, oy, ox) = (index / (height * width), index / width % height, index % width);
            let bias = [100, -100][channel];
            assert_eq!(score, bias + naive_conv(&map, input, &weights, (channel, stride), (oy, ox)));
        }
    }
}

#[test]
fn max_pool_works_on_codes() {
    let input = Shape { channels: 2, height: 2, width: 4 };
    let window = Window::square(input, 2, 2, 0);
    let pool = QuantisedLayer::MaxPool(QuantisedMaxPool { name: "pool".into(), input: 0, window });
    let codes = [1, 2, 3, 4, 5, 0, 0, 9, 0, 0, 7, 1, 0, 0, 2, 3];
    assert_eq!(network(input, vec![pool]).infer_codes(&codes).unwrap(), [5, 9, 0, 7]);
}

/// A convolution of kernel 1 without ReLU, an addition with it, global average pooling, and the scores.
fn residual() -> QuantisedNetwork {
    let pixel = Window::square(INPUT, 1, 1, 0);
    let layers = vec![
        mvm("conv", pixel, &[-1], &[3], MvmOutput::Codes { multipliers: vec![0.5], bits: 3, signed: true }),
        QuantisedLayer::Add(QuantisedAdd {
            name: "add".into(),
            inputs: [1, 0],
            shape: INPUT,
            multipliers: [2.0, 0.5],
            bits: 4,
            signed: false,
        }),
        QuantisedLayer::AveragePool(QuantisedAveragePool {
            name: "gap".into(),
            input: 2,
            window: Window::whole(INPUT),
            multiplier: 0.25,
            count_padding: true,
            bits: 4,
        }),
        mvm("fc", Window::whole(Shape { channels: 1, height: 1, width: 1 }), &[3, -2], &[1, 0], MvmOutput::Scores),
    ];
    network(INPUT, layers)
}

#[test]
fn a_residual_network_by_hand() {
    // conv: (3 - x) / 2: 1.5 -> 2 and 0.5 -> 0 (half to even), -6 and -3; add: 2 a + x / 2: 4; 1; -12 + 7.5 and -6 + 4.5 -> 0.
    let results = residual().infer_layers(&[0, 2, 15, 9]).unwrap();
    assert_eq!(results, [vec![2, 0, -6, -3], vec![4, 1, 0, 0], vec![1], vec![4, -2]]);
    // The lowest code of three bits and a sign is -7.
    let mut net = residual();
    let QuantisedLayer::Mvm(conv) = &mut net.layers[0] else { panic!("a convolution") };
    conv.bias[0] = -100;
    assert_eq!(net.infer_layers(&[0, 2, 15, 9]).unwrap()[0], [-7; 4]);
    assert_eq!(net.format_of(1), Some(CodeFormat { bits: 3, signed: true }));
    assert_eq!(net.format_of(3), Some(CodeFormat { bits: 4, signed: false }));
    assert_eq!((net.format_of(4), net.mac_count()), (None, 4 + 2));
    // Averages may have more codes than what they are averages of.
    let mut net = residual();
    let QuantisedLayer::AveragePool(gap) = &mut net.layers[2] else { panic!("an average") };
    (gap.multiplier, gap.bits) = (4.0, 7);
    assert_eq!(net.infer_layers(&[0, 2, 15, 9]).unwrap()[2], [20]);
    assert_eq!(net.format_of(3), Some(CodeFormat { bits: 7, signed: false }));
}

#[test]
fn what_is_wrong_with_a_graph_is_named() {
    let message = |change: &dyn Fn(&mut QuantisedNetwork)| {
        let mut net = residual();
        change(&mut net);
        net.validate().unwrap_err().to_string()
    };
    let add = |change: fn(&mut QuantisedAdd)| {
        message(&|net| {
            if let QuantisedLayer::Add(add) = &mut net.layers[1] {
                change(add);
            }
        })
    };
    assert_eq!(residual().validate(), Ok(()));
    assert!(add(|add| add.inputs[0] = 2).contains("layer `add`: input is 2, allowed: 0 to 1, the layers before it"));
    assert!(add(|add| add.inputs[0] = 0).contains("layer `conv`: number of layers that read its result is 0"));
    assert!(add(|add| add.multipliers[1] = 0.0).contains("multipliers[1] is 0, allowed: positive numbers of at most"));
    assert!(add(|add| add.multipliers[0] = f64::NAN).contains("multipliers[0] is NaN"));
    assert!(add(|add| add.bits = 17).contains("bits is 17, allowed: 1 to 16"));
    assert!(add(|add| add.shape.width = 3).contains("window input is 1x2x3, allowed: 1x2x2"));
    let gap = message(&|net| {
        if let QuantisedLayer::AveragePool(pool) = &mut net.layers[2] {
            pool.multiplier = 65_537.0;
        }
    });
    let width = message(&|net| {
        if let QuantisedLayer::AveragePool(pool) = &mut net.layers[2] {
            pool.bits = 0;
        }
    });
    assert!(width.contains("layer `gap`: bits is 0, allowed: 1 to 16"), "{width}");
    assert!(gap.contains("layer `gap`: multiplier is 65537, allowed: positive numbers of at most 65536"), "{gap}");
}

#[test]
fn padding_is_no_maximum() {
    let window = Window::square(INPUT, 2, 1, 1);
    let pool = QuantisedMaxPool { name: "pool".into(), input: 0, window };
    assert_eq!(pool.reduce(&[-4, -3, -2, -1]), [-4, -3, -3, -2, -1, -1, -2, -1, -1]);
}

#[test]
fn accuracy_picks_the_lowest_class_among_equal_scores() {
    let window = Window::whole(INPUT);
    let net = network(INPUT, vec![mvm("fc", window, &[1, 0, 0, 0, 0, 1, 0, 0], &[0, 0], MvmOutput::Scores)]);
    let images = vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0];
    let split = Split { features: 4, images, labels: vec![0, 1, 0, 1] };
    assert_eq!(net.accuracy(&split), Ok(0.75));
}

#[test]
fn the_widest_sums_stay_exact() {
    let input = Shape { channels: 1, height: 256, width: 256 };
    let layer = QuantisedMvm {
        name: "fc".into(),
        input: 0,
        window: Window::whole(input),
        groups: 1,
        weights: vec![-32767; input.len()],
        outputs: 1,
        weight_bits: 16,
        weight_offset: None,
        bias: vec![-crate::quantised::MAX_BIAS],
        output: MvmOutput::Scores,
    };
    let net =
        QuantisedNetwork { coding: InputCoding::unsigned(16), ..network(input, vec![QuantisedLayer::Mvm(layer)]) };
    let expected = -(i128::from(crate::quantised::MAX_BIAS) + 32767 * 65535 * (1 << 16));
    let scores = net.infer_codes(&vec![65535; input.len()]).unwrap();
    assert_eq!(scores.into_iter().map(i128::from).collect::<Vec<_>>(), [expected]);
}

/// The message for `two_layers` after a change to its first layer.
fn message(change: impl Fn(&mut QuantisedMvm)) -> String {
    let mut net = two_layers();
    if let QuantisedLayer::Mvm(mvm) = &mut net.layers[0] {
        change(mvm);
    }
    net.validate().unwrap_err().to_string()
}

/// A convolution in groups is one convolution for every group, over its own channels.
#[test]
fn groups_are_convolutions_of_their_own() {
    let input = Shape { channels: 6, height: 5, width: 4 };
    let codes: Vec<i32> = (0..120).map(|i| i * 7 % 31 - 15).collect();
    let map: Vec<i64> = codes.iter().map(|&code| i64::from(code)).collect();
    for (groups, outputs) in [(1, 4), (2, 4), (3, 6), (6, 6)] {
        let (channels, outputs_per_group) = (6 / groups, outputs / groups);
        let weights: Vec<i32> = (0..(outputs * channels * 9) as i32).map(|i| i * 53 % 255 - 127).collect();
        let window = Window::square(input, 3, 1, 1);
        let mut layer = mvm("conv", window, &weights, &vec![0; outputs], MvmOutput::Scores);
        if let QuantisedLayer::Mvm(layer) = &mut layer {
            layer.groups = groups;
        }
        let mut net = network(input, vec![layer]);
        net.coding.format.signed = true;
        let scores = net.infer_codes(&codes).unwrap();
        for (index, &score) in scores.iter().enumerate() {
            let (output, oy, ox) = (index / 20, index / 4 % 5, index % 4);
            let group = output / outputs_per_group;
            let shape = Shape { channels, ..input };
            let of_group = &map[group * channels * 20..(group + 1) * channels * 20];
            assert_eq!(score, naive_conv(of_group, shape, &weights, (output, 1), (oy, ox)), "{groups}, {index}");
        }
    }
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(two_layers().validate(), Ok(()));
    let start = "network `small`, layer `fc1`: ";
    assert_eq!(message(|m| m.weights[3] = -128), format!("{start}weights[3] is -128, allowed: -127 to 127"));
    assert_eq!(
        message(|m| m.output = MvmOutput::Scores),
        format!("{start}output is scores, allowed: codes, as another layer follows")
    );
    assert!(
        message(|m| m.output = codes(&[1.0, f64::NAN], 4))
            .contains("multipliers[1] is NaN, allowed: positive finite numbers")
    );
    assert!(message(|m| m.output = codes(&[1.0], 4)).contains("values of multipliers is 1, allowed: exactly 2"));
    assert!(message(|m| m.output = codes(&[1.0; 2], 17)).contains("bits is 17, allowed: 1 to 16"));
    assert!(message(|m| m.groups = 2).contains("groups is 2, allowed: divisors of its 1 channels and 2 outputs"));
    assert!(message(|m| m.groups = 0).contains("groups is 0"));
    assert!(message(|m| m.weight_bits = 0).contains("weight_bits is 0, allowed: 1 to 16"));
    let binary = |weight: i32| {
        move |m: &mut QuantisedMvm| {
            m.weight_bits = 1;
            m.weights.fill(-1);
            m.weights[2] = weight;
        }
    };
    assert!(message(binary(0)).contains("weights[2] is 0, allowed: -1 or 1"));
    assert!(message(binary(2)).contains("weights[2] is 2, allowed: -1 or 1"));
    assert!(message(|m| m.bias[1] = i64::MIN).contains("bias[1] is -9223372036854775808"));
    assert!(message(|m| m.weights.truncate(3)).contains("number of values of weights is 3, allowed: exactly 8"));
    assert!(
        message(|m| m.window.input.width = 3).contains("window input is 1x2x3, allowed: 1x2x2, its input, or 4x1x1")
    );
    assert!(message(|m| m.name = "fc2".into()).contains("names used only once"));
    let error = two_layers().infer_codes(&[0, 16, 0, 0]).unwrap_err().to_string();
    assert_eq!(error, "network `small`: input code 1 is 16, allowed: 0 to 15");
    assert!(
        two_layers()
            .infer(&[0.0; 5])
            .unwrap_err()
            .to_string()
            .contains("number of input codes is 5, allowed: exactly 4")
    );
}
