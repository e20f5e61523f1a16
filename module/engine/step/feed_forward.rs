// SPDX-License-Identifier: GPL-2.0
//! The hidden layer of the feed-forward network: SwiGLU of gate and up, or GELU of up alone.

use crate::model::Layer;
use crate::simd::elementwise::gelu;
use crate::simd::elementwise::swiglu;
use crate::step::input::Packed;
use crate::step::product::Products;
use crate::step::task::Task;
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
            let mut products =
                Products::new(task, &layer.gate, group, most, rows, input, &mut *gate_room)?;
            products.add_bias(gate_bias);
            most = products.groups();
            gate = Some(products);
        }
        let mut up = Products::new(task, &layer.up, group, most, rows, input, &mut *up_room)?;
        up.add_bias(up_bias);
        match &mut gate {
            Some(gate) => swiglu(gate.values(), up.values()),
            None => gelu(up.values()),
        }
        up.check(|row| task.batch.fail(row));
        let output = up.first;
        for (row, values) in up.rows().enumerate() {
            hidden
                .row(row, output, values.len())?
                .copy_from_slice(values);
        }
        done += up.groups();
    }
    Some(())
}
