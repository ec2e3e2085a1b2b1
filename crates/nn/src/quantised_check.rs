//! What must hold of a network in integers before it is run.

use crate::Shape;
use crate::error::{Invalid, NetworkError, check_length, check_name};
use crate::quantised::{
    MAX_BIAS, MAX_BITS, MAX_MULTIPLIER, MAX_ROWS, MvmOutput, QuantisedAdd, QuantisedAveragePool, QuantisedLayer,
    QuantisedMvm, QuantisedNetwork,
};
use crate::window::Window;
use std::collections::BTreeSet;

impl QuantisedNetwork {
    /// Checks names, widths, ranges of weights and biases, that every layer's windows fit its source, and that every result is read.
    ///
    /// # Errors
    /// The first value that is not allowed, with the name of its layer.
    pub fn validate(&self) -> Result<(), NetworkError> {
        check_name("name", &self.name).map_err(|invalid| self.error(invalid))?;
        check_name("dataset", &self.dataset).map_err(|invalid| self.error(invalid))?;
        self.input.validate().map_err(|invalid| self.error(invalid))?;
        self.coding.validate(self.input).map_err(|invalid| self.error(invalid))?;
        if self.layers.is_empty() {
            return Err(self.error(Invalid::new("number of layers", 0, "at least 1")));
        }
        let mut names = BTreeSet::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let unique = names.insert(layer.name()).then_some(());
            unique
                .ok_or_else(|| Invalid::new("name", layer.name(), "names used only once"))
                .and_then(|()| self.check_layer(index, layer))
                .map_err(|invalid| self.layer_error(layer, invalid))?;
        }
        self.check_readers()
    }

    pub(crate) fn error(&self, invalid: Invalid) -> NetworkError {
        NetworkError::Network { network: self.name.clone(), invalid: invalid.into() }
    }

    fn layer_error(&self, layer: &QuantisedLayer, invalid: Invalid) -> NetworkError {
        NetworkError::Layer { network: self.name.clone(), layer: layer.name().to_owned(), invalid: invalid.into() }
    }

    fn check_layer(&self, index: usize, layer: &QuantisedLayer) -> Result<(), Invalid> {
        // Without a shape per source, neither they nor the result can be looked at.
        if let QuantisedLayer::Concat(concat) = layer {
            concat.validate()?;
        }
        self.check_sources(index, layer)?;
        if let QuantisedLayer::Table(table) = layer {
            // Scores come last in a valid network, so that nothing reads them.
            let scores = || Invalid::new("input", "scores", "codes");
            table.validate(self.format_of(table.input).ok_or_else(scores)?)?;
        }
        layer.validate(index + 1 == self.layers.len())
    }

    /// Sources stand before their layer and have the shape that it reads.
    fn check_sources(&self, index: usize, layer: &QuantisedLayer) -> Result<(), Invalid> {
        layer.window().validate()?;
        for (&source, shape) in layer.inputs().iter().zip(layer.input_shapes()) {
            if source > index {
                return Err(Invalid::new("input", source, format!("0 to {index}, the layers before it")));
            }
            let input = self.shape_of(source);
            // A flattened map has the same values in the same order.
            let flat = Shape { channels: input.len(), height: 1, width: 1 };
            if shape != input && shape != flat {
                return Err(Invalid::new("window input", shape, format!("{input}, its input, or {flat}")));
            }
        }
        Ok(())
    }

    fn check_readers(&self) -> Result<(), NetworkError> {
        let read: BTreeSet<usize> = self.layers.iter().flat_map(QuantisedLayer::inputs).copied().collect();
        match self
            .layers
            .iter()
            .enumerate()
            .find(|(index, _)| index + 1 < self.layers.len() && !read.contains(&(index + 1)))
        {
            Some((_, layer)) => {
                Err(self.layer_error(layer, Invalid::new("number of layers that read its result", 0, "at least 1")))
            }
            None => Ok(()),
        }
    }
}

impl QuantisedLayer {
    fn validate(&self, last: bool) -> Result<(), Invalid> {
        check_name("name", self.name())?;
        match self {
            Self::Mvm(mvm) => mvm.validate(last)?,
            Self::MaxPool(pool) => check_windows(&pool.window)?,
            Self::AveragePool(pool) => pool.validate()?,
            Self::Add(add) => add.validate()?,
            Self::Concat(_) | Self::Table(_) => {}
        }
        self.output_shape().validate()
    }
}

/// Where padding does not count, a window that lies in it has neither a maximum nor an average.
fn check_windows(window: &Window) -> Result<(), Invalid> {
    match window.outputs().find(|&(oy, ox)| window.runs(oy, ox).next().is_none()) {
        Some((oy, ox)) => {
            Err(Invalid::new("padding", format!("the window at {oy}, {ox}"), "windows with at least one pixel"))
        }
        None => Ok(()),
    }
}

impl QuantisedAveragePool {
    fn validate(&self) -> Result<(), Invalid> {
        check_multiplier("multiplier", self.multiplier)?;
        check_bits("bits", self.bits, 1)?;
        if self.count_padding { Ok(()) } else { check_windows(&self.window) }
    }
}

impl QuantisedAdd {
    fn validate(&self) -> Result<(), Invalid> {
        check_multiplier("multipliers[0]", self.multipliers[0])?;
        check_multiplier("multipliers[1]", self.multipliers[1])?;
        check_bits("bits", self.bits, 1)
    }
}

pub(crate) fn check_multiplier(key: &str, multiplier: f64) -> Result<(), Invalid> {
    if multiplier > 0.0 && multiplier <= MAX_MULTIPLIER {
        return Ok(());
    }
    Err(Invalid::new(key, multiplier, format!("positive numbers of at most {MAX_MULTIPLIER}")))
}

impl QuantisedMvm {
    fn validate(&self, last: bool) -> Result<(), Invalid> {
        let rows = self.window.rows();
        if rows > MAX_ROWS {
            return Err(Invalid::new("values under a window", rows, format!("at most {MAX_ROWS}")));
        }
        let (groups, channels) = (self.groups, self.window.input.channels);
        let divides = |count: usize| groups > 0 && count.is_multiple_of(groups);
        if !divides(channels) || !divides(self.outputs) {
            let allowed = format!("divisors of its {channels} channels and {} outputs", self.outputs);
            return Err(Invalid::new("groups", groups, allowed));
        }
        check_length("weights", self.weights.len(), self.outputs.saturating_mul(self.group_rows()))?;
        check_length("bias", self.bias.len(), self.outputs)?;
        check_bits("weight_bits", self.weight_bits, 1)?;
        let limit = ((1i32 << (self.weight_bits - 1)) - 1).max(1);
        let binary = self.weight_bits == 1;
        let allowed = |weight: &i32| (-limit..=limit).contains(weight) && !(binary && *weight == 0);
        if let Some(index) = self.weights.iter().position(|weight| !allowed(weight)) {
            let allowed = if binary { "-1 or 1".to_owned() } else { format!("-{limit} to {limit}") };
            return Err(Invalid::new(format!("weights[{index}]"), self.weights[index], allowed));
        }
        if let Some(index) = self.bias.iter().position(|bias| !(-MAX_BIAS..=MAX_BIAS).contains(bias)) {
            return Err(Invalid::new(format!("bias[{index}]"), self.bias[index], format!("-{MAX_BIAS} to {MAX_BIAS}")));
        }
        self.output.validate(self.outputs, last)
    }
}

impl MvmOutput {
    fn validate(&self, outputs: usize, last: bool) -> Result<(), Invalid> {
        match self {
            Self::Codes { multipliers, bits, signed: _ } => {
                check_bits("bits", *bits, 1)?;
                check_length("multipliers", multipliers.len(), outputs)?;
                let positive = |multiplier: &f64| multiplier.is_finite() && *multiplier > 0.0;
                match multipliers.iter().position(|multiplier| !positive(multiplier)) {
                    None => Ok(()),
                    Some(index) => {
                        let key = format!("multipliers[{index}]");
                        Err(Invalid::new(key, multipliers[index], "positive finite numbers"))
                    }
                }
            }
            // Accumulators are wider than any code, so nothing may follow them.
            Self::Scores if last => Ok(()),
            Self::Scores => Err(Invalid::new("output", "scores", "codes, as another layer follows")),
        }
    }
}

pub(crate) fn check_bits(key: &str, bits: u32, least: u32) -> Result<(), Invalid> {
    if (least..=MAX_BITS).contains(&bits) {
        return Ok(());
    }
    Err(Invalid::new(key, bits, format!("{least} to {MAX_BITS}")))
}
