// SPDX-License-Identifier: GPL-2.0
//! What /proc/PID/fdinfo says about an open file; never any text of it.

use super::Session;
use crate::turn::channel::State;
use kernel::{seq_file::SeqFile, seq_print};

impl Session {
    /// Writes one fact a line. Whoever reads this waits for nobody: of a session that is locked it
    /// says so.
    pub(crate) fn show(&self, to: &SeqFile) {
        let Some(inner) = self.try_lock() else {
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
