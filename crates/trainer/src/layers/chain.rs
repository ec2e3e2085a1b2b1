//! A whole network to be trained: forward over a batch, loss, backward.

use super::{Backward, Differentiable, Gradients, LayerWeights, differentiable, softmax_cross_entropy};
use nn::{Invalid, Network, NetworkError};

/// One layer of the chain.
struct Link {
    name: String,
    pass: Box<dyn Differentiable>,
    /// Index among the weighted layers, and the numbers of weights and biases.
    weighted: Option<(usize, usize, usize)>,
}

/// The layers of a network without their parameters, which every call gets as `&[LayerWeights]`, one per weighted layer in the
/// network's order. It can be shared between threads.
pub struct Chain {
    features: usize,
    classes: usize,
    links: Vec<Link>,
}

/// What the layers saw in a forward pass; the backward pass needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tape {
    batch: usize,
    /// The images, then every layer's output.
    values: Vec<Vec<f32>>,
}

impl Tape {
    /// Number of images.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Output of the last layer, `[image][class]`.
    #[must_use]
    pub fn logits(&self) -> &[f32] {
        self.values.last().map_or(&[], Vec::as_slice)
    }

    /// The input of layer `layer` of the network (not only of the weighted ones), `[image][feature]`.
    #[must_use]
    pub fn input_of(&self, layer: usize) -> Option<&[f32]> {
        self.values.get(layer).map(Vec::as_slice)
    }
}

/// Result of one training step's computation; updating the parameters is the optimiser's.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Mean loss of the batch, in nats.
    pub loss: f64,
    /// Number of images classified correctly.
    pub correct: usize,
    /// Output of the last layer, `[image][class]`.
    pub logits: Vec<f32>,
    /// Gradient of the mean loss with respect to the effective parameters of each weighted layer.
    pub gradients: Vec<LayerWeights>,
}

impl Chain {
    /// The chain of a network's layers. The network's parameters are not copied and may even be missing, as long as sizes fit.
    ///
    /// # Errors
    /// If the shapes of the layers do not fit one another.
    pub fn new(network: &Network) -> Result<Self, NetworkError> {
        let shapes = network.shapes()?;
        let (mut links, mut shape, mut weighted) = (Vec::new(), network.input, 0..);
        for (layer, &output) in network.layers.iter().zip(&shapes) {
            let sizes = layer.op.parameter_sizes();
            let weighted = sizes.and_then(|(weights, biases)| Some((weighted.next()?, weights, biases)));
            links.push(Link { name: layer.name.clone(), pass: differentiable(&layer.op, shape), weighted });
            shape = output;
        }
        Ok(Self { features: network.input.len(), classes: shape.len(), links })
    }

    /// Number of values of one image.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Number of classes, the values of the last layer's output.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Runs a batch `[image][feature]` through the layers.
    ///
    /// # Errors
    /// If the batch does not hold whole images or the parameters do not have the layers' sizes.
    pub fn forward(&self, weights: &[LayerWeights], images: &[f32]) -> Result<Tape, Invalid> {
        self.check_weights(weights)?;
        if !images.len().is_multiple_of(self.features) {
            let allowed = format!("multiples of {}, the values of one image", self.features);
            return Err(Invalid::new("number of values of the batch", images.len(), allowed));
        }
        let batch = images.len() / self.features;
        let mut values = vec![images.to_vec()];
        for link in &self.links {
            let input = values.last().map_or(&[][..], Vec::as_slice);
            let output = link.with_parameters(weights, |parameters| link.pass.forward(parameters, input, batch));
            values.push(output);
        }
        Ok(Tape { batch, values })
    }

    /// Goes back through a forward pass with the same parameters: the gradients with respect to the parameters of every weighted layer,
    /// from the gradient with respect to the logits `[image][class]`.
    ///
    /// # Errors
    /// If the parameters do not have the layers' sizes, or tape and gradient are not of this chain and of one size.
    pub fn backward(
        &self,
        weights: &[LayerWeights],
        tape: &Tape,
        logits_gradient: &[f32],
    ) -> Result<Vec<LayerWeights>, Invalid> {
        self.check_weights(weights)?;
        check("number of values of the tape", tape.values.len(), self.links.len() + 1)?;
        check("number of logits of the tape", tape.logits().len(), tape.batch * self.classes)?;
        check("number of values of the logits' gradient", logits_gradient.len(), tape.logits().len())?;
        let first_weighted = self.links.iter().position(|link| link.weighted.is_some()).unwrap_or(self.links.len());
        let mut output_gradient = logits_gradient.to_vec();
        let mut gradients = Vec::with_capacity(weights.len());
        // Below the first weighted layer there is nothing to train, so that no gradient has to get there.
        for (index, link) in self.links.iter().enumerate().skip(first_weighted).rev() {
            let wants_input = index > first_weighted;
            let (input, batch) = (tape.values[index].as_slice(), tape.batch);
            let pass = Backward { input, output_gradient: &output_gradient, batch, wants_input };
            let Gradients { input, parameters } = link.with_parameters(weights, |own| link.pass.backward(own, pass));
            output_gradient = input;
            if link.weighted.is_some() {
                gradients.push(parameters);
            }
        }
        gradients.reverse();
        Ok(gradients)
    }

    /// Forward, loss and backward for a batch with its labels.
    ///
    /// # Errors
    /// If the batch is empty or does not hold one image per label, a label is not a class, or the parameters do not have the layers'
    /// sizes.
    pub fn step(&self, weights: &[LayerWeights], images: &[f32], labels: &[u8]) -> Result<Step, Invalid> {
        let tape = self.forward(weights, images)?;
        if labels.is_empty() {
            return Err(Invalid::new("number of labels", 0, "at least 1"));
        }
        check("number of labels", labels.len(), tape.batch)?;
        if let Some(index) = labels.iter().position(|&label| usize::from(label) >= self.classes) {
            return Err(Invalid::new(format!("label {index}"), labels[index], format!("below {}", self.classes)));
        }
        let loss = softmax_cross_entropy(tape.logits(), labels, self.classes);
        let gradients = self.backward(weights, &tape, &loss.gradient)?;
        Ok(Step { loss: loss.mean, correct: loss.correct, logits: tape.logits().to_vec(), gradients })
    }

    fn check_weights(&self, weights: &[LayerWeights]) -> Result<(), Invalid> {
        let weighted: Vec<_> = self.links.iter().filter_map(|link| Some((&link.name, link.weighted?))).collect();
        check("number of weighted layers", weights.len(), weighted.len())?;
        for (own, (name, (_, weight, bias))) in weights.iter().zip(weighted) {
            check(&format!("number of weights of layer `{name}`"), own.weight.len(), weight)?;
            check(&format!("number of biases of layer `{name}`"), own.bias.len(), bias)?;
        }
        Ok(())
    }
}

impl Link {
    /// Runs `work` with the layer's own parameters, or with none if it has none.
    fn with_parameters<T>(&self, weights: &[LayerWeights], work: impl FnOnce(&LayerWeights) -> T) -> T {
        match self.weighted {
            Some((index, ..)) => work(&weights[index]),
            None => work(&LayerWeights::default()),
        }
    }
}

fn check(key: &str, value: usize, expected: usize) -> Result<(), Invalid> {
    if value == expected {
        return Ok(());
    }
    Err(Invalid::new(key, value, format!("exactly {expected}")))
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
