// SPDX-License-Identifier: GPL-2.0
//! The chunks that pack rows, and what those are made of.

use crate::simd::activation::ActivationKind;
use crate::step::input::Input;
use crate::step::packing;
use crate::step::packing::Packed;
use crate::step::packing::Room;
use crate::step::packing::Rows;
use crate::step::packing::Source;
use crate::step::places::Place;
use crate::step::task::Task;
use crate::wall::chunk::memory::Memory;
use crate::wall::chunk::memory::Slot;
use crate::wall::chunk::memory::tiles;

impl<'a> Memory<'a> {
    /// Packs `count` tiles of rows of a wide batch from tile `first` on.
    ///
    /// # Safety
    ///
    /// The stage that packs `input` runs, and these tiles and the slot are the caller's.
    #[inline(never)]
    pub(super) unsafe fn pack(
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

    /// The rows of `input` as its matrices need them: packed in this slot for a narrow batch, unless
    /// they were for stage `key` of the pass before; by the stage before for a wide one.
    ///
    /// # Safety
    ///
    /// The stage that multiplies `input` runs, and the slot is the caller's.
    #[inline(always)]
    pub(super) unsafe fn packed(
        &self,
        task: &Task<'_>,
        slot: Slot,
        input: Input,
        key: u64,
    ) -> Option<Packed<'a>> {
        let (places, parts) = (self.places, &self.places.parts);
        if !input.is_narrow(task) {
            // SAFETY: The stage before packed them; this one only reads.
            return Some(unsafe {
                Packed {
                    float: self.read(places.float),
                    int8: self.read(places.int8),
                    int8_wide: self.read(places.int8_wide),
                }
            });
        }
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
            Some(Packed {
                float: self.own(slot, parts.float),
                int8: self.own(slot, parts.int8),
                int8_wide: self.own(slot, parts.int8_wide),
            })
        }
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
}
