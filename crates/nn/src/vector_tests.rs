//! Concatenations, tables and averages over signed maps, by hand, and what is refused of them.

use crate::Shape;
use crate::coding::{CodeFormat, InputCoding};
use crate::quantised::{
    MvmOutput, QuantisedAveragePool, QuantisedConcat, QuantisedLayer, QuantisedMvm, QuantisedNetwork, QuantisedTable,
};
use crate::window::Window;

const INPUT: Shape = Shape { channels: 1, height: 1, width: 2 };
const JOINED: Shape = Shape { channels: 3, ..INPUT };

fn mvm(name: &str, input: usize, window: Window, weights: &[i32], output: MvmOutput) -> QuantisedLayer {
    QuantisedLayer::Mvm(QuantisedMvm {
        name: name.into(),
        input,
        window,
        groups: 1,
        weights: weights.to_vec(),
        outputs: 1,
        weight_bits: 8,
        weight_offset: None,
        bias: vec![3],
        output,
    })
}

/// `3 - x` in signed codes, beside the image twice; absolute values; global average; scores.
fn network() -> QuantisedNetwork {
    let signed = MvmOutput::Codes { multipliers: vec![1.0], bits: 4, signed: true };
    let inputs = vec![0, 1, 0];
    let layers = vec![
        mvm("conv", 0, Window::square(INPUT, 1, 1, 0), &[-1], signed),
        QuantisedLayer::Concat(QuantisedConcat {
            name: "concat".into(),
            shapes: vec![INPUT; 3],
            inputs,
            multipliers: vec![1.0, 0.5, 2.0],
            bits: 3,
            signed: true,
        }),
        QuantisedLayer::Table(QuantisedTable {
            name: "table".into(),
            input: 2,
            shape: JOINED,
            table: (-7..=7).map(|code: i32| code.abs() - 8).collect(),
            bits: 4,
            signed: true,
        }),
        QuantisedLayer::AveragePool(QuantisedAveragePool {
            name: "gap".into(),
            input: 3,
            window: Window::whole(JOINED),
            multiplier: 0.5,
            count_padding: true,
            bits: 4,
        }),
        mvm("fc", 4, Window::whole(Shape { width: 1, ..JOINED }), &[1, 1, 1], MvmOutput::Scores),
    ];
    let (name, dataset, coding) = ("net".into(), "data".into(), InputCoding::unsigned(4));
    QuantisedNetwork { name, dataset, input: INPUT, coding, layers }
}

#[test]
fn channels_follow_the_sources_and_codes_the_table() {
    // conv: 3 - 2 and 3 - 15; the image is clamped to 7; halves of 1 and -12: 0 (to even) and -6; twice the image: 4 and 7.
    let results = network().infer_layers(&[2, 15]).unwrap();
    assert_eq!(results[0], [1, -12]);
    assert_eq!(results[1], [2, 7, 0, -6, 4, 7]);
    assert_eq!(results[2], [-6, -1, -8, -2, -4, -1]);
    // Halves of -7, -10 and -5, the first and the last of which are nearer to the even one.
    assert_eq!(results[3], [-4, -5, -2]);
    assert_eq!(results[4], [3 - 11]);
    assert_eq!(network().format_of(2), Some(CodeFormat { bits: 3, signed: true }));
    assert_eq!(network().format_of(4), Some(CodeFormat { bits: 4, signed: true }));
    assert_eq!((network().shape_of(2), network().layers[1].inputs()), (JOINED, &[0, 1, 0][..]));
}

#[test]
fn an_image_without_a_sign_has_a_table_from_code_0_on() {
    let mut net = network();
    let table: Vec<i32> = (0..16).map(|code| 15 - code).collect();
    let layer = QuantisedTable { name: "invert".into(), input: 0, shape: INPUT, table, bits: 4, signed: false };
    net.layers = vec![QuantisedLayer::Table(layer)];
    net.layers.push(mvm("fc", 1, Window::whole(INPUT), &[1, 10], MvmOutput::Scores));
    assert_eq!(net.infer_layers(&[2, 15]).unwrap(), [vec![13, 0], vec![16]]);
}

#[test]
fn what_is_wrong_with_a_concatenation_or_a_table_is_named() {
    let message = |change: &dyn Fn(&mut QuantisedNetwork)| {
        let mut net = network();
        change(&mut net);
        net.validate().unwrap_err().to_string()
    };
    let concat = |change: fn(&mut QuantisedConcat)| {
        message(&|net| {
            if let QuantisedLayer::Concat(concat) = &mut net.layers[1] {
                change(concat);
            }
        })
    };
    let table = |change: fn(&mut QuantisedTable)| {
        message(&|net| {
            if let QuantisedLayer::Table(table) = &mut net.layers[2] {
                change(table);
            }
        })
    };
    assert_eq!(network().validate(), Ok(()));
    assert!(concat(|c| c.inputs.truncate(1)).contains("layer `concat`: number of inputs is 1, allowed: 2 to 1024"));
    assert!(concat(|c| c.inputs = vec![0; 1025]).contains("number of inputs is 1025, allowed: 2 to 1024"));
    assert!(concat(|c| c.inputs[1] = 2).contains("input is 2, allowed: 0 to 1, the layers before it"));
    assert!(concat(|c| c.shapes.truncate(2)).contains("shapes is 2, allowed: exactly 3"));
    assert!(concat(|c| c.multipliers.push(1.0)).contains("multipliers is 4, allowed: exactly 3"));
    assert!(concat(|c| c.shapes[2].height = 2).contains("shapes[2] is 1x2x2, allowed: maps of 1 x 2 pixels"));
    assert!(concat(|c| c.shapes[0].channels = 2).contains("window input is 2x1x2, allowed: 1x1x2"));
    assert!(concat(|c| c.multipliers[1] = -1.0).contains("multipliers[1] is -1, allowed: positive numbers"));
    assert!(concat(|c| c.bits = 0).contains("bits is 0, allowed: 1 to 16"));
    assert!(concat(|c| c.bits = 4).contains("layer `table`: number of values of table is 15, allowed: exactly 31"));
    assert!(table(|t| t.table.truncate(14)).contains("table is 14, allowed: exactly 15"));
    assert!(table(|t| t.table[3] = 16).contains("table[3] is 16, allowed: -15 to 15"));
    assert!(table(|t| t.signed = false).contains("table[0] is -1, allowed: 0 to 15"));
    assert!(table(|t| t.bits = 17).contains("bits is 17, allowed: 1 to 16"));
    assert!(table(|t| t.shape.channels = 2).contains("window input is 2x1x2, allowed: 3x1x2"));
    assert!(table(|t| t.input = 3).contains("input is 3, allowed: 0 to 2, the layers before it"));
}
