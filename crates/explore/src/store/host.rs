//! Who owns a lock, and whether that process still lives.

use std::fs;

use super::record::digest;

/// A process, as lock files name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// Machine and, within it, the space of process numbers.
    host: String,
    pid: u32,
    /// When the process began, in ticks since the machine did: process numbers are used again.
    started: u64,
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
        let host = format!("{name}/{boot}/{space}").replace(char::is_whitespace, "_");
        Self { host, pid, started: started(pid).unwrap_or(0) }
    }

    /// Whether the process is known to have ended. Of other machines nothing is known.
    pub(super) fn is_dead(&self, here: &Self) -> bool {
        // Without a list of processes nothing is known either.
        self.host == here.host && here.started != 0 && started(self.pid) != Some(self.started)
    }

    /// A word for names of temporary files.
    pub(super) fn word(&self) -> String {
        format!("{}-{}-{}", &digest(self.host.as_bytes())[..8], self.pid, self.started)
    }

    /// Whether a word is that of a process of this machine that has ended.
    pub(super) fn is_left(&self, word: &str) -> bool {
        let mut parts = word.split('-');
        let host = parts.next() == Some(&digest(self.host.as_bytes())[..8]);
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (Some(pid), Some(started)) = (number(), number()) else { return false };
        host && u32::try_from(pid).is_ok_and(|pid| Self { pid, started, ..self.clone() }.is_dead(self))
    }

    /// As lock files hold it, with a number that the owner counts up.
    pub(super) fn line(&self, beat: u64) -> String {
        // Always as long, so that it can be written over.
        format!("{} {} {} {beat:020}\n", self.host, self.pid, self.started)
    }

    /// Reads the content of a lock file.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_suffix('\n')?.split(' ');
        let (host, pid, started) = (words.next()?, words.next()?, words.next()?);
        words.next()?.parse::<u64>().ok()?;
        Some(Self { host: host.to_owned(), pid: pid.parse().ok()?, started: started.parse().ok()? })
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
        assert_eq!(Owner::parse(&this.line(7)), Some(this.clone()));
        assert!(!this.is_dead(&this));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other = Owner { pid: child.id(), started: started(child.id()).unwrap(), ..this.clone() };
        assert!(!other.is_dead(&this));
        child.kill().unwrap();
        while started(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(other.is_dead(&this), "a process that nobody has waited for");
        child.wait().unwrap();
        assert!(other.is_dead(&this));
        assert!(Owner { started: 1, ..this.clone() }.is_dead(&this), "another process had the number");
        assert!(!Owner { host: "elsewhere".to_owned(), ..other }.is_dead(&this));
    }

    #[test]
    fn torn_lines_name_nobody() {
        let line = Owner::this().line(3);
        for end in 0..line.len() {
            assert_eq!(Owner::parse(&line[..end]), None);
        }
    }
}
