// SPDX-License-Identifier: GPL-2.0
//! The hidden layer of the feed-forward network: SwiGLU of gate and up, or GELU of up alone.

use core::ops::Range;

use crate::model::Layer;
use crate::simd::elementwise::gelu;
use crate::simd::elementwise::swiglu;
use crate::step::product::Operands;
use crate::step::product::Products;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::task::Task;
use crate::wall::columns::Columns;

/// Computes `groups` of the hidden layer for all rows; `room` is for the products of both matrices.
pub fn run(
    task: &Task<'_>,
    layer: &Layer,
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut hidden: Columns<'_>,
) -> Option<()> {
    let gate = Projection {
        matrix: &layer.gate,
        bias: &layer.gate_bias,
    };
    let up = Projection {
        matrix: &layer.up,
        bias: &layer.up_bias,
    };
    if layer.gate.exists() {
        for_each_run(task, [gate, up], groups, operands, room, |products| {
            let [mut gate, mut up] = products;
            swiglu(gate.values(), up.values())?;
            put(task, up, &mut hidden)
        })
    } else {
        for_each_run(task, [up], groups, operands, room, |[mut up]| {
            gelu(up.values());
            put(task, up, &mut hidden)
        })
    }
}

/// Writes activated products to the hidden layer; a row that is not finite fails.
fn put(task: &Task<'_>, mut products: Products<'_>, hidden: &mut Columns<'_>) -> Option<()> {
    products.check(|row| task.batch.fail(row));
    let output = products.first;
    for (row, values) in products.rows().enumerate() {
        hidden
            .row(row, output, values.len())?
            .copy_from_slice(values);
    }
    Some(())
}
