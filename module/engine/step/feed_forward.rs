// SPDX-License-Identifier: GPL-2.0
//! The hidden layer of the feed-forward network: SwiGLU of gate and up, or GELU of up alone.

use crate::model::Layer;
use crate::simd::elementwise::gelu;
use crate::simd::elementwise::swiglu;
use crate::step::input::Packed;
use crate::step::product::Products;
use crate::step::product::add_bias;
use crate::step::task::Task;
use crate::step::task::finite;
use crate::wall::columns::Columns;

/// Computes `count` groups of the hidden layer from `first` on, for all rows; `room` is for the
/// products of both matrices.
pub fn run(
    task: &Task<'_>,
    layer: &Layer,
    first: u32,
    count: u32,
    input: Packed<'_>,
    room: &mut [f32],
    mut hidden: Columns<'_>,
) -> Option<()> {
    let rows = task.batch.rows().len();
    let up_bias = layer.up_bias.values(task.arena);
    let gate_bias = layer.gate_bias.values(task.arena);
    let (gate_room, up_room) = room.split_at_mut_checked(room.len() / 2)?;
    let mut done = 0;
    while done < count {
        let group = first + done;
        let mut most = count - done;
        let mut gate = None;
        if layer.gate.exists() {
            let products =
                Products::new(task, &layer.gate, group, most, rows, input, &mut *gate_room)?;
            most = products.groups();
            gate = Some(products);
        }
        let mut up = Products::new(task, &layer.up, group, most, rows, input, &mut *up_room)?;
        let output = up.first;
        let mut gates = gate.as_mut().map(Products::rows);
        for (row, up) in up.rows().enumerate() {
            add_bias(up, up_bias, output);
            let hidden = hidden.row(row, output, up.len())?;
            match &mut gates {
                Some(gates) => {
                    let gate = gates.next()?;
                    add_bias(gate, gate_bias, output);
                    swiglu(gate, up, hidden);
                }
                None => {
                    gelu(up);
                    hidden.copy_from_slice(up);
                }
            }
            if !finite(hidden) {
                task.batch.fail(row);
            }
        }
        done += up.groups();
    }
    Some(())
}
