//! Maxima and averages over windows.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::value::{Coding, Map, Value};
use super::reduce;
use super::window::Windows;
use crate::graph::{AveragePool, MaxPool, Operation};

pub(super) fn max_pool(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    // `storage_order` says how the places of the second result are counted, which is not supported.
    let map = node.map(0)?;
    // The largest code is the code of the largest value.
    let (map, coding) = match &map.coding {
        Coding::Codes { scale, .. } if scale.values().len() == 1 => (map.clone(), map.coding.clone()),
        _ => (builder.real(&node.name, map)?, Coding::Real),
    };
    let windows = Windows::new(builder, node, &map, &kernel(node)?, false)?;
    if windows.padded {
        return Err(Problem::broken("its padding is as wide as its kernel"));
    }
    let pool = MaxPool { vertical: windows.vertical, horizontal: windows.horizontal };
    let source = builder.push(&node.name, &[windows.source], Operation::MaxPool(pool))?;
    Ok(vec![Value::Map(Map { coding, ..windows.result(source, map.dims[1]) })])
}

pub(super) fn average_pool(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let map = builder.real(&node.name, node.map(0)?)?;
    let counted = node.int("count_include_pad", 0)? != 0;
    let windows = Windows::new(builder, node, &map, &kernel(node)?, counted)?;
    if windows.padded && !counted {
        return Err(Problem::broken("its padding is as wide as its kernel"));
    }
    let pool = AveragePool {
        vertical: windows.vertical,
        horizontal: windows.horizontal,
        // What is padding of the model is part of the map by then.
        count_padding: counted && !windows.padded,
    };
    let source = builder.push(&node.name, &[windows.source], Operation::AveragePool(pool))?;
    Ok(vec![Value::Map(windows.result(source, map.dims[1]))])
}

fn kernel(node: &Node<'_>) -> Result<Vec<usize>, Problem> {
    let kernel = node.ints("kernel_shape")?.ok_or_else(|| Problem::broken("kernel_shape is missing"))?;
    let sizes: Option<Vec<usize>> = kernel.iter().map(|&size| usize::try_from(size).ok()).collect();
    sizes.ok_or_else(|| Problem::broken(format!("kernel_shape is {kernel:?}")))
}

pub(super) fn global_average_pool(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    global(builder, node, false)
}

pub(super) fn global_max_pool(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    global(builder, node, true)
}

fn global(builder: &mut Builder, node: &Node<'_>, maximum: bool) -> Result<Vec<Value>, Problem> {
    let map = builder.real(&node.name, node.map(0)?)?;
    let axes: Vec<usize> = (2..map.dims.len()).collect();
    Ok(vec![Value::Map(reduce::over(builder, &node.name, &map, &axes, true, maximum)?)])
}
