//! Kernels, strides, dilations and paddings of convolutions and pools.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::value::Map;
use crate::Shape;
use crate::axis::Axis;
use crate::graph::{Operation, Pad};

/// A map with windows over its rows and columns.
pub(super) struct Windows {
    pub(super) source: usize,
    pub(super) vertical: Axis,
    pub(super) horizontal: Axis,
    /// Whether padding of the model is part of the map already, so that what is left of it only rounds the number of windows up.
    pub(super) padded: bool,
    /// Sizes of the result in the model, one channel per output.
    dims: Vec<usize>,
    batch: Option<usize>,
}

/// Two axes of a tensor: one if it has no rows.
type Axes = Vec<Axis>;

impl Windows {
    /// Windows of the sizes `kernel` over the map; `counted` padding is explicit wherever windows reach beyond it.
    pub(super) fn new(
        builder: &mut Builder,
        node: &Node<'_>,
        map: &Map,
        kernel: &[usize],
        counted: bool,
    ) -> Result<Self, Problem> {
        let rank = map.dims.len();
        if map.batch != Some(0) || !(3..=4).contains(&rank) || kernel.len() + 2 != rank {
            let problem = format!("it has a kernel of {kernel:?} over a map of the sizes {:?}", map.dims);
            return Err(Problem::new(problem, "use one or two dimensions behind batch and channels"));
        }
        let sizes = &map.dims[2..];
        let exact = axes(node, kernel, sizes)?;
        let axes = match node.int("ceil_mode", 0)? {
            0 => exact.clone(),
            _ => exact.iter().zip(sizes).map(|(&axis, &size)| rounded_up(axis, size)).collect(),
        };
        let reaches_beyond = counted && axes.iter().zip(&exact).any(|(up, exact)| up.after > exact.after);
        let wide = exact.iter().any(|axis| axis.before.max(axis.after) >= axis.reach());
        let mut result = Self {
            source: builder.shaped(&node.name, map, map.shape())?,
            vertical: Axis::new(1, 1, 0),
            horizontal: axes[axes.len() - 1],
            padded: false,
            dims: map.dims[..2].to_vec(),
            batch: map.batch,
        };
        if let [vertical, _] = axes[..] {
            result.vertical = vertical;
        }
        for (axis, &size) in axes.iter().zip(sizes) {
            result.dims.push(axis.positions(size));
        }
        if reaches_beyond || wide {
            result.pad(builder, node, &exact)?;
        }
        Ok(result)
    }

    /// Makes the padding part of the map.
    fn pad(&mut self, builder: &mut Builder, node: &Node<'_>, exact: &[Axis]) -> Result<(), Problem> {
        let border = |axis: &Axis| [axis.before, axis.after];
        let last = &exact[exact.len() - 1];
        let height = if exact.len() == 2 { border(&exact[0]) } else { [0; 2] };
        let pad = Pad { channels: [0; 2], height, width: border(last), value: 0.0 };
        self.source = builder.push(&format!("{}.pad", node.name), &[self.source], Operation::Pad(pad))?;
        for (axis, border) in [(&mut self.vertical, height), (&mut self.horizontal, border(last))] {
            axis.before = 0;
            axis.after = axis.after.saturating_sub(border[1]);
        }
        self.padded = true;
        Ok(())
    }

    /// The map that an operation with these windows makes, with its number of channels.
    pub(super) fn result(&self, source: usize, channels: usize) -> Map {
        let mut dims = self.dims.clone();
        dims[1] = channels;
        Map { source, dims, batch: self.batch, coding: super::super::value::Coding::Real }
    }

    /// Shape of the map under the windows.
    pub(super) fn input(&self, builder: &Builder) -> Shape {
        builder.shape(self.source)
    }
}

/// The axes as the attributes state them.
fn axes(node: &Node<'_>, kernel: &[usize], sizes: &[usize]) -> Result<Axes, Problem> {
    let list = |name: &str, count: usize, default: usize| -> Result<Vec<usize>, Problem> {
        let Some(list) = node.ints(name)? else {
            return Ok(vec![default; count]);
        };
        let sizes: Option<Vec<usize>> = list.iter().map(|&size| usize::try_from(size).ok()).collect();
        let limit =
            |sizes: &Vec<usize>| sizes.len() == count && sizes.iter().all(|&size| size <= crate::error::MAX_DIMENSION);
        sizes.filter(limit).ok_or_else(|| {
            let allowed = format!("{count} numbers of 0 to {}", crate::error::MAX_DIMENSION);
            Problem::broken(format!("{name} is {list:?}, allowed: {allowed}"))
        })
    };
    let rank = kernel.len();
    if let Some(stated) =
        node.ints("kernel_shape")?.filter(|stated| stated.iter().map(|&size| size as usize).ne(kernel.iter().copied()))
    {
        return Err(Problem::broken(format!("kernel_shape is {stated:?}, but its weights have {kernel:?}")));
    }
    let (strides, dilations) = (list("strides", rank, 1)?, list("dilations", rank, 1)?);
    let pads = list("pads", 2 * rank, 0)?;
    let auto = node.text("auto_pad", "NOTSET")?;
    if strides.contains(&0) || dilations.contains(&0) || kernel.contains(&0) {
        return Err(Problem::broken(format!(
            "kernel {kernel:?}, strides {strides:?} or dilations {dilations:?} hold a 0"
        )));
    }
    let axis = |index: usize| -> Result<Axis, Problem> {
        let mut axis =
            Axis { kernel: kernel[index], stride: strides[index], dilation: dilations[index], before: 0, after: 0 };
        // Windows at every stride of the map, the padding shared out between the sides.
        let total = (sizes[index].div_ceil(axis.stride).max(1) - 1) * axis.stride + axis.reach();
        let total = total.saturating_sub(sizes[index]);
        match auto.as_str() {
            "NOTSET" | "" => (axis.before, axis.after) = (pads[index], pads[index + rank]),
            "VALID" => {}
            "SAME_UPPER" => (axis.before, axis.after) = (total / 2, total - total / 2),
            "SAME_LOWER" => (axis.before, axis.after) = (total - total / 2, total / 2),
            _ => return Err(Problem::broken(format!("auto_pad is `{auto}`"))),
        }
        Ok(axis)
    };
    (0..rank).map(axis).collect()
}

/// The axis with padding behind it for a last window that the map only begins to fill. Windows that would see nothing of it are left out.
fn rounded_up(axis: Axis, size: usize) -> Axis {
    let room = (size + axis.before + axis.after).saturating_sub(axis.reach());
    let mut steps = room.div_ceil(axis.stride);
    if steps * axis.stride >= size + axis.before {
        steps -= 1;
    }
    let end = steps * axis.stride + axis.reach();
    Axis { after: axis.after.max(end.saturating_sub(size + axis.before)), ..axis }
}
