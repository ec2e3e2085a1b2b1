//! Do the training methods do what they say, and only with the data they may use?
#![allow(clippy::unwrap_used, missing_docs)]

mod training_columns;
mod training_samples;

use chip::program::Program;
use explore::config::{Kind, load};
use explore::experiment::Experiment;
use nn::datasets::Dataset;
use nn_compiler::front::Quantisation;
use nn_compiler::mapping::Mapping;
use nn_compiler::{CompilationSettings, compile};
use trainer::config::Projection;
use trainer::{Epoch, Job, Method, Start, Target, TrainError, Trained, train};

fn experiment(overrides: &[&str]) -> Experiment {
    let small = ["training.epochs=6", "training.validation_chips=2", "training.batch=50"];
    let overrides: Vec<String> = small.iter().chain(overrides).map(|&set| set.to_owned()).collect();
    load(Kind::Experiment, "digits", &overrides).unwrap()
}

fn digits() -> Dataset {
    nn::datasets::load("digits-8x8").unwrap()
}

fn run(experiment: &Experiment, dataset: &Dataset, method: Method, mapping: &str, share: f64) -> Trained {
    let start = Start::Architecture(&experiment.network);
    try_run(experiment, dataset, (method, start), mapping, share).unwrap()
}

fn try_run(
    experiment: &Experiment,
    dataset: &Dataset,
    (method, start): (Method, Start<'_>),
    mapping: &str,
    share: f64,
) -> Result<Trained, TrainError> {
    let mapping = &Mapping::parse(mapping).unwrap();
    let (training, target) = (&experiment.training, Target { mapping, chip: &experiment.chip });
    train(&Job { start, dataset, training, method, target, share, seed: 1 }, |_| {})
}

fn program(experiment: &Experiment, dataset: &Dataset, trained: &Trained, mapping: &str) -> Program {
    let mapping = &Mapping::parse(mapping).unwrap();
    let settings = CompilationSettings { dataset, training: "test", mapping, chip: &experiment.chip, seed: 1 };
    compile(&trained.network, &Quantisation::default(), &settings).unwrap()
}

/// Every way to draw columns towards favourable weights trains, ends with what it says of itself, and is the same when repeated.
#[test]
fn every_importance_and_projection_trains() {
    use trainer::config::Importance;
    let dataset = digits();
    let mut networks = Vec::new();
    for importance in
        [Importance::Gradient, Importance::Magnitude, Importance::Fisher, Importance::Benefit, Importance::Random]
    {
        for projection in [Projection::Hard, Projection::StraightThrough, Projection::Soft] {
            if (importance, projection) == (Importance::Benefit, Projection::Hard) {
                continue;
            }
            let mut experiment = experiment(&["training.weight_scale=fan-in"]);
            (experiment.training.biased.importance, experiment.training.biased.projection) = (importance, projection);
            let trained = run(&experiment, &dataset, Method::Biased, "isaac", 0.5);
            assert_eq!(trained, run(&experiment, &dataset, Method::Biased, "isaac", 0.5));
            let (last, least) =
                (trained.epochs.last().unwrap(), if projection == Projection::Hard { 0.3 } else { 0.7 });
            assert!(last.validation_software > least, "{importance:?} {projection:?} {last:?}");
            let epoch = trained.epochs[trained.chosen];
            let most = if importance == Importance::Benefit { 0.51 } else { 1.0 };
            assert!(epoch.chosen_share > 0.0 && epoch.chosen_share <= most, "{importance:?} {projection:?} {epoch:?}");
            assert!(epoch.effective_share >= epoch.chosen_share, "{importance:?} {projection:?} {epoch:?}");
            networks.push(trained.network);
        }
    }
    for (index, network) in networks.iter().enumerate() {
        assert!(networks[..index].iter().all(|other| other != network), "{index} is as another");
    }
}

/// Numbers of `[training.biased]` reach the training: each changes the network.
#[test]
fn every_number_of_the_constraint_counts() {
    let dataset = digits();
    let trained = |set: &[&str]| {
        let plain =
            ["training.weight_scale=fan-in", "biased.warm_up=0.1", "biased.freeze=0.9", "biased.refresh_epochs=1"];
        run(&experiment(&[&plain, set].concat()), &dataset, Method::Biased, "isaac", 0.5).network
    };
    for (set, changes) in [
        ("biased.projection=straight-through", "biased.refresh_epochs=3"),
        ("biased.projection=straight-through", "biased.importance_decay=0"),
        ("biased.projection=straight-through", "biased.warm_up=0.5"),
        ("biased.projection=straight-through", "biased.freeze=0.5"),
        ("biased.projection=straight-through", "biased.constrained_slices=2"),
        ("biased.projection=soft", "biased.softness=0.1"),
    ] {
        assert_ne!(trained(&[set]), trained(&[set, changes]), "{set} {changes}");
    }
}

/// Methods that know the hardware keep the checkpoint that is best on chip samples, also where another one is better in software.
#[test]
fn checkpoints_are_chosen_by_what_the_method_knows() {
    let dataset = digits();
    let mut differ = 0;
    for (method, share) in [(Method::Conventional, 0.0), (Method::NoiseInjection, 0.0), (Method::Biased, 1.0)] {
        let experiment = experiment(&["training.epochs=12", "training.weight_scale=fan-in"]);
        let trained = run(&experiment, &dataset, method, "isaac", share);
        let last_best = |criterion: &dyn Fn(&Epoch) -> Option<f64>| {
            let eligible =
                trained.epochs.iter().enumerate().filter_map(|(index, epoch)| Some((index, criterion(epoch)?)));
            eligible.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
        };
        let on_chips = last_best(&|epoch| epoch.validation_hardware);
        let in_software = last_best(&|epoch| epoch.validation_hardware.map(|_| epoch.validation_software));
        let expected =
            if method == Method::Conventional { last_best(&|epoch| Some(epoch.validation_software)) } else { on_chips };
        assert_eq!(Some(trained.chosen), expected, "{method:?}");
        differ += u32::from(on_chips != in_software);
    }
    assert!(differ > 0, "in no training the two criteria disagree");
}

/// Also to what they are anyway, as where a script sets all of them.
#[test]
fn keys_that_no_file_names_may_be_set() {
    use trainer::config::Optimiser;
    let plain = experiment(&[]);
    for set in [
        "training.optimiser={kind=\"adam\"}",
        "training.weight_decay=0",
        "training.augment.crop=0",
        "training.biased.softness=1",
        "training.biased.importance=gradient",
    ] {
        assert_eq!(experiment(&[set]).training, plain.training, "{set}");
    }
    let sgd = experiment(&["training.optimiser={kind=\"sgd\", momentum=0.9}"]).training.optimiser;
    assert_eq!(sgd, Optimiser::Sgd { momentum: 0.9 });
}

/// Scales that are calibrated or learned move away from their start, by what is documented, and stay one for a layer.
#[test]
fn scales_follow_the_weights_or_the_gradient() {
    let dataset = digits();
    let trained = |scale: &str, epochs: u32| {
        let set = [format!("training.weight_scale=\"{scale}\""), format!("training.epochs={epochs}")];
        let experiment = experiment(&set.iter().map(String::as_str).collect::<Vec<_>>());
        let trained = run(&experiment, &dataset, Method::Conventional, "isaac", 0.0);
        assert!(trained.epochs.last().unwrap().validation_software > 0.9, "{scale}: {:?}", trained.epochs);
        let scale = |node: &nn::graph::Node| match &node.op {
            nn::graph::Operation::Linear(linear) => match linear.weight_scale {
                nn::graph::WeightScale::Tensor(scale) => {
                    let whole = |weight: &f32| (weight / scale - (weight / scale).round()).abs() < 1e-3;
                    assert!(linear.weight.iter().all(whole), "weights are whole multiples of their scale");
                    Some(scale)
                }
                _ => None,
            },
            _ => None,
        };
        trained.network.nodes.iter().filter_map(scale).collect::<Vec<f32>>()
    };
    let fixed = trained("fan-in", 6);
    let (calibrated, learned) = (trained("calibrated", 6), trained("learned", 6));
    assert_eq!((fixed.len(), calibrated.len(), learned.len()), (3, 3, 3));
    for layer in 0..3 {
        // The least squared error clips the few weights of a wide range; gradients move a scale by some per cent.
        assert!(
            calibrated[layer] != fixed[layer] && learned[layer] != fixed[layer],
            "{fixed:?} {calibrated:?} {learned:?}"
        );
        assert!((0.2..5.0).contains(&(calibrated[layer] / fixed[layer])), "{fixed:?} {calibrated:?}");
        assert!((0.5..2.0).contains(&(learned[layer] / fixed[layer])), "{fixed:?} {learned:?}");
    }
}

/// Test images and labels decide nothing: with all test labels wrong, every choice is the same: the checkpoint, the share of columns, the operating
/// point, the offset of the encoding.
#[test]
fn test_data_are_never_used_for_a_choice() {
    let (experiment, honest) = (experiment(&[]), digits());
    let mut swapped = honest.clone();
    swapped.test.images.reverse();
    for label in &mut swapped.test.labels {
        *label = (*label + 1) % 10;
    }
    for (method, mapping) in
        [(Method::Conventional, "isaac"), (Method::NoiseInjection, "offset"), (Method::Biased, "isaac")]
    {
        let (a, b) =
            (run(&experiment, &honest, method, mapping, 0.5), run(&experiment, &swapped, method, mapping, 0.5));
        assert_eq!(a, b, "{method:?}");
        let mut compiled = program(&experiment, &swapped, &b, mapping);
        let expected = program(&experiment, &honest, &a, mapping);
        assert_ne!(compiled.software_accuracy, expected.software_accuracy, "the report must see the test images");
        compiled.software_accuracy = expected.software_accuracy;
        assert_eq!(compiled, expected);
    }
}

/// The device's own noise is injected: none for an ideal device, and twice as much for twice the sigma.
#[test]
fn injected_noise_is_the_devices() {
    let dataset = digits();
    let losses = |method, set: &str| {
        let trained = run(&experiment(&[set]), &dataset, method, "isaac", 0.0);
        trained.epochs.iter().map(|epoch| epoch.loss).collect::<Vec<_>>()
    };
    let conventional = losses(Method::Conventional, "cell.device.preset=ideal");
    assert_eq!(losses(Method::NoiseInjection, "cell.device.preset=ideal"), conventional);
    let noisy = losses(Method::NoiseInjection, "sigma_scale=1");
    let noisier = losses(Method::NoiseInjection, "sigma_scale=2");
    // Before the ramp nothing is injected; at its end, more noise means more loss.
    assert_eq!(noisy[0], conventional[0]);
    assert!(conventional[5] < noisy[5] && noisy[5] < noisier[5], "{} {} {}", conventional[5], noisy[5], noisier[5]);
}

/// However short the training, the constraint is in force before it ends.
#[test]
fn the_last_epoch_is_constrained_and_eligible() {
    let dataset = digits();
    for freeze in [0.0, 0.3, 1.0] {
        let mut experiment = experiment(&[]);
        experiment.training.epochs = 1;
        experiment.training.biased.warm_up = 0.0;
        experiment.training.biased.freeze = freeze;
        experiment.training.noise.ramp_end = 1.0;
        let trained = run(&experiment, &dataset, Method::BiasedNoise, "isaac", 1.0);
        assert_eq!((trained.chosen, trained.epochs[0].effective_share), (0, 1.0), "freeze = {freeze}");
    }
}

/// Training further starts where the network stands: its first epoch loses far less than that from random weights, its integers keep their steps.
#[test]
fn a_trained_network_is_trained_further() {
    let (experiment, dataset) = (experiment(&[]), digits());
    let first = run(&experiment, &dataset, Method::Conventional, "isaac", 0.0);
    let further = |network| {
        let start = (Method::Conventional, Start::Network(network));
        try_run(&experiment, &dataset, start, "isaac", 0.0).unwrap()
    };
    let second = further(&first.network);
    assert!(second.epochs[0].loss < 0.5 * first.epochs[0].loss, "{:?} {:?}", first.epochs, second.epochs);
    let scales = |network: &nn::Graph| {
        let scale = |node: &nn::graph::Node| match &node.op {
            nn::graph::Operation::Linear(linear) => Some(linear.weight_scale.clone()),
            _ => None,
        };
        network.nodes.iter().filter_map(scale).collect::<Vec<_>>()
    };
    assert_eq!(scales(&second.network), scales(&first.network));
    // As an import has it: no scale, and a softmax at the end, which the loss stands for.
    let mut imported = first.network.clone();
    for node in &mut imported.nodes {
        if let nn::graph::Operation::Linear(linear) = &mut node.op {
            linear.weight_scale = nn::graph::WeightScale::Free;
        }
    }
    let op = nn::graph::Operation::Softmax(nn::graph::Softmax { log: false });
    imported.nodes.push(nn::graph::Node { name: "softmax".into(), inputs: vec![imported.nodes.len()], op });
    let third = further(&imported);
    assert_eq!(third.network.nodes.len(), first.network.nodes.len());
    assert!(third.epochs[0].loss < 0.5 * first.epochs[0].loss, "{:?}", third.epochs);
}

/// A set of all states is no constraint: the network is that of the method without it, byte for byte, whatever the offset does in training. (A hard
/// projection rounds weights after every epoch all the same.)
#[test]
fn a_constraint_to_all_states_is_none() {
    let dataset = digits();
    for mapping in ["isaac", "offset", "differential", "twos-complement", "unbalanced", "unary"] {
        let sets = ["training.biased.states=[0,1,2,3]", "training.biased.warm_up=0.1", "training.biased.freeze=0.2"];
        let mut experiment = experiment(&[&sets, ["cell.device.sigma_scale=4"].as_slice()].concat());
        experiment.training.biased.projection = Projection::StraightThrough;
        let noise = run(&experiment, &dataset, Method::NoiseInjection, mapping, 0.0);
        let both = run(&experiment, &dataset, Method::BiasedNoise, mapping, 1.0);
        assert_eq!(noise.network, both.network, "{mapping}");
        let epoch = both.epochs[both.chosen];
        assert_eq!(epoch.effective_share, 0.0, "{mapping}: nothing is constrained");
        // What the hardware cannot store is clipped in training, and the program clips nothing more.
        let program = program(&experiment, &dataset, &both, mapping);
        assert!(program.mvm_stages().all(|(_, stage)| stage.clipped_weights == 0), "{mapping}");
        assert_eq!(epoch.clipped_share > 0.0, mapping == "offset", "{mapping}: {epoch:?}");
    }
}

/// Weights of -1 and 1 have no 0 that a gradient could leave them at.
#[test]
fn weights_of_one_bit_are_not_trained() {
    let (mut experiment, dataset) = (experiment(&[]), digits());
    experiment.chip.format.weight_bits = 1;
    let start = (Method::Conventional, Start::Architecture(&experiment.network));
    let error = try_run(&experiment, &dataset, start, "isaac", 0.0).unwrap_err().to_string();
    assert!(error.contains("format.weight_bits = 1; a training takes 2 to 16"), "{error}");
}
