// SPDX-License-Identifier: GPL-2.0
//! What a tensor is for, by its name in a GGUF file.

use crate::model::architecture::Architecture;
use crate::model::part::Part;

/// A part and the layer it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The part.
    pub part: Part,
    /// The layer; 0 for parts of the whole model.
    pub layer: u16,
}

/// Prefix of the parts of a layer.
const LAYER: &[u8] = b"blk.";

/// The part that `architecture` calls `name`.
fn part(name: &[u8], of_layer: bool, architecture: &Architecture) -> Option<Part> {
    let own = architecture.names.iter().find(|(own, _)| *own == name);
    let own = own.map(|(_, part)| *part);
    let called_otherwise = |part: Part| architecture.names.iter().any(|(_, own)| *own == part);
    let mut usual = Part::ALL.iter().copied();
    let usual = usual.find(|part| part.name() == name && !called_otherwise(*part));
    own.or(usual).filter(|part| part.is_of_layer() == of_layer)
}

/// The name that `architecture` has for `part`.
fn name(part: Part, architecture: &Architecture) -> &'static [u8] {
    let own = architecture.names.iter().find(|(_, own)| *own == part);
    own.map_or(part.name(), |(name, _)| *name)
}

impl Role {
    /// The role of tensor `name` in a model of `architecture`; `None` when it has none. A layer's
    /// number has one spelling, so two tensors have the same role only with the same name.
    pub fn of(name: &[u8], architecture: &Architecture) -> Option<Role> {
        if let Some(part) = part(name, false, architecture) {
            return Some(Role { part, layer: 0 });
        }
        let rest = name.strip_prefix(LAYER)?;
        let (layer, rest) = number(rest)?;
        let rest = rest.strip_prefix(b".")?;
        let part = part(rest, true, architecture)?;
        Some(Role { part, layer })
    }

    /// Writes the tensor's name, NUL-terminated.
    pub fn write(self, architecture: &Architecture, out: &mut [u8; 64]) {
        *out = [0; 64];
        let mut end = out.iter_mut().take(63);
        let mut put = |text: &[u8]| {
            for (from, to) in text.iter().zip(end.by_ref()) {
                *to = *from;
            }
        };
        if self.part.is_of_layer() {
            put(LAYER);
            let digits =
                [10_000, 1_000, 100, 10, 1].map(|unit| b'0' + (self.layer / unit % 10) as u8);
            let zeros = digits
                .iter()
                .take(4)
                .take_while(|&&digit| digit == b'0')
                .count();
            put(digits.get(zeros..).unwrap_or(&[]));
            put(b".");
        }
        put(name(self.part, architecture));
    }
}

/// A decimal number without leading zeros, and what follows it.
fn number(text: &[u8]) -> Option<(u16, &[u8])> {
    let length = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length)?;
    if digits.len() > 1 && digits.starts_with(b"0") {
        return None;
    }
    let value = digits.iter().try_fold(0u16, |value, digit| {
        value
            .checked_mul(10)?
            .checked_add(u16::from(digit.wrapping_sub(b'0')))
    })?;
    (length > 0).then_some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::architecture::ALL;

    fn written(role: Role, architecture: &Architecture) -> Vec<u8> {
        let mut text = [1; 64];
        role.write(architecture, &mut text);
        text.iter().copied().take_while(|&c| c != 0).collect()
    }

    #[test]
    fn every_name_is_read_and_written() {
        for (architecture, part) in ALL
            .iter()
            .flat_map(|one| Part::ALL.iter().map(move |part| (*one, *part)))
        {
            let text = name(part, architecture);
            // A name of the architecture's own takes the place of the usual meaning.
            let own = architecture.names.iter().any(|(own, _)| *own == text);
            if own && architecture.names.iter().all(|(_, own)| *own != part) {
                continue;
            }
            if !part.is_of_layer() {
                let role = Role { part, layer: 0 };
                assert_eq!(Role::of(text, architecture), Some(role));
                assert_eq!(written(role, architecture), text);
                continue;
            }
            for layer in [0, 7, 10, 511, 65535] {
                let name = [format!("blk.{layer}.").as_bytes(), text].concat();
                let role = Role { part, layer };
                assert_eq!(Role::of(&name, architecture), Some(role));
                assert_eq!(written(role, architecture), name);
            }
        }
    }

    #[test]
    fn other_names_have_no_role() {
        for name in [
            "",
            "blk.",
            "blk.0",
            "blk.0.",
            "blk..attn_q.weight",
            "blk.00.attn_q.weight",
            "blk.65536.attn_q.weight",
            "blk.-1.attn_q.weight",
            "blk.0.output.weight",
            "attn_q.weight",
        ] {
            assert_eq!(Role::of(name.as_bytes(), ALL[0]), None, "{name}");
        }
    }
}
