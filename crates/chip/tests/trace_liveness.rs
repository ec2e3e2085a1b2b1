//! Is a workload refused if, and only if, it stands still, and are the capacities in the refusal enough?

use crate::trace_support::{Tape, hardware, naive, workload};
use chip::machine::check::Place;
use chip::machine::instruction::{Instruction as I, VectorOperation};
use chip::machine::liveness::LivenessError;
use chip::machine::work::{Core, Region, Workload};
use proptest::prelude::*;

fn region(name: &str, items: u64, capacity: Option<u64>, writers: &[u32], readers: &[u32]) -> Region {
    let (writers, readers) = (writers.to_vec(), readers.to_vec());
    Region { name: name.to_owned(), tile: 0, items, item_bits: 8, capacity, writers, readers }
}

fn core(name: &str, instructions: Vec<I>) -> Core {
    Core { name: name.to_owned(), stage: name.to_owned(), tile: 0, banks: vec![], instructions }
}

/// `a` writes four items for `b`, whose third one comes first to `c` by way of `b`.
fn joining(capacity: u64) -> Workload {
    let mut split = vec![];
    for _ in 0..4 {
        let store = |region| I::Store { region, bits: 8 };
        split.extend([I::Room { region: 0 }, I::Room { region: 1 }, store(0), store(1)]);
    }
    let mut long = vec![];
    for count in [3, 4, 4, 4] {
        long.extend([I::Wait { region: 0, count }, I::Free { region: 0, count: count - 3 }]);
        long.extend([I::Room { region: 2 }, I::Store { region: 2, bits: 8 }]);
    }
    long.push(I::Free { region: 0, count: 4 });
    let mut join = vec![];
    for count in 1..=4 {
        join.extend([I::Wait { region: 1, count }, I::Wait { region: 2, count }, I::Room { region: 3 }]);
        join.extend([I::Free { region: 1, count }, I::Free { region: 2, count }, I::Store { region: 3, bits: 8 }]);
    }
    Workload {
        regions: vec![
            region("long", 4, None, &[0], &[1]),
            region("skip", 4, Some(capacity), &[0], &[2]),
            region("deep", 4, Some(1), &[1], &[2]),
            region("result", 4, None, &[2], &[]),
        ],
        cores: vec![core("split", split), core("long", long), core("join", join)],
        result: 3,
    }
}

#[test]
fn a_skip_buffer_that_is_too_small_is_named_with_the_least_capacity_that_is_enough() {
    let hardware = hardware(2, 2, 2);
    assert_eq!(joining(3).check_liveness(&hardware), Ok(()));
    for capacity in [1, 2] {
        let Err(LivenessError::Full { place, regions }) = joining(capacity).check_liveness(&hardware) else {
            panic!("capacity {capacity} was accepted");
        };
        assert_eq!(regions.len(), 1);
        assert_eq!((regions[0].region, regions[0].name.as_str()), (1, "skip"));
        assert_eq!((regions[0].capacity, regions[0].required), (capacity, 3));
        let Place::Instruction { core, number, text, region, .. } = *place else { panic!("no instruction") };
        assert_eq!((core, number, text.as_str(), region.as_deref()), (1, 0, "sync wait 0 3", Some("long")));
    }
    let text = joining(1).check_liveness(&hardware).unwrap_err().to_string();
    assert_eq!(
        text,
        "core 1 `long`, instruction 0 `sync wait 0 3` (region `long`) would wait for ever: region 1 `skip` holds 1 items and needs 3"
    );
}

#[test]
fn what_no_capacity_helps_is_told_apart() {
    // Each writes only behind what the other writes.
    let turn = |other, own| {
        vec![
            I::Wait { region: other, count: 1 },
            I::Free { region: other, count: 1 },
            I::Room { region: own },
            I::Store { region: own, bits: 8 },
        ]
    };
    let mut first = turn(1, 0);
    first.extend([I::Room { region: 2 }, I::Store { region: 2, bits: 8 }]);
    let work = Workload {
        regions: vec![
            region("there", 1, Some(1), &[0], &[1]),
            region("back", 1, Some(1), &[1], &[0]),
            region("result", 1, None, &[0], &[]),
        ],
        cores: vec![core("first", first), core("second", turn(0, 1))],
        result: 2,
    };
    let error = work.check_liveness(&hardware(2, 2, 2)).unwrap_err();
    assert!(matches!(error, LivenessError::Waits { .. }), "{error}");
    assert!(error.to_string().contains("core 0 `first`, instruction 0 `sync wait 1 1` (region `back`)"), "{error}");
}

/// A core whose step `k` waits in its write-back for an answer that is only given when its own fetch has got to step `k + ahead - 1`.
fn loops_ahead(ahead: usize, mvm: bool, vector: bool) -> Workload {
    let mut own = vec![];
    for step in 0..6_u64 {
        let free = (step + 1).min(6);
        own.push(I::Free { region: 0, count: free });
        own.extend(mvm.then_some(I::Mvm { slices: 1 }));
        own.extend(vector.then_some(I::Vector { operation: VectorOperation::Add, values: 1 }));
        own.push(I::Receive { region: 1 });
    }
    own.push(I::Room { region: 2 });
    own.extend(mvm.then_some(I::Mvm { slices: 1 }));
    own.push(I::Store { region: 2, bits: 8 });
    let mut answer = vec![];
    for step in 0..6_u64 {
        // Room in `gate`, of one place, for item `step + ahead` is the sign of it.
        if step == 0 {
            (0..=ahead).for_each(|_| answer.push(I::Room { region: 0 }));
        } else if step + (ahead as u64) < 6 {
            answer.push(I::Room { region: 0 });
        }
        answer.extend([I::Room { region: 1 }, I::Store { region: 1, bits: 8 }]);
    }
    (0..6).for_each(|_| answer.push(I::Store { region: 0, bits: 8 }));
    let gate = region("gate", 6, Some(1), &[1], &[0]);
    let mut work = Workload {
        regions: vec![gate, region("answers", 6, None, &[1], &[0]), region("result", 1, None, &[0], &[])],
        cores: vec![core("own", own), core("answer", answer)],
        result: 2,
    };
    if mvm {
        work.cores[0].banks = vec![chip::machine::work::Bank { count: 1, columns: 1 }];
    }
    work
}

#[test]
fn registers_limit_how_far_a_core_runs_ahead_exactly() {
    // Without arrays a fetched step holds its input register until its write-back ends.
    for ahead in 1..4 {
        let work = loops_ahead(ahead, false, false);
        for input in 1..6_u32 {
            let enough = input as usize >= ahead;
            let found = work.check_liveness(&hardware(input, 2, 8));
            let naive = naive::finishes(&work, &hardware(input, 2, 8).tile, 2, &mut Tape(&[], 0));
            assert_eq!(found.is_ok(), naive, "ahead {ahead}, input registers {input}: {found:?}");
            assert_eq!(found.is_ok(), enough, "ahead {ahead}, input registers {input}: {found:?}");
        }
    }
    // With arrays the step lets go of it when latched: `output` steps are in write-back, `hold` slices latched behind them, `input` steps fetched or being
    // fetched behind those.
    for ahead in 1..5 {
        let work = loops_ahead(ahead, true, false);
        for (input, hold, output) in [(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 2, 2), (1, 3, 1), (1, 1, 3)] {
            let hardware = hardware(input, hold, output);
            let found = work.check_liveness(&hardware);
            let naive = naive::finishes(&work, &hardware.tile, 2, &mut Tape(&[], 0));
            let reached = (input + hold + output) as usize;
            assert_eq!(found.is_ok(), naive, "ahead {ahead}, {input} {hold} {output}: {found:?}");
            assert_eq!(found.is_ok(), ahead <= reached, "ahead {ahead}, {input} {hold} {output}: {found:?}");
        }
    }
}

#[test]
fn a_step_without_mvm_lets_go_of_its_input_register_behind_its_first_operation() {
    // So `output` steps are in write-back, and `input` steps behind them are fetched or being fetched.
    for ahead in 1..5 {
        let work = loops_ahead(ahead, false, true);
        for (input, output) in [(1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1)] {
            let hardware = hardware(input, 1, output);
            let found = work.check_liveness(&hardware);
            assert_eq!(found.is_ok(), ahead <= (input + output) as usize, "ahead {ahead}, {input} {output}: {found:?}");
            assert_eq!(found.is_ok(), naive::finishes(&work, &hardware.tile, 2, &mut Tape(&[], 0)));
        }
    }
}

#[test]
fn a_younger_step_overtakes_by_no_instruction() {
    // Step 0 receives the answer to what step 1 stores as its instruction number `behind`.
    for (behind, finishes) in [(0, true), (1, false), (2, false)] {
        let work_on = I::Vector { operation: VectorOperation::Pool, values: 1 };
        let mut own =
            vec![I::Load { region: 3, bits: 8 }, I::Receive { region: 1 }, work_on, work_on, I::Room { region: 0 }];
        own.extend(std::iter::repeat_n(work_on, behind));
        own.extend([I::Store { region: 0, bits: 8 }, I::Room { region: 2 }, I::Store { region: 2, bits: 8 }]);
        let answer = vec![
            I::Wait { region: 0, count: 1 },
            I::Free { region: 0, count: 1 },
            I::Room { region: 1 },
            I::Store { region: 1, bits: 8 },
        ];
        let work = Workload {
            regions: vec![
                region("question", 1, None, &[0], &[1]),
                region("answer", 1, None, &[1], &[0]),
                region("result", 1, None, &[0], &[]),
                region("spare", 1, None, &[], &[0]),
            ],
            cores: vec![core("own", own), core("answer", answer)],
            result: 2,
        };
        let hardware = hardware(4, 1, 4);
        assert_eq!(work.check_liveness(&hardware).is_ok(), finishes, "behind {behind}");
        assert_eq!(naive::finishes(&work, &hardware.tile, 2, &mut Tape(&[], 0)), finishes, "behind {behind}");
    }
}

#[test]
fn the_random_workloads_are_of_every_kind() {
    let mut kinds = [0; 3];
    for seed in 0..600_u64 {
        // Any sequence will do; this one is the same everywhere.
        let next = |state: &mut u64| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Some((*state >> 56) as u8)
        };
        let choices: Vec<u8> = std::iter::repeat_n((), 260).scan(seed, |state, ()| next(state)).collect();
        match workload(&mut Tape(&choices, 0)).check_liveness(&hardware(2, 1, 2)) {
            Ok(()) => kinds[0] += 1,
            Err(LivenessError::Full { .. }) => kinds[1] += 1,
            Err(LivenessError::Waits { .. }) => kinds[2] += 1,
            Err(LivenessError::Malformed(error)) => panic!("{error}"),
        }
    }
    assert!(kinds.into_iter().all(|kind| kind > 60), "{kinds:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_verdict_is_that_of_several_images_in_any_order(
        choices in prop::collection::vec(any::<u8>(), 260),
        order in prop::collection::vec(any::<u8>(), 4000),
        input in 1..4_u32, hold in 1..3_u32, output in 1..4_u32,
    ) {
        let work = workload(&mut Tape(&choices, 0));
        let hardware = hardware(input, hold, output);
        prop_assert_eq!(work.check(&hardware, 3), Ok(()));
        let found = work.check_liveness(&hardware);
        for images in 1..4 {
            let naive = naive::finishes(&work, &hardware.tile, images, &mut Tape(&order, 0));
            prop_assert_eq!(found.is_ok(), naive, "{} images: {:?}", images, found);
        }
        if let Err(LivenessError::Full { regions, .. }) = found {
            let mut enough = work.clone();
            for grown in &regions {
                let region = &mut enough.regions[grown.region as usize];
                prop_assert_eq!(region.capacity, Some(grown.capacity));
                prop_assert!(grown.required > grown.capacity && grown.required <= region.items);
                region.capacity = Some(grown.required);
            }
            prop_assert_eq!(enough.check_liveness(&hardware), Ok(()));
            if let [only] = &regions[..] {
                enough.regions[only.region as usize].capacity = Some(only.required - 1);
                prop_assert!(enough.check_liveness(&hardware).is_err());
            }
        } else if found.is_err() {
            let mut unlimited = work.clone();
            unlimited.regions.iter_mut().for_each(|region| region.capacity = None);
            prop_assert!(unlimited.check_liveness(&hardware).is_err());
        }
    }
}
