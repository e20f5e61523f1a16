// SPDX-License-Identifier: GPL-2.0
//! One chunk of a stage: what it reads and what it alone writes.
//!
//! A stage reads parts of the step that no chunk of it writes, and each of its chunks writes columns,
//! rows, cells of the cache or a slot that no other touches. The stages of a pass run one after
//! the other.

use core::slice;

use crate::model::matrix::GROUP_ROWS;
use crate::simd::activation::ActivationKind;
use crate::simd::activation::TILE_ROWS;
use crate::simd::attention::partial::partial_values;
use crate::step::embedding;
use crate::step::feed_forward;
use crate::step::head;
use crate::step::input;
use crate::step::input::Packed;
use crate::step::input::Room;
use crate::step::input::Rows;
use crate::step::input::Source;
use crate::step::places::Place;
use crate::step::places::Places;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::query_key_value;
use crate::step::residual;
use crate::step::segment;
use crate::step::segment::Attendant;
use crate::step::segment::Unit;
use crate::step::stage::Input;
use crate::step::stage::Stage;
use crate::step::task::Task;
use crate::wall::cache::Blocks;
use crate::wall::cache::Store;
use crate::wall::columns::Columns;
use crate::wall::pod::Pod;
use crate::wall::step::Head;

/// Runs chunk `chunk` of stage number `stage`; `None` when there is no such chunk or slot.
///
/// # Safety
///
/// `step` is prepared; the stages before are done; each chunk runs once, and no slot serves two at
/// a time.
pub unsafe fn run(step: *const u8, stage: u32, slot: u32, chunk: u32) -> Option<()> {
    // SAFETY: The head of a prepared step is only read while chunks run, and its model lives.
    let (head, task) = unsafe {
        let head = &*step.cast::<Head>();
        (head, head.task()?)
    };
    let memory = Memory {
        base: step.cast_mut(),
        places: &head.places,
    };
    // SAFETY: The head is this step's.
    let planned = unsafe { head.stage(step, stage)? };
    let (first, count) = planned.cut.chunk(chunk)?;
    let slot = memory.slot(slot)?;
    // SAFETY: These units and this slot are ours alone, and the stages before are done, by the
    // caller's promise.
    unsafe {
        match planned.stage {
            Stage::Embedding => memory.embed(&task, slot, first, count),
            Stage::Pack(input) => memory.pack(&task, slot, input, first, count),
            Stage::Attention(layer) => memory.attend(&task, layer, first, count),
            Stage::Multiply(input) => {
                let key = (task.batch.pass() << 16) | (u64::from(stage) + 1);
                memory.multiply(&task, slot, input, key, first, count)
            }
        }
    }
}

/// A worker slot.
#[derive(Clone, Copy)]
struct Slot {
    /// Its first byte in the step.
    start: usize,
}

/// The memory of a step.
///
/// What packs and attends is not inlined: the frame of all chunks would hold what those need.
#[derive(Clone, Copy)]
struct Memory<'a> {
    // INVARIANT: `base` begins a step with these places, alive and initialized for 'a.
    base: *mut u8,
    places: &'a Places,
}

impl<'a> Memory<'a> {
    /// All of a part.
    ///
    /// # Safety
    ///
    /// Nobody writes it for `'a`.
    unsafe fn read<T: Pod>(&self, place: Place) -> &'a [T] {
        // SAFETY: Within the step and aligned to 64, by the invariant; the caller's promise.
        unsafe {
            let first = self.base.add(place.offset).cast_const().cast();
            slice::from_raw_parts(first, place.bytes / size_of::<T>())
        }
    }

    /// `count` values of a part from value `first` on; `None` past its end.
    ///
    /// # Safety
    ///
    /// Nobody else refers to them for `'a`.
    unsafe fn write<T: Pod>(
        &self,
        place: Place,
        first: usize,
        count: usize,
    ) -> Option<&'a mut [T]> {
        let end = first.checked_add(count)?.checked_mul(size_of::<T>())?;
        if end > place.bytes {
            return None;
        }
        // SAFETY: Within the part and aligned, by the invariant; the caller's promise.
        Some(unsafe {
            let values = self.base.add(place.offset).cast::<T>();
            slice::from_raw_parts_mut(values.add(first), count)
        })
    }

    /// Slot `index`; `None` past the last.
    fn slot(&self, index: u32) -> Option<Slot> {
        let index = index as usize;
        let place = self.places.slot;
        let start = place.offset + index * place.bytes;
        (index < self.places.slots).then_some(Slot { start })
    }

    /// All of a part of a slot.
    ///
    /// # Safety
    ///
    /// Nobody else refers to this part of the slot for `'a`.
    unsafe fn own<T: Pod>(&self, slot: Slot, part: Place) -> &'a mut [T] {
        let offset = slot.start + part.offset;
        // SAFETY: The parts of a slot do not overlap; the caller's promise.
        unsafe { self.whole(Place { offset, ..part }) }
    }

    /// All of a part, for writing.
    ///
    /// # Safety
    ///
    /// Nobody else refers to it for `'a`.
    unsafe fn whole<T: Pod>(&self, place: Place) -> &'a mut [T] {
        // SAFETY: Within the step and aligned to 64, by the invariant; the caller's promise.
        unsafe {
            let first = self.base.add(place.offset).cast();
            slice::from_raw_parts_mut(first, place.bytes / size_of::<T>())
        }
    }

    /// Columns of a part that the outputs of `count` groups from `first` on go to.
    ///
    /// # Safety
    ///
    /// Nobody else refers to these columns for `'a`.
    unsafe fn columns(&self, place: Place, stride: usize, first: u32, count: u32) -> Columns<'a> {
        let rows = (place.bytes / size_of::<f32>())
            .checked_div(stride)
            .unwrap_or(0);
        let first = first as usize * GROUP_ROWS as usize;
        let range = first..first + count as usize * GROUP_ROWS as usize;
        // SAFETY: Within the part and aligned, by the invariant; the caller's promise.
        unsafe { Columns::new(self.base.add(place.offset).cast(), rows, stride, range) }
    }

    /// What `input` is made of.
    ///
    /// # Safety
    ///
    /// A stage that packs or multiplies `input` runs: it does not write the part.
    unsafe fn source(&self, input: Input) -> Source<'a> {
        let places = self.places;
        // SAFETY: The caller's promise: each stage adds to the residual stream only while it reads
        // partial results or the hidden layer, and the reverse.
        unsafe {
            match input {
                Input::Attention(_) | Input::FeedForward(_) | Input::Head => {
                    Source::Residual(Rows {
                        values: self.read(places.residual),
                        stride: places.width,
                    })
                }
                Input::AttentionOutput(_) => Source::Partial(self.read(places.partial)),
                Input::Down(_) => Source::Hidden(Rows {
                    values: self.read(places.hidden),
                    stride: places.hidden_width,
                }),
            }
        }
    }

    /// Embeds `count` tiles of rows from tile `first` on.
    ///
    /// # Safety
    ///
    /// The embedding stage runs, and these tiles and the slot are the caller's.
    unsafe fn embed(&self, task: &Task<'_>, slot: Slot, first: u32, count: u32) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len())?;
        let stride = self.places.width;
        // SAFETY: These rows of the residual stream are ours in this stage, and the slot is.
        let (residual, values) = unsafe {
            let residual = self.write(self.places.residual, first * stride, rows * stride)?;
            (residual, self.own(slot, self.places.parts.values))
        };
        embedding::run(task, first, residual, stride, values)
    }

    /// Packs `count` tiles of rows of a wide batch from tile `first` on.
    ///
    /// # Safety
    ///
    /// The stage that packs `input` runs, and these tiles and the slot are the caller's.
    #[inline(never)]
    unsafe fn pack(
        &self,
        task: &Task<'_>,
        slot: Slot,
        input: Input,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, input.rows(task))?;
        let columns = input.columns(task);
        let float = ActivationKind::F32.bytes(columns)?;
        let int8 = ActivationKind::Int8Per32.bytes(columns).unwrap_or(0);
        let wide = ActivationKind::Int8Per256.bytes(columns).unwrap_or(0);
        let parts = &self.places.parts;
        // SAFETY: These rows of the packed parts are ours in this stage, which writes nothing else,
        // and the slot is.
        unsafe {
            let room = Room {
                values: self.own(slot, parts.values),
                partial: self.own(slot, parts.partial),
                float: self.write(self.places.float, first * float, rows * float)?,
                int8: self.write(self.places.int8, first * int8, rows * int8)?,
                int8_wide: self.write(self.places.int8_wide, first * wide, rows * wide)?,
            };
            input::pack(task, input, self.source(input), first, rows, room)
        }
    }

    /// Attends for `count` units from unit `first` on.
    ///
    /// # Safety
    ///
    /// The attention stage of `layer` runs, and these units are the caller's.
    #[inline(never)]
    unsafe fn attend(&self, task: &Task<'a>, layer: u32, first: u32, count: u32) -> Option<()> {
        for index in first..first.checked_add(count)? {
            let unit = Unit::new(task, index)?;
            let row = unit.tile.checked_mul(TILE_ROWS)?;
            // SAFETY: This stage runs, and the unit is ours; its rows are different ones.
            let mut attendants =
                core::array::from_fn(|tile| unsafe { self.attendant(task, unit, row + tile) });
            segment::run(task, unit, layer, &mut attendants)?;
        }
        Some(())
    }

    /// What row `row` brings to `unit`; `None` past the last row.
    ///
    /// # Safety
    ///
    /// The attention stage runs, and the unit is the caller's.
    unsafe fn attendant(&self, task: &Task<'a>, unit: Unit, row: usize) -> Option<Attendant<'a>> {
        let shape = &task.model.shape;
        let group = shape.group() as usize;
        let size = group * partial_values(shape.head_size as usize);
        let columns = group * shape.head_size as usize;
        let first = row * self.places.query_width + unit.head as usize * columns;
        // SAFETY: The queries and the cache are only read in this stage, and the tables of a
        // prepared step are valid up to the rows' positions; these partial results are ours.
        unsafe {
            let queries: &[f32] = self.read(self.places.query);
            let row_of = task.batch.rows().get(row)?;
            Some(Attendant {
                position: row_of.position as usize,
                queries: queries.get(first..)?.get(..columns)?,
                blocks: Blocks::new(row_of, shape.kv_layout())?,
                partials: self.write(self.places.partial, unit.partials(task, row) * size, size)?,
            })
        }
    }

    /// Multiplies `input` with `count` groups from group `first` of its stage on.
    ///
    /// # Safety
    ///
    /// The stage that multiplies `input` runs, and these groups and the slot are the caller's.
    unsafe fn multiply(
        &self,
        task: &Task<'_>,
        slot: Slot,
        input: Input,
        key: u64,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let places = self.places;
        let parts = &places.parts;
        // SAFETY: The slot is ours.
        let room = unsafe { self.own(slot, parts.products) };
        let packed = if input.is_narrow(task) {
            // SAFETY: The slot is ours, and this stage multiplies `input`.
            unsafe {
                let packed_for = self.own::<u64>(slot, parts.packed_for).first_mut()?;
                if *packed_for != key {
                    let room = Room {
                        values: self.own(slot, parts.values),
                        partial: self.own(slot, parts.partial),
                        float: self.own(slot, parts.float),
                        int8: self.own(slot, parts.int8),
                        int8_wide: self.own(slot, parts.int8_wide),
                    };
                    input::pack(task, input, self.source(input), 0, input.rows(task), room)?;
                    *packed_for = key;
                }
                Packed {
                    float: self.own(slot, parts.float),
                    int8: self.own(slot, parts.int8),
                    int8_wide: self.own(slot, parts.int8_wide),
                }
            }
        } else {
            // SAFETY: The stage before packed them; this one only reads.
            unsafe {
                Packed {
                    float: self.read(places.float),
                    int8: self.read(places.int8),
                    int8_wide: self.read(places.int8_wide),
                }
            }
        };
        let groups = first..first.checked_add(count)?;
        let operands = Operands {
            input: packed,
            rows: input.rows(task),
        };
        // SAFETY: The outputs of our groups are ours: columns of one part that the input is not
        // made of, and in the cache the cells of these outputs of one layer.
        unsafe {
            match input {
                Input::Attention(layer) => {
                    let query = self.columns(places.query, places.query_width, first, count);
                    let layout = task.model.shape.kv_layout();
                    let cache = Store::new(task.batch.rows(), layout, layer, task.model.level);
                    let outputs = query_key_value::Outputs { query, cache };
                    let layer = task.layer(layer)?;
                    query_key_value::run(task, layer, groups, operands, room, outputs)
                }
                Input::AttentionOutput(layer) => {
                    let layer = task.layer(layer)?;
                    let sums = self.columns(places.residual, places.width, first, count);
                    let part = Projection {
                        matrix: &layer.output,
                        bias: &layer.output_bias,
                    };
                    residual::run(task, part, groups, operands, room, sums)
                }
                Input::FeedForward(layer) => {
                    let hidden = self.columns(places.hidden, places.hidden_width, first, count);
                    let layer = task.layer(layer)?;
                    feed_forward::run(task, layer, groups, operands, room, hidden)
                }
                Input::Down(layer) => {
                    let layer = task.layer(layer)?;
                    let sums = self.columns(places.residual, places.width, first, count);
                    let part = Projection {
                        matrix: &layer.down,
                        bias: &layer.down_bias,
                    };
                    residual::run(task, part, groups, operands, room, sums)
                }
                Input::Head => {
                    let logits = self.columns(places.logits, places.logits_width, first, count);
                    head::run(task, groups, operands, room, logits)
                }
            }
        }
    }
}

/// First row and number of rows of `count` tiles from tile `first` on, of `rows` rows.
fn tiles(first: u32, count: u32, rows: usize) -> Option<(usize, usize)> {
    let first = first as usize * TILE_ROWS;
    let count = count as usize * TILE_ROWS;
    Some((first, rows.checked_sub(first)?.min(count)))
}
