use super::*;
use tile::check::Check;

const NAMES: [&str; 3] = ["isaac", "differential", "unary"];

fn candidate(mapping: &str, (error, energy_j, latency_cycles): (f64, f64, u64), tiles: u64) -> Candidate {
    let mapping = Mapping::parse(mapping).unwrap();
    Candidate { mapping, error, energy_j, latency_cycles, cells: 1, arrays: 1, tiles, adc_bits: 0, finer_j: Vec::new() }
}

fn layer(name: &str, candidates: Vec<Candidate>) -> Unscored {
    Unscored { layer: name.to_owned(), candidates, refused: Vec::new() }
}

fn weights(error: f64, energy: f64, latency: f64) -> Weights {
    Weights { error, energy, latency }
}

/// Least sums over the layers: error 0.1 + 0.3, energy 2 + 1, cycles 10 + 20.
fn two_layers(scale: f64) -> Vec<Unscored> {
    let of = |mapping, error, energy: f64, latency| candidate(mapping, (error, scale * energy, latency), 1);
    vec![
        layer("first", vec![of("isaac", 0.4, 2.0, 10), of("unary", 0.1, 8.0, 10)]),
        layer("second", vec![of("isaac", 0.3, 1.0, 40), of("unary", 0.3, 3.0, 20)]),
    ]
}

fn chosen(layers: &[LayerChoice]) -> Vec<&str> {
    layers.iter().map(|layer| layer.chosen().mapping.name()).collect()
}

#[test]
fn scores_are_weighted_means_of_shares_in_the_least_sums() {
    let layers = scored(two_layers(1.0), weights(2.0, 1.0, 1.0));
    let score = |layer: usize, candidate: usize| layers[layer].candidates[candidate].score;
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
    near(score(0, 0), (2.0 * 0.4 / 0.4 + 2.0 / 3.0 + 10.0 / 30.0) / 4.0);
    near(score(0, 1), (2.0 * 0.1 / 0.4 + 8.0 / 3.0 + 10.0 / 30.0) / 4.0);
    near(score(1, 1), (2.0 * 0.3 / 0.4 + 3.0 / 3.0 + 20.0 / 30.0) / 4.0);
    // Whatever energies are counted in.
    for (one, other) in layers.iter().zip(scored(two_layers(1e-9), weights(2.0, 1.0, 1.0))) {
        for (one, other) in one.candidates.iter().zip(&other.candidates) {
            near(one.score, other.score);
        }
    }
}

#[test]
fn each_weight_alone_chooses_the_least_of_its_own_and_the_first_of_equals() {
    let chosen_by = |weights| {
        scored(two_layers(1.0), weights).iter().map(|of| of.chosen().mapping.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(chosen_by(weights(1.0, 0.0, 0.0)), ["unary", "isaac"]);
    assert_eq!(chosen_by(weights(0.0, 1.0, 0.0)), ["isaac", "isaac"]);
    assert_eq!(chosen_by(weights(0.0, 0.0, 1.0)), ["isaac", "unary"]);
    // Where every layer has the least of what counts, the score of all is 1.
    let all: f64 = scored(two_layers(1.0), weights(0.0, 0.0, 5.0)).iter().map(LayerChoice::score).sum();
    assert!((all - 1.0).abs() < 1e-12, "{all}");
}

/// The first layer's best candidate has 9 bits, so that the second one's converters have them too: what was cheapest with 7 bits no longer is.
#[test]
fn converters_are_priced_with_the_resolution_of_the_most_demanding_layer() {
    let of = |mapping, adc_bits, finer_j: &[f64]| Candidate {
        adc_bits,
        finer_j: finer_j.to_vec(),
        ..candidate(mapping, (1.0, finer_j[0], 1), 1)
    };
    let first = vec![of("isaac", 9, &[5.0, 9.0])];
    let second = vec![of("isaac", 7, &[1.0, 2.0, 4.0, 8.0]), of("unary", 9, &[3.0, 6.0])];
    let layers = with_resolution(vec![layer("first", first), layer("second", second)], weights(0.0, 1.0, 0.0), 100);
    assert_eq!(chosen(&layers), ["isaac", "unary"]);
    assert_eq!(layers[1].candidates.iter().map(|of| of.candidate.energy_j).collect::<Vec<_>>(), [4.0, 3.0]);
}

#[test]
fn weights_must_be_finite_not_negative_and_not_all_zero() {
    let problems = |weights: Weights| {
        let mut problems = tile::check::Problems::default();
        weights.check(&mut problems);
        problems.found.len()
    };
    assert_eq!(problems(Weights::default()), 0);
    assert_eq!(problems(weights(0.0, 0.0, 1e-3)), 0);
    for wrong in [weights(-1.0, 1.0, 1.0), weights(1.0, f64::NAN, 1.0), weights(0.0, 0.0, 0.0), weights(1.0, 1.0, 2e6)]
    {
        assert_eq!(problems(wrong), 1, "{wrong:?}");
    }
}

/// The second layer gives up less per tile than the first.
#[test]
fn the_layer_that_loses_least_per_tile_falls_back_first() {
    let by_error = |tiles_available: u64| {
        let of = |mapping, error, tiles| candidate(mapping, (error, 1.0, 1), tiles);
        let first = vec![of("isaac", 0.9, 1), of("unary", 0.1, 3)];
        let second = vec![of("isaac", 0.3, 1), of("unary", 0.1, 3)];
        let mut layers = scored(vec![layer("first", first), layer("second", second)], weights(1.0, 0.0, 0.0));
        budget::fit(&mut layers, tiles_available);
        chosen(&layers).join(" ")
    };
    assert_eq!(
        [6, 5, 4, 3, 2].map(by_error),
        ["unary unary", "unary isaac", "unary isaac", "isaac isaac", "isaac isaac"]
    );
}

/// Pseudo-random numbers below `below`.
fn next(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

/// Every choice of one candidate per layer: the least score of those that fit.
fn least_of_all(layers: &[LayerChoice], available: u64) -> f64 {
    let choices = NAMES.len().pow(layers.len() as u32);
    let of = |choice: usize| {
        let picked = |(index, layer): (usize, &LayerChoice)| {
            layer.candidates[choice / NAMES.len().pow(index as u32) % NAMES.len()].clone()
        };
        let picked: Vec<Scored> = layers.iter().enumerate().map(picked).collect();
        let tiles: u64 = picked.iter().map(|of| of.candidate.tiles).sum();
        (tiles <= available).then(|| picked.iter().map(|of| of.score).sum::<f64>())
    };
    (0..choices).filter_map(of).fold(f64::INFINITY, f64::min)
}

/// Random candidates of four layers on chips of every size that the smallest fit: what is chosen fits and is the best of all choices.
#[test]
fn what_falls_back_is_the_best_that_fits() {
    let (mut state, mut cases) = (1, 0);
    for _ in 0..100 {
        let mut draw = || {
            let of = |name| candidate(name, (1.0 + next(&mut state, 100) as f64, 1.0, 1), 1 + next(&mut state, 4));
            NAMES.map(of).to_vec()
        };
        let layers: Vec<Unscored> = ["a", "b", "c", "d"].map(|name| layer(name, draw())).into();
        let best = scored(layers, weights(1.0, 0.0, 0.0));
        for available in budget::least_tiles(&best)..=budget::tiles(&best) + 1 {
            let mut fitted = best.clone();
            budget::fit(&mut fitted, available);
            let score: f64 = fitted.iter().map(LayerChoice::score).sum();
            let least = least_of_all(&best, available);
            assert!(budget::tiles(&fitted) <= available && (score - least).abs() <= 1e-12, "{score} and {least}");
            if budget::tiles(&best) <= available {
                assert_eq!(fitted, best);
            }
            cases += 1;
        }
    }
    assert!(cases > 300, "{cases}");
}
