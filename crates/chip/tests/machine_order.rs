//! The order of write-backs: instructions wait for the step before, and `receive` takes the item of its place in the program. Traces, with cycles counted by hand.

use crate::compare::both;
use crate::stepped::Stuck;
use crate::workloads::examples::plain_hardware;
use chip::machine::liveness::LivenessError;
use chip::machine::trace;
use chip::machine::work::Workload;

/// Regions `a` (items for core `x`), `out` and more, and what cores `x` and `y` execute.
fn workload(regions: &str, x: &str, y: &str) -> Workload {
    let text = format!(
        "ohmic-trace 1\n{regions}\ncore 0 \"x\" stage \"x\" tile 0\n{x}\ncore 1 \"y\" stage \"y\" tile 0\n{y}\nend trace\n"
    );
    trace::read(text.as_bytes()).unwrap()
}

/// When the image is done, and the end of the run, of engine and naive model; liveness must say that there is one.
fn ends(workload: &Workload) -> (u64, u64) {
    let hardware = plain_hardware();
    assert_eq!(workload.check(&hardware, 1), Ok(()));
    assert_eq!(workload.check_liveness(&hardware), Ok(()));
    let outcome = both(workload, &hardware, 1).unwrap();
    (outcome.image_done[0], outcome.end)
}

/// Step 0 waits for its item, step 1 has one instruction, step 2 three: the step before step 2 is step 1, also when that has ended.
const UNEVEN: &str =
    "merge 1\nreceive 0\nvector add 1\nsync room 1\nstore 1 1\nsync room 1\nvector add 1\nvector add 1\nstore 1 1";

/// Step 1 stores in 0..1 and ends, with which step 2 gets an input register; it works in 1..2 and 2..3 and stores in 3..4. Core `y` has waited for both items and stores the
/// item of step 0 in 4..5 and the result in 5..6, step 0 works in 5..6.
#[test]
fn a_step_waits_for_the_step_before_and_for_no_older_one() {
    let regions = r#"region 0 "a" tile 0 items 1 bits 8 capacity unlimited writers 1 readers 0
region 1 "b" tile 0 items 2 bits 8 capacity unlimited writers 0 readers 1
region 2 "out" tile 0 items 1 bits 8 capacity unlimited writers 1 readers none
result 2"#;
    let y = "sync wait 1 2\nsync free 1 2\nsync room 0\nstore 0 1\nsync room 2\nstore 2 1";
    assert_eq!(ends(&workload(regions, UNEVEN, y)), (6, 6));
}

/// As before, but nobody waits for the items of `x`. Its step 2 has the vector unit in 1..2, before `y`, who asks for it at the same time and has it in 2..3; then in 3..4, and
/// stores in 4..5. `y` adds in 3..1003 and stores in 1003..1004, and step 0 works in 1004..1005.
#[test]
fn a_step_is_not_late_because_an_older_one_waits() {
    let regions = r#"region 0 "a" tile 0 items 1 bits 8 capacity unlimited writers 1 readers 0
region 1 "out" tile 0 items 2 bits 8 capacity unlimited writers 0 readers none
result 1"#;
    let y = "sync room 0\nvector add 1\nvector add 1\nmerge 1000\nstore 0 1";
    assert_eq!(ends(&workload(regions, UNEVEN, y)), (5, 1005));
}

/// `y` writes item 0 at `first + 1` and item 1 at `first + 3001`. Step 0 of `x` works for 2002 cycles before it receives, step 1 receives at once: item 1, whichever comes to its
/// `receive` first, so that its store ends at `first + 3002`.
#[test]
fn receive_takes_the_item_of_its_place_in_the_program() {
    let regions = r#"region 0 "a" tile 0 items 2 bits 8 capacity unlimited writers 1 readers 0
region 1 "out" tile 0 items 1 bits 8 capacity unlimited writers 0 readers none
result 1"#;
    let x = "vector add 2\nvector add 2000\nreceive 0\nsync room 1\nreceive 0\nstore 1 1";
    for first in [500, 2000, 2500] {
        let y = format!("sync room 0\nmerge {first}\nstore 0 1\nsync room 0\nmerge 3000\nstore 0 1");
        assert_eq!(ends(&workload(regions, x, &y)), (first + 3002, first + 3002), "item 0 at {first}");
    }
}

/// Step 1 could begin with item 0, which is there long before step 0 asks for it, and `y` would then write item 1. But item 0 belongs to step 0.
#[test]
fn a_younger_step_takes_no_item_of_an_older_one() {
    let regions = r#"region 0 "a" tile 0 items 2 bits 8 capacity unlimited writers 1 readers 0
region 1 "b" tile 0 items 1 bits 8 capacity unlimited writers 0 readers 1
region 2 "out" tile 0 items 1 bits 8 capacity unlimited writers 1 readers none
result 2"#;
    let x = "vector add 2000\nvector add 1\nreceive 0\nsync room 1\nreceive 0\nstore 1 1";
    let y = "sync room 0\nstore 0 1\nsync wait 1 1\nsync free 1 1\nsync room 0\nsync room 2\nstore 0 1\nstore 2 1";
    let workload = workload(regions, x, y);
    assert!(matches!(workload.check_liveness(&plain_hardware()), Err(LivenessError::Waits { .. })));
    assert!(matches!(both(&workload, &plain_hardware(), 1), Err(Stuck::Dead { .. })));
}

/// Places are given back in order: item 1, which step 1 gives back at 2, while step 0 holds item 0 until its addition ends at 21, makes no room for item 2 before.
#[test]
fn an_item_given_back_early_makes_no_room_before_the_older_ones() {
    let regions = r#"region 0 "a" tile 0 items 3 bits 8 capacity 2 writers 1 readers 0
region 1 "out" tile 0 items 1 bits 8 capacity unlimited writers 0 readers none
result 1"#;
    let x = "receive 0\nmerge 20\nsync room 1\nreceive 0\nvector add 1\nreceive 0\nstore 1 1";
    let y = "sync room 0\nstore 0 1\nsync room 0\nstore 0 1\nsync room 0\nstore 0 1";
    // Items 0 and 1 at 1 and 2, item 2 in 21..22, the result in 22..23.
    assert_eq!(ends(&workload(regions, x, y)), (23, 23));
}
