//! `ohmic cycles`: where the cycles of a program, or of an instruction trace, go.

mod text;

use super::print_json;
use super::timed::{load, repeat};
use crate::cli::{Cycles, Format};
use explore::ExploreError;
use explore::chip::machine::account::Class;
use explore::config::Kind;
use explore::cycles::{CyclesReport, Input, Prices, check_images, cycles, cycles_csv};
use explore::nn_compiler::Limit;
use explore::output::{write, write_run};
use serde_json::{Value, json};

pub fn run(arguments: &Cycles, format: Format) -> Result<(), ExploreError> {
    let timed = &arguments.timed;
    check_images(arguments.images)?;
    let (input, limit) = load(timed)?;
    if let Some(output) = &arguments.output {
        // Before the work, so that a directory that cannot be written to is refused at once.
        write_run(output, Kind::Chip, input.chip(), &repeat(timed, &input, arguments.images))?;
    }
    let report = cycles(&input, arguments.images)?;
    if let Some(output) = &arguments.output {
        write(output, "cycles.csv", &cycles_csv(&report)?)?;
    }
    match format {
        Format::Text => {
            if let Input::Program(program) = &input {
                text::print_copies(program, limit);
            }
            text::print(&report);
            if let Input::Program(program) = &input {
                text::print_images(program);
            }
        }
        Format::Json => print_json(&json(&report, limit))?,
    }
    Ok(())
}

fn json(report: &CyclesReport, limit: Option<Limit>) -> Value {
    let summary = report.summary();
    let components = summary.components().into_iter().map(|row| {
        let classes = Class::ALL.map(|class| (class.name().to_owned(), Value::from(row.cycles.of(class))));
        let cycles: serde_json::Map<String, Value> = classes.into_iter().collect();
        json!({ "stage": row.stage, "component": row.component, "units": row.units, "cycles": cycles })
    });
    let stages = summary.stages().into_iter().map(|of| {
        let (cycles, images) = of.interval;
        json!({
            "stage": of.stage, "first_start": of.first_start, "first_end": of.first_end, "last_end": of.last_end,
            "cycles_per_image": cycles as f64 / images as f64,
        })
    });
    let path = summary
        .critical_path()
        .into_iter()
        .map(|share| json!({ "stage": share.stage, "component": share.component, "cycles": share.cycles }));
    let buffers = report.buffers().into_iter().map(|of| {
        let (peak, capacity, bits) = (of.peak, of.capacity, of.item_bits);
        json!({ "region": of.region, "tile": of.tile, "peak_items": peak, "capacity_items": capacity, "item_bits": bits })
    });
    json!({
        "images": report.images,
        "clock_hz": report.clock_hz,
        "copies_ended_because": limit.map(|limit| limit.to_string()),
        "first_image_cycles": report.first_image_cycles(),
        "last_image_cycles": summary.cycles(),
        "end_cycles": report.report.end,
        "cycles_per_image": report.interval_cycles(),
        "throughput_per_s": 1.0 / report.interval_s(),
        "bottleneck": summary.bottleneck(),
        "stages": stages.collect::<Vec<Value>>(),
        "components": components.collect::<Vec<Value>>(),
        "critical_path": path.collect::<Vec<Value>>(),
        "buffers": buffers.collect::<Vec<Value>>(),
        "prices": report.prices.as_ref().map(prices),
    })
}

fn prices(prices: &Prices) -> Value {
    let stages = prices
        .stages
        .iter()
        .map(|of| json!({ "stage": of.stage, "actions": of.counts, "energy": of.energy }))
        .collect::<Vec<Value>>();
    let area = prices.area.map(|area| -> serde_json::Map<String, Value> {
        area.entries().into_iter().map(|(part, area_m2)| (part.to_owned(), Value::from(area_m2))).collect()
    });
    json!({
        "cost_table": prices.cost_table,
        "adc_model": prices.adc_model,
        "stages": stages,
        "energy": prices.energy,
        "energy_j": prices.energy.total_j(),
        "area": area,
        "area_m2": prices.area.map(|area| area.total()),
        "weight_writing": writing(prices),
    })
}

fn writing(prices: &Prices) -> Value {
    let writing = &prices.writing;
    let path =
        writing.critical_path.iter().map(|share| json!({ "component": share.component, "cycles": share.cycles }));
    json!({
        "time_s": writing.time_s(),
        "energy_j": prices.writing_energy.total_j(),
        "energy": prices.writing_energy,
        "cells": writing.counts.cell_write,
        "cycles": writing.cycles,
        "memory_port_cycles": writing.port_cycles,
        "network_cycles": writing.network_cycles,
        "array_cycles": writing.writing_cycles,
        "critical_path": path.collect::<Vec<Value>>(),
    })
}
