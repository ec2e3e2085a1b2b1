//! How much memory many images on many chip samples take: `cargo run --release -p benches --example memory -- --images 10000 --samples 10`.
//!
//! The codes of all images lie in one array, as those of a data set do; the engine runs them in blocks, and only scores stay.
#![allow(clippy::print_stdout, reason = "the result is what it is run for")]

use benches::Failure;
use benches::compiled::{Errors, compile};
use benches::machine::peak_memory_bytes;
use benches::networks::NETWORKS;
use chip::functional::{Settings, infer_with};
use clap::Parser;
use nn_compiler::compile::encode_images;
use std::time::Instant;

/// Peak memory of a network on chip samples.
#[derive(Parser)]
struct Arguments {
    /// Network, as in the table of speeds.
    #[arg(long, default_value = "resnet-20")]
    network: String,
    /// Images to run on every chip sample.
    #[arg(long, default_value_t = 10_000)]
    images: usize,
    /// Chip samples.
    #[arg(long, default_value_t = 10)]
    samples: u64,
    /// Different images that are made; they are run over and over.
    #[arg(long, default_value_t = 500)]
    distinct: usize,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let names = || NETWORKS.iter().map(|benchmark| benchmark.name).collect::<Vec<_>>().join(", ");
    let benchmark = NETWORKS.iter().find(|benchmark| benchmark.name == arguments.network);
    let benchmark = benchmark.ok_or_else(|| format!("--network {}: known are {}", arguments.network, names()))?;
    let compiled = compile(benchmark, Errors::Programming, 1)?;
    let distinct = (benchmark.make_images)(arguments.distinct.clamp(1, arguments.images.max(1)));
    let distinct = encode_images(&compiled.program, &distinct.images);
    let values = compiled.program.input.len() * arguments.images;
    let codes: Vec<i32> = distinct.into_iter().cycle().take(values).collect();
    let start = Instant::now();
    for chip_sample in 0..arguments.samples {
        let sample = compiled.sample(chip_sample)?;
        let inference = infer_with(&compiled.program, &sample, &codes, Settings::default())?;
        println!("sample {chip_sample}: {} scores, {:.0} s", inference.scores.len(), start.elapsed().as_secs_f64());
    }
    let peak = peak_memory_bytes().map_or_else(|| "unknown".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000));
    println!("{} x {} images x {} samples: peak memory {peak}", benchmark.name, arguments.images, arguments.samples);
    Ok(())
}
