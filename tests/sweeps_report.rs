//! Does the report of a sweep work in a browser?

use super::{directory, printed, step, there};
use std::path::Path;
use std::process::{Command, Stdio};

const BROWSER: &str = "chromium";

/// What the browser makes of a page: its document and what it complains about.
fn opened(page: &str, profile: &Path, more: &[&str]) -> (String, String) {
    let mut command = Command::new(BROWSER);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1200,1400"]);
    command.args(["--virtual-time-budget=5000", "--force-device-scale-factor=1"]);
    command.arg(format!("--user-data-dir={}", profile.display())).args(more).arg(page).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let complaints = String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.contains("CONSOLE")).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), complaints)
}

#[test]
fn a_report_opens_filters_and_is_not_blank() {
    if !there(BROWSER, "OHMIC_REQUIRE_CHROMIUM") {
        return;
    }
    let (directory, sweep) = directory();
    let (store, output) = (directory.path().join("store"), directory.path().join("out"));
    printed(step("run", &sweep, &store));
    let mut csv = step("csv", &sweep, &store);
    csv.arg("-o").arg(&output);
    printed(csv);
    let page = format!("file://{}/report.html", output.display());
    let profile = directory.path().join("profile");
    let rows = |filter: &str| {
        let (document, complaints) = opened(&format!("{page}#{filter}"), &profile, &["--dump-dom"]);
        assert_eq!(complaints, "", "{filter}");
        assert!(document.contains("<canvas"), "there is no chart");
        document.matches(" data-row=\"").count()
    };
    assert_eq!(rows(""), 64);
    assert_eq!(rows("mapping=isaac"), 32);
    assert_eq!(rows("mapping=isaac%20adc_bits%3C6%20noise"), 8);
    assert_eq!(rows("mapping=nothing"), 0);
    // An empty page compresses to almost nothing.
    let picture = |page: &str, name: &str| {
        let file = directory.path().join(name);
        opened(page, &profile, &[&format!("--screenshot={}", file.display())]);
        std::fs::metadata(file).unwrap().len()
    };
    let (blank, shown) = (picture("about:blank", "blank.png"), picture(&page, "page.png"));
    assert!(shown > 5 * blank && shown > 20_000, "{shown} bytes, a blank page has {blank}");
}
