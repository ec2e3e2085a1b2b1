//! Are the worked examples met in exact cycles?
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

#[path = "support/timing/mod.rs"]
mod support;

use chip::timing::model::{MvmTiming, StageTiming};
use chip::timing::{TimingError, TimingReport, simulate};
use support::graph::stepped_graph;
use support::random::Random;
use support::{Geometry, chain, interval, mvm, pixelwise, single_bank};

fn cycles(stages: &[StageTiming], images: u64) -> u64 {
    simulate(stages, images).unwrap().cycles
}

/// So many MVMs whose inputs all stand ready.
fn stream(mvms: u64, unit: MvmTiming) -> u64 {
    cycles(&[mvm("layer", unit, pixelwise(mvms, None))], 1)
}

/// 128 inputs of 8 bits, one per slice, over a 256-bit port (1 + 1024/256 = 5 cycles); 64 columns on 8, 4 or 1 converters.
#[test]
fn a_fully_connected_layer_on_one_array() {
    for (convert, expected) in [(8, 113), (16, 149), (64, 533)] {
        assert_eq!(stream(1, single_bank(8, 5, 12, convert, 4)), expected, "{convert} cycles per conversion");
    }
}

/// 144 rows on two arrays of 128 columns: 4 converters for 256 columns, 32 for 256, an 8-bit port, 4 converters for half the columns.
#[test]
fn a_convolution_on_shared_converters() {
    for (load, convert, expected) in [(4, 64, 16_405), (4, 8, 3_089), (73, 8, 4_733), (4, 32, 8_213)] {
        assert_eq!(stream(64, single_bank(4, load, 12, convert, 5)), expected, "load {load}, convert {convert}");
    }
}

/// Shafiee et al., ISCA 2016: 22 stages of 100 ns for 16 one-bit slices.
#[test]
fn the_pipeline_of_isaac() {
    assert_eq!(stream(1, single_bank(16, 1, 1, 1, 4)), 22);
}

const MAP: Geometry = Geometry { width: 8, height: 8, kernel: 3, stride: 1, pad: 0 };

/// The converters of the second layer take 64, 19 or 16 cycles per slice: an MVM every 256, 76 or 64 cycles.
const SECOND: [u64; 3] = [64, 19, 16];

/// Two layers in detail: 27 rows and 64 columns on 4 converters, then 3x3 windows without padding.
fn detailed(convert: u64, capacity: Option<u64>) -> Vec<StageTiming> {
    chain(vec![
        mvm("conv1", single_bank(4, 2, 12, 16, 5), pixelwise(64, None)),
        mvm("conv2", single_bank(4, 4, 12, convert, 5), MAP.flow(capacity)),
    ])
}

/// The same layers, each reduced to its interval and latency. Pixels are given back at the start of a window.
fn reduced(convert: u64, capacity: Option<u64>) -> Vec<StageTiming> {
    let latency = 4 + 12 + 3 * convert.max(12) + convert + 5;
    chain(vec![
        interval("conv1", 64, 83, 0, pixelwise(64, None)),
        interval("conv2", 4 * convert.max(12), latency, 0, MAP.flow(capacity)),
    ])
}

#[test]
fn the_first_layer_of_the_pipeline_alone() {
    let first = single_bank(4, 2, 12, 16, 5);
    assert_eq!(stream(1, first.clone()), 83);
    assert_eq!(stream(2, first.clone()), 83 + 64);
    assert_eq!(stream(64, first), 4_115);
}

#[test]
fn two_layers_with_unlimited_buffers() {
    for (convert, expected) in SECOND.into_iter().zip([10_472, 4_272, 4_200]) {
        assert_eq!(cycles(&detailed(convert, None), 1), expected, "in detail, convert {convert}");
        assert_eq!(cycles(&reduced(convert, None), 1), expected, "reduced, convert {convert}");
    }
}

#[test]
fn the_slower_layer_sets_the_interval_between_images() {
    let report = simulate(&detailed(64, None), 8).unwrap();
    assert_eq!(report.steady_interval(), (4 * 9_216, 4));
    let expected: Vec<u64> = (0..8).map(|image| 10_472 + image * 9_216).collect();
    assert_eq!(report.image_done, expected);
    // With an MVM every 64 cycles the second layer is the faster one: 36 windows against 64 pixels of 64 cycles.
    assert_eq!(simulate(&detailed(16, None), 9).unwrap().steady_interval(), (4 * 4_096, 4));
}

#[test]
fn an_unlimited_buffer_holds_51_pixels_at_most() {
    assert_eq!(simulate(&reduced(64, None), 1).unwrap().stages[1].peak_occupancy[0], 51);
}

/// Cycles, stalls of the first layer and occupancy of the buffer for each of [`SECOND`].
fn table(layers: fn(u64, Option<u64>) -> Vec<StageTiming>, capacity: u64) -> [(u64, u64, u64); 3] {
    SECOND.map(|convert| {
        let stages = layers(convert, Some(capacity));
        let report = simulate(&stages, 1).unwrap();
        assert_eq!(Some(&report), stepped_graph(&stages, 1).as_ref());
        (report.cycles, report.stages[0].stall, report.stages[1].peak_occupancy[0])
    })
}

#[test]
fn credits_of_the_reduced_layers() {
    assert_eq!(table(reduced, 19), [(10_472, 5_907, 19), (4_877, 665, 19), (4_865, 665, 19)]);
    assert_eq!(table(reduced, 20), [(10_472, 5_651, 20), (4_347, 75, 20), (4_200, 0, 20)]);
    assert_eq!(table(reduced, 22), [(10_472, 5_139, 22), (4_272, 0, 21), (4_200, 0, 20)]);
}

/// In detail a pixel comes back 4 cycles later, when its window is loaded. With 19 pixels, where the layers go in lock-step, each of the 35
/// windows after the first pays them: 4877 + 35 * 4. With 20 pixels double-buffered inputs make up for it: the next window is loaded, and
/// its pixels come back, while the one before is still being computed.
#[test]
fn credits_of_the_layers_in_detail() {
    assert_eq!(table(detailed, 19), [(10_472, 7_801, 19), (5_017, 2_999, 19), (5_005, 2_999, 19)]);
    assert_eq!(table(detailed, 20), [(10_472, 7_409, 20), (4_272, 850, 20), (4_200, 850, 20)]);
    assert_eq!(table(detailed, 22), [(10_472, 6_661, 22), (4_272, 0, 21), (4_200, 0, 21)]);
    // As loads run ahead, windows are given back sooner than in the reduced layers, which hold up to 51 pixels.
    assert_eq!(table(detailed, 64), [(10_472, 0, 48), (4_272, 0, 21), (4_200, 0, 21)]);
}

#[test]
fn a_buffer_of_18_pixels_is_refused() {
    for layers in [detailed, reduced] {
        let error = simulate(&layers(64, Some(18)), 1).unwrap_err();
        assert_eq!(error, TimingError::Deadlock { stage: "conv2".into(), capacity: 18, required: 19 });
        assert_eq!(error.to_string(), "the input buffer of stage `conv2` holds 18 pixels and needs 19");
    }
}

/// MVMs that all stand ready. Without a load latency, in the two cases of the load port; with one, when converters or arrays are slower.
#[test]
fn the_closed_form_of_one_layer() {
    let mut random = Random(11);
    let mut bound_by_load = 0;
    for _ in 0..4000 {
        let mvms = random.within(1, 9);
        let slices = random.within(1, 6);
        let [load, read, convert, post, latency] = [40, 12, 12, 6, 3].map(|most| random.within(1, most));
        let interval = read.max(convert);
        let unit = single_bank(slices as u32, load, read, convert, post);
        let computing = load + read + (mvms * slices - 1) * interval + convert + post;
        let loading = mvms * load + read + (slices - 1) * interval + convert + post;
        let expected = if load <= slices * interval { computing } else { loading };
        assert_eq!(stream(mvms, unit.clone()), expected, "{mvms} x {unit:?}");
        bound_by_load += u64::from(load > slices * interval);
        if load + latency <= slices * interval {
            let late = MvmTiming { load_latency: latency, ..unit };
            assert_eq!(stream(mvms, late.clone()), computing + latency, "{mvms} x {late:?}");
        }
    }
    assert!(bound_by_load > 400, "only {bound_by_load} cases are bound by the load port");
}

/// Two layers with an unlimited buffer: the last window waits for one of the windows before it, and that for its last pixel.
#[test]
fn the_closed_form_of_two_layers() {
    let mut random = Random(12);
    for _ in 0..2000 {
        let map = Geometry::plain(random.within(3, 9), random.within(3, 9), random.within(1, 3));
        let [first, every, latency, second] = [20, 9, 20, 14].map(|most| random.within(1, most));
        let pixels = map.width * map.height;
        let flow = map.flow(None);
        let windows = flow.need.len() as u64;
        let start = |q: u64, need: u64| first + need * every + (windows - 1 - q) * second;
        let expected = latency + (0..windows).zip(&flow.need).map(|(q, need)| start(q, *need)).max().unwrap();
        let stages = chain(vec![
            interval("first", every, first, 0, pixelwise(pixels, None)),
            interval("second", second, latency, 0, flow),
        ]);
        assert_eq!(cycles(&stages, 1), expected, "{map:?}, {stages:?}");
        // When the second layer is no slower the first sets the pace; when it is slower by the width of a row, the second does.
        let (columns, _) = map.output();
        if second <= every {
            assert_eq!(expected, first + (pixels - 1) * every + latency);
        } else if second * columns >= map.width * every {
            assert_eq!(expected, start(0, (map.kernel - 1) * map.width + map.kernel - 1) + latency);
        }
    }
}

/// The second layer is the slower one: once it has its first window, its converters never pause.
#[test]
fn the_slower_layer_converts_without_a_pause() {
    let TimingReport { cycles, stages, .. } = simulate(&detailed(64, None), 1).unwrap();
    let filling = 83 + 18 * 64 + 4 + 12;
    assert_eq!(cycles, filling + stages[1].banks[0].converter_busy + 5);
}
