//! Recordings, read back by other programs' readers.

use chip::machine::account::Class;
use chip::machine::record::{FlowArrow, FlowKind, RecordError, Recording, Span, Timebase, write_json, write_vcd};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

const CODES: [(Class, &str); 6] = [
    (Class::Idle, "000"),
    (Class::Busy, "001"),
    (Class::Input, "010"),
    (Class::Adc, "011"),
    (Class::OutputFull, "100"),
    (Class::Link, "101"),
];

fn json(recording: &Recording, time: Timebase) -> Value {
    let mut bytes = Vec::new();
    write_json(recording, time, &mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn vcd(recording: &Recording, time: Timebase) -> String {
    let mut bytes = Vec::new();
    write_vcd(recording, time, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Two units of a tile and one of the chip, in the window 10..30.
fn small() -> Recording {
    let mut recording = Recording::new(10, 30);
    let first = recording.unit(Some(3), "core 0 \"fetch\"", "conv\\1");
    let second = recording.unit(Some(3), "core 0 \"fetch\"", "conv\\1");
    let memory = recording.unit(None, "memory", "");
    let mut span = |unit, class, start, end| recording.span(Span { unit, class, start, end, step: Some(7) });
    span(first, Class::Busy, 5, 12);
    span(first, Class::Adc, 12, 15);
    span(first, Class::Idle, 15, 17);
    span(first, Class::Link, 20, 40);
    span(second, Class::OutputFull, 11, 12);
    span(second, Class::Input, 0, 10);
    span(memory, Class::Input, 10, 30);
    recording.flow(FlowArrow { kind: FlowKind::Packet, from_unit: first, at: 12, to_unit: memory, until: 20 });
    recording.flow(FlowArrow { kind: FlowKind::Packet, from_unit: first, at: 9, to_unit: memory, until: 20 });
    recording.flow(FlowArrow { kind: FlowKind::Packet, from_unit: first, at: 12, to_unit: memory, until: 30 });
    recording
}

#[test]
fn a_recording_is_clipped_to_its_window() {
    let recording = small();
    let cycles: Vec<(u64, u64)> = recording.spans.iter().map(|span| (span.start, span.end)).collect();
    assert_eq!(cycles, [(10, 12), (12, 15), (15, 17), (20, 30), (11, 12), (10, 30)]);
    assert_eq!(recording.flows.len(), 1);
}

#[test]
fn json_is_as_documented() {
    let value = json(&small(), Timebase::Clock { clock_hz: 1.2e9 });
    let events = value["traceEvents"].as_array().unwrap();
    let names: Vec<&str> =
        events.iter().filter(|e| e["name"] == "process_name").map(|e| e["args"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["chip", "tile 3"]);
    let spans: Vec<&Value> = events.iter().filter(|e| e["ph"] == "X").collect();
    assert_eq!(spans.len(), 5);
    assert_eq!((&spans[0]["name"], &spans[0]["cat"]), (&"busy".into(), &"busy".into()));
    assert_eq!(spans[0]["args"], serde_json::json!({"stage": "conv\\1", "step": 7, "cycle": 10, "cycles": 2}));
    assert_eq!((&spans[0]["pid"], &spans[0]["tid"]), (&5.into(), &1.into()));
    // 10 cycles of 1.2 GHz are 8.333333 ns and 12 are 10 ns.
    assert_eq!(spans[0]["ts"].to_string(), "0.008333333");
    assert_eq!(spans[0]["dur"].to_string(), "0.001666667");
    let thread = events.iter().find(|e| e["name"] == "thread_name").unwrap();
    assert_eq!(thread["args"]["name"], "core 0 \"fetch\"");
    let flows: Vec<(&Value, &Value, &Value)> =
        events.iter().filter(|e| e["cat"] == "packet").map(|e| (&e["ph"], &e["pid"], &e["id"])).collect();
    assert_eq!(flows, [(&"s".into(), &5.into(), &0.into()), (&"f".into(), &1.into(), &0.into())]);
    let cycles = json(&small(), Timebase::Cycles);
    assert_eq!(cycles["otherData"]["time"], "1 us is 1 cycle");
    let first = cycles["traceEvents"].as_array().unwrap().iter().find(|e| e["ph"] == "X").unwrap();
    assert_eq!((first["ts"].to_string(), first["dur"].to_string()), ("10".to_owned(), "2".to_owned()));
}

#[test]
fn vcd_is_as_documented() {
    let expected = "\
$comment units in 1 busy, 2 input, 3 adc, 4 output-full, 5 link, 0 idle $end
$comment 1 time units are one cycle $end
$timescale 10 ns $end
$scope module chip $end
$var wire 3 # memory $end
$scope module tile_3 $end
$var wire 3 ! core_0__fetch_ $end
$var wire 3 \" core_0__fetch__1 $end
$upscope $end
$upscope $end
$enddefinitions $end
#10
$dumpvars
b001 !
b000 \"
b010 #
$end
#11
b100 \"
#12
b011 !
b000 \"
#15
b000 !
#20
b101 !
#30
";
    assert_eq!(vcd(&small(), Timebase::Clock { clock_hz: 1e8 }), expected);
    let scale = |clock_hz| {
        let text = vcd(&small(), Timebase::Clock { clock_hz });
        let line = |key: &str| text.lines().find(|line| line.contains(key)).unwrap().to_owned();
        (line("$timescale"), text.lines().rev().find(|line| line.starts_with('#')).unwrap().to_owned())
    };
    assert_eq!(scale(1e9), ("$timescale 1 ns $end".into(), "#30".into()));
    assert_eq!(scale(4e8), ("$timescale 100 ps $end".into(), "#750".into()));
    assert_eq!(scale(1.0), ("$timescale 1 s $end".into(), "#30".into()));
    // No whole number of femtoseconds.
    assert_eq!(scale(1.2e9), ("$timescale 1 ns $end".into(), "#30".into()));
    assert!(vcd(&small(), Timebase::Clock { clock_hz: 1.2e9 }).contains("one time unit is one cycle, whatever"));
}

#[test]
fn what_cannot_be_exported_is_refused() {
    let refused = |change: &dyn Fn(&mut Recording), time| {
        let mut recording = small();
        change(&mut recording);
        let json = write_json(&recording, time, Vec::new()).unwrap_err().to_string();
        let vcd = write_vcd(&recording, time, Vec::new()).unwrap_err().to_string();
        assert_eq!(json, vcd);
        json
    };
    let span = |unit, start, end| Span { unit, class: Class::Busy, start, end, step: None };
    let text = refused(&|recording| recording.spans.push(span(3, 10, 11)), Timebase::Cycles);
    assert!(text.contains("span 6, unit 3, cycles 10 to 11: allowed are units below 3"), "{text}");
    let text = refused(&|recording| recording.spans.push(span(0, 9, 10)), Timebase::Cycles);
    assert!(text.contains("cycles from 10 to 30 in order"), "{text}");
    let text = refused(&|recording| recording.spans.push(span(0, 14, 16)), Timebase::Cycles);
    assert!(text.contains("unit 0 overlap at cycle 14"), "{text}");
    let text = refused(&|recording| recording.flows[0].to_unit = 9, Timebase::Cycles);
    assert!(text.contains("flow 0, unit 9"), "{text}");
    let text = refused(&|recording| recording.until = 9, Timebase::Cycles);
    assert!(text.contains("its window ends at cycle 9"), "{text}");
    for clock_hz in [0.0, -1.0, 1.5, 1e16, f64::NAN, f64::INFINITY] {
        let error = write_json(&small(), Timebase::Clock { clock_hz }, Vec::new()).unwrap_err();
        assert!(matches!(error, RecordError::Clock { .. }), "{error}");
    }
}

/// Units, then spans one behind the other with gaps, then flows.
fn recordings() -> impl Strategy<Value = Recording> {
    let unit = (
        prop::option::of(0..4_u32),
        "[ -~]{0,4}|\\PC{0,3}",
        prop::collection::vec((0..4_u64, 0..5_u64, 0..6_usize), 0..12),
    );
    let units = prop::collection::vec(unit, 0..6);
    let flows = prop::collection::vec((0..40_u64, 0..9_u64, any::<u8>(), any::<u8>()), 0..6);
    (units, flows, 0..20_u64, 0..30_u64).prop_map(|(units, flows, from, length)| {
        let mut recording = Recording::new(from, from + length);
        let count = units.len() as u32;
        for (tile, name, spans) in units {
            let unit = recording.unit(tile, name.clone(), name);
            let mut at = 0;
            for (step, (gap, length, class)) in (0..).zip(spans) {
                let (start, end) = (at + gap, at + gap + length);
                recording.span(Span { unit, class: Class::ALL[class], start, end, step: Some(step) });
                at = end;
            }
        }
        for (at, length, a, b) in flows.into_iter().filter(|_| count > 0) {
            let (from_unit, to_unit) = (u32::from(a) % count, u32::from(b) % count);
            recording.flow(FlowArrow { kind: FlowKind::Packet, from_unit, at, to_unit, until: at + length });
        }
        recording
    })
}

/// What a unit does in a cycle, by looking through all spans.
fn class_at(recording: &Recording, unit: u32, cycle: u64) -> Class {
    let mut spans = recording.spans.iter();
    let span = spans.find(|span| span.unit == unit && (span.start..span.end).contains(&cycle));
    span.map_or(Class::Idle, |span| span.class)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_says_what_every_unit_did_in_every_cycle(recording in recordings(), mhz in prop::sample::select(vec![1.0, 10.0, 1200.0])) {
        let value = json(&recording, Timebase::Clock { clock_hz: mhz * 1e6 });
        let events = value["traceEvents"].as_array().unwrap();
        let mut seen = BTreeMap::new();
        let mut ends = BTreeMap::<u64, f64>::new();
        let cycle = |ts: &Value| (number(ts) * mhz).round() as u64;
        for event in events.iter().filter(|event| event["ph"] == "X") {
            let (ts, dur) = (number(&event["ts"]), number(&event["dur"]));
            let (start, end) = (cycle(&event["ts"]), ((ts + dur) * mhz).round() as u64);
            prop_assert!(recording.from <= start && start < end && end <= recording.until);
            prop_assert!((ts * mhz - start as f64).abs() < 1e-5);
            let thread = event["tid"].as_u64().unwrap();
            prop_assert!(ends.insert(thread, ts + dur).is_none_or(|before| before <= ts + 1e-9));
            for at in start..end {
                prop_assert!(seen.insert((thread as u32 - 1, at), event["cat"].as_str().unwrap()).is_none());
            }
        }
        for unit in 0..recording.units.len() as u32 {
            for at in recording.from..recording.until {
                let found = seen.get(&(unit, at)).copied().unwrap_or("idle");
                prop_assert_eq!(found, class_at(&recording, unit, at).name());
            }
        }
        let ids = |phase: &str| events.iter().filter(|e| e["ph"] == phase).map(|e| e["id"].as_u64().unwrap()).collect::<Vec<_>>();
        prop_assert_eq!(ids("s"), (0..recording.flows.len() as u64).collect::<Vec<_>>());
        prop_assert_eq!(ids("f"), ids("s"));
        let threads: BTreeSet<(u64, u64)> =
            events.iter().filter(|e| e["name"] == "thread_name").map(|e| (e["pid"].as_u64().unwrap(), e["tid"].as_u64().unwrap())).collect();
        prop_assert_eq!(threads.len(), recording.units.len());
        for event in events.iter().filter(|e| e["ph"] != "M") {
            prop_assert!(threads.contains(&(event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap())));
        }
    }

    #[test]
    fn vcd_says_what_every_unit_did_in_every_cycle(recording in recordings()) {
        let text = vcd(&recording, Timebase::Clock { clock_hz: 4e8 });
        let mut waves = wellen::simple::read_from_reader(Cursor::new(text.into_bytes())).unwrap();
        let found = waves.hierarchy();
        let named = |var: wellen::VarRef| (found[var].full_name(found), found[var].signal_ref());
        let vars: Vec<(String, wellen::SignalRef)> = found.all_vars().map(named).collect();
        prop_assert_eq!(vars.len(), recording.units.len());
        let names: BTreeSet<&String> = vars.iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names.len(), vars.len());
        // The file lists the units scope by scope.
        let mut order: Vec<u32> = (0..recording.units.len() as u32).collect();
        order.sort_by_key(|&unit| recording.units[unit as usize].tile);
        let signals: Vec<wellen::SignalRef> = vars.iter().map(|(_, signal)| *signal).collect();
        waves.load_signals(&signals);
        let times = waves.time_table().to_vec();
        prop_assert_eq!(times.first().copied(), Some(recording.from * 25));
        prop_assert_eq!(times.last().copied(), Some(recording.until * 25));
        for (unit, (name, signal)) in order.into_iter().zip(&vars) {
            let tile = recording.units[unit as usize].tile.map_or("chip.".to_owned(), |tile| format!("chip.tile_{tile}."));
            prop_assert!(name.starts_with(&tile), "{} {}", name, tile);
            let signal = waves.get_signal(*signal).unwrap();
            for at in recording.from..recording.until {
                let index = times.partition_point(|&time| time <= at * 25) - 1;
                let offset = signal.get_offset(index as wellen::TimeTableIdx).unwrap();
                let value = signal.get_value_at(&offset, 0).to_bit_string().unwrap();
                let expected = CODES.iter().find(|(class, _)| *class == class_at(&recording, unit, at)).unwrap().1;
                prop_assert_eq!(value.as_str(), expected, "unit {} cycle {}", unit, at);
            }
        }
    }
}
