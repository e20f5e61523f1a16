// SPDX-License-Identifier: GPL-2.0
//! The record of a turn that is over.

use super::{Aim, Turn};
use crate::{
    records::first,
    sys::uapi::{Record, SISLM_RECORD_COMPARE, SISLM_RECORD_EVALUATE},
};

impl Turn {
    /// Makes it. Apart from what ends the turn, whose stack is deep.
    #[inline(never)]
    pub(super) fn record(&mut self) {
        let (model, sequence) = (&self.model, &self.sequence);
        let mut record = Record {
            model: model.instance,
            version: model.version,
            digest: first(&model.digest),
            kv_type: sequence.kv_type(),
            kv_bytes: self.kv_bytes(),
            finish: self.finish,
            error: self
                .error
                .map_or(0, |error| error.to_errno().unsigned_abs()),
            ..Record::default()
        };
        let mut load_ns = 0;
        match &mut self.aim {
            Aim::Generate(generation) => {
                generation.tell(&mut record);
                load_ns = generation.load_ns;
            }
            Aim::Evaluate(evaluation) => {
                record.kind = match self.entry.compares() {
                    true => SISLM_RECORD_COMPARE,
                    false => SISLM_RECORD_EVALUATE,
                };
                record.prompt_count = sequence.positions();
                record.prefill_ns = evaluation.ns;
            }
        }
        self.draw.tell(&mut record, self.entry.session());
        let statistics = &self.statistics;
        self.entry
            .close(&mut record, |record| statistics.tell(record));
        if !self.entry.compares() {
            self.model.metrics.end(&record, load_ns);
        }
    }
}
