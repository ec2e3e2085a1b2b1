//! `ohmic list`: the registries.

use super::print_json;
use crate::cli::{Format, List, Listed};
use explore::ExploreError;
use explore::config::{Kind, preset_names, resolve_table};
use serde_json::json;

pub fn run(arguments: &List, format: Format) -> Result<(), ExploreError> {
    let entries = entries(arguments.what)?;
    match format {
        Format::Text => {
            let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            for (name, doc) in &entries {
                say!("{name:width$}  {doc}");
            }
        }
        Format::Json => {
            let entry = |(name, doc): &(String, String)| json!({ "name": name, "doc": doc });
            print_json(&entries.iter().map(entry).collect())?;
        }
    }
    Ok(())
}

fn entries(what: Listed) -> Result<Vec<(String, String)>, ExploreError> {
    let own = |name: &str, doc: &str| (name.to_owned(), doc.to_owned());
    Ok(match what {
        Listed::Devices => presets(Kind::Device)?,
        Listed::Adcs => presets(Kind::Adc)?,
        Listed::Chips => presets(Kind::Chip)?,
        Listed::Costs => presets(Kind::Costs)?,
        Listed::Networks => presets(Kind::Network)?,
        Listed::Outlines => presets(Kind::Outline)?,
        Listed::Experiments => presets(Kind::Experiment)?,
        Listed::Sweeps => presets(Kind::Sweep)?,
        Listed::Recommendations => presets(Kind::Recommendation)?,
        Listed::Variations => explore::tile::variation::VARIATIONS.iter().map(|(name, doc)| own(name, doc)).collect(),
        Listed::Mappings => {
            let entry = |m: &&dyn explore::nn_compiler::mapping::MappingStrategy| {
                let options: Vec<String> =
                    m.options().iter().map(|option| format!(" [+{option}]").replace("+:", ":")).collect();
                own(m.name(), &format!("{} ({}){}", m.doc(), m.source(), options.concat()))
            };
            explore::nn_compiler::mapping::MAPPINGS.iter().map(entry).collect()
        }
        Listed::Passes => explore::nn_compiler::front::passes().into_iter().map(|(name, doc)| own(name, doc)).collect(),
        Listed::Methods => explore::trainer::METHODS.iter().map(|(_, name, doc)| own(name, doc)).collect(),
        Listed::Datasets => {
            let entry = |info: &&explore::nn::datasets::DatasetInfo| {
                let place = match info.files().as_slice() {
                    [] => "in the program".to_owned(),
                    files => format!(
                        "{}, plain or .gz, in DIR/{} or DIR, with --data DIR or OHMIC_DATA=DIR; from {}",
                        files.join(", "),
                        info.name,
                        info.source
                    ),
                };
                own(info.name, &format!("{} ({}): {place}", info.doc, info.attribution))
            };
            explore::nn::datasets::DATASETS.iter().map(entry).collect()
        }
    })
}

/// Presets with what their file says of itself.
fn presets(kind: Kind) -> Result<Vec<(String, String)>, ExploreError> {
    let describe = |name: &str| {
        let document = resolve_table(kind, name, &[])?;
        let text = |key: &str| document.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let kinds = document.get("kinds").and_then(toml::Value::as_array);
        let kinds: Vec<&str> = kinds.into_iter().flatten().filter_map(toml::Value::as_str).collect();
        let doc = text("source").or_else(|| text("doc")).or_else(|| Some(format!("for data set {}", text("dataset")?)));
        // Of an ADC preset: the architectures that it prices.
        let priced = if kinds.is_empty() { String::new() } else { format!("[{}] ", kinds.join(", ")) };
        Ok((name.to_owned(), priced + &doc.unwrap_or_default()))
    };
    preset_names(kind).into_iter().map(describe).collect()
}
