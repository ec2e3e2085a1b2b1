//! Where and when results were measured.

use serde::Serialize;
use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use tile::kernel::Isa;

/// What a result belongs to; unknown values are empty.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Day (UTC), year-month-day.
    pub date: String,
    /// Model of the processor.
    pub cpu: String,
    /// Processors that this process may use.
    pub processors: usize,
    /// Best instruction set of the kernel.
    pub isa: String,
    /// Operating system and architecture.
    pub system: String,
    /// Commit of this repository.
    pub commit: String,
    /// Whether files of the repository were changed since.
    pub changed: bool,
    /// Compiler.
    pub rustc: String,
}

impl Machine {
    /// This one, now.
    #[must_use]
    pub fn this() -> Self {
        let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / 86_400);
        let (year, month, day) = civil(days);
        let output = |program: &str, arguments: &[&str]| -> String {
            let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success());
            output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
        };
        Self {
            date: format!("{year}-{month:02}-{day:02}"),
            cpu: field(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default(), "model name"),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            isa: Isa::best().name().to_owned(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            commit: output("git", &["rev-parse", "HEAD"]),
            // Results themselves are rewritten by every run.
            changed: !output("git", &["status", "--porcelain", "--", ":/", ":!/docs"]).is_empty(),
            rustc: output("rustc", &["--version"]),
        }
    }
}

/// Most memory that this process ever occupied, bytes; none where the system does not say.
#[must_use]
pub fn peak_memory_bytes() -> Option<u64> {
    let peak = field(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM");
    let kilobytes: u64 = peak.strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kilobytes)
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> String {
    let value = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name);
    value.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// Year, month and day of a day after 1970-01-01 in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut month, mut rest) = (1970, 1, days);
    while rest >= 365 + u64::from(leap(year)) {
        rest -= 365 + u64::from(leap(year));
        year += 1;
    }
    for days in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if rest < days {
            break;
        }
        rest -= days;
        month += 1;
    }
    (year, month, rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        let dates = [0, 59, 789, 11_016, 19_722, 19_723, 20_088].map(civil);
        let expected =
            [(1970, 1, 1), (1970, 3, 1), (1972, 2, 29), (2000, 2, 29), (2023, 12, 31), (2024, 1, 1), (2024, 12, 31)];
        assert_eq!(dates, expected);
    }

    #[test]
    fn fields_are_found() {
        let text = "processor\t: 0\nmodel name\t: A processor: fast\nmodel name\t: another\n";
        assert_eq!((field(text, "model name"), field(text, "model")), ("A processor: fast".to_owned(), String::new()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn peak_memory_grows_with_what_is_kept() {
        let before = peak_memory_bytes().unwrap();
        let kept = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = peak_memory_bytes().unwrap();
        assert!(before > 1 << 20 && after >= 64 << 20, "{before} {after} {}", kept.len());
    }
}
