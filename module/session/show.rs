// SPDX-License-Identifier: GPL-2.0
//! What /proc/PID/fdinfo says about an open file; never any text of it.
//!
//! Key, colon, number and unit are those of Documentation/gpu/drm-usage-stats.rst, under a prefix of our own.

use super::Session;
use crate::turn::channel::State;
use kernel::{seq_file::SeqFile, seq_print};

impl Session {
    /// Writes one fact a line. Whoever reads this waits for nobody: of a session that is locked it
    /// says so.
    pub(crate) fn show(&self, to: &SeqFile) {
        let inner = self.try_lock();
        let running = self.link.channel.lock().is_running();
        let resident = match &inner {
            Some(inner) if !running => inner.kv_bytes(),
            _ => self.link.meter.kv_bytes(),
        };
        seq_print!(to, "sislm-driver:\tsislm\n");
        seq_print!(to, "sislm-client-id:\t{}\n", self.link.who().session);
        seq_print!(
            to,
            "sislm-engine-cpu:\t{} ns\n",
            self.link.meter.engine_ns()
        );
        seq_print!(to, "sislm-resident-kv:\t{} KiB\n", resident >> 10);
        let Some(inner) = inner else {
            seq_print!(to, "sislm-state:\tbusy\n");
            return;
        };
        let state = match self.link.channel.lock().state() {
            State::Idle => "idle",
            State::Pending => "pending",
            State::Running(_) | State::Left(_) => "running",
        };
        seq_print!(to, "sislm-state:\t{state}\n");
        if let Some(using) = &inner.using {
            let bytes = using.model().name.bytes();
            let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(0);
            let name = bytes.get(..length).unwrap_or(&[]);
            let name = core::str::from_utf8(name).unwrap_or("?");
            seq_print!(to, "sislm-model:\t{name}\n");
            seq_print!(to, "sislm-version:\t{}\n", using.model().version);
        }
        if let Some(sequence) = &inner.sequence {
            let blocks = sequence.table().map_or(0, |table| table.len());
            seq_print!(to, "sislm-context:\t{}\n", sequence.context());
            seq_print!(to, "sislm-positions:\t{}\n", sequence.positions());
            seq_print!(to, "sislm-kv-blocks:\t{blocks}\n");
        }
        let outcome = &inner.outcome;
        seq_print!(to, "sislm-prompt-tokens:\t{}\n", outcome.prompt_count);
        seq_print!(to, "sislm-tokens:\t{}\n", outcome.count());
        seq_print!(to, "sislm-prefill-ns:\t{}\n", outcome.prefill_ns);
        seq_print!(to, "sislm-decode-ns:\t{}\n", outcome.decode_ns);
    }
}
