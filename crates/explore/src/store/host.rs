//! Which process did something, and whether it still lives.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::record::digest;

/// A process, as names of files hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// What stands for the machine, since it was started, and the space of process numbers within it.
    host: String,
    pid: u32,
    /// When the process began, in ticks since the machine did: process numbers are used again.
    started: u64,
}

/// This process, with a number that no other one draws: where no process has a start time, names differ all the same.
static THIS: LazyLock<(Owner, u32)> = LazyLock::new(|| (Owner::this(), RandomState::new().hash_one(0) as u32));
/// Words so far.
static WORDS: AtomicU64 = AtomicU64::new(0);

/// A word for names of files that nobody else uses: `HOST-PID-STARTED.NUMBER`.
pub(super) fn unique_word() -> String {
    let (owner, random) = &*THIS;
    format!("{}.{random:08x}-{}", owner.word(), WORDS.fetch_add(1, Ordering::Relaxed))
}

impl Owner {
    /// This process.
    pub(super) fn this() -> Self {
        let text = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
        // Machines may have the same name, and containers the same machine.
        let boot = text("/proc/sys/kernel/random/boot_id");
        let space =
            fs::read_link("/proc/self/ns/pid").map(|link| link.to_string_lossy().into_owned()).unwrap_or_default();
        let name = text("/proc/sys/kernel/hostname");
        let pid = std::process::id();
        let host = digest(format!("{name}/{boot}/{space}").as_bytes())[..8].to_owned();
        Self { host, pid, started: started(pid).unwrap_or(0) }
    }

    /// Whether the process is known to have ended. Of other machines nothing is known.
    fn is_dead(&self, here: &Self) -> bool {
        // Without a list of processes nothing is known either.
        self.host == here.host && here.started != 0 && started(self.pid) != Some(self.started)
    }

    /// The first half of [`unique_word`].
    pub(super) fn word(&self) -> String {
        format!("{}-{}-{}", self.host, self.pid, self.started)
    }

    fn parse(word: &str) -> Option<Self> {
        let mut parts = word.split('-');
        let (host, pid, started) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { host: host.to_owned(), pid: pid.parse().ok()?, started: started.parse().ok()? })
    }

    /// Whether the file name `NAME.HOST-PID-STARTED.NUMBER.END` is that of a process of this machine that has ended.
    pub(super) fn is_left(&self, name: &str) -> bool {
        let owner = name.rsplit('.').nth(2).and_then(Self::parse);
        owner.is_some_and(|owner| owner.is_dead(self))
    }
}

/// Start time of a process; none if there is no such process or it has ended.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in parentheses, may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    // A zombie has ended; it only waits for its parent to notice.
    let ended = matches!(fields.next()?, "Z" | "X");
    let started = fields.nth(18)?.parse().ok()?;
    (!ended).then_some(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_itself_and_the_dead() {
        let this = Owner::this();
        assert_eq!(Owner::parse(&this.word()), Some(this.clone()));
        assert!(!this.is_dead(&this));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other = Owner { pid: child.id(), started: started(child.id()).unwrap(), ..this.clone() };
        let name = format!("x.{}.7.lock", other.word());
        assert!(!other.is_dead(&this) && !this.is_left(&name));
        child.kill().unwrap();
        while started(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(other.is_dead(&this), "a process that nobody has waited for");
        child.wait().unwrap();
        assert!(other.is_dead(&this) && this.is_left(&name));
        assert!(Owner { started: 1, ..this.clone() }.is_dead(&this), "another process had the number");
        assert!(!Owner { host: "elsewhere".to_owned(), ..other }.is_dead(&this));
    }

    #[test]
    fn other_names_are_nobodys() {
        let this = Owner::this();
        for name in
            ["", "a.b", "x.rec", ".x.rec.tmp", "x.1-2.3.lock", "x.a-b-c.3.lock", &format!("x.{}.tmp", this.word())]
        {
            assert!(!this.is_left(name), "{name}");
        }
    }
}
