//! What a recorder is told is what the report sums up: every cycle of every unit, of network interfaces and links those that are not idle.

use crate::workloads::case;
use chip::machine::account::Class;
use chip::machine::report::{Report, UnitKind};
use chip::machine::{Recorder, Settings, run};

/// Spans by unit, and items.
#[derive(Default)]
struct Told {
    spans: Vec<Vec<(u64, u64, Class)>>,
    items: Vec<(u32, u32, u64, u64)>,
}

impl Recorder for Told {
    fn span(&mut self, unit: u32, class: Class, start: u64, end: u64) {
        assert!(start < end);
        self.spans.resize_with(self.spans.len().max(unit as usize + 1), Vec::new);
        self.spans[unit as usize].push((start, end, class));
    }

    fn item(&mut self, from: u32, region: u32, start: u64, end: u64) {
        self.items.push((from, region, start, end));
    }
}

/// Whether the unit belongs to the network, of which idle cycles are not told.
fn network(kind: UnitKind) -> bool {
    matches!(kind, UnitKind::Interface | UnitKind::Link(_))
}

/// Requires that spans do not overlap and sum to the accounts; cycles in which interfaces and links waited.
fn check(seed: u64, mut told: Told, report: &Report) -> [u64; 2] {
    let mut waited = [0; 2];
    told.spans.resize_with(report.units.len(), Vec::new);
    for (of, spans) in report.units.iter().zip(&mut told.spans) {
        spans.sort_unstable();
        assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "case {seed}: {:?} overlaps: {spans:?}", of.unit);
        assert!(spans.last().is_none_or(|last| last.1 <= report.end), "case {seed}: {:?}", of.unit);
        for class in Class::ALL.into_iter().filter(|&class| class != Class::Idle || !network(of.unit.kind)) {
            let sum: u64 = spans.iter().filter(|span| span.2 == class).map(|span| span.1 - span.0).sum();
            assert_eq!(sum, of.cycles.of(class), "case {seed}: {:?} {class:?}", of.unit);
        }
        match of.unit.kind {
            UnitKind::Interface => waited[0] += of.cycles.of(Class::Link),
            UnitKind::Link(_) => waited[1] += of.cycles.of(Class::Link),
            _ => {}
        }
    }
    waited
}

#[test]
fn recorders_are_told_every_cycle() {
    let (mut finished, mut waited, mut plain) = (0, [0, 0], 0);
    for seed in 0..600 {
        let case = case(seed);
        let mut told = Told::default();
        let settings = Settings { recorder: Some(&mut told), ..Settings::default() };
        let Ok(report) = run(&case.workload, &case.hardware, case.images, settings) else { continue };
        // Being watched changes nothing.
        plain += u64::from(run(&case.workload, &case.hardware, case.images, Settings::default()).unwrap() == report);
        let items: u64 = case.workload.regions.iter().filter(|of| !of.writers.is_empty()).map(|of| of.items).sum();
        assert_eq!(told.items.len() as u64, items * case.images, "case {seed}: every item is told once");
        assert!(told.items.iter().all(|item| item.2 < item.3 && item.3 <= report.end), "case {seed}");
        let [interfaces, links] = check(seed, told, &report);
        waited = [waited[0] + interfaces, waited[1] + links];
        finished += 1;
    }
    assert!(finished > 400 && plain == finished, "{finished} finished, {plain} alike");
    assert!(waited.iter().all(|&cycles| cycles > 1000), "{waited:?}");
}
