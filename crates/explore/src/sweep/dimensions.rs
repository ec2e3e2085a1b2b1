//! Axes that change together, and the combinations of their values.

use toml::Value;

use super::{Axis, Sweep};

/// The choice of a dimension that is left out.
pub(super) const ABSENT: u32 = u32::MAX;

/// Axes that change together: one alone, those zipped, or all that are sampled.
#[derive(Debug)]
pub(super) struct Dimension {
    /// Numbers of the axes.
    pub(super) axes: Vec<usize>,
    /// The values of each of these axes.
    pub(super) values: Vec<Vec<Value>>,
    /// Dimensions that decide whether this one takes part, with the choices at which it does.
    conditions: Vec<(usize, Vec<bool>)>,
}

impl Dimension {
    /// Number of choices.
    pub(super) fn len(&self) -> usize {
        self.values.first().map_or(0, Vec::len)
    }

    /// Whether one of these dimensions decides whether it takes part.
    pub(super) fn depends_on(&self, deciding: &[usize]) -> bool {
        self.conditions.iter().any(|(number, _)| deciding.contains(number))
    }
}

/// The dimensions of a sweep, in the order of their first axes.
pub(super) fn dimensions(sweep: &Sweep) -> Vec<Dimension> {
    let mut dimensions: Vec<Dimension> = Vec::new();
    for (number, axis) in sweep.axes.iter().enumerate() {
        let values = match &sweep.samples {
            Some(samples) if axis.sampled => samples.draw(axis, number),
            _ => axis.listed(),
        };
        let together = |dimension: &&mut Dimension| {
            let first = &sweep.axes[dimension.axes[0]];
            (axis.zip.is_some() && axis.zip == first.zip) || (axis.sampled && first.sampled)
        };
        if let Some(dimension) = dimensions.iter_mut().find(together) {
            dimension.axes.push(number);
            dimension.values.push(values);
        } else {
            let conditions = conditions(sweep, axis, &dimensions);
            dimensions.push(Dimension { axes: vec![number], values: vec![values], conditions });
        }
    }
    dimensions
}

fn conditions(sweep: &Sweep, axis: &Axis, before: &[Dimension]) -> Vec<(usize, Vec<bool>)> {
    let condition = |(name, allowed): (&String, &Vec<Value>)| {
        before.iter().enumerate().find_map(|(number, dimension)| {
            let place = dimension.axes.iter().position(|&other| sweep.axes[other].name == *name)?;
            Some((number, dimension.values[place].iter().map(|value| allowed.contains(value)).collect()))
        })
    };
    axis.when.iter().filter_map(condition).collect()
}

/// Every combination, the first dimension outermost; one after the other, with as many choices as there are dimensions.
pub(super) fn combinations(dimensions: &[Dimension]) -> Vec<u32> {
    let mut found = Vec::new();
    extend(dimensions, &mut Vec::with_capacity(dimensions.len()), &mut found);
    found
}

fn extend(dimensions: &[Dimension], chosen: &mut Vec<u32>, found: &mut Vec<u32>) {
    let Some(dimension) = dimensions.get(chosen.len()) else {
        found.extend_from_slice(chosen);
        return;
    };
    // An axis that is left out has no value, and fulfils no condition.
    let holds = |(other, allowed): &(usize, Vec<bool>)| allowed.get(chosen[*other] as usize) == Some(&true);
    let choices = if dimension.conditions.iter().all(holds) { 0..dimension.len() as u32 } else { ABSENT..ABSENT };
    let absent = choices.is_empty().then_some(ABSENT);
    for choice in choices.chain(absent) {
        chosen.push(choice);
        extend(dimensions, chosen, found);
        chosen.pop();
    }
}
