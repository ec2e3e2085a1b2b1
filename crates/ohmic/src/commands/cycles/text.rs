//! The tables of `ohmic cycles`.

use crate::table::{plain, table};
use explore::chip::energy::Energy;
use explore::chip::machine::account::Class;
use explore::chip::machine::summary::{PathShare, StageTimes, Summary};
use explore::chip::program::Program;
use explore::cycles::{CyclesReport, MOST_OPERATIONS, Prices};
use explore::nn_compiler::Limit;

/// Most rows of the tables that are sorted by size.
const TOP: usize = 8;

pub fn print(report: &CyclesReport) {
    print_times(report);
    let summary = report.summary();
    print_stages(&summary, report.images);
    say!("{}", components(&summary));
    say!(
        "Per cent of units x {} cycles; every cycle of every unit is in one column. Units of arrays and converters are banks: arrays that are read together (of a\n\
         pair both) and what converts them. waiting for input: nothing there to work on; write-backs of crossbars wait for the ADC while no step is converted.\n\
         output full: waiting for room. link: waiting for something shared (bus, port, unit, network). idle: all done, or not in use. More: docs/timing.md, sections 6 and 9.",
        report.report.end
    );
    print_path(&summary);
    print_buffers(report);
    if let Some(prices) = &report.prices {
        print_energy(prices, report.images);
        print_area(prices);
        print_writing(prices);
    }
}

/// How many arrays the program takes, which stages have copies, and why they have no more.
pub fn print_copies(program: &Program, limit: Option<Limit>) {
    let copied = program.mvm_stages().filter(|(_, stage)| stage.copies() > 1);
    let copied: Vec<String> = copied.map(|(_, stage)| format!("{} {}", stage.name, stage.copies())).collect();
    let copies =
        if copied.is_empty() { "one copy of every stage".to_owned() } else { format!("copies: {}", copied.join(", ")) };
    let why = limit.map_or_else(String::new, |limit| format!("; {limit}"));
    say!("{} arrays in {} tiles; {copies}{why}", program.arrays(), program.tiles());
}

/// Where images come from, if they cost nothing.
pub fn print_images(program: &Program) {
    if !program.chip.memory.streams_images() {
        say!(
            "images stand ready in the tiles that read them (memory.input_images = \"resident\"): what brings them there costs no cycles and no energy here"
        );
    }
}

fn print_times(report: &CyclesReport) {
    let seconds = |cycles: f64| format!("{:.3} us", 1e6 * cycles / report.clock_hz);
    let (first, last) = (report.first_image_cycles(), report.summary().cycles());
    let clock = report.clock_hz / 1e9;
    say!("latency: {first} cycles ({} at {clock} GHz) to the end of the first image", seconds(first as f64));
    if report.images > 1 {
        let (interval, images) = (report.interval_cycles(), report.images);
        say!("{images} images: {last} cycles ({})", seconds(last as f64));
        let rate = 1.0 / report.interval_s();
        say!("steady interval: {interval:.1} cycles an image ({}), {rate:.0} images/s", seconds(interval));
        print_unsteady(&report.summary());
    }
    match report.summary().bottleneck() {
        Some(sentence) => say!("{}", plain(&sentence)),
        None => say!("critical path: not followed, the run may have more than {MOST_OPERATIONS} operations"),
    }
}

/// Cycles an image of a stage.
fn pace(of: &StageTimes) -> f64 {
    of.interval.0 as f64 / of.interval.1 as f64
}

/// Says so where stages work at paces of their own, which no steady state has.
fn print_unsteady(summary: &Summary<'_>) {
    let stages = summary.stages();
    let Some(fastest) = stages.iter().min_by(|a, b| pace(a).total_cmp(&pace(b))) else { return };
    let most = stages.iter().map(pace).fold(0.0, f64::max);
    // Those behind the slowest one wait for it, at its pace.
    let Some(slowest) = stages.iter().find(|of| pace(of) >= 0.99 * most) else { return };
    if most > 1.05 * pace(fastest) {
        say!(
            "stages took {:.0} ({}) to {:.0} ({}) cycles an image: stages and their copies run ahead of what is behind them as long as buffers have room;\n\
             the slowest sets the pace that lasts",
            pace(fastest),
            plain(&fastest.stage),
            pace(slowest),
            plain(&slowest.stage)
        );
    }
}

fn print_stages(summary: &Summary<'_>, images: u64) {
    let header = ["stage", "first\nstart", "first image\nends", "last image\nends", "cycles\nan image"];
    let rows = summary.stages().into_iter().map(|of| {
        let cycles_per_image = format!("{:.1}", pace(&of));
        let numbers = [of.first_start, of.first_end, of.last_end].map(|number| number.to_string());
        std::iter::once(of.stage).chain(numbers).chain([cycles_per_image]).collect()
    });
    say!("{}", table(&header, 1, rows));
    let interval = if images > 1 { "from the end of the first one to that of the last" } else { "from start to end" };
    say!(
        "Cycles since the start of the run. start: first work; ends: all results have left the stage; cycles an image: {interval}."
    );
}

fn percent(part: u64, whole: u64) -> String {
    if part == 0 { "-".to_owned() } else { format!("{:.1}", 100.0 * part as f64 / whole.max(1) as f64) }
}

fn components(summary: &Summary<'_>) -> comfy_table::Table {
    let header = [
        "stage",
        "component",
        "units",
        "busy\n%",
        "waiting for\ninput %",
        "waiting for\nADC %",
        "output\nfull %",
        "link\n%",
        "idle\n%",
    ];
    let rows = summary.components().into_iter().map(|row| {
        let whole = row.cycles.total();
        let classes = Class::ALL.map(|class| percent(row.cycles.of(class), whole));
        [row.stage, row.component.to_owned(), row.units.to_string()].into_iter().chain(classes).collect()
    });
    table(&header, 2, rows)
}

fn print_path(summary: &Summary<'_>) {
    let shares = summary.critical_path();
    if shares.is_empty() {
        return;
    }
    let rows = shares.iter().take(TOP).map(|share| {
        let percent = percent(share.cycles, summary.cycles());
        vec![share.stage.clone(), share.component.to_owned(), share.cycles.to_string(), percent]
    });
    say!("{}", table(&["critical path", "component", "cycles", "%"], 2, rows));
    let shown: u64 = shares.iter().take(TOP).map(|share| share.cycles).sum();
    if shares.len() > TOP {
        say!("{} other shares: {} cycles", shares.len() - TOP, summary.cycles() - shown);
    }
}

fn print_buffers(report: &CyclesReport) {
    let buffers = report.buffers();
    if buffers.is_empty() {
        return;
    }
    let rows = buffers.iter().take(TOP).map(|of| {
        let numbers = [u64::from(of.tile), of.peak, of.capacity, of.item_bits].map(|number| number.to_string());
        std::iter::once(of.region.to_owned()).chain(numbers).chain([percent(of.peak, of.capacity)]).collect()
    });
    say!("{}", table(&["fullest buffers", "tile", "peak\nitems", "capacity\nitems", "bits\nan item", "%"], 1, rows));
    if buffers.len() > TOP {
        say!("{} other regions are not fuller", buffers.len() - TOP);
    }
}

fn energies(energy: &Energy) -> Vec<String> {
    let nano = |energy_j: f64| if energy_j == 0.0 { "-".to_owned() } else { format!("{:.3}", 1e9 * energy_j) };
    let parts = energy.entries();
    let shown = parts.iter().filter(|(part, _)| *part != "write").map(|&(_, energy_j)| nano(energy_j));
    std::iter::once(nano(energy.total_j())).chain(shown).collect()
}

fn print_energy(prices: &Prices, images: u64) {
    let header = [
        "stage",
        "energy\nnJ",
        "array\nnJ",
        "DAC\nnJ",
        "ADC\nnJ",
        "S+A\nnJ",
        "vector\nnJ",
        "buffer\nnJ",
        "link\nnJ",
        "memory\nnJ",
        "leakage\nnJ",
    ];
    let line = |name: &str, energy: &Energy| std::iter::once(name.to_owned()).chain(energies(energy)).collect();
    let stages = prices.stages.iter().map(|of| line(&of.stage, &of.energy));
    say!("{}", table(&header, 1, stages.chain([line("all", &prices.energy)])));
    let time = if images > 1 { "the steady interval" } else { "the latency" };
    say!(
        "Per inference; prices: cost table {}, ADC model {}. array: the flat price of a cell read, because no values are simulated\n\
         (`ohmic simulate` has them exact). leakage: over {time}.",
        prices.cost_table,
        prices.adc_model
    );
}

fn print_area(prices: &Prices) {
    let Some(area) = prices.area else {
        say!("area: not priced (cost table {} has none)", prices.cost_table);
        return;
    };
    let total = area.total();
    let all = [("all", total)];
    let rows = area.entries().into_iter().chain(all).map(|(part, area_m2)| {
        vec![part.to_owned(), format!("{:.5}", 1e6 * area_m2), format!("{:.1}", 100.0 * area_m2 / total)]
    });
    say!("{}", table(&["area", "mm2", "%"], 1, rows));
    say!(
        "A tile's shared parts (buffer, bus, registers, vector unit) and its router are priced whole, as the cost table has them; their sizes on this chip change\n\
         no area and no leakage."
    );
}

fn print_writing(prices: &Prices) {
    let writing = &prices.writing;
    say!(
        "writing the weights once: {} cells, {} cycles ({:.3} us), {:.3} nJ ({:.3} nJ of it in the cells); no inference contains it; the memory port works for {} \
         cycles, the busiest link or interface for {}, the busiest array for {}",
        writing.counts.cell_write,
        writing.cycles,
        1e6 * writing.time_s(),
        1e9 * prices.writing_energy.total_j(),
        1e9 * prices.writing_energy.write_j,
        writing.port_cycles,
        writing.network_cycles,
        writing.writing_cycles
    );
    let told = |of: &&PathShare| of.cycles >= writing.cycles.div_ceil(1000);
    let share = |share: &PathShare| format!("{} {} %", share.component, percent(share.cycles, writing.cycles));
    let path: Vec<String> = writing.critical_path.iter().filter(told).map(share).collect();
    say!("critical path of the writing: {}", path.join(", "));
}
