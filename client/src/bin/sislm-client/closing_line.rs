// SPDX-License-Identifier: MIT OR Apache-2.0
//! The line that tells how an answer was computed.

use sislm::{Model, Outcome};

/// Model, SIMD level, threads, tokens, tokens per second.
pub(crate) fn closing_line(model: &Model, outcome: &Outcome, note: Option<&str>) -> String {
    let threads = plural(outcome.threads as usize, "thread");
    let tokens = plural(outcome.ids.len(), "token");
    let rate = outcome
        .tokens_per_second()
        .map_or(String::new(), |rate| format!(", {rate:.1} tokens/s"));
    let note = note.map_or(String::new(), |note| format!(" ({note})"));
    format!(
        "[{}: {}, {threads}, {tokens}{rate}{note}]",
        model.name(),
        outcome.simd
    )
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use sislm::{Digest, Finish, Simd, Timings};

    use super::*;

    fn model() -> Model {
        let mut model = Model::default();
        model.name[..4].copy_from_slice(b"tiny");
        model
    }

    fn outcome(ids: Vec<u32>, timings: Timings) -> Outcome {
        Outcome {
            prompt_ids: vec![1, 403],
            ids,
            finish: Finish::Length,
            simd: Simd(3),
            threads: 2,
            context: 256,
            positions: 5,
            reused: 0,
            numerics: 1,
            seed: u64::MAX,
            timings,
            model_digest: Digest([0xab; 32]),
        }
    }

    #[test]
    fn it_names_model_level_threads_tokens_and_rate() {
        let timings = Timings {
            decode_ns: 1_500_000_000,
            ..Default::default()
        };
        let outcome = outcome(vec![407, 261, 378], timings);
        assert_eq!(
            closing_line(&model(), &outcome, Some("emulated")),
            "[tiny: dotprod, 2 threads, 3 tokens, 2.0 tokens/s (emulated)]"
        );
    }

    #[test]
    fn one_token_is_one_token_and_no_time_is_no_rate() {
        let outcome = outcome(vec![1], Timings::default());
        assert_eq!(
            closing_line(&model(), &outcome, None),
            "[tiny: dotprod, 2 threads, 1 token]"
        );
    }
}
