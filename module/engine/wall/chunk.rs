// SPDX-License-Identifier: GPL-2.0
//! One chunk of a stage: what it reads and what it alone writes.
//!
//! A stage reads parts of the step that no chunk of it writes, and each of its chunks writes columns,
//! rows, cells of the cache or a slot that no other touches. The stages of a pass run one after
//! the other.

use core::ops::Range;
use core::slice;

use crate::memory::cache::Blocks;
use crate::memory::cache::Store;
use crate::memory::columns::Columns;
use crate::memory::pod::Pod;
use crate::model::Part;
use crate::model::architecture::HeadNorm;
use crate::model::architecture::Norms;
use crate::model::matrix::GROUP_ROWS;
use crate::simd::activation::ActivationKind;
use crate::simd::activation::TILE_ROWS;
use crate::simd::attention::partial::partial_values;
use crate::step::embedding;
use crate::step::experts;
use crate::step::feed_forward;
use crate::step::head;
use crate::step::heads;
use crate::step::heads::Heads;
use crate::step::input::Input;
use crate::step::join;
use crate::step::join::Joined;
use crate::step::packing;
use crate::step::packing::Packed;
use crate::step::packing::Room;
use crate::step::packing::Rows;
use crate::step::packing::Source;
use crate::step::places::Place;
use crate::step::places::Places;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::projections;
use crate::step::query_key_value;
use crate::step::residual;
use crate::step::residual::Target;
use crate::step::route;
use crate::step::route::Route;
use crate::step::segment;
use crate::step::segment::Attendant;
use crate::step::segment::Unit;
use crate::step::stage::Branch;
use crate::step::stage::Stage;
use crate::step::task::Task;
use crate::wall::head::Head;

// SAFETY: A u32 and an f32: no padding, and all bytes are a value.
unsafe impl Pod for Route {}

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
            Stage::PerLayer => memory.per_layer(&task, slot, first, count),
            Stage::Resume | Stage::Keep => {
                memory.keep(&task, planned.stage == Stage::Resume, first, count)
            }
            Stage::Finish => memory.finish(&task, slot, first, count),
            Stage::Pack(input) => memory.pack(&task, slot, input, first, count),
            Stage::Heads(layer) => memory.heads(&task, slot, layer, first, count),
            Stage::Attention(layer) => memory.attend(&task, layer, first, count),
            Stage::Join(layer, branch) => memory.join(&task, slot, layer, branch, first, count),
            Stage::Route(layer) => memory.route(&task, layer, first, count),
            Stage::Latent(layer) => memory.latent(&task, slot, layer, first, count),
            Stage::Merge(layer) => memory.merge(&task, slot, layer, first, count),
            Stage::Convolve(layer) => memory.convolve(&task, layer, first, count),
            Stage::Delta(layer) => memory.delta(&task, slot, layer, first, count),
            Stage::Multiply(input) => {
                let key = (task.batch.pass() << 16) | (u64::from(stage) + 1);
                memory.multiply(&task, slot, input, key, first, count)
            }
        }
    }
}

/// A worker slot.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    /// Its first byte in the step.
    start: usize,
}

/// The memory of a step.
///
/// What packs and attends is not inlined: the frame of all chunks would hold what those need.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    // INVARIANT: `base` begins a step with these places, alive and initialized for 'a.
    base: *mut u8,
    pub(super) places: &'a Places,
}

impl<'a> Memory<'a> {
    /// All of a part.
    ///
    /// # Safety
    ///
    /// Nobody writes it for `'a`.
    #[inline(always)]
    pub(super) unsafe fn read<T: Pod>(&self, place: Place) -> &'a [T] {
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
    pub(super) unsafe fn write<T: Pod>(
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
    #[inline(always)]
    pub(super) unsafe fn own<T: Pod>(&self, slot: Slot, part: Place) -> &'a mut [T] {
        let offset = slot.start + part.offset;
        // SAFETY: The parts of a slot do not overlap; the caller's promise.
        unsafe { self.whole(Place { offset, ..part }) }
    }

    /// All of a part, for writing.
    ///
    /// # Safety
    ///
    /// Nobody else refers to it for `'a`.
    #[inline(always)]
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
    pub(super) unsafe fn columns(
        &self,
        place: Place,
        stride: usize,
        first: u32,
        count: u32,
    ) -> Columns<'a> {
        let first = first as usize * GROUP_ROWS as usize;
        let range = first..first + count as usize * GROUP_ROWS as usize;
        // SAFETY: The caller's promise.
        unsafe { self.strip(place, stride, range) }
    }

    /// Columns `range` of a part.
    ///
    /// # Safety
    ///
    /// Nobody else refers to these columns for `'a`.
    pub(super) unsafe fn strip(
        &self,
        place: Place,
        stride: usize,
        range: Range<usize>,
    ) -> Columns<'a> {
        let rows = (place.bytes / size_of::<f32>())
            .checked_div(stride)
            .unwrap_or(0);
        // SAFETY: Within the part and aligned, by the invariant; the caller's promise.
        unsafe { Columns::new(self.base.add(place.offset).cast(), rows, stride, range) }
    }

    /// What `input` is made of.
    ///
    /// # Safety
    ///
    /// A stage that packs or multiplies `input` runs: it does not write the part.
    unsafe fn source(&self, task: &Task<'_>, input: Input) -> Option<Source<'a>> {
        let places = self.places;
        // SAFETY: The caller's promise: each stage adds to the residual stream only while it reads
        // partial results or the hidden layer, and the reverse.
        unsafe {
            let hidden = |place: Place, stride| {
                Source::Hidden(Rows {
                    values: self.read(place),
                    stride,
                })
            };
            Some(match input {
                Input::QueryKeyValue(_)
                | Input::LatentDown(_)
                | Input::Mixer(_)
                | Input::FeedForward(_)
                | Input::Router(_)
                | Input::SharedUp(_)
                | Input::ExpertsUp(_)
                | Input::PerLayerModel
                | Input::PerLayerGate(_)
                | Input::Dense2
                | Input::Head => Source::Residual(Rows {
                    values: self.read(places.residual),
                    stride: places.width,
                }),
                Input::Output(layer) => {
                    let queries = Rows {
                        values: self.read(places.query),
                        stride: places.query_width,
                    };
                    Source::Partial(layer, self.read(places.partial), queries)
                }
                Input::QueryUp(layer) | Input::KeyUp(layer) | Input::ValueUp(layer) => {
                    self.latent_source(task, input, layer)?
                }
                Input::MixerOutput(_) if places.mixed_width > 0 => {
                    hidden(places.mixed, places.mixed_width)
                }
                Input::MixerOutput(_) => hidden(places.query, places.query_width),
                Input::Down(_)
                | Input::SharedDown(_)
                | Input::PerLayerOutput(_)
                | Input::Dense3 => hidden(places.hidden, places.hidden_width),
                Input::ExpertsDown(_) => hidden(places.expert_hidden, places.expert_width),
            })
        }
    }

    /// Embeds `count` tiles of rows from tile `first` on.
    ///
    /// # Safety
    ///
    /// The embedding stage runs, and these tiles and the slot are the caller's.
    unsafe fn embed(&self, task: &Task<'_>, slot: Slot, first: u32, count: u32) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
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
        let (first, rows) = tiles(first, count, input.rows(task), input.tile_rows())?;
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
            let source = self.source(task, input)?;
            packing::pack(task, input, source, first, rows, room)
        }
    }

    /// Attends for `count` units from unit `first` on.
    ///
    /// # Safety
    ///
    /// The attention stage of `layer` runs, and these units are the caller's.
    #[inline(never)]
    unsafe fn attend(&self, task: &Task<'a>, layer: u32, first: u32, count: u32) -> Option<()> {
        let shape = task.shape(layer)?;
        for index in first..first.checked_add(count)? {
            let unit = Unit::new(task, shape, index)?;
            let row = unit.tile.checked_mul(TILE_ROWS)?;
            // SAFETY: This stage runs, and the unit is ours; its rows are different ones.
            let mut attendants = core::array::from_fn(|tile| unsafe {
                self.attendant(task, layer, unit, row + tile)
            });
            segment::run(task, unit, shape, &mut attendants)?;
        }
        Some(())
    }

    /// What row `row` brings to `unit`; `None` past the last row.
    ///
    /// # Safety
    ///
    /// The attention stage runs, and the unit is the caller's.
    unsafe fn attendant(
        &self,
        task: &Task<'a>,
        layer: u32,
        unit: Unit,
        row: usize,
    ) -> Option<Attendant<'a>> {
        let row_of = task.batch.rows().get(row)?;
        let shape = &task.model.shape;
        let own = task.shape(layer)?;
        let group = own.group() as usize;
        let size = group * partial_values(own.head_size as usize);
        let columns = group * own.query_stride as usize;
        let first = row * self.places.query_width + unit.head as usize * columns;
        // SAFETY: The queries and the cache are only read in this stage, and the tables of a
        // prepared step are valid up to the rows' positions; these partial results are ours.
        unsafe {
            let queries: &[f32] = self.read(self.places.query);
            Some(Attendant {
                last: shape
                    .window
                    .last(layer, row_of.position as usize, row_of.last as usize),
                position: row_of.position as usize,
                first: shape.window.first(layer, row_of.position as usize),
                queries: queries.get(first..)?.get(..columns)?,
                blocks: Blocks::new(row_of, own.kv_layout())?,
                partials: self.write(
                    self.places.partial,
                    unit.partials(task, own, row) * size,
                    size,
                )?,
            })
        }
    }

    /// Normalizes, rotates and stores the heads of `count` units from unit `first` on.
    ///
    /// # Safety
    ///
    /// The stage of `layer`'s heads runs, and these units and the slot are the caller's.
    #[inline(never)]
    unsafe fn heads(
        &self,
        task: &Task<'_>,
        slot: Slot,
        layer: u32,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (shape, places) = (task.shape(layer)?, self.places);
        // All heads of a row together, or each kv head with those that share it.
        let units = match task.model.shape.architecture.head_norm {
            HeadNorm::Row => 1,
            HeadNorm::None | HeadNorm::Head => shape.kv_heads,
        };
        let kv_heads = shape.kv_heads.checked_div(units)?;
        let stored = if shape.shares { 0 } else { kv_heads };
        let keys = stored as usize * shape.head_size as usize;
        let normalized = task.model.shape.architecture.value_norm;
        let values = if normalized { keys } else { 0 };
        let queries = shape.group().checked_mul(kv_heads)? as usize * shape.query_stride as usize;
        // SAFETY: The cells of these heads' keys at the rows' positions are ours in this stage.
        let mut cache = unsafe {
            let rows = task.batch.rows();
            Store::new(rows, shape.kv_layout(), task.model.level)
        };
        // SAFETY: The slot is ours.
        let room = unsafe { self.own(slot, places.parts.values) };
        for unit in first..first.checked_add(count)? {
            let (tile, head) = (unit.checked_div(units)?, unit.checked_rem(units)?);
            let (row, rows) = tiles(tile, 1, task.batch.rows().len(), TILE_ROWS)?;
            for row in row..row + rows {
                let start = row * places.query_width;
                let key = start + shape.key_column() + head as usize * keys;
                let value = start + shape.value_column() + head as usize * values;
                // SAFETY: Queries, keys and values of these heads of the row are ours in this stage,
                // and they are apart.
                let heads = unsafe {
                    Heads {
                        row,
                        first: head * kv_heads,
                        queries: self.write(
                            places.query,
                            start + head as usize * queries,
                            queries,
                        )?,
                        keys: self.write(places.query, key, keys)?,
                        values: match values {
                            0 => &mut [],
                            values => self.write(places.query, value, values)?,
                        },
                    }
                };
                heads::run(task, layer, heads, room, &mut cache)?;
            }
        }
        Some(())
    }

    /// Ends `branch` of `layer` for `count` tiles of rows from tile `first` on.
    ///
    /// # Safety
    ///
    /// The stage that joins the branch runs, and these tiles and the slot are the caller's.
    #[inline(never)]
    unsafe fn join(
        &self,
        task: &Task<'_>,
        slot: Slot,
        layer: u32,
        branch: Branch,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let (places, stride) = (self.places, self.places.width);
        if task.model.shape.architecture.norms == Norms::OfSums {
            // SAFETY: These rows of the residual stream are ours in this stage, as is the slot.
            let (rows, room) = unsafe {
                (
                    self.write(places.residual, first * stride, rows * stride)?,
                    self.own(slot, places.parts.values),
                )
            };
            let (layer, parts) = (Some(layer), branch.norms());
            return join::normalize(task, layer, parts, (first, rows), stride, room);
        }
        // SAFETY: These rows of the residual stream are ours in this stage, as is the slot; nobody
        // writes the branch.
        unsafe {
            let branches: &[f32] = self.read(places.branch);
            let joined = Joined {
                first,
                stride,
                residual: self.write(places.residual, first * stride, rows * stride)?,
                branch: branches.get(first * stride..)?,
            };
            let room = self.own(slot, places.parts.values);
            let scale = branch.scale(task, layer)?;
            join::run(task, layer, branch.norms().0, scale, joined, room)
        }
    }

    /// Chooses the experts of `count` tiles of rows from tile `first` on.
    ///
    /// # Safety
    ///
    /// The stage that chooses the experts of `layer` runs, and these tiles are the caller's.
    #[inline(never)]
    unsafe fn route(&self, task: &Task<'_>, layer: u32, first: u32, count: u32) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let (places, experts) = (self.places, &task.model.shape.experts);
        let shared = task.layer(layer)?.matrix(Part::SharedRouter).exists();
        let each = experts.used as usize + 1;
        for row in first..first + rows {
            // SAFETY: The routes and scores of these rows are ours in this stage.
            let (scores, routes) = unsafe {
                let width = places.scores_width;
                let scores: &mut [f32] = self.write(places.scores, row * width, width)?;
                (
                    scores,
                    self.write::<Route>(places.routes, row * each, each)?,
                )
            };
            let (own, beside) = scores.split_at_mut_checked(experts.count as usize)?;
            let groups = (experts.count as usize).next_multiple_of(GROUP_ROWS as usize);
            let beside = beside.get(groups - own.len()..)?.first().copied();
            route::run(task, layer, own, beside.filter(|_| shared), routes)?;
        }
        Some(())
    }

    /// Multiplies `input` with `count` groups from group `first` of its stage on.
    ///
    /// # Safety
    ///
    /// The stage that multiplies `input` runs, and these groups and the slot are the caller's.
    #[inline(always)]
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
                    let source = self.source(task, input)?;
                    packing::pack(task, input, source, 0, input.rows(task), room)?;
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
            first: 0,
            rows: input.rows(task),
        };
        let factor = |_: usize| Some(task.model.shape.scales.residual);
        // SAFETY: The outputs of our groups are ours: columns of one part that the input is not
        // made of, and in the cache the cells of these outputs of one layer.
        unsafe {
            match input {
                Input::QueryKeyValue(layer) => {
                    let query = self.columns(places.query, places.query_width, first, count);
                    let layout = task.shape(layer)?.kv_layout();
                    let cache = Store::new(task.batch.rows(), layout, task.model.level);
                    let outputs = query_key_value::Outputs { query, cache };
                    query_key_value::run(task, layer, groups, operands, room, outputs)
                }
                Input::Output(layer) => {
                    let layer = task.layer(layer)?;
                    let part =
                        Projection::of(layer, Part::AttentionOutput, Part::AttentionOutputBias);
                    let target = self.target(task, first, count);
                    residual::run(task, part, groups, operands, room, target, factor)
                }
                Input::FeedForward(layer) => {
                    let mut hidden = self.columns(places.hidden, places.hidden_width, first, count);
                    let layer = task.layer(layer)?;
                    let parts = [
                        Projection::of(layer, Part::Gate, Part::GateBias),
                        Projection::of(layer, Part::Up, Part::UpBias),
                    ];
                    feed_forward::run(task, parts, groups, operands, room, &mut hidden)
                }
                Input::Down(layer) => {
                    let layer = task.layer(layer)?;
                    let part = Projection::of(layer, Part::Down, Part::DownBias);
                    let target = self.target(task, first, count);
                    residual::run(task, part, groups, operands, room, target, factor)
                }
                Input::Head => {
                    let logits = self.columns(places.logits, places.logits_width, first, count);
                    head::run(task, groups, operands, room, logits)
                }
                Input::Mixer(_) | Input::MixerOutput(_) => {
                    self.mixer(task, input, groups, operands, room)
                }
                Input::LatentDown(_) | Input::QueryUp(_) | Input::KeyUp(_) | Input::ValueUp(_) => {
                    self.of_latent(task, input, groups, operands, room)
                }
                Input::PerLayerModel | Input::PerLayerGate(_) | Input::PerLayerOutput(_) => {
                    self.of_per_layer(task, input, groups, operands, room)
                }
                Input::Dense2 | Input::Dense3 => self.dense(task, input, groups, operands, room),
                _ => self.experts(task, input, groups, operands, room),
            }
        }
    }

    /// Where the columns of `count` groups from `first` on of a projection back to the residual
    /// stream go.
    ///
    /// # Safety
    ///
    /// A stage with such a projection runs, and these groups are the caller's.
    pub(super) unsafe fn target(&self, task: &Task<'_>, first: u32, count: u32) -> Target<'a> {
        let places = self.places;
        // SAFETY: The caller's promise.
        unsafe {
            if task.model.shape.architecture.norms.behind() {
                Target::Branch(self.columns(places.branch, places.width, first, count))
            } else {
                Target::Residual(self.columns(places.residual, places.width, first, count))
            }
        }
    }

    /// [`Memory::multiply`] of what only a network of experts has.
    ///
    /// # Safety
    ///
    /// The stage that multiplies `input` runs, and these groups are the caller's.
    #[inline(never)]
    unsafe fn experts(
        &self,
        task: &Task<'_>,
        input: Input,
        groups: Range<u32>,
        operands: Operands<'_>,
        room: &mut [f32],
    ) -> Option<()> {
        let places = self.places;
        let layer = task.layer(input.layer()?)?;
        let (first, count) = (groups.start, groups.end.checked_sub(groups.start)?);
        let each = task.model.shape.experts.used as usize + 1;
        // SAFETY: No stage but that which chooses them writes the routes; the outputs of our groups
        // are ours, columns of one part that the input is not made of.
        unsafe {
            let routes: &[Route] = self.read(places.routes);
            match input {
                Input::Router(_) => {
                    let scores = self.columns(places.scores, places.scores_width, first, count);
                    let parts = [
                        Projection::of(layer, Part::Router, Part::RouterBias),
                        Projection::without_bias(layer, Part::SharedRouter),
                    ];
                    projections::run(task, parts, groups, operands, room, (scores, 0))
                }
                Input::SharedUp(_) => {
                    let mut hidden = self.columns(places.hidden, places.hidden_width, first, count);
                    let parts = [Part::SharedGate, Part::SharedUp]
                        .map(|part| Projection::without_bias(layer, part));
                    feed_forward::run(task, parts, groups, operands, room, &mut hidden)
                }
                Input::SharedDown(_) => {
                    let part = Projection::without_bias(layer, Part::SharedDown);
                    let target = self.target(task, first, count);
                    let weight = |row: usize| Some(routes.get(row * each + each - 1)?.weight);
                    residual::run(task, part, groups, operands, room, target, weight)
                }
                Input::ExpertsUp(_) => {
                    let hidden =
                        self.columns(places.expert_hidden, places.expert_width, first, count);
                    experts::up(task, layer, routes, groups, operands, room, hidden)
                }
                Input::ExpertsDown(_) => {
                    let sums = self.columns(places.residual, places.width, first, count);
                    experts::down(task, layer, routes, groups, operands, room, sums)
                }
                _ => None,
            }
        }
    }
}

/// First row and number of rows of `count` tiles of `each` rows from tile `first` on, of `rows` rows.
pub(super) fn tiles(first: u32, count: u32, rows: usize, each: usize) -> Option<(usize, usize)> {
    let first = first as usize * each;
    let count = count as usize * each;
    Some((first, rows.checked_sub(first)?.min(count)))
}
