// SPDX-License-Identifier: GPL-2.0
//! A vector of f32 in the arena: the weight or the bias of a norm, or the bias of a matrix.

use crate::math::half::f16_to_f32;
use crate::memory::arena::Arena;
use crate::memory::items::Items;
use crate::memory::items::Layout;
use crate::memory::pod;
use crate::model::order::Order;

/// How a file holds the values of a vector, by its GGUF type. All are widened to f32, which is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Element {
    /// binary32
    F32 = 0,
    /// binary16
    F16 = 1,
    /// bfloat16: the upper half of a binary32
    Bf16 = 30,
}

impl Element {
    /// The type of this number.
    pub fn from_number(number: u32) -> Option<Element> {
        Some(match number {
            0 => Element::F32,
            1 => Element::F16,
            30 => Element::Bf16,
            _ => return None,
        })
    }

    /// Bytes of a value.
    pub fn bytes(self) -> usize {
        match self {
            Element::F32 => 4,
            Element::F16 | Element::Bf16 => 2,
        }
    }

    /// Widens `values` to `out` in `order`, up to the end of the shorter; the index of a value that
    /// is not finite.
    pub fn widen(self, values: &[u8], order: Order, out: &mut [f32]) -> Option<usize> {
        match self {
            Element::F32 => fill(values, order, out, f32::from_le_bytes),
            Element::F16 => fill(values, order, out, |value| {
                f16_to_f32(u16::from_le_bytes(value))
            }),
            Element::Bf16 => fill(values, order, out, |value| {
                f32::from_bits(u32::from(u16::from_le_bytes(value)) << 16)
            }),
        }
    }
}

fn fill<const N: usize>(
    values: &[u8],
    order: Order,
    out: &mut [f32],
    widened: impl Fn([u8; N]) -> f32,
) -> Option<usize> {
    let (values, _) = values.as_chunks::<N>();
    // CAST: Values of a read, which has at most READ_BYTES_MAX.
    #[expect(clippy::cast_possible_truncation)]
    let count = values.len() as u32;
    for (index, out) in (0..count).zip(out) {
        let source = order.source(index) as usize;
        let Some(value) = values.get(source) else {
            continue;
        };
        *out = widened(*value);
        if !out.is_finite() {
            return Some(source);
        }
    }
    None
}

/// A vector, filled up with zeros to a multiple of 16 values.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Vector {
    /// One item, the padded vector; none when the model has no such vector.
    values: Items,
}

impl Vector {
    /// No vector.
    pub const NONE: Vector = Vector {
        values: Items::NONE,
    };

    /// The vector whose padded values are the one item of `values`.
    #[inline(always)]
    pub(crate) fn of(values: Items) -> Vector {
        Vector { values }
    }

    /// Takes room for a vector; `None` when it is too large.
    pub fn new(layout: &mut Layout, length: u32) -> Option<Vector> {
        let padded = length.checked_next_multiple_of(16)? as usize;
        let values = layout.items(padded.checked_mul(size_of::<f32>())?, 1)?;
        Some(Vector { values })
    }

    /// Where its padded values are.
    pub fn items(&self) -> &Items {
        &self.values
    }

    /// The padded values; `None` when the model has no such vector.
    pub fn values<'a>(&self, arena: Arena<'a>) -> Option<&'a [f32]> {
        let (bytes, _) = self.values.run(arena, 0, 1)?;
        pod::cast(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_type_are_widened_exactly() {
        let wanted = [1.5, -0.25, 0.0, 96.0];
        let f32s: Vec<u8> = wanted
            .iter()
            .flat_map(|value: &f32| value.to_le_bytes())
            .collect();
        let halves = [0x3e00u16, 0xb400, 0, 0x5600];
        let brains = [0x3fc0u16, 0xbe80, 0, 0x42c0];
        let bytes = |values: [u16; 4]| values.map(u16::to_le_bytes).concat();
        for (element, bytes) in [
            (Element::F32, f32s),
            (Element::F16, bytes(halves)),
            (Element::Bf16, bytes(brains)),
        ] {
            assert_eq!(bytes.len(), 4 * element.bytes());
            assert_eq!(Element::from_number(element as u32), Some(element));
            let mut out = [9.0; 5];
            assert_eq!(element.widen(&bytes, Order::STRAIGHT, &mut out), None);
            assert_eq!(out, [1.5, -0.25, 0.0, 96.0, 9.0]);
        }
        assert_eq!(Element::from_number(8), None);
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_told() {
        let infinite = [0u16, 0x7c00, 0x7e00].map(u16::to_le_bytes).concat();
        assert_eq!(
            Element::F16.widen(&infinite, Order::STRAIGHT, &mut [0.0; 3]),
            Some(1)
        );
        let not_a_number = [0u16, 0, 0x7fc0].map(u16::to_le_bytes).concat();
        assert_eq!(
            Element::Bf16.widen(&not_a_number, Order::STRAIGHT, &mut [0.0; 3]),
            Some(2)
        );
    }
}
