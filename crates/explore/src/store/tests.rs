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

/// The file of a lock whose owner is some other process.
fn foreign(store: &Store, id: &Id, owner: &str) -> PathBuf {
    let directory = store.root().join("lock");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(format!("{id}.{owner}.0-0.lock"));
    std::fs::write(&path, "0\n").unwrap();
    path
}

/// A process of this machine that has ended: the number of this one, used before.
fn dead() -> String {
    format!("{}-1", host::Owner::this().word().rsplit_once('-').unwrap().0)
}

#[test]
fn locks_of_the_dead_are_free() {
    let (_directory, store) = store();
    let id = Id::of("row", &[b"1"]);
    foreign(&store, &id, &dead());
    assert!(store.locked().unwrap().is_empty());
    assert!(store.lock(&id).unwrap().is_some());
    let failure = store.failure(&id).unwrap().unwrap();
    assert_eq!((failure.tries, failure.deaths), (0, 1), "that a process has ended at it is remembered");
}

#[test]
fn locks_of_silent_machines_expire() {
    let directory = tempfile::tempdir().unwrap();
    let patience = Duration::from_millis(1000);
    let store = Store::with(directory.path(), Arc::new(Disk), patience);
    let id = Id::of("row", &[b"1"]);
    let path = foreign(&store, &id, "elsewher-7-7");
    assert!(store.lock(&id).unwrap().is_none() && store.tidy().unwrap() == 0);
    std::thread::sleep(patience.mul_f64(0.7));
    std::fs::write(&path, "1\n").unwrap();
    std::thread::sleep(patience.mul_f64(0.7));
    assert!(store.lock(&id).unwrap().is_none(), "it has given a sign of life");
    assert_eq!(store.locked().unwrap(), [id]);
    std::thread::sleep(patience.mul_f64(1.2));
    assert!(store.locked().unwrap().is_empty());
    assert!(store.lock(&id).unwrap().is_some() && !path.exists());
    // Whoever clears up need not wait: what is old is seen at once.
    let (old, temporary) =
        (foreign(&store, &id, "elsewher-7-7"), directory.path().join("lock/.x.elsewher-7-7.1-1.tmp"));
    std::fs::write(&temporary, "half").unwrap();
    std::thread::sleep(patience.mul_f64(1.2));
    let another = Store::with(directory.path(), Arc::new(Disk), patience);
    assert_eq!((another.tidy().unwrap(), old.exists(), temporary.exists()), (2, false, false));
}

#[test]
fn whoever_has_lost_a_lock_leaves_the_new_one_alone() {
    let directory = tempfile::tempdir().unwrap();
    let patience = Duration::from_millis(200);
    let open = || Store::with(directory.path(), Arc::new(Disk), patience);
    let (first, second) = (open(), open());
    let id = Id::of("training", &[b"1"]);
    // Nobody beats for the first one, as if its process had been stopped.
    let lost = first.lock(&id).unwrap().unwrap();
    let old = first.adopt_checkpoints(&id, &lost).unwrap();
    std::fs::create_dir_all(&old).unwrap();
    std::fs::write(old.join("state"), "1").unwrap();
    std::thread::sleep(patience * 2);
    let held = second.lock(&id).unwrap().unwrap();
    let new = second.adopt_checkpoints(&id, &held).unwrap();
    assert_eq!(std::fs::read_to_string(new.join("state")).unwrap(), "1", "the training goes on where it was");
    let content = || {
        let names = Disk.list(&directory.path().join("lock")).unwrap();
        names
            .iter()
            .map(|name| (name.clone(), Disk.read(&directory.path().join("lock").join(name)).unwrap()))
            .collect::<Vec<_>>()
    };
    let before = content();
    assert_eq!(before.len(), 1);
    // The first one goes on: it beats, writes its state, has finished.
    first.alive(|| std::thread::sleep(patience));
    assert_eq!(content(), before, "a sign of life of the former owner");
    std::fs::create_dir_all(&old).unwrap();
    std::fs::write(old.join("state"), "2").unwrap();
    first.forget_checkpoints(&id, &lost).unwrap();
    drop(lost);
    assert_eq!(content(), before, "removed by the former owner");
    assert_eq!(std::fs::read_to_string(new.join("state")).unwrap(), "1");
    drop(held);
    assert!(content().is_empty());
}

/// However many find a lock abandoned or free at the same time: never two have it, and in the end everyone had it.
#[test]
fn many_who_want_a_lock_have_it_one_after_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let id = Id::of("training", &[b"1"]);
    let (inside, most) = (std::sync::atomic::AtomicUsize::new(0), std::sync::atomic::AtomicUsize::new(0));
    foreign(&Store::open(directory.path()), &id, &dead());
    std::thread::scope(|scope| {
        for number in 0..6_u64 {
            let (inside, most, directory, id) = (&inside, &most, &directory, &id);
            scope.spawn(move || {
                let store = Store::open(directory.path());
                let mut had = 0;
                while had < 20 {
                    // Nothing may depend on luck for ever: waits differ, as those of processes do.
                    std::thread::sleep(Duration::from_micros(150 * (number + 1)));
                    let Some(_lock) = store.lock(id).unwrap() else { continue };
                    most.fetch_max(
                        inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1,
                        std::sync::atomic::Ordering::SeqCst,
                    );
                    std::thread::yield_now();
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    had += 1;
                }
            });
        }
    });
    assert_eq!(most.into_inner(), 1);
    assert!(Disk.list(&directory.path().join("lock")).unwrap().is_empty());
}

#[test]
fn an_owner_that_takes_a_lock_again_is_alive() {
    let directory = tempfile::tempdir().unwrap();
    let patience = Duration::from_millis(300);
    let open = || Store::with(directory.path(), Arc::new(Disk), patience);
    let (owner, waiter, id) = (open(), open(), Id::of("row", &[b"1"]));
    for _ in 0..4 {
        let lock = owner.lock(&id).unwrap();
        assert!(lock.is_some() && waiter.lock(&id).unwrap().is_none());
        std::thread::sleep(patience / 2);
        assert!(waiter.lock(&id).unwrap().is_none());
    }
}

/// A disk on which somebody else stores a thing at the last moment.
#[derive(Debug)]
struct Overtaken {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Files for Overtaken {
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        Disk.read(path)
    }
    fn list(&self, directory: &Path) -> std::io::Result<Vec<String>> {
        Disk.list(directory)
    }
    fn make_directory(&self, directory: &Path) -> std::io::Result<()> {
        Disk.make_directory(directory)
    }
    fn create(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        Disk.create(path, bytes)
    }
    fn link(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        if to == self.path && !to.exists() {
            std::fs::write(to, &self.bytes)?;
        }
        Disk.link(from, to)
    }
    fn overwrite(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        Disk.overwrite(path, bytes)
    }
    fn sync(&self, path: &Path) -> std::io::Result<()> {
        Disk.sync(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        // What renaming would replace is what the other one has just stored.
        if to == self.path && !to.exists() {
            std::fs::write(to, &self.bytes)?;
        }
        Disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> std::io::Result<()> {
        Disk.remove(path)
    }
    fn remove_directory(&self, path: &Path) -> std::io::Result<()> {
        Disk.remove_directory(path)
    }
    fn modified(&self, path: &Path) -> std::io::Result<std::time::SystemTime> {
        Disk.modified(path)
    }
}

#[test]
fn of_two_results_at_the_same_time_none_is_lost() {
    let id = Id::of("row", &[b"1"]);
    let record = |text: &str| Record::default().with("text", text);
    for (theirs, ours) in [("same", "same"), ("theirs", "ours")] {
        let directory = tempfile::tempdir().unwrap();
        let path = Store::open(directory.path()).path(Kind::Row, &id);
        let files = Overtaken { path: path.clone(), bytes: record(theirs).encode(Kind::Row, &id) };
        let store = Store::with(directory.path(), Arc::new(files), PATIENCE);
        let put = store.put(Kind::Row, &id, &record(ours));
        assert_eq!(store.get(Kind::Row, &id).unwrap(), Some(record(theirs)));
        if theirs == ours {
            assert!(put.is_ok() && store.conflicts().unwrap().is_empty());
        } else {
            let Err(StoreError::Conflict { first, second }) = put else { panic!("{put:?}") };
            assert!(first == path && std::fs::read(second).unwrap() == record(ours).encode(Kind::Row, &id));
        }
        let left = Disk.list(path.parent().unwrap()).unwrap();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

#[test]
fn leftovers_of_the_dead_are_tidied_up_and_others_stay() {
    let (_directory, store) = store();
    let id = Id::of("row", &[b"1"]);
    store.put(Kind::Row, &id, &Record::default()).unwrap();
    let folder = store.path(Kind::Row, &id).parent().unwrap().to_owned();
    let own = host::Owner::this().word();
    let names =
        [format!(".x.rec.{own}.3.tmp"), format!(".x.rec.{}.3.tmp", dead()), ".x.rec.00000000-1-1.3.tmp".to_owned()];
    names.iter().for_each(|name| std::fs::write(folder.join(name), "half").unwrap());
    assert_eq!(store.tidy().unwrap(), 1);
    assert_eq!(names.map(|name| folder.join(name).exists()), [true, false, true]);
    assert!(store.get(Kind::Row, &id).unwrap().is_some());
}

#[test]
fn states_of_trainings_are_kept_until_nobody_needs_them() {
    let (_directory, store) = store();
    let (done, open) = (Id::of("training", &[b"1"]), Id::of("training", &[b"2"]));
    store.put(Kind::Training, &done, &Record::default()).unwrap();
    for id in [done, open] {
        let lock = store.lock(&id).unwrap().unwrap();
        let directory = store.adopt_checkpoints(&id, &lock).unwrap();
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("state"), "1").unwrap();
    }
    assert_eq!(store.tidy().unwrap(), 1, "that of a stored training");
    let lock = store.lock(&open).unwrap().unwrap();
    assert_eq!(store.tidy_checkpoints(|_| true).unwrap(), 0, "somebody is at it");
    drop(lock);
    assert_eq!(store.tidy_checkpoints(|id| *id == done).unwrap(), 0, "that of another");
    assert_eq!(store.interrupted_trainings().unwrap(), [open]);
    assert_eq!(store.tidy_checkpoints(|_| true).unwrap(), 1);
}
