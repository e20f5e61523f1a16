// SPDX-License-Identifier: GPL-2.0
//! Matrices that go on in another segment give what they give in one.

use core::mem::zeroed;

use crate::abi::Segment;
use crate::math::fma::fma;
use crate::memory::arena::Arena;
use crate::memory::arena::Writer;
use crate::memory::columns::Columns;
use crate::memory::items::Layout;
use crate::memory::pod;
use crate::model::Hyperparameters;
use crate::model::Layer;
use crate::model::Model;
use crate::model::Part;
use crate::model::matrix::Matrix;
use crate::simd::elementwise::swiglu;
use crate::simd::format::Format;
use crate::simd::level::Level;
use crate::step::batch::Batch;
use crate::step::feed_forward;
use crate::step::packing::Packed;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::task::Task;

const COLUMNS: usize = 5;
const ROWS: usize = 100;
/// Bytes of a segment.
const SEGMENT_BYTES: usize = 1 << 16;

/// A weight of `matrix`.
fn weight(matrix: usize, row: usize, column: usize) -> f32 {
    ((matrix * 7919 + row * 31 + column * 17) % 101) as f32 / 64.0 - 0.7
}

/// Packs made-up weights.
fn fill(number: usize, matrix: &Matrix, arena: Arena<'_>) {
    // SAFETY: Nobody else looks at the arena meanwhile.
    let mut writer = unsafe { Writer::new(arena) };
    for group in 0..matrix.group_count() {
        let rows: Vec<u8> = (16 * group as usize..ROWS.min(16 * group as usize + 16))
            .flat_map(|row| (0..COLUMNS).map(move |column| weight(number, row, column)))
            .flat_map(f32::to_le_bytes)
            .collect();
        let (place, _) = matrix.groups.place(group).expect("a group");
        let bytes = matrix.groups.item_bytes() as usize;
        let out = writer.bytes(place, bytes).expect("a place");
        matrix.format.pack(&rows, COLUMNS, out).expect("finite");
    }
}

#[test]
fn a_matrix_may_go_on_in_the_next_segment() {
    let mut memory: Vec<Vec<u64>> = vec![vec![0; SEGMENT_BYTES / 8]; 2];
    let segments: Vec<Segment> = memory
        .iter_mut()
        .map(|part| Segment {
            base: part.as_mut_ptr().cast(),
            bytes: SEGMENT_BYTES,
        })
        .collect();
    // SAFETY: Two segments that live to the end of this function.
    let arena = unsafe { Arena::new(segments.as_ptr(), 2) };
    let mut layout = Layout::new(SEGMENT_BYTES as u32);
    let group = Format::F32.group_bytes(COLUMNS).expect("a size");
    let matrix = |layout: &mut Layout| {
        Matrix::new(layout, Format::F32, ROWS as u32, COLUMNS as u32, 1).expect("room")
    };
    let up = matrix(&mut layout);
    let used = layout.used() as usize;
    let before = SEGMENT_BYTES - used.next_multiple_of(64) - 3 * group - 64;
    layout.items(before, 1).expect("room");
    let gate = matrix(&mut layout);
    let (_, run) = gate.groups.place(0).expect("a group");
    assert!(
        (1..7).contains(&run),
        "the gate goes on in the second segment"
    );
    fill(0, &gate, arena);
    fill(1, &up, arena);

    let shape = Hyperparameters {
        layers: 1,
        embedding: COLUMNS as u32,
        heads: 1,
        kv_heads: 1,
        head_size: COLUMNS as u32,
        rotated: 0,
        feed_forward: ROWS as u32,
        vocabulary: 1,
        trained_context: 1,
        context: 1,
        ..Hyperparameters::llama()
    };
    let model = Model::empty(Level::SCALAR, shape);
    let mut layer = Layer::EMPTY;
    layer.shape.feed_forward = ROWS as u32;
    for (part, matrix) in [(Part::Gate, gate), (Part::Up, up)] {
        *layer.part_mut(part).expect("a part of a layer") = matrix;
    }
    let layers = [layer];
    // SAFETY: All zero is a batch without rows.
    let mut batch: Batch = unsafe { zeroed() };
    let row = crate::abi::Row {
        blocks: core::ptr::NonNull::dangling().as_ptr(),
        state: core::ptr::null_mut(),
        position: 0,
        token: 0,
        kv_type: 0,
        flags: 0,
        last: 0,
        pad: 0,
        scales: [0; 4],
    };
    let limits = crate::abi::StepShape {
        rows: 2,
        logits: 1,
        workers: 1,
        context: 1,
    };
    batch
        .set(&[row; 2], &limits, &model.shape, 0, |_, _| None)
        .expect("two rows");
    let task = Task {
        model: &model,
        layers: &layers,
        arena,
        adapters: &[],
        batch: &batch,
    };
    let input = [[0.5, -1.0, 2.0, 0.25, 1.5], [1.0, 3.0, -0.125, 0.75, -2.0]];
    // One tile of two rows: column by column.
    let kind = Format::F32.activation();
    let mut packed = vec![0; 2 * kind.bytes(COLUMNS).expect("a size")];
    crate::simd::activation::pack(
        Level::SCALAR,
        kind,
        COLUMNS,
        input.as_flattened(),
        &mut packed,
    )
    .expect("finite");
    let packed = Packed {
        float: &packed,
        int8: &[],
        int8_wide: &[],
    };
    let mut hidden = vec![0f32; 2 * 112];
    let mut room = vec![0u64; 2 * 7 * 16 * 2];
    let room = pod::cast_mut(pod::bytes_mut(&mut room)).expect("whole numbers");
    // SAFETY: The hidden layer outlives the view, and nobody else looks at it meanwhile.
    let mut columns = unsafe { Columns::new(hidden.as_mut_ptr(), 2, 112, 0..112) };
    let operands = Operands {
        input: packed,
        first: 0,
        rows: 2,
        reduced: None,
    };
    let parts = [Part::Gate, Part::Up].map(|part| Projection::without_bias(&layers[0], part));
    feed_forward::run(&task, parts, 0..7, operands, room, &mut columns).expect("all groups");
    for (row, input) in input.iter().enumerate() {
        for output in 0..ROWS {
            let product = |matrix| {
                let terms = input.iter().enumerate();
                terms.fold(0.0, |sum, (column, x)| {
                    fma(weight(matrix, output, column), *x, sum)
                })
            };
            let mut expected = [product(1)];
            swiglu(&[product(0)], &mut expected).expect("one value each");
            assert_eq!(
                hidden[row * 112 + output],
                expected[0],
                "row {row}, output {output}"
            );
        }
    }
}
