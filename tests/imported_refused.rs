//! What a chip cannot do of a network is named at once, whichever step finds it, and by the name that it has in the file.

use crate::support::chips;
use chip::config::RangePolicy;
use chip::functional::{ChipSample, infer};
use nn::datasets::Split;
use nn::graph::{AveragePool, Conv, Graph, Linear, Node, Operation, Pad, Softmax, WeightScale};
use nn::{Axis, Shape};
use nn_compiler::compile::encode_images;
use nn_compiler::front::{Goal, Quantisation, dump_after, quantised};
use nn_compiler::mapping::Mapping;
use nn_compiler::{CompilationSettings, compile_quantised};
use std::collections::BTreeSet;
use tile::address::Purpose;

const INPUT: Shape = Shape { channels: 4, height: 6, width: 6 };

fn draw(index: usize) -> f32 {
    ((index * 7919 + 13) % 101) as f32 / 50.0 - 1.0
}

fn node(name: &str, inputs: &[usize], op: Operation) -> Node {
    Node { name: name.to_owned(), inputs: inputs.to_vec(), op }
}

/// A convolution of 4 channels that keeps the size of maps.
fn conv(name: &str, input: usize) -> Node {
    let axis = Axis::new(3, 1, 1);
    let conv = Conv {
        in_channels: 4,
        out_channels: 4,
        groups: 1,
        vertical: axis,
        horizontal: axis,
        weight: (0..4 * 36).map(draw).collect(),
        bias: vec![0.1; 4],
        weight_scale: WeightScale::Free,
        weight_offset: None,
    };
    node(name, &[input], Operation::Conv(conv))
}

fn linear(name: &str, input: usize, inputs: usize) -> Node {
    let (outputs, weight) = (3, (0..3 * inputs).map(draw).collect());
    let linear =
        Linear { inputs, outputs, weight, bias: vec![0.0; 3], weight_scale: WeightScale::Free, weight_offset: None };
    node(name, &[input], Operation::Linear(linear))
}

fn softmax(name: &str, input: usize) -> Node {
    node(name, &[input], Operation::Softmax(Softmax { log: false }))
}

fn reshape(name: &str, input: usize, shape: Shape) -> Node {
    node(name, &[input], Operation::Reshape(shape))
}

fn pool(name: &str, input: usize, kernel: usize) -> Node {
    let axis = Axis::new(kernel, kernel, 0);
    node(name, &[input], Operation::AveragePool(AveragePool { vertical: axis, horizontal: axis, count_padding: false }))
}

fn graph(nodes: Vec<Node>) -> Graph {
    let graph = Graph { name: "net".to_owned(), dataset: "none".to_owned(), input: INPUT, nodes };
    graph.validate().unwrap();
    graph
}

fn images() -> Split {
    Split {
        features: INPUT.len(),
        images: (0..8 * INPUT.len()).map(|i| draw(i * i + i / 9)).collect(),
        labels: vec![0; 8],
    }
}

fn weights(node: &mut Node, change: impl Fn(&mut Vec<f32>, &mut Vec<f32>)) {
    match &mut node.op {
        Operation::Conv(conv) => change(&mut conv.weight, &mut conv.bias),
        Operation::Linear(linear) => change(&mut linear.weight, &mut linear.bias),
        op => panic!("{op:?}"),
    }
}

/// The lines of a refusal behind the first, which says how many there are.
fn refused(graph: &Graph, weight_bits: u32, goal: Goal<'_>) -> Vec<String> {
    let mut chip = chips::exact();
    chip.format.weight_bits = weight_bits;
    let error = quantised(graph, &images(), &chip, &Quantisation::default(), goal).unwrap_err().to_string();
    let lines: Vec<String> = error.lines().map(|line| line.trim().to_owned()).collect();
    let names: BTreeSet<_> = lines[1..].iter().map(|line| line.split('`').nth(1)).collect();
    assert!(lines[0].contains(&format!("{} of its nodes cannot be mapped", names.len())), "{error}");
    lines[1..].to_vec()
}

/// Every step has something to say: canonicalisation and fusion, the integers of what lies before and of weights behind, the end of the network, the mapping.
#[test]
fn all_steps_speak_in_one_error() {
    let mut nodes = vec![conv("huge", 0), softmax("shares", 1), conv("tiny", 2), conv("late", 3), conv("end", 4)];
    weights(&mut nodes[0], |_, bias| bias[1] = 1e30);
    weights(&mut nodes[2], |weight, _| weight.iter_mut().for_each(|weight| *weight *= 1e-40));
    // How large a step of its sums is nobody knows behind the softmax.
    weights(&mut nodes[3], |_, bias| bias[1] = 1e30);
    let graph = graph(nodes);
    let expected = [
        "`huge` (weighted layer): bias 1 is 1e30",
        "`shares` (softmax): it compares",
        "`tiny` (weighted layer): its largest weight is",
        "`end` (scores): the network ends in a map of",
    ];
    let check = |lines: &[String], expected: &[&str]| {
        assert_eq!(lines.len(), expected.len(), "{lines:?}");
        for (line, part) in lines.iter().zip(expected) {
            assert!(line.contains(part) && line.contains("; "), "{line}");
        }
    };
    check(&refused(&graph, 8, Goal::Chip(None)), &expected);
    check(&refused(&graph, 8, Goal::Integers), &expected[..3]);
    // Two things are wrong with one node.
    let mut last = vec![conv("c", 0), conv("last", 1)];
    weights(&mut last[1], |_, bias| bias[1] = 1e30);
    let last = self::graph(last);
    check(
        &refused(&last, 8, Goal::Chip(None)),
        &["`last` (weighted layer): bias 1", "`last` (scores): the network ends"],
    );
    let mapping = Mapping::parse("twos-complement").unwrap();
    let one_bit = refused(&graph, 1, Goal::Chip(Some(&mapping)));
    for name in ["huge", "tiny", "late", "end"] {
        let line = one_bit.iter().find(|line| line.contains(&format!("`{name}` (mapping)")));
        let told = line.unwrap_or_else(|| panic!("{name}: {one_bit:?}"));
        assert!(told.contains("cannot store weights of 1 bit") && told.matches("ohmic list mappings").count() == 1);
    }
    // As it was read is told of a network that is refused later, without images.
    let text = |pass: &str| dump_after(pass, &graph, &Quantisation::default());
    assert!(text("import").unwrap().unwrap().contains("shares"));
    assert!(text("fuse").unwrap_err().to_string().contains("`shares` (softmax)"));
    assert!(text("quantise").unwrap().is_none());
}

/// Integers of the network's own that the chip does not hold, and a softmax at the end that compares some of the scores.
#[test]
fn what_would_change_silently_is_refused() {
    let mut wide = linear("wide", 0, INPUT.len());
    if let Operation::Linear(linear) = &mut wide.op {
        linear.weight = (0..linear.weight.len()).map(|index| (index % 256) as f32 - 25.0).collect();
        linear.weight_scale = WeightScale::Tensor(1.0);
    }
    let lines = refused(&graph(vec![wide.clone()]), 8, Goal::Integers);
    assert!(lines.len() == 1 && lines[0].contains("`wide` (weighted layer): its prescribed weights have the codes -25 to 230; format.weight_bits = 8 holds -127 to 127"), "{lines:?}");
    assert!(lines[0].contains("set format.weight_bits to 9"), "{lines:?}");
    let mut chip = chips::exact();
    chip.format.weight_bits = 9;
    assert!(quantised(&graph(vec![wide.clone()]), &images(), &chip, &Quantisation::default(), Goal::Integers).is_ok());
    // A little is clipped, as the lowest code of two's complement.
    weights(&mut wide, |weight, _| weight.iter_mut().for_each(|weight| *weight = weight.min(127.0) - 1.0));
    weights(&mut wide, |weight, _| weight[0] = -128.0);
    assert!(
        quantised(&graph(vec![wide.clone()]), &images(), &chips::exact(), &Quantisation::default(), Goal::Integers)
            .is_ok()
    );
    weights(&mut wide, |weight, _| weight[0] = -161.0);
    assert!(refused(&graph(vec![wide]), 8, Goal::Integers)[0].contains("-161 to 126"));
    // Shares of three scores are the same order as the scores; shares of each of them alone are not.
    let end =
        |shape: Shape| graph(vec![linear("scores", 0, INPUT.len()), reshape("rows", 1, shape), softmax("shares", 2)]);
    let whole = end(Shape { channels: 3, height: 1, width: 1 });
    assert!(quantised(&whole, &images(), &chips::exact(), &Quantisation::default(), Goal::Integers).is_ok());
    let lines = refused(&end(Shape { channels: 1, height: 3, width: 1 }), 8, Goal::Integers);
    assert!(
        lines.len() == 1 && lines[0].contains("`shares` (softmax): it makes shares of some of the scores each"),
        "{lines:?}"
    );
}

/// A softmax over channels at the input, as it is imported: between two reshapes, of which its reader knows nothing.
#[test]
fn what_reads_a_refused_softmax_is_not_blamed() {
    let flat = Shape { channels: 4, height: 36, width: 1 };
    let nodes = vec![
        reshape("flat", 0, flat),
        softmax("shares", 1),
        reshape("back", 2, INPUT),
        conv("c", 3),
        pool("gap", 4, 6),
    ];
    let lines = refused(&graph(nodes), 8, Goal::Chip(None));
    assert!(lines.len() == 1 && lines[0].contains("`shares` (softmax)"), "{lines:?}");
}

/// Two towers that are flattened and joined in front of a fully connected layer.
#[test]
fn flattened_maps_of_one_size_are_joined_and_others_refused_by_what_they_are() {
    let towers = |second: usize| {
        let side = if second == 1 { 6 } else { 3 };
        let sizes = [4 * 36, 4 * side * side];
        let flat = |index: usize| Shape { channels: sizes[index], height: 1, width: 1 };
        graph(vec![
            conv("a", 0),
            reshape("flat_a", 1, flat(0)),
            if second == 1 { conv("b", 0) } else { pool("b", 0, 2) },
            reshape("flat_b", 3, flat(1)),
            node("join", &[2, 4], Operation::Concat),
            linear("fc", 5, sizes[0] + sizes[1]),
        ])
    };
    let (same, images) = (towers(1), images());
    let goal = Goal::Chip(None);
    let integers = quantised(&same, &images, &chips::exact(), &Quantisation::default(), goal).unwrap();
    let deviation = integers.deviation(&same, &images).unwrap();
    assert!(deviation < 0.03, "{deviation}");
    let lines = refused(&towers(2), 8, goal);
    assert!(lines.len() == 1, "{lines:?}");
    assert!(lines[0].contains("`join` (concat): it joins flattened maps of different heights or widths"), "{lines:?}");
}

/// A border around another one, is one border.
#[test]
fn borders_around_borders_are_one() {
    let border = |sides: [usize; 2]| Operation::Pad(Pad { channels: [0, 0], height: sides, width: sides, value: 0.0 });
    let nodes =
        vec![node("left", &[0], border([1, 0])), node("right", &[1], border([0, 1])), conv("c", 2), pool("gap", 3, 8)];
    let (graph, images) = (graph(nodes), images());
    let integers = quantised(&graph, &images, &chips::exact(), &Quantisation::default(), Goal::Chip(None)).unwrap();
    let deviation = integers.deviation(&graph, &images).unwrap();
    assert!(deviation < 0.03, "{deviation}");
}

/// Sums of few rows take fewer bits than the least converter that there are prices for: that one loses nothing either.
#[test]
fn lossless_takes_the_least_converter_there_is() {
    let (graph, images) = (graph(vec![pool("gap", 0, 6), linear("fc", 1, 4)]), images());
    let mut chip = chips::chip("default");
    chip.tile.cell.device = chips::device("ideal");
    (chip.tile.cell.bits, chip.tile.adc.range) = (1, RangePolicy::Lossless);
    let integers = quantised(&graph, &images, &chip, &Quantisation::default(), Goal::Chip(None)).unwrap();
    let dataset = explore::datasets::unlabelled(graph.input, &images);
    let mapping = Mapping::parse("isaac").unwrap();
    let settings = CompilationSettings { dataset: &dataset, training: "none", mapping: &mapping, chip: &chip, seed: 1 };
    let program = compile_quantised(&integers.network, &settings).unwrap();
    let needed = nn_compiler::report::report(&program)[0].lossless_adc_bits;
    assert_eq!((needed, program.chip.tile.adc.bits), (3, 4));
    let sample = ChipSample::program(&program, 1, Purpose::Programming, 0).unwrap();
    let scores = infer(&program, &sample, &encode_images(&program, &images.images), None).unwrap().scores;
    let expected = integers.network.infer_all(&images.images).unwrap().into_iter().flatten();
    assert_eq!(scores, expected.map(|score| score as f64).collect::<Vec<_>>());
}
