//! A bound on what decoding a file may allocate.
//!
//! A message of a few bytes becomes a structure of some hundred; a file of empty messages would become many times its own size. So the
//! fields of messages are counted first, without making anything of them.

/// Most fields of messages in a file.
const MAX_FIELDS: usize = 1 << 21;

/// Messages of [`super::proto`] whose own fields are counted.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
}

/// Refuses files with too many fields.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let mut left = MAX_FIELDS;
    match count(bytes, Kind::Model, &mut left) {
        Some(()) => Ok(()),
        None if left == 0 => Err(format!("more than {MAX_FIELDS} nodes, attributes and names, allowed: at most that")),
        None => Err("not an ONNX file, or damaged: a field is cut off".to_owned()),
    }
}

/// Takes the fields of one message that hold bytes off `left`; none if there are too many or the message is damaged. Numbers do not
/// count: they take up as much in the file as in memory.
fn count(mut bytes: &[u8], kind: Kind, left: &mut usize) -> Option<()> {
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        match tag & 7 {
            0 => {
                varint(&mut bytes)?;
            }
            1 => bytes = bytes.get(8..)?,
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (content, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                *left = left.checked_sub(1)?;
                if let Some(kind) = inner(kind, tag >> 3) {
                    count(content, kind, left)?;
                }
            }
            5 => bytes = bytes.get(4..)?,
            // Groups, which nobody writes, are refused by the decoder.
            _ => return Some(()),
        }
    }
    Some(())
}

/// The kind of message in a field, if its own fields become structures.
fn inner(kind: Kind, field: u64) -> Option<Kind> {
    Some(match (kind, field) {
        (Kind::Model, 7) => Kind::Graph,
        (Kind::Graph, 1) => Kind::Node,
        (Kind::Graph, 5) | (Kind::Attribute, 5) => Kind::Tensor,
        (Kind::Graph, 11 | 12) => Kind::ValueInfo,
        (Kind::Node, 5) => Kind::Attribute,
        (Kind::ValueInfo, 2) => Kind::Type,
        (Kind::Type, 1) => Kind::TensorType,
        (Kind::TensorType, 2) => Kind::Shape,
        _ => return None,
    })
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::proto::{GraphProto, ModelProto, NodeProto};
    use super::*;
    use prost::Message;

    fn model(nodes: usize) -> Vec<u8> {
        let graph = GraphProto { node: vec![NodeProto::default(); nodes], ..GraphProto::default() };
        ModelProto { ir_version: 8, graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
    }

    #[test]
    fn empty_messages_are_counted() {
        assert_eq!(check(&model(1000)), Ok(()));
        assert!(check(&model(MAX_FIELDS)).is_err_and(|problem| problem.contains("more than 2097152 nodes")));
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let bytes = model(10);
        assert!(check(&bytes[..bytes.len() - 1]).is_err_and(|problem| problem.contains("cut off")));
    }
}
