//! Tests of [`super::Network`].

use super::*;

fn linear(inputs: usize, outputs: usize) -> Op {
    Op::Linear(Linear {
        inputs,
        outputs,
        weight: (0..inputs * outputs).map(|i| ((i * 31 % 17) as f32 - 8.0) / 16.0).collect(),
        bias: vec![0.25; outputs],
        weight_scale: 1.0 / 64.0,
    })
}

fn conv(in_channels: usize, out_channels: usize) -> Op {
    Op::Conv2d(Conv2d {
        in_channels,
        out_channels,
        kernel: 3,
        stride: 1,
        padding: 1,
        weight: (0..in_channels * out_channels * 9).map(|i| ((i * 13 % 11) as f32 - 5.0) / 8.0).collect(),
        bias: vec![0.5; out_channels],
        weight_scale: 1.0 / 64.0,
    })
}

fn network(layers: Vec<(&str, Op)>) -> Network {
    Network {
        name: "small".into(),
        dataset: "digits-8x8".into(),
        input: Shape { channels: 1, height: 8, width: 8 },
        layers: layers.into_iter().map(|(name, op)| Layer { name: name.into(), op }).collect(),
    }
}

fn cnn() -> Network {
    let pool = Op::MaxPool(MaxPool { kernel: 2, stride: 2 });
    network(vec![("conv1", conv(1, 4)), ("relu1", Op::Relu), ("pool1", pool), ("fc1", linear(64, 10))])
}

#[test]
fn shapes_and_counts() {
    let net = cnn();
    assert_eq!(net.validate(), Ok(()));
    let shapes: Vec<String> = net.shapes().unwrap().iter().map(Shape::to_string).collect();
    assert_eq!(shapes, ["4x8x8", "4x8x8", "4x4x4", "10x1x1"]);
    assert_eq!(net.parameter_count(), 4 * 9 + 4 + 640 + 10);
    assert_eq!(net.mac_count().unwrap(), 36 * 64 + 640);
}

#[test]
fn a_batch_gives_what_its_images_give() {
    let net = cnn();
    let data = crate::datasets::load("digits-8x8").unwrap();
    let batch = net.forward(&data.test.images[..64 * 5]).unwrap();
    let single: Vec<f32> = (0..5).flat_map(|i| net.forward(data.test.image(i)).unwrap()).collect();
    assert_eq!(batch, single);
    assert!(net.forward(&[]).unwrap().is_empty());
}

#[test]
fn accuracy_counts_the_images_whose_best_score_is_at_their_label() {
    let net = cnn();
    let mut split = crate::datasets::load("digits-8x8").unwrap().test.truncated(150);
    let scores = net.forward(&split.images).unwrap();
    split.labels = scores.chunks(10).map(|s| argmax(s) as u8).collect();
    assert_eq!(net.accuracy(&split), Ok(1.0));
    split.labels[3] = (split.labels[3] + 1) % 10;
    split.labels[149] = (split.labels[149] + 1) % 10;
    assert_eq!(net.accuracy(&split), Ok(148.0 / 150.0));
    assert!(net.accuracy(&split.truncated(0)).is_err());
}

#[test]
fn errors_name_the_layer() {
    let net = network(vec![("fc1", linear(64, 12)), ("fc2", linear(13, 10))]);
    let error = net.forward(&[0.0; 64]).unwrap_err().to_string();
    assert_eq!(error, "network `small`, layer `fc2`: inputs is 13, allowed: 12, the values of its input 12x1x1");
    let net = network(vec![("fc1", linear(64, 64)), ("fc1", linear(64, 10))]);
    assert!(
        net.validate().unwrap_err().to_string().contains("layer `fc1`: name is fc1, allowed: names used only once")
    );
    assert!(network(vec![]).validate().unwrap_err().to_string().contains("number of layers is 0"));
    let mut net = cnn();
    net.input.height = 0;
    assert!(net.validate().unwrap_err().to_string().contains("height is 0"));
    let mut net = cnn();
    net.layers[0].op.parameters_mut().unwrap().0[5] = f32::INFINITY;
    assert!(net.validate().unwrap_err().to_string().contains("layer `conv1`: weight[5] is inf"));
    assert!(cnn().forward(&[0.0; 65]).unwrap_err().to_string().contains("65, allowed: multiples of 64"));
}
