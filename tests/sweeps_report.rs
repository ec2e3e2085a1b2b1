//! Does the report of a sweep work in a browser?

use super::{directory, printed, step, there};
use std::path::{Path, PathBuf};
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

/// A sweep that was run, and the directory of its report.
fn written() -> (tempfile::TempDir, PathBuf) {
    let (directory, sweep) = directory();
    let (store, output) = (directory.path().join("store"), directory.path().join("out"));
    printed(step("run", &sweep, &store));
    let mut csv = step("csv", &sweep, &store);
    csv.arg("-o").arg(&output);
    printed(csv);
    (directory, output)
}

#[test]
fn a_report_opens_filters_and_is_not_blank() {
    if !there(BROWSER, "OHMIC_REQUIRE_CHROMIUM") {
        return;
    }
    let (directory, output) = written();
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
    assert_eq!(rows("MAPPING = nothing"), 64, "an unknown column is marked, and changes nothing");
    assert_eq!(rows("mapping=nothing"), 0);
    assert_eq!(rows("adc_bits%20%3C%206%20NOISE%20mapping=isaac"), 8, "blanks and capitals");
    assert_eq!(
        (rows("mapping=%22isaac%22"), rows("%22noise-inj%22"), rows("%22isaac noise%22")),
        (32, 32, 0),
        "quoted"
    );
    assert_eq!(rows("100%"), 0, "what is no link is a word");
    // An empty page compresses to almost nothing.
    let picture = |page: &str, name: &str| {
        let file = directory.path().join(name);
        opened(page, &profile, &[&format!("--screenshot={}", file.display())]);
        std::fs::metadata(file).unwrap().len()
    };
    let (blank, shown) = (picture("about:blank", "blank.png"), picture(&page, "page.png"));
    assert!(shown > 5 * blank && shown > 20_000, "{shown} bytes, a blank page has {blank}");
}

/// What a visitor does, and what the page shows then, as lines of text in the element `found`.
const VISIT: &str = r##"
<script>
const found = [];
const say = (name, value) => found.push(`${name}: ${value}`);
const rows = () => [...document.querySelectorAll("#body tr")];
const pointer = (type, index) => {
  const { chart } = state;
  const value = (name) => data.rows[index].values[place(name)];
  const box = chart.over.getBoundingClientRect();
  const [x, y] = [element("x").value, element("y").value];
  const at = { clientX: box.left + chart.valToPos(value(x), "x"), clientY: box.top + chart.valToPos(value(y), "y"), bubbles: true };
  for (const each of [].concat(type)) chart.over.dispatchEvent(new MouseEvent(each, at));
};
const after = () => new Promise((done) => setTimeout(done, 1));
(async () => {
  element("filter").value = "mapping=isaac adc_bits>5";
  element("filter").dispatchEvent(new Event("input"));
  say("filtered", rows().length);
  say("count", element("count").textContent.split(" rows")[0]);
  element("filter").value = "adc_bits<";
  element("filter").dispatchEvent(new Event("input"));
  say("half a condition is bad", element("filter").classList.contains("bad"));
  element("filter").value = "accuracy_mean > 1";
  element("filter").dispatchEvent(new Event("input"));
  say("accuracies above 1 percent", rows().length);
  element("filter").value = "";
  element("filter").dispatchEvent(new Event("input"));
  const headings = [...document.querySelectorAll("#head button")].map((button) => button.textContent);
  say("percent is said", headings.includes("accuracy_mean (%)") && !headings.includes("energy_j (%)"));
  const legend = [...document.querySelectorAll("#chart .u-legend .u-label")].map((label) => label.textContent);
  const marked = legend.filter((text) => glyphs.includes(text[0]));
  say("groups in the legend", marked.length);
  say("each has a mark of its own", new Set(marked.map((text) => text[0])).size === marked.length);
  // Every mark is reached by the pointer, also where several have the same x.
  for (const x of ["energy_j", "latency_s"]) {
    element("x").value = x;
    element("x").onchange();
    await after();
    let reached = 0;
    for (const index of state.order) {
      pointer(["mouseenter", "mousemove"], index);
      await after();
      const shown = element("hover").textContent;
      const value = data.rows[index].values[place("accuracy_mean")];
      reached += shown.includes(`accuracy_mean ${short(value)}`) && shown.includes(`${x} ${short(data.rows[index].values[place(x)])}`) ? 1 : 0;
    }
    say(`reached over ${x}`, reached);
  }
  const target = state.order[7];
  pointer(["mouseenter", "mousemove", "mousedown", "mouseup", "click"], target);
  await after();
  say("a click chooses a row there", state.chosen !== null && ["latency_s", "accuracy_mean"].every((name) => data.rows[state.chosen].values[place(name)] === data.rows[target].values[place(name)]));
  say("chosen", document.querySelectorAll("#body tr.chosen").length);
  say("configuration", element("configuration").textContent.includes(data.rows[state.chosen].id));
  rows()[3].dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
  say("a key chooses", rows()[3].classList.contains("chosen"));
  document.querySelectorAll("#head button")[place("accuracy_mean")].click();
  const shown = rows().map((line) => data.rows[line.dataset.row].values[place("accuracy_mean")]);
  say("sorted", shown.every((value, index) => index === 0 || shown[index - 1] <= value));
  element("x").value = "accuracy_sd";
  element("x").onchange();
  const least = Math.min(...data.rows.map((row) => row.values[place("accuracy_sd")]));
  const ends = [...document.querySelectorAll("#body tr.front")].map((line) => data.rows[line.dataset.row].values[place("accuracy_sd")]);
  say("less scatter is better", ends.includes(least));
  data.rows[0].values[place("adc_bits")] = null;
  element("filter").value = "adc_bits<99";
  element("filter").dispatchEvent(new Event("input"));
  say("an empty cell is not less", rows().length);
  const list = document.createElement("pre");
  list.id = "found";
  list.textContent = found.join("\n");
  document.body.append(list);
})();
</script>
"##;

#[test]
fn a_report_answers_to_pointer_and_keys() {
    if !there(BROWSER, "OHMIC_REQUIRE_CHROMIUM") {
        return;
    }
    let (directory, output) = written();
    let page = std::fs::read_to_string(output.join("report.html")).unwrap();
    let visited = output.join("visited.html");
    std::fs::write(&visited, page.replace("</body>", &format!("{VISIT}</body>"))).unwrap();
    let profile = directory.path().join("profile");
    let more = ["--dump-dom", "--virtual-time-budget=60000"];
    let (document, complaints) = opened(&format!("file://{}", visited.display()), &profile, &more);
    assert_eq!(complaints, "");
    let (_, found) = document.split_once("<pre id=\"found\">").expect("the visit came to its end");
    let expected = [
        "filtered: 16",
        "count: 16 of 64",
        "half a condition is bad: true",
        "accuracies above 1 percent: 64",
        "percent is said: true",
        "groups in the legend: 4",
        "each has a mark of its own: true",
        "reached over energy_j: 64",
        "reached over latency_s: 64",
        "a click chooses a row there: true",
        "chosen: 1",
        "configuration: true",
        "a key chooses: true",
        "sorted: true",
        "less scatter is better: true",
        "an empty cell is not less: 63",
    ];
    assert_eq!(found.split("</pre>").next().unwrap().lines().collect::<Vec<_>>(), expected);
}
