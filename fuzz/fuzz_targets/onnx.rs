//! Any bytes as an ONNX file: an error or a graph that runs, no panic, bounded time and memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nn::onnx::{Layout, Options, import};

/// Work that one run may ask for, so that a valid but large graph does not look like a hang.
const MOST: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    for layout in [Layout::ChannelsFirst, Layout::ChannelsLast] {
        let options = Options { layout, ..Options::new("fuzz", "random") };
        let Ok(graph) = import(bytes, &options) else { continue };
        let values: usize = graph.shapes().expect("a graph that was imported has shapes").iter().map(|shape| shape.len()).sum();
        if graph.mac_count().expect("it has a number of products") < MOST && graph.input.len() as u64 + (values as u64) < MOST {
            let image: Vec<f32> = (0..graph.input.len()).map(|index| index as f32 / 7.0 - 1.0).collect();
            graph.forward(&image).expect("a graph that was imported runs");
        }
    }
});
