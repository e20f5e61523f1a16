// SPDX-License-Identifier: GPL-2.0
//! The chunks of matrix stages: what multiplies an input, and where the products go.

use crate::memory::cache::Store;
use crate::model::Part;
use crate::model::matrix::GROUP_ROWS;
use crate::model::matrix::Matrix;
use crate::step::feed_forward;
use crate::step::head;
use crate::step::input::Input;
use crate::step::places::Place;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::projections;
use crate::step::query_key_value;
use crate::step::task::Task;
use crate::wall::chunk::memory::Memory;
use crate::wall::chunk::memory::Slot;
use crate::wall::chunk::multiplication::Multiplication;

impl Memory<'_> {
    /// Multiplies `input`, packed for stage `key`, with `count` groups from group `first` of its stage
    /// on.
    ///
    /// # Safety
    ///
    /// The stage that multiplies `input` runs, and these groups and the slot are the caller's.
    #[inline(always)]
    pub(super) unsafe fn multiply(
        &self,
        task: &Task<'_>,
        slot: Slot,
        (input, key): (Input, u64),
        first: u32,
        count: u32,
    ) -> Option<()> {
        // SAFETY: This stage runs, and the slot is ours.
        let (packed, reduced, room) = unsafe {
            let packed = self.packed(task, slot, input, key)?;
            let room = self.own(slot, self.places.parts.products);
            (packed, self.reduced(task, input), room)
        };
        let work = Multiplication {
            groups: first..first.checked_add(count)?,
            operands: Operands {
                input: packed,
                first: 0,
                rows: input.rows(task),
                reduced,
            },
            room,
        };
        // SAFETY: The caller's promise.
        unsafe { self.compute(task, input, work) }
    }

    /// Computes the products of `input` and hands them on.
    ///
    /// # Safety
    ///
    /// The stage that multiplies `input` runs, and these groups are the caller's: their outputs are
    /// columns of one part that the input is not made of, and in the cache the cells of one layer.
    #[inline(always)]
    unsafe fn compute(
        &self,
        task: &Task<'_>,
        input: Input,
        work: Multiplication<'_>,
    ) -> Option<()> {
        let places = self.places;
        let once = |part: Part| Projection::new(part, task.model.parts.matrix(part), &Matrix::NONE);
        let alone =
            |layer: u32, part: Part| Some(Projection::without_bias(task.layer(layer)?, part));
        let with_bias = |layer: u32, part: Part, bias: Part| {
            Some(Projection::of(task.layer(layer)?, part, bias))
        };
        let latent = |layer: u32| Some(task.shape(layer)?.latent_columns(&task.model.shape.latent));
        let (queries, hidden) = (
            (places.query, places.query_width),
            (places.hidden, places.hidden_width),
        );
        // SAFETY: The caller's promise.
        unsafe {
            match input {
                Input::QueryKeyValue(layer) => self.query_key_value(task, layer, work),
                Input::Output(layer) => {
                    let part = with_bias(layer, Part::AttentionOutput, Part::AttentionOutputBias)?;
                    self.project_back(task, part, None, work)
                }
                Input::FeedForward(layer) => {
                    let gate = with_bias(layer, Part::Gate, Part::GateBias)?;
                    let up = with_bias(layer, Part::Up, Part::UpBias)?;
                    self.hidden_layer(task, [gate, up], work)
                }
                Input::Down(layer) => {
                    let part = with_bias(layer, Part::Down, Part::DownBias)?;
                    self.project_back(task, part, None, work)
                }
                Input::Head => self.logits(task, work),
                Input::SharedUp(layer) => {
                    let gate = alone(layer, Part::SharedGate)?;
                    let up = alone(layer, Part::SharedUp)?;
                    self.hidden_layer(task, [gate, up], work)
                }
                Input::SharedDown(layer) => {
                    let part = alone(layer, Part::SharedDown)?;
                    self.project_back(task, part, Some(self.routes()), work)
                }
                Input::ExpertsUp(layer) => self.experts_up(task, layer, work),
                Input::ExpertsDown(layer) => self.experts_down(task, layer, work),
                Input::Router(layer) => {
                    let scores = (places.scores, places.scores_width);
                    let router = with_bias(layer, Part::Router, Part::RouterBias)?;
                    let parts = [router, alone(layer, Part::SharedRouter)?];
                    self.side_by_side(task, &parts, (scores, 0), work)
                }
                Input::MixerOutput(layer) => {
                    self.project_back(task, alone(layer, Part::MixerOutput)?, None, work)
                }
                Input::Mixer(layer) => {
                    let parts = [
                        alone(layer, Part::MixerInput)?,
                        alone(layer, Part::MixerGate)?,
                        alone(layer, Part::DeltaRate)?,
                        alone(layer, Part::DeltaTime)?,
                    ];
                    self.side_by_side(task, &parts, (queries, 0), work)
                }
                Input::LatentDown(layer) => {
                    let [first, ..] = latent(layer)?;
                    let parts = [
                        alone(layer, Part::QueryDown)?,
                        alone(layer, Part::LatentDown)?,
                        alone(layer, Part::Query)?,
                    ];
                    self.side_by_side(task, &parts, (queries, first), work)
                }
                Input::QueryUp(layer) => {
                    let [_, _, projected, _] = latent(layer)?;
                    let parts = [alone(layer, Part::QueryUp)?];
                    self.side_by_side(task, &parts, (queries, projected), work)
                }
                Input::KeyUp(layer) => {
                    let each = task.shape(layer)?.head_size;
                    self.by_head(task, (layer, Part::KeyUp), queries, each, work)
                }
                Input::ValueUp(layer) => {
                    let each = task.shape(layer)?.value_size;
                    let mixed = (places.mixed, places.mixed_width);
                    self.by_head(task, (layer, Part::ValueUp), mixed, each, work)
                }
                Input::PerLayerModel => {
                    let rows = (places.per_layer, places.per_layer_width);
                    self.side_by_side(task, &[once(Part::PerLayerModel)], (rows, 0), work)
                }
                Input::PerLayerGate(layer) => self.gate(task, layer, work),
                Input::PerLayerOutput(layer) => {
                    self.project_back(task, alone(layer, Part::PerLayerOutput)?, None, work)
                }
                Input::Dense2 => self.side_by_side(task, &[once(Part::Dense2)], (hidden, 0), work),
                Input::Dense3 => {
                    let residual = (places.residual, places.width);
                    self.side_by_side(task, &[once(Part::Dense3)], (residual, 0), work)
                }
            }
        }
    }

    /// Computes groups of queries, keys and values of `layer`.
    ///
    /// # Safety
    ///
    /// As [`Memory::compute`].
    #[inline(always)]
    unsafe fn query_key_value(
        &self,
        task: &Task<'_>,
        layer: u32,
        work: Multiplication<'_>,
    ) -> Option<()> {
        let places = self.places;
        let layout = task.shape(layer)?.kv_layout();
        // SAFETY: The columns of our groups are ours, and the cells of their outputs.
        let outputs = unsafe {
            query_key_value::Outputs {
                query: self.columns(places.query, places.query_width, &work.groups),
                cache: Store::new(task.batch.rows(), layout, task.model.level),
            }
        };
        let Multiplication {
            groups,
            operands,
            room,
        } = work;
        query_key_value::run(task, layer, groups, operands, room, outputs)
    }

    /// Computes groups of a hidden layer from its gate and its matrix up.
    ///
    /// # Safety
    ///
    /// As [`Memory::compute`].
    unsafe fn hidden_layer(
        &self,
        task: &Task<'_>,
        parts: [Projection<'_>; 2],
        work: Multiplication<'_>,
    ) -> Option<()> {
        let places = self.places;
        // SAFETY: The columns of our groups are ours.
        let mut hidden = unsafe { self.columns(places.hidden, places.hidden_width, &work.groups) };
        let Multiplication {
            groups,
            operands,
            room,
        } = work;
        feed_forward::run(task, parts, groups, operands, room, &mut hidden)
    }

    /// Computes groups of logits.
    ///
    /// # Safety
    ///
    /// As [`Memory::compute`].
    #[inline(always)]
    unsafe fn logits(&self, task: &Task<'_>, work: Multiplication<'_>) -> Option<()> {
        let places = self.places;
        // SAFETY: The columns of our groups are ours.
        let logits = unsafe { self.columns(places.logits, places.logits_width, &work.groups) };
        let Multiplication {
            groups,
            operands,
            room,
        } = work;
        head::run(task, groups, operands, room, logits)
    }

    /// Computes groups of `parts`, whose outputs lie side by side in `place` from column `first` on.
    ///
    /// # Safety
    ///
    /// As [`Memory::compute`].
    #[inline(never)]
    unsafe fn side_by_side(
        &self,
        task: &Task<'_>,
        parts: &[Projection<'_>],
        ((place, stride), first): ((Place, usize), usize),
        work: Multiplication<'_>,
    ) -> Option<()> {
        let Multiplication {
            groups,
            operands,
            room,
        } = work;
        let column = |group: u32| first + group as usize * GROUP_ROWS as usize;
        let range = column(groups.start)..column(groups.end);
        // SAFETY: The columns of our groups are ours.
        let out = unsafe { self.strip(place, stride, range) };
        projections::run(task, parts, groups, operands, room, (out, first))
    }
}
