use sha2::{Digest, Sha256};

use super::*;

/// What each version of the model computes, as hashes of stored rows of a linear network and of a convolutional one. A line is never changed: whoever
/// changes what is computed adds one, with a new number in [`store::MODEL`].
const MODELS: [(&str, [&str; 2]); 2] = [
    (
        "0.1.0 model 2",
        [
            "efb8ee8d29f3242b347e8379fe8e816f5c159b6755e6ef7d503583822c9bb565",
            "a3e1e330c2966d6602ddbb5417f25d3314f699a8efa7d91994df730043c10d9c",
        ],
    ),
    // Networks with averages differ, which neither of these is, and stored programs have another format.
    (
        "0.1.0 model 3",
        [
            "efb8ee8d29f3242b347e8379fe8e816f5c159b6755e6ef7d503583822c9bb565",
            "a3e1e330c2966d6602ddbb5417f25d3314f699a8efa7d91994df730043c10d9c",
        ],
    ),
];

fn hash(sweep: &Sweep) -> String {
    let (points, _) = run_alone(sweep);
    let mut hash = Sha256::new();
    for result in points.iter().flat_map(|point| &point.rows) {
        hash.update(toml::to_string(result).unwrap());
    }
    crate::digest::hex(hash.finalize())
}

#[test]
fn another_result_is_another_model() {
    let methods = r#"experiment.methods=["conventional", "biased"]"#;
    let linear = sweep_with(&[ARRAY], &[methods, r#"experiment.mappings=["isaac", "offset", "differential"]"#]);
    let convolutional =
        sweep_with(&[ADC], &["experiment.network.preset=digits-cnn", "epochs=1", "images=4", "experiment.chips=2"]);
    let found = [hash(&linear), hash(&convolutional)];
    let (model, expected) = MODELS[MODELS.len() - 1];
    assert_eq!(store::MODEL, model, "the last line of MODELS is that of the present model");
    assert_eq!(
        found, expected,
        "what is computed has changed: raise the number in store::MODEL and add a line to MODELS, so that stores of before keep their results apart"
    );
}
