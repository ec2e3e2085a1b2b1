//! `ohmic infer`: a network on images, in float, in integers or on one chip sample.

use super::{choice, print_json, warn};
use crate::bar::Bar;
use crate::cli::Format;
use crate::cli::network::{EngineName, Infer};
use explore::ExploreError;
use explore::auto::{Asked, Request};
use explore::chip::config::Chip;
use explore::config::{Kind, load};
use explore::infer::{AnalogChip, Engine, Inferred, infer, input_warning};
use explore::model::Model;
use explore::nn::argmax;
use explore::nn::datasets::{Dataset, Split};
use explore::nn_compiler::front::{Goal, quantised};
use explore::nn_compiler::{CompilationSettings, compile_quantised, warnings};
use explore::output::{lines_csv, write_bytes};
use explore::statistics::wilson_interval;
use explore::{datasets, npy};
use serde_json::json;

/// Images whose predicted classes are printed.
const SHOWN: usize = 10;

pub fn run(arguments: &Infer, format: Format) -> Result<(), ExploreError> {
    warn(without_effect(arguments).into_iter().collect());
    let model = explore::model::load(&arguments.network, arguments.places.models.as_deref(), &[])?;
    let images = images(arguments, &model)?;
    let inferred = match arguments.engine {
        EngineName::Float => infer(Engine::Float(&model.graph), &images, &Bar::default())?,
        engine => in_integers(arguments, &model, &images, (engine, format))?,
    };
    if inferred.saturated > 0 {
        warn(vec![format!("accumulators saturated {} times; widen tile.digital.accumulator_bits", inferred.saturated)]);
    }
    write(arguments, &model, &inferred)?;
    let correct = arguments.input.is_none().then(|| inferred.correct(&images.labels));
    print(arguments, &model, &inferred, correct, format)
}

/// What is given and has no effect on the engine that is asked for.
fn without_effect(arguments: &Infer) -> Option<String> {
    let Infer { engine, calibrate, chip, mapping, auto, set, seed, chip_sample, .. } = arguments;
    let of_integers = [("--calibrate", calibrate.is_some()), ("--chip", chip.is_some()), ("--set", !set.is_empty())];
    let of_chips = [
        ("--mapping", mapping.is_some()),
        ("--auto", auto.is_some()),
        ("--seed", seed.is_some()),
        ("--chip-sample", chip_sample.is_some()),
    ];
    let of_integers = of_integers.into_iter().chain(arguments.integers.given());
    let of_integers = of_integers.filter(|_| *engine == EngineName::Float);
    let given = of_integers.chain(of_chips.into_iter().filter(|_| *engine != EngineName::Analog));
    let idle: Vec<&str> = given.filter_map(|(flag, idle)| idle.then_some(flag)).collect();
    (!idle.is_empty()).then(|| format!("{} without effect: engine {}", idle.join(", "), name_of(*engine)))
}

/// The name of an engine, as it is given.
fn name_of(engine: EngineName) -> String {
    format!("{engine:?}").to_lowercase()
}

/// The images of a file, or the test images of the network's data set.
fn images(arguments: &Infer, model: &Model) -> Result<Split, ExploreError> {
    if arguments.limit == Some(0) {
        return Err(ExploreError::Request("--limit = 0 is not allowed: an integer from 1".to_owned()));
    }
    let all = match &arguments.input {
        Some(path) => datasets::from_npy(path, model.graph.input)?,
        None if model.graph.dataset == "none" => {
            let what = "the network names no data set; give images by --input FILE.npy";
            return Err(ExploreError::Request(format!("{}: {what}", arguments.network)));
        }
        None => {
            let split = datasets::load_test(&model.graph.dataset, arguments.places.data.data.as_deref())?;
            split
                .check(model.graph.input)
                .map_err(|invalid| ExploreError::Request(format!("data set {}: {invalid}", model.graph.dataset)))?;
            split
        }
    };
    Ok(arguments.limit.map_or_else(|| all.clone(), |limit| all.truncated(limit)))
}

fn in_integers(
    arguments: &Infer,
    model: &Model,
    images: &Split,
    (engine, format): (EngineName, Format),
) -> Result<Inferred, ExploreError> {
    let mapping = arguments.mapping.as_deref().unwrap_or("isaac");
    let asked = Asked { mapping, document: arguments.auto.as_deref(), set: &arguments.set };
    let request = asked.request()?;
    let chip: Chip = load(Kind::Chip, arguments.chip.as_deref().unwrap_or("default"), &asked.of_chip())?;
    let dataset = calibration(arguments, model, images)?;
    let quantisation = arguments.integers.quantisation();
    let goal = if engine == EngineName::Integer { Goal::Integers } else { Goal::Chip(request.named()) };
    let quantised = quantised(&model.graph, &dataset.train, &chip, &quantisation, goal)?;
    warn(quantised.doubt(&model.graph, &dataset.train)?.into_iter().collect());
    warn(input_warning(&quantised.network, images).into_iter().collect());
    if engine == EngineName::Integer {
        return infer(Engine::Integer(&quantised), images, &Bar::default());
    }
    let mappings = request.mappings(&quantised.network, &dataset, &chip)?;
    if let (Format::Text, Some(choice), Request::Chosen(auto)) = (format, mappings.choice(), &request) {
        choice::print(choice, (auto, &source(arguments, model)), &chip);
    }
    let (seed, chip_sample) = (arguments.seed.unwrap_or(1), arguments.chip_sample.unwrap_or(0));
    let settings = CompilationSettings {
        dataset: &dataset,
        training: "unknown",
        mapping: mappings.of_layers(),
        chip: &chip,
        seed,
    };
    let program = compile_quantised(&quantised.network, &settings)?;
    warn(warnings(&quantised.network, &program));
    let chip = AnalogChip { program: &program, score_scale: quantised.score_scale, seed, chip_sample };
    infer(Engine::Analog(&chip), images, &Bar::default())
}

/// The images on which ranges are found: those of --calibrate, or those of the data set, or, of a network without one, the given images.
fn calibration(arguments: &Infer, model: &Model, images: &Split) -> Result<Dataset, ExploreError> {
    let shape = model.graph.input;
    match &arguments.calibrate {
        Some(path) => Ok(datasets::unlabelled(shape, &datasets::from_npy(path, shape)?)),
        None if model.graph.dataset == "none" => Ok(datasets::unlabelled(shape, images)),
        None => datasets::load(&model.graph.dataset, arguments.places.data.data.as_deref()),
    }
}

/// What the ranges of integers come from, in words.
fn source(arguments: &Infer, model: &Model) -> String {
    match &arguments.calibrate {
        Some(path) => format!("images of {}", path.display()),
        None if model.graph.dataset == "none" => "given images".to_owned(),
        None => format!("training images of {}", model.graph.dataset),
    }
}

fn write(arguments: &Infer, model: &Model, inferred: &Inferred) -> Result<(), ExploreError> {
    let images = inferred.images().len();
    if let Some(path) = &arguments.output {
        write_bytes(path, &npy::to_bytes(images, inferred.classes, &inferred.logits))?;
    }
    if let Some(path) = &arguments.logits {
        write_bytes(path, logits_csv(model, inferred)?.as_bytes())?;
    }
    Ok(())
}

/// The results, one image a line; behind the name of the predicted class and below a line with the names of all, if they are known.
fn logits_csv(model: &Model, inferred: &Inferred) -> Result<String, ExploreError> {
    let texts = |scores: &[f64]| scores.iter().map(f64::to_string).collect::<Vec<_>>();
    let Some(labels) = &model.labels else {
        return Ok(inferred.images().map(|scores| texts(scores).join(",") + "\n").collect());
    };
    let header: Vec<&str> = std::iter::once("prediction").chain(labels.iter().map(String::as_str)).collect();
    let line = |scores: &[f64]| [vec![labels[argmax(scores)].clone()], texts(scores)].concat();
    lines_csv(&header, inferred.images().map(line))
}

/// Names of the predicted classes of the first images, if names are known.
fn predictions<'a>(model: &'a Model, inferred: &Inferred, most: usize) -> Option<Vec<&'a str>> {
    let labels = model.labels.as_ref()?;
    Some(inferred.images().take(most).map(|scores| labels[argmax(scores)].as_str()).collect())
}

fn print(
    arguments: &Infer,
    model: &Model,
    inferred: &Inferred,
    correct: Option<usize>,
    format: Format,
) -> Result<(), ExploreError> {
    let images = inferred.images().len();
    let interval = correct.map(|correct| wilson_interval(correct as u64, images as u64));
    let engine = name_of(arguments.engine);
    if format == Format::Json {
        return print_json(&json!({
            "network": model.graph.name,
            "file": model.file,
            "engine": engine,
            "images": images,
            "accuracy": interval.map(|interval| interval.value),
            "accuracy_ci95_low": interval.map(|interval| interval.low),
            "accuracy_ci95_high": interval.map(|interval| interval.high),
            "predictions": predictions(model, inferred, usize::MAX),
        }));
    }
    // Floats have no ranges.
    let integers = arguments.engine != EngineName::Float;
    let ranges = if integers { format!("; ranges from {}", source(arguments, model)) } else { String::new() };
    match interval {
        Some(interval) => say!(
            "{}, {engine}: {:.2} % [{:.2}, {:.2}] of {images} test images of {} (95 % interval, Wilson){ranges}",
            model.graph.name,
            100.0 * interval.value,
            100.0 * interval.low,
            100.0 * interval.high,
            model.graph.dataset
        ),
        None => say!("{}, {engine}: {images} images, no labels{ranges}", model.graph.name),
    }
    if let (None, Some(names)) = (correct, predictions(model, inferred, SHOWN)) {
        let rest =
            if images > SHOWN { format!(" and {} more (--logits FILE.csv)", images - SHOWN) } else { String::new() };
        say!("predicted: {}{rest}", names.join(", "));
    }
    Ok(())
}
