//! Functions of every value by itself.

use super::{Backward, Forward, LayerWeights, Memory, Pass, Reads};
use nn::graph::Activation;

/// An activation; the slope of a kink is that of its left side.
pub(super) struct ActivationPass(pub(super) Activation);

impl Pass for ActivationPass {
    fn reads(&self) -> Reads {
        match self.0 {
            Activation::Relu | Activation::Sigmoid | Activation::Tanh => Reads::OUTPUT,
            Activation::Clip { .. } | Activation::LeakyRelu { .. } => Reads::INPUTS,
            Activation::Half | Activation::BrainFloat => Reads::NOTHING,
        }
    }

    fn forward(&self, _: &LayerWeights, pass: Forward<'_>, _: &mut Memory, output: &mut [f32]) {
        let values = output.iter_mut().zip(pass.inputs[0]);
        match self.0 {
            // The most common one by itself, so that it compiles to vectors. What is not above zero gives +0.
            Activation::Relu => values.for_each(|(y, &x)| *y = if x > 0.0 { x } else { 0.0 }),
            activation => values.for_each(|(y, &x)| *y = activation.of(x)),
        }
    }

    fn input(&self, _: &LayerWeights, pass: Backward<'_>, _: &mut Memory, _: usize, slope: &mut [f32]) {
        let Backward { inputs, output, slope: above } = pass;
        let to = slope.iter_mut().zip(above);
        match self.0 {
            Activation::Relu => to.zip(output).for_each(|((to, &above), &y)| *to = if y > 0.0 { above } else { 0.0 }),
            Activation::Clip { low, high } => {
                to.zip(inputs[0]).for_each(|((to, &above), &x)| *to = if x > low && x <= high { above } else { 0.0 });
            }
            Activation::LeakyRelu { slope: factor } => {
                to.zip(inputs[0]).for_each(|((to, &above), &x)| *to = if x > 0.0 { above } else { factor * above });
            }
            Activation::Sigmoid => to.zip(output).for_each(|((to, &above), &y)| *to = above * y * (1.0 - y)),
            Activation::Tanh => to.zip(output).for_each(|((to, &above), &y)| *to = above * (1.0 - y * y)),
            // Rounding passes slopes through.
            Activation::Half | Activation::BrainFloat => to.for_each(|(to, &above)| *to = above),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{Case, flat, values};
    use super::*;

    #[test]
    fn gradients_are_the_slopes() {
        // Far enough from the kinks that no step crosses one.
        let away = |v: f32| if v.abs() < 0.1 { v + 0.2f32.copysign(v) } else { v };
        let input: Vec<f32> = values(3 * 24, 5).iter().map(|&v| away(v)).collect();
        assert!(input.iter().any(|&v| v < 0.0) && input.iter().any(|&v| v > 0.5));
        let kinds = [
            Activation::Relu,
            Activation::Clip { low: 0.0, high: 7.0 },
            Activation::LeakyRelu { slope: 0.3 },
            Activation::Sigmoid,
            Activation::Tanh,
        ];
        for activation in kinds {
            let pass = ActivationPass(activation);
            Case { inputs: vec![input.clone()], step: 0.02, ..Case::new(&pass, &[flat(24)], flat(24)) }.check();
        }
    }

    #[test]
    fn nothing_flows_back_where_a_value_was_cut_off() {
        let clip = ActivationPass(Activation::Clip { low: -0.5, high: 0.5 });
        let (inputs, output) = ([&[-0.7_f32, 0.1, 0.5, 0.9][..]], [-0.5, 0.1, 0.5, 0.5]);
        let pass = Backward { inputs: &inputs, output: &output, slope: &[1.0; 4] };
        let mut slope = [9.0; 4];
        clip.input(&LayerWeights::default(), pass, &mut Memory::default(), 0, &mut slope);
        assert_eq!(slope, [0.0, 1.0, 1.0, 0.0]);
    }
}
