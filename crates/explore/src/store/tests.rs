use std::time::Duration;

use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store"));
    (directory, store)
}

#[test]
fn names_tell_parts_apart() {
    assert_ne!(Id::of("row", &[b"ab", b"c"]), Id::of("row", &[b"a", b"bc"]));
    assert_ne!(Id::of("row", &[b"a"]), Id::of("training", &[b"a"]));
    let id = Id::of("row", &[b"a"]);
    assert_eq!(Id::parse(&id.to_string()), Some(id));
    for bad in ["", "zz", &"g".repeat(64), &"A".repeat(64), &"\u{e9}".repeat(32)] {
        assert_eq!(Id::parse(bad), None);
    }
}

#[test]
fn what_is_put_comes_back() {
    let (_directory, store) = store();
    let id = Id::of("row", &[b"1"]);
    assert_eq!(store.get(Kind::Row, &id).unwrap(), None);
    let record = Record::default().with("text", "a\nb\n").with("bytes", vec![0, 255, 10]).with("empty", "");
    store.put(Kind::Row, &id, &record).unwrap();
    store.put(Kind::Row, &id, &record).unwrap();
    assert_eq!(store.get(Kind::Row, &id).unwrap(), Some(record));
    assert_eq!(store.ids(Kind::Row).unwrap(), [id].into());
    assert_eq!(store.get(Kind::Training, &id).unwrap(), None);
    let error = store.put(Kind::Row, &id, &Record::default()).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
}

#[test]
fn any_change_of_a_record_is_noticed() {
    let id = Id::of("row", &[b"1"]);
    let bytes = Record::default().with("a", "text").with("b", "more").encode(Kind::Row, &id);
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(Record::decode(&damaged, Kind::Row, &id).is_err(), "byte {at}");
        assert!(Record::decode(&bytes[..at], Kind::Row, &id).is_err(), "end at {at}");
    }
    assert!(Record::decode(&bytes, Kind::Program, &id).is_err());
    assert!(Record::decode(&bytes, Kind::Row, &Id::of("row", &[b"2"])).is_err());
}

#[test]
fn a_lock_has_one_owner_until_it_is_dropped() {
    let (_directory, store) = store();
    let id = Id::of("row", &[b"1"]);
    let other = Store::open(store.root());
    let lock = store.lock(&id).unwrap();
    assert!(lock.is_some() && other.lock(&id).unwrap().is_none() && store.lock(&id).unwrap().is_none());
    assert_eq!(other.locked().unwrap(), [id]);
    drop(lock);
    assert!(other.locked().unwrap().is_empty() && other.lock(&id).unwrap().is_some());
}

#[test]
fn locks_of_the_dead_are_free() {
    let (_directory, store) = store();
    let id = Id::of("row", &[b"1"]);
    drop(store.lock(&id).unwrap());
    let this = host::Owner::this().line(0);
    let (before, started) = this.trim_end().rsplit_once(' ').unwrap().0.rsplit_once(' ').unwrap();
    assert!(started.parse::<u64>().unwrap() > 1);
    // The same process number, another process.
    let path = store.root().join("lock").join(format!("{id}.lock"));
    std::fs::write(&path, format!("{before} 1 0\n")).unwrap();
    assert!(store.locked().unwrap().is_empty());
    assert!(store.lock(&id).unwrap().is_some());
}

#[test]
fn locks_of_silent_machines_expire() {
    let directory = tempfile::tempdir().unwrap();
    let patience = Duration::from_millis(300);
    let store = Store::with(directory.path(), Arc::new(Disk), patience);
    let id = Id::of("row", &[b"1"]);
    drop(store.lock(&id).unwrap());
    let path = directory.path().join("lock").join(format!("{id}.lock"));
    let beat = |beat: u32| std::fs::write(&path, format!("elsewhere 7 7 {beat}\n")).unwrap();
    beat(0);
    assert!(store.lock(&id).unwrap().is_none());
    std::thread::sleep(patience);
    beat(1);
    assert!(store.lock(&id).unwrap().is_none(), "it has given a sign of life");
    std::thread::sleep(patience);
    assert!(store.lock(&id).unwrap().is_some());
}

#[test]
fn leftovers_of_the_dead_are_tidied_up_and_others_stay() {
    let (_directory, store) = store();
    let id = Id::of("row", &[b"1"]);
    store.put(Kind::Row, &id, &Record::default()).unwrap();
    let folder = store.path(Kind::Row, &id).parent().unwrap().to_owned();
    let own = host::Owner::this().word();
    let dead = format!("{}-1", own.rsplit_once('-').unwrap().0);
    let names = [format!(".x.rec.{own}.3.tmp"), format!(".x.rec.{dead}.3.tmp"), ".x.rec.00000000-1-1.3.tmp".to_owned()];
    names.iter().for_each(|name| std::fs::write(folder.join(name), "half").unwrap());
    assert_eq!(store.tidy().unwrap(), 1);
    assert_eq!(names.map(|name| folder.join(name).exists()), [true, false, true]);
    assert!(store.get(Kind::Row, &id).unwrap().is_some());
}
