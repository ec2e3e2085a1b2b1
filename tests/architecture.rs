//! Is the workspace built as ARCHITECTURE.md says? Dependencies point one way, only the command line prints, and all crates share edition,
//! licence and lints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::fs;
use std::path::{Path, PathBuf};

/// Every crate with the crates of this workspace it may depend on.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("tile", &[]),
    ("nn", &[]),
    ("chip", &["tile"]),
    ("nn-compiler", &["nn", "chip", "tile"]),
    ("trainer", &["nn", "nn-compiler", "chip", "tile"]),
    ("explore", &["tile", "nn", "chip", "nn-compiler", "trainer"]),
    ("ohmic", &["explore"]),
    ("benches", &["tile", "nn", "chip", "nn-compiler", "explore"]),
];

/// The only crate that prints.
const COMMAND_LINE: &str = "ohmic";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn workspace() -> Metadata {
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap()
}

fn allowed(name: &str) -> &'static [&'static str] {
    MAY_DEPEND_ON
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap_or_else(|| panic!("crate `{name}` is not in the list"))
        .1
}

fn folder(package: &Package) -> &Path {
    package.manifest_path.parent().unwrap().as_std_path()
}

#[test]
fn dependencies_point_one_way() {
    let workspace = workspace();
    let names: Vec<&str> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names.len(), MAY_DEPEND_ON.len(), "{names:?}");
    for package in &workspace.packages {
        let ours = package.dependencies.iter().filter(|dependency| names.contains(&dependency.name.as_str()));
        // Tests may use what they like; what is built into a crate may not.
        for dependency in ours.filter(|dependency| dependency.kind != DependencyKind::Development) {
            let may = allowed(&package.name).contains(&dependency.name.as_str());
            assert!(may, "`{}` must not depend on `{}`", package.name, dependency.name);
        }
    }
}

/// The list itself must not go round in circles: every crate stands behind those it may depend on.
#[test]
fn the_list_is_in_order() {
    for (index, (name, dependencies)) in MAY_DEPEND_ON.iter().enumerate() {
        for dependency in *dependencies {
            assert!(MAY_DEPEND_ON[..index].iter().any(|(before, _)| before == dependency), "{name} -> {dependency}");
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(rust_files(&path)),
            false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
            false => {}
        }
    }
    files
}

/// Macros that print, and the handles behind them. `writeln!` to a buffer of one's own is none of them.
fn prints(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let names = code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '!'));
    let printing = ["println!", "print!", "eprintln!", "eprint!", "dbg!", "stdout", "stderr"];
    names.into_iter().any(|name| printing.contains(&name))
}

#[test]
fn only_the_command_line_prints() {
    assert!(
        prints("    println!(\"x\");") && prints("std::io::stderr()") && !prints("writeln!(text)?; // no println!")
    );
    let mut lines = 0;
    // Benchmarks are a command line of their own.
    let silent = |name: &str| name != COMMAND_LINE && name != "benches";
    for package in workspace().packages.iter().filter(|package| silent(package.name.as_str())) {
        for file in rust_files(&folder(package).join("src")) {
            for (index, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
                assert!(!prints(line), "{}:{} prints", file.display(), index + 1);
                lines += 1;
            }
        }
    }
    assert!(lines > 5_000, "the sources were not found");
}

#[test]
fn all_crates_share_edition_licence_and_lints() {
    for package in &workspace().packages {
        let manifest: toml::Table = toml::from_str(&fs::read_to_string(&package.manifest_path).unwrap()).unwrap();
        let inherits =
            |table: &toml::Value, key: &str| table[key].get("workspace").and_then(toml::Value::as_bool) == Some(true);
        for key in ["version", "edition", "rust-version", "license", "authors", "publish"] {
            assert!(inherits(&manifest["package"], key), "`{}` has its own {key}", package.name);
        }
        let lints = manifest["lints"].get("workspace").and_then(toml::Value::as_bool);
        assert_eq!(lints, Some(true), "`{}` has its own lints", package.name);
        let dependencies = manifest["dependencies"].as_table().unwrap();
        for name in dependencies.keys() {
            assert!(inherits(&manifest["dependencies"], name), "`{}` has its own version of {name}", package.name);
        }
    }
}
