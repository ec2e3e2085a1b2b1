//! Every way in which a workload can make no sense is refused, by its place, its value and what is allowed.

use crate::trace_support::hardware;
use chip::machine::check::Place;
use chip::machine::instruction::Instruction as I;
use chip::machine::trace;
use chip::machine::work::{Bank, Workload};

/// `two-stages.trace`: a change of it, and the error that this gives.
fn refused(images: u64, change: impl FnOnce(&mut Workload)) -> String {
    let mut work = trace::read(include_str!("../../../traces/two-stages.trace").as_bytes()).unwrap();
    assert_eq!(work.check(&hardware(2, 2, 2), 1), Ok(()));
    change(&mut work);
    work.check(&hardware(2, 2, 2), images).unwrap_err().to_string()
}

/// Expects an error that begins like this.
fn expect(change: impl FnOnce(&mut Workload), expected: &str) {
    let found = refused(1, change);
    assert!(found.starts_with(expected), "\nexpected {expected}\nfound    {found}");
}

/// Replaces an instruction of a core.
fn put(core: usize, at: usize, instruction: I) -> impl FnOnce(&mut Workload) {
    move |work| work.cores[core].instructions[at] = instruction
}

#[test]
fn regions() {
    let region = "region 1 `second: in`";
    expect(
        |w| w.regions[1].tile = 4,
        &format!("{region}: tile = 4 is not allowed: below 4, the tiles of the 2 x 2 mesh"),
    );
    expect(|w| w.regions[1].items = 0, &format!("{region}: items = 0 is not allowed: at least 1"));
    expect(|w| w.regions[1].item_bits = 0, &format!("{region}: bits = 0 is not allowed"));
    expect(|w| w.regions[1].capacity = Some(0), &format!("{region}: capacity = 0 is not allowed"));
    expect(|w| w.regions[1].writers = vec![2], &format!("{region}: writers = 2 is not allowed: below 2"));
    expect(|w| w.regions[1].readers = vec![9], &format!("{region}: readers = 9 is not allowed"));
    expect(
        |w| w.regions[1].writers = vec![0, 0],
        &format!("{region}: writers = 0 twice is not allowed: each core once"),
    );
    expect(
        |w| w.regions[1].readers = vec![0],
        &format!("{region}: readers = 0 `first/0` of tile 0 is not allowed: cores of tile 1"),
    );
    expect(|w| w.result = 3, "workload: result = 3 is not allowed: below 3, the number of regions");
    expect(|w| w.result = 0, "workload: result = 0 is not allowed: a region with writers");
    // 2^20 bits: 8192 items of 128 bits fill the buffer; unlimited regions do not count.
    expect(
        |w| w.regions[1].capacity = Some(8193),
        "tile 1: bits of its regions = 1048704 is not allowed: at most 1048576 bits",
    );
    let mut full = trace::read(include_str!("../../../traces/two-stages.trace").as_bytes()).unwrap();
    full.regions[1].capacity = Some(8192);
    assert_eq!(full.check(&hardware(2, 2, 2), 1), Ok(()));
    full.regions[2].capacity = Some(1);
    assert!(full.check(&hardware(2, 2, 2), 1).is_err());
    expect(
        |w| w.regions[1].capacity = Some(u64::MAX),
        "tile 1: bits of its regions = 2361183241434822606720 is not allowed",
    );
}

#[test]
fn cores() {
    expect(|w| w.cores[1].tile = 4, "region 1 `second: in`: readers = 1 `second/0` of tile 4 is not allowed");
    expect(|w| w.cores[0].instructions.clear(), "core 0 `first/0`: instructions = 0 is not allowed: at least 1");
    expect(
        |w| w.cores[0].banks.clear(),
        "core 0 `first/0`, instruction 4 `mvm 8`: banks of the core = 0 is not allowed",
    );
    expect(|w| w.cores[0].banks[0].count = 0, "core 0 `first/0`: banks = 0 is not allowed");
    expect(|w| w.cores[0].banks[0].columns = 0, "core 0 `first/0`: columns = 0 is not allowed");
    let digital = |w: &mut Workload| w.cores[0].instructions.retain(|i| !matches!(i, I::Mvm { .. }));
    expect(digital, "core 0 `first/0`: banks = 1 is not allowed: 0, since the core has no `mvm`");
    let place = "core 0 `first/0`, instruction 5 `mvm 1`: its step = 0 is not allowed: one `mvm` in a step";
    expect(put(0, 5, I::Mvm { slices: 1 }), place);
    expect(
        put(0, 7 + 5, I::Mvm { slices: 1 }),
        "core 0 `first/0`, instruction 12 `mvm 1`: its step = 1 is not allowed",
    );
    let late = |w: &mut Workload| w.cores[0].instructions.swap(4, 5);
    expect(late, "core 0 `first/0`, instruction 5 `mvm 8`: its step = 0 is not allowed");
}

#[test]
fn instructions() {
    let at = |core: usize, at: usize, text: &str| {
        let name = ["first/0", "second/0"][core];
        format!("core {core} `{name}`, instruction {at} `{text}`")
    };
    let unknown = I::Wait { region: 3, count: 1 };
    expect(put(0, 0, unknown), &format!("{}: region = 3 is not allowed: below 3", at(0, 0, "sync wait 3 1")));
    let many = format!("{} (region `images`): items = 10 is not allowed: at most 9", at(0, 0, "sync wait 0 10"));
    expect(put(0, 0, I::Wait { region: 0, count: 10 }), &many);
    let many = format!("{} (region `images`): items = 10 is not allowed: at most 9", at(0, 2, "sync free 0 10"));
    expect(put(0, 2, I::Free { region: 0, count: 10 }), &many);
    for (instruction, text) in [
        (I::Wait { region: 1, count: 1 }, "sync wait 1 1"),
        (I::Free { region: 1, count: 1 }, "sync free 1 1"),
        (I::Load { region: 1, bits: 8 }, "load 1 8"),
    ] {
        let expected =
            format!("{} (region `second: in`): core = 0 is not allowed: a reader of the region", at(0, 0, text));
        expect(put(0, 0, instruction), &expected);
    }
    let receive = format!("{} (region `second: in`): core = 0 is not allowed: a reader", at(0, 5, "receive 1"));
    expect(put(0, 5, I::Receive { region: 1 }), &receive);
    let room = format!("{} (region `images`): core = 0 is not allowed: a writer", at(0, 1, "sync room 0"));
    expect(put(0, 1, I::Room { region: 0 }), &room);
    let send = format!("{} (region `result`): core = 0 is not allowed: a writer", at(0, 6, "send 2 8"));
    expect(put(0, 6, I::Send { region: 2, bits: 8 }), &send);
    let store = format!(
        "{} (region `second: in`): tile of the region = 1 is not allowed: the tile of the core",
        at(0, 6, "store 1 8")
    );
    expect(put(0, 6, I::Store { region: 1, bits: 8 }), &store);
    let send =
        format!("{} (region `result`): tile of the region = 1 is not allowed: another tile", at(1, 7, "send 2 8"));
    expect(put(1, 7, I::Send { region: 2, bits: 8 }), &send);
    let large = format!("{} (region `result`): bits = 81 is not allowed: at most 80", at(1, 7, "store 2 81"));
    expect(put(1, 7, I::Store { region: 2, bits: 81 }), &large);
    let nothing = [
        (3, I::Load { region: 0, bits: 0 }, "load 0 0` (region `images`): bits"),
        (3, I::LoadMemory { region: 0, bits: 0 }, "load memory 0 0` (region `images`): bits"),
        (4, I::Mvm { slices: 0 }, "mvm 0`: slices"),
        (5, I::Merge { values: 0 }, "merge 0`: values"),
        (6, I::Send { region: 1, bits: 0 }, "send 1 0` (region `second: in`): bits"),
    ];
    for (number, instruction, text) in nothing {
        let expected = format!("core 0 `first/0`, instruction {number} `{text} = 0 is not allowed: at least 1");
        expect(put(0, number, instruction), &expected);
    }
}

#[test]
fn products_in_some_steps() {
    let text = "the number of `mvm` in its step = 0 is not allowed: 1, as in the other steps of the core";
    let found = refused(1, |work| {
        work.cores[0].instructions.remove(4);
    });
    assert!(found.starts_with("core 0 `first/0`, instruction 0 `sync wait 0 2`") && found.contains(text), "{found}");
}

#[test]
fn shares() {
    let early = "core 0 `first/0`, instruction 6 `send 1 128` (region `second: in`): items written = 1 is not allowed: at most 0";
    expect(put(0, 1, I::Load { region: 0, bits: 8 }), early);
    let vector = I::Merge { values: 1 };
    expect(
        put(0, 55, vector),
        "region 1 `second: in`: items written = 7 is not allowed: 8, the share of core 0 `first/0`",
    );
    expect(
        put(0, 54, I::Send { region: 1, bits: 8 }),
        "core 0 `first/0`, instruction 55 `send 1 128` (region `second: in`): items written = 9",
    );
    let more = |w: &mut Workload| w.cores[0].instructions.insert(0, I::Room { region: 1 });
    expect(more, "region 1 `second: in`: places taken by `sync room` = 9 is not allowed: 8");
    let two = |w: &mut Workload| w.regions[1].writers.push(1);
    expect(two, "region 1 `second: in`: places taken by `sync room` = 8 is not allowed: 4, the share of core 0");
    let back = I::Free { region: 1, count: 7 };
    let last = 8 * 8 - 5;
    expect(
        put(1, last, back),
        "region 1 `second: in`: items given back = 7 is not allowed: 8, all items of an image, of core 1 `second/0`",
    );
    let fall =
        "core 1 `second/0`, instruction 11 `sync free 1 0` (region `second: in`): items = 0 is not allowed: at least 1";
    expect(put(1, 11, I::Free { region: 1, count: 0 }), fall);
    let both =
        "core 1 `second/0`, instruction 5 `receive 1` (region `second: in`): items received = 1 is not allowed: 0";
    expect(put(1, 5, I::Receive { region: 1 }), both);
    let receives = |w: &mut Workload| {
        w.cores[1].instructions.retain(|i| !matches!(i, I::Free { .. }));
        w.cores[1].instructions[4] = I::Receive { region: 1 };
    };
    expect(receives, "region 1 `second: in`: items given back = 1 is not allowed: 8");
    let never = |w: &mut Workload| w.cores[1].instructions.retain(|i| !matches!(i, I::Free { .. }));
    expect(never, "region 1 `second: in`: items given back = 0 is not allowed: 8");
    expect(
        put(0, 7 * 7 + 2, I::Free { region: 0, count: 8 }),
        "region 0 `images`: items given back = 8 is not allowed: 9",
    );
}

#[test]
fn what_is_always_there_need_not_be_given_back() {
    let mut work = trace::read(include_str!("../../../traces/two-stages.trace").as_bytes()).unwrap();
    work.cores[0].instructions.retain(|i| !matches!(i, I::Free { .. }));
    assert_eq!(work.check(&hardware(2, 2, 2), 1), Ok(()));
}

#[test]
fn sizes() {
    assert!(refused(0, |_| {}).starts_with("workload: images = 0 is not allowed: at least 1"));
    let most = u64::MAX / 9;
    assert!(
        refused(most + 1, |_| {})
            .starts_with("region 0 `images`: items = 9 is not allowed: at most 8, so that those of")
    );
    let found = refused(most, |_| {});
    assert!(found.contains("bound of all cycles of an image so far = "), "{found}");
    let found = refused(1, |w| w.cores[0].banks = vec![Bank { count: u64::MAX, columns: u64::MAX }]);
    assert!(found.starts_with("core 0 `first/0`, instruction 4 `mvm 8`: bound of all cycles"), "{found}");
    let found = refused(1, |w| w.cores[0].banks = vec![Bank { count: u64::MAX, columns: 1 }]);
    assert!(
        found
            .contains("instruction 4 `mvm 8`: bits, values and conversions of an image so far = 147573952589676412987"),
        "{found}"
    );
    for load in [I::Load { region: 0, bits: u64::MAX }, I::Load { region: 0, bits: 1 << 63 }] {
        let found = refused(2, put(0, 3, load));
        assert!(found.contains("so that 2 images stay within 64 bits"), "{found}");
    }
    let found = refused(1, put(0, 5, I::Merge { values: u64::MAX }));
    assert!(found.contains("instruction 5 `merge 18446744073709551615`: bound"), "{found}");
}

#[test]
fn the_place_can_be_taken_apart() {
    let mut work = trace::read(include_str!("../../../traces/two-stages.trace").as_bytes()).unwrap();
    put(0, 3, I::Load { region: 0, bits: 0 })(&mut work);
    let error = work.check(&hardware(2, 2, 2), 1).unwrap_err();
    let (name, text) = ("first/0".to_owned(), "load 0 0".to_owned());
    let place = Place::Instruction { core: 0, name, number: 3, text, region: Some("images".to_owned()) };
    assert_eq!(
        (*error.place, error.what, error.value.as_str(), error.allowed.as_str()),
        (place, "bits", "0", "at least 1")
    );
}
