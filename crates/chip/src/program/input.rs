//! How images become input codes.

use super::FeatureMap;

/// How pixels become input codes: `clamp(round_half_even(pixel * multiplier + offset), lowest, highest)`, in `f64`, the product and the sum rounded
/// each. Pixels of data sets are 0..=1; a normalisation by mean and standard deviation is part of multiplier and offset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputCoding {
    /// Factors from pixel to code: one for all pixels, one per channel, or one per value of an image (channel, row, column).
    pub multipliers: Vec<f64>,
    /// What is added, in codes; as many as there are multipliers.
    pub offsets: Vec<f64>,
}

impl InputCoding {
    /// Codes of the images of a batch, `[image][channel][row][column]`, in the order of the input map: pixel by pixel.
    #[must_use]
    pub fn codes(&self, input: &FeatureMap, images: &[f32]) -> Vec<i32> {
        let (pixels, channels) = (input.pixels(), input.channels as usize);
        let (lowest, highest) = input.codes();
        // As many neighbouring values share a factor.
        let stretch = (input.len() / self.multipliers.len().max(1)).max(1);
        let code = |at: usize, pixel: f32| {
            let value = f64::from(pixel) * self.multipliers[at / stretch] + self.offsets[at / stretch];
            value.round_ties_even().clamp(lowest.into(), highest.into()) as i32
        };
        let mut codes = Vec::with_capacity(images.len());
        for image in images.chunks_exact(input.len().max(1)) {
            for pixel in 0..pixels {
                codes.extend((0..channels).map(|channel| {
                    let at = channel * pixels + pixel;
                    code(at, image[at])
                }));
            }
        }
        codes
    }

    /// What is wrong with it, for images of the size of `input`.
    pub(super) fn check(&self, input: &FeatureMap) -> Result<(), String> {
        let (count, channels, values) = (self.multipliers.len(), input.channels as usize, input.len());
        if ![1, channels, values].contains(&count) || self.offsets.len() != count {
            let offsets = self.offsets.len();
            return Err(format!(
                "{count} multipliers and {offsets} offsets; allowed is 1, {channels} (one per channel) or {values} (one per value) of both"
            ));
        }
        match self.multipliers.iter().chain(&self.offsets).find(|value| !value.is_finite()) {
            Some(value) => Err(format!("a multiplier or an offset is {value}; allowed are finite numbers")),
            None => Ok(()),
        }
    }
}
