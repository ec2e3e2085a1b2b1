//! A recording holds every cycle of the units that it names, whatever the window, and every packet.

use crate::{SMALL_CHIP, input, program, said, saved};
use chip::machine::account::{Class, Cycles};
use chip::machine::instruction::Instruction;
use chip::machine::record::{FlowKind, Recording};
use chip::machine::report::{UnitKind, UnitReport};
use chip::program::Program;
use explore::cycles::{CyclesReport, Window, cycles, record, unit_name};
use std::io::Cursor;

/// Cycles of every unit that is not idle.
fn recorded(recording: &Recording) -> Vec<Cycles> {
    let mut cycles = vec![Cycles::default(); recording.units.len()];
    for span in &recording.spans {
        cycles[span.unit as usize].add(span.class, span.end - span.start);
    }
    cycles
}

/// The units of a run that have rows: all but interfaces and links that nothing passes.
fn rows(report: &CyclesReport) -> impl Iterator<Item = &UnitReport> {
    let network = |of: &UnitReport| matches!(of.unit.kind, UnitKind::Interface | UnitKind::Link(_));
    report.report.units.iter().filter(move |of| !network(of) || of.cycles.of(Class::Busy) > 0)
}

/// What a run accounts for the units that are recorded.
fn accounted(report: &CyclesReport) -> Vec<Cycles> {
    let busy = |cycles: Cycles| {
        let mut busy = Cycles::default();
        Class::ALL
            .into_iter()
            .filter(|&class| class != Class::Idle)
            .for_each(|class| busy.add(class, cycles.of(class)));
        busy
    };
    rows(report).map(|of| busy(of.cycles)).collect()
}

#[test]
fn a_recording_has_every_cycle_of_every_unit() {
    for (network, images) in [("digits-mlp", 3), ("digits-cnn", 1)] {
        let program = program(network, SMALL_CHIP, &["mesh.width=8", "mesh.height=8"]);
        let input = input(&program);
        let report = cycles(&input, images).unwrap();
        let end = report.report.end;
        let all = record(&input, images, Window::default()).unwrap();
        all.check().unwrap();
        assert_eq!((all.from, all.until), (0, end));
        assert_eq!(recorded(&all), accounted(&report));
        let links = rows(&report).filter(|of| matches!(of.unit.kind, UnitKind::Link(_)));
        assert!(links.count() > 3 && all.units.len() < report.report.units.len());
        for (unit, of) in all.units.iter().zip(rows(&report)) {
            assert_eq!(unit.name, unit_name(&report.workload, of.unit));
            assert_eq!(unit.tile, Some(of.unit.tile).filter(|_| of.unit.kind != UnitKind::Memory));
        }

        // Windows that meet hold what the whole does.
        let cut = end / 3;
        let first = record(&input, images, Window { from: 0, until: Some(cut) }).unwrap();
        let second = record(&input, images, Window { from: cut, until: Some(u64::MAX) }).unwrap();
        assert_eq!((first.until, second.from, second.until), (cut, cut, end));
        let mut sum = recorded(&first);
        sum.iter_mut().zip(recorded(&second)).for_each(|(sum, more)| *sum += more);
        assert_eq!(sum, recorded(&all));
    }
}

/// Packets from tile to tile, and what is stored and read in one tile.
#[test]
fn items_go_to_those_who_read_them() {
    for network in ["digits-mlp", "digits-cnn"] {
        let program = program(network, SMALL_CHIP, &["mesh.width=8", "mesh.height=8"]);
        for kind in [FlowKind::Packet, FlowKind::Store] {
            assert!(!flows(&program, kind).is_empty(), "{network}: {kind:?}");
        }
    }
}

/// Tile of the writer, tile, part and stage of the reader of all flows of a kind; they are what the instructions say.
fn flows(program: &Program, kind: FlowKind) -> Vec<(u32, u32, &'static str, String)> {
    let input = input(program);
    let workload = input.workload().unwrap();
    let recording = record(&input, 2, Window::default()).unwrap();
    let mut expected = Vec::new();
    for (sender, instruction) in
        workload.cores.iter().flat_map(|core| core.instructions.iter().map(move |of| (core, of)))
    {
        let region = match (*instruction, kind) {
            (Instruction::Send { region, .. }, FlowKind::Packet) => region,
            (Instruction::Store { region, .. } | Instruction::LoadMemory { region, .. }, FlowKind::Store) => region,
            _ => continue,
        };
        for &reader in &workload.regions[region as usize].readers {
            let core = &workload.cores[reader as usize];
            let receives = core.instructions.contains(&Instruction::Receive { region });
            let to = if receives { "write-back" } else { "fetch" };
            expected.extend([
                (sender.tile, core.tile, to, core.stage.clone()),
                (sender.tile, core.tile, to, core.stage.clone()),
            ]);
        }
    }
    let mut found = Vec::new();
    for flow in recording.flows.iter().filter(|flow| flow.kind == kind) {
        let (from, to) = (&recording.units[flow.from_unit as usize], &recording.units[flow.to_unit as usize]);
        // What comes from the memory is requested by a fetch.
        let part = if from.name == "memory: fetch" { "fetch" } else { "write-back" };
        assert!(flow.at < flow.until && from.name.ends_with(&format!(": {part}")), "{flow:?}");
        let part = if to.name.ends_with(": fetch") { "fetch" } else { "write-back" };
        assert!(to.name.ends_with(part) && to.name.starts_with(&to.stage), "{to:?}");
        found.push((from.tile.unwrap(), to.tile.unwrap(), part, to.stage.clone()));
    }
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert!(
        kind == FlowKind::Store || found.iter().any(|(.., part, _)| *part == "write-back"),
        "partial sums are received"
    );
    found
}

/// Waveforms as another program reads them: the rising edges and values of a unit's vector.
#[test]
fn a_dump_says_what_the_table_says() {
    let program = program("digits-mlp", SMALL_CHIP, &[]);
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = saved(&program, directory.path());
    let file = directory.path().join("run.vcd");
    let text = said(&["trace", path.to_str().unwrap(), "-o", file.to_str().unwrap()]);
    let report = cycles(&input(&program), 1).unwrap();
    assert!(text.contains(&format!("cycles 0 to {},", report.report.end)), "{text}");
    let mut waves = wellen::simple::read_from_reader(Cursor::new(std::fs::read(&file).unwrap())).unwrap();
    let names = waves.hierarchy();
    let named = |var: wellen::VarRef| (names[var].full_name(names), names[var].signal_ref());
    let vars: Vec<(String, wellen::SignalRef)> = names.all_vars().map(named).collect();
    waves.load_signals(&vars.iter().map(|(_, signal)| *signal).collect::<Vec<_>>());
    let times = waves.time_table().to_vec();
    // The clock is 1 GHz, and the time unit 1 ns.
    assert_eq!(times.last().copied(), Some(report.report.end));
    let mut converters = 0;
    for of in report.report.units.iter().filter(|of| matches!(of.unit.kind, UnitKind::Converters(_))) {
        let plain = unit_name(&report.workload, of.unit).replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let wanted = format!("chip.tile_{}.{plain}", of.unit.tile);
        let (_, signal) = vars.iter().find(|(name, _)| *name == wanted).unwrap_or_else(|| panic!("{wanted}"));
        let signal = waves.get_signal(*signal).unwrap();
        let mut busy = 0;
        for (index, pair) in times.windows(2).enumerate() {
            let offset = signal.get_offset(index as wellen::TimeTableIdx).unwrap();
            if signal.get_value_at(&offset, 0).to_bit_string().unwrap() == "001" {
                busy += pair[1] - pair[0];
            }
        }
        assert_eq!(busy, of.cycles.of(Class::Busy), "{wanted}");
        converters += 1;
    }
    assert_eq!(converters, 5);
}
