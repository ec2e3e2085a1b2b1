use super::*;
use crate::config::{Kind, load, load_text, preset_names, to_toml};
use crate::cycles::CHIP_OF_OUTLINES;
use chip::timing;

const ONCE: Placement<'static> = Placement { mapping: "differential", replicate: None };

fn preset(name: &str) -> Outline {
    load(Kind::Outline, name, &[]).unwrap()
}

fn large() -> Chip {
    load(Kind::Chip, CHIP_OF_OUTLINES, &[]).unwrap()
}

/// With images of fewer pixels, so that a debug build is quick.
fn small(name: &str, size: usize) -> Outline {
    let outline = preset(name);
    Outline { input: Shape { height: size, width: size, ..outline.input }, ..outline }
}

/// Multiply-accumulates as published: 1.8 G for ResNet-18 (He et al., table 1); those of VGG-8 by hand.
#[test]
fn networks_have_their_published_sizes() {
    let macs = |name: &str| preset(name).program(&large(), ONCE).unwrap().macs;
    assert_eq!(macs("resnet-18"), 1_814_073_344);
    let convolutions = 1024 * 9 * (3 + 128) * 128 + 256 * 9 * (128 + 256) * 256 + 64 * 9 * (256 + 512) * 512;
    assert_eq!(macs("vgg-8"), convolutions + 8192 * 1024 + 10_240);
    assert_eq!(macs("digits-mlp"), 64 * 128 + 128 * 64 + 640);
}

/// The whole path from shapes to cycles, with and without copies.
#[test]
fn networks_run_and_copies_make_them_faster() {
    for outline in [small("vgg-8", 8), small("resnet-18", 32), preset("digits-mlp")] {
        let program = outline.program(&large(), ONCE).unwrap();
        let slow = timing::run(&program, 2).unwrap();
        let least = program.mvm_stages().map(|(_, stage)| 2 * stage.crossbars.len() as u64).sum::<u64>();
        let twice = outline.program(&large(), Placement { replicate: Some(2 * least), ..ONCE }).unwrap();
        let fast = timing::run(&twice, 2).unwrap();
        assert_eq!(fast.counts.adc_conversion, slow.counts.adc_conversion);
        // A linear layer has one window, of which there are no copies.
        let copies = outline.name != "digits-mlp";
        assert_eq!(fast.cycles() < slow.cycles(), copies, "{}: {} and {}", outline.name, fast.cycles(), slow.cycles());
        let error = outline.program(&large(), Placement { replicate: Some(1), ..ONCE }).unwrap_err().to_string();
        assert!(error.contains(&format!("a budget of 1 arrays; allowed is {least} and more")), "{error}");
    }
}

/// An outline is for timing only, and a network with weights is none.
#[test]
fn outlines_are_told_from_programs() {
    let program = small("vgg-8", 8).program(&large(), ONCE).unwrap();
    assert_eq!(program.validate_outline(), Ok(()));
    assert!(program.validate().unwrap_err().contains("it must have one bias per output"));
    let mut network = small("vgg-8", 8).network(&large()).unwrap();
    let QuantisedLayer::Mvm(mvm) = &mut network.layers[0] else { panic!("a convolution") };
    mvm.bias = vec![0; 128];
    let error = outline(&network, &Mapping::parse("differential").unwrap(), &large()).unwrap_err().to_string();
    assert!(error.contains("an outline has none"), "{error}");
}

/// What only an addition reads keeps its sign; everything else ends with a ReLU.
#[test]
fn signs_are_kept_for_additions() {
    let network = preset("resnet-18").network(&large()).unwrap();
    let signed: Vec<&str> = (1..network.layers.len())
        .filter(|&source| network.format_of(source).unwrap().signed)
        .map(|source| network.layers[source - 1].name())
        .collect();
    let expected = |name: &&str| name.ends_with("-b") || name.ends_with("-projection");
    assert!(signed.iter().all(expected), "{signed:?}");
    assert_eq!(signed.len(), 8 + 3);
}

#[test]
fn channels_can_be_multiplied() {
    let wide = preset("vgg-8").with_channels_times(2).network(&large()).unwrap();
    assert_eq!(wide.layers[0].output_shape().channels, 256);
    assert_eq!(wide.layers.last().unwrap().output_shape().channels, 10);
}

#[test]
fn presets_survive_being_written() {
    for name in preset_names(Kind::Outline) {
        let outline = preset(name);
        assert_eq!(outline.name, name);
        let text = to_toml(Kind::Outline, &outline).unwrap();
        assert_eq!(load_text::<Outline>(Kind::Outline, "again", &text, &[]).unwrap(), outline);
    }
}

/// An outline with one layer and more.
fn refused(layers: &str) -> String {
    let head = "kind = \"outline\"\nversion = 1\nname = \"o\"\nsource = \"s\"\ninput = { channels = 1, height = 8, width = 8 }\n";
    let text = format!("{head}layers = [{layers}]\n");
    let read = load_text::<Outline>(Kind::Outline, "o.toml", &text, &[]);
    match read {
        Ok(outline) => outline.program(&large(), ONCE).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_no_network_is_refused() {
    let conv = |name: &str, more: &str| {
        format!("{{ kind = \"conv2d\", name = \"{name}\", outputs = 4, kernel = 3, stride = 1, padding = 1{more} }}, ")
    };
    let add = "{ kind = \"add\", name = \"sum\", from = [\"a\", \"b\"] }, ";
    let last = "{ kind = \"linear\", name = \"fc\", outputs = 2 }";
    for (layers, expected) in [
        (String::new(), "layers = no layers is not allowed: at least one layer"),
        (conv("a", "") + &conv("a", "") + last, "name = a is not allowed: a name that no other layer has"),
        (conv("image", "") + last, "name = image is not allowed"),
        (conv("a", ", from = \"later\"") + last, "layer `a` reads `later`, which is not before it"),
        (conv("a", ", from = \"a\"") + last, "layer `a` reads `a`, which is not before it"),
        (conv("a", ", width = 3") + last, "width"),
        (conv("a", "").replace("kernel = 3", "kernel = 0") + last, "kernel = 0 is not allowed: an integer from 1"),
        (conv("a", "").replace("kernel = 3", "kernel = 11") + last, "a"),
        (conv("a", "").replace("outputs = 4", "outputs = 70000") + last, "outputs = 70000 is not allowed"),
        (conv("a", "") + &conv("b", "").replace("outputs = 4", "outputs = 5") + add + last, "sum"),
        (conv("a", "") + "{ kind = \"max-pool\", name = \"p\", kernel = 2, stride = 2, padding = 0 }", "p"),
        (last.replace("linear", "recurrent"), "recurrent"),
    ] {
        let error = refused(&layers);
        assert!(error.contains(expected), "{layers}: {error}");
    }
}

/// A network that no chip holds is refused before it is placed.
#[test]
fn absurd_sizes_are_refused_at_once() {
    let mut outline = preset("digits-mlp");
    outline.input = Shape { channels: 65_536, height: 65_536, width: 65_536 };
    let error = outline.program(&large(), ONCE).unwrap_err().to_string();
    assert!(error.contains("fc1"), "{error}");
}
