// SPDX-License-Identifier: GPL-2.0
//! The hidden layer of a feed-forward network: the activated product of gate and up, or of up alone.

use core::ops::Range;

use crate::memory::columns::Columns;
use crate::model::architecture::Activation;
use crate::simd::elementwise::clamped_swiglu;
use crate::simd::elementwise::geglu;
use crate::simd::elementwise::gelu;
use crate::simd::elementwise::relu_squared;
use crate::simd::elementwise::swiglu;
use crate::step::product::Operands;
use crate::step::product::Products;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::task::Task;

/// Computes `groups` of the hidden layer for all rows; `room` is for the products of both matrices.
pub fn run(
    task: &Task<'_>,
    parts: [Projection<'_>; 2],
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    hidden: &mut Columns<'_>,
) -> Option<()> {
    for_each(task, parts, groups, operands, room, |mut products| {
        products.check(|row| task.batch.fail(row));
        put(&mut products, hidden, 0)
    })
}

/// Writes activated products to the rows of the hidden layer from `row` on.
pub fn put(products: &mut Products<'_>, hidden: &mut Columns<'_>, row: usize) -> Option<()> {
    let output = products.first;
    for (row, values) in (row..).zip(products.rows()) {
        hidden
            .row(row, output, values.len())?
            .copy_from_slice(values);
    }
    Some(())
}

/// Hands the activated products of `groups` to `take`, one run after the other.
pub fn for_each(
    task: &Task<'_>,
    [gate, up]: [Projection<'_>; 2],
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut take: impl FnMut(Products<'_>) -> Option<()>,
) -> Option<()> {
    let activation = task.model.shape.architecture.activation;
    if gate.matrix.exists() {
        for_each_run(task, [gate, up], groups, operands, room, |products| {
            let [mut gate, mut up] = products;
            match activation {
                Activation::Silu => swiglu(gate.values(), up.values())?,
                Activation::Gelu => geglu(gate.values(), up.values())?,
                Activation::ClampedSwiglu => clamped_swiglu(gate.values(), up.values())?,
                Activation::ReluSquared => return None,
            }
            take(up)
        })
    } else {
        for_each_run(task, [up], groups, operands, room, |[mut up]| {
            match activation {
                Activation::Gelu => gelu(up.values()),
                Activation::ReluSquared => relu_squared(up.values()),
                Activation::Silu | Activation::ClampedSwiglu => return None,
            }
            take(up)
        })
    }
}
