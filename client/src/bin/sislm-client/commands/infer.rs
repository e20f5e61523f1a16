// SPDX-License-Identifier: MIT OR Apache-2.0
//! `infer`: answers a prompt.

use std::io::{self, IsTerminal, Write};

use serde_json::{json, Value};
use sislm::{
    hex, Device, Finish, Model, ModelName, Outcome, Receipt, Session, SessionConfig, Turn,
};

use crate::answer::Answer;
use crate::cli::{Cli, Infer};
use crate::closing_line::closing_line;
use crate::context_shift::ContextShift;
use crate::exit_codes::{ExitCode, Failure};
use crate::interrupt::Interrupt;
use crate::target::ANY;
use crate::{choice, guidance, input, lora, template};

/// Runs `infer`: text as it comes, or one JSON object at the end.
pub(crate) fn run(cli: &Cli, arguments: &Infer, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let prompt = input::text(arguments.prompt.as_deref(), device.query()?.prompt_max)?;
    let wanted = arguments.model.model.as_deref();
    let (model, mut session, name) = match wanted {
        Some(wanted) if wanted == ANY => {
            let config = SessionConfig {
                context: arguments.context.positions.unwrap_or(0),
                kv: arguments.context.kv,
                max_tokens: arguments.max_tokens,
                deadline_ms: arguments.deadline,
                ..Default::default()
            };
            choice::any_with_session(&device, prompt.len(), &config)?
        }
        wanted => choice::choose_with_session(&device, cli, wanted)?,
    };
    choice::ensure_text(&model)?;
    let config = config(arguments, &device, &model, name)?;
    choice::configure(&mut session, &model, &config)?;
    let shift = arguments.context_shift;
    let mut shift = shift.map(|keep| ContextShift::new(config, keep));
    let interrupt = Interrupt::of(session.canceller()?)?;

    let guidance = guidance::of(&arguments.grammar, &device, &model)?;
    let is_guided = guidance.is_some();
    let shown = (!cli.json).then_some(&mut *out);
    let mut answer = Answer::new(shown, &interrupt);
    let mut finish = None;
    match guidance {
        None if prompt.is_empty() && !arguments.chat => {
            answer.push(whole(&mut session, &model)?.as_bytes())?;
        }
        guidance => {
            let turn = begin(arguments, &device, &model, &mut session, &prompt)?;
            match guidance {
                None => answer.take(turn)?,
                Some(guidance) => finish = Some(answer.take_guided(turn.guided(guidance))?),
            }
        }
    };
    let mut outcome = session.outcome()?;
    outcome.finish = finish.unwrap_or(outcome.finish);
    if let Some(shift) = &mut shift {
        go_on(shift, &mut session, &mut answer, &mut outcome)?;
    }
    let text = answer.finish()?;
    if cli.json {
        let receipt = session.receipt()?;
        let object = object(&model, &outcome, receipt.as_ref(), &text);
        writeln!(out, "{object}")?;
    } else {
        close(arguments, &model, &outcome, &text, out)?;
    }
    Ok(match outcome.finish {
        // None: the prompt was dropped before its turn began.
        Finish::Cancelled | Finish::None => ExitCode::Cancelled,
        Finish::Length | Finish::Context | Finish::Deadline if is_guided => {
            let count = outcome.ids.len();
            eprintln!(
                "the answer is not whole: it ended at {count} tokens; -n, --ctx and --deadline ask for more"
            );
            ExitCode::CutShort
        }
        _ => ExitCode::Success,
    })
}

/// Gives the prompt to the session.
fn begin<'a>(
    arguments: &Infer,
    device: &Device,
    model: &Model,
    session: &'a mut Session,
    prompt: &[u8],
) -> anyhow::Result<Turn<'a>> {
    if arguments.chat {
        let system = arguments.system.as_deref();
        let ids = template::prompt_ids(device, model, session, system, prompt)?;
        return Ok(session.prompt_ids(&ids)?);
    }
    if prompt.is_empty() {
        let bos = model.bos_id().ok_or_else(nothing_to_begin_with)?;
        return Ok(session.prompt_ids(&[bos])?);
    }
    Ok(session.prompt(prompt)?)
}

/// Lets an answer go on each time its context is full.
fn go_on(
    shift: &mut ContextShift,
    session: &mut Session,
    answer: &mut Answer<'_, impl Write>,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let mut last = outcome.clone();
    while last.finish == Finish::Context {
        match shift.next(session, &last, outcome.ids.len())? {
            Ok(turn) => answer.take(turn)?,
            Err(finish) => {
                outcome.finish = finish;
                break;
            }
        }
        last = session.outcome()?;
        outcome.goes_on(&last);
    }
    Ok(())
}

/// What the model writes of its own accord: it comes at the end, since there is no prompt to write.
fn whole(session: &mut Session, model: &Model) -> anyhow::Result<String> {
    if model.bos_id().is_none() {
        return Err(nothing_to_begin_with());
    }
    Ok(session.run(b"")?)
}

fn nothing_to_begin_with() -> anyhow::Error {
    let sentence =
        "the prompt is empty, and the model has no token to begin with: give it some text";
    Failure::error(ExitCode::Usage, sentence)
}

fn config(
    arguments: &Infer,
    device: &Device,
    model: &Model,
    name: ModelName,
) -> anyhow::Result<SessionConfig> {
    let (stop, stop_ids) = choice::stops(device, model, &arguments.stop, &arguments.stop_id)?;
    Ok(SessionConfig {
        model: Some(name),
        context: choice::positions_of(model, arguments.context.positions)?.unwrap_or(0),
        kv: arguments.context.kv,
        max_tokens: arguments.max_tokens,
        sampling: arguments.sampling.config(),
        samplers: arguments.sampling.samplers(),
        biases: choice::biases(model, &arguments.sampling.logit_bias)?,
        seed: arguments.seed.0,
        stop,
        stop_ids,
        parse_control: arguments.control,
        ignore_eos: arguments.ignore_eos,
        unhelped: arguments.unhelped,
        tenant: arguments.tenant,
        deadline_ms: arguments.deadline,
        tokens_per_second: arguments.tokens_per_second,
        scales: lora::scales(model, &arguments.lora.lora)?,
    })
}

/// Ends the text: a line end on a terminal, and the closing lines where somebody looks.
fn close(
    arguments: &Infer,
    model: &Model,
    outcome: &Outcome,
    text: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut lines = String::new();
    if io::stderr().is_terminal() || arguments.stats {
        lines += &closing_line(model, outcome, arguments.note.as_deref());
        lines.push('\n');
    }
    if outcome.finish == Finish::Context {
        lines += &format!(
            "the context of {} positions is full; --ctx asks for a larger one, --context-shift goes on\n",
            outcome.context
        );
    }
    if !text.is_empty() && !text.ends_with('\n') {
        if io::stdout().is_terminal() {
            writeln!(out)?;
            out.flush()?;
        } else if !lines.is_empty() {
            lines.insert(0, '\n');
        }
    }
    io::stderr().write_all(lines.as_bytes())
}

/// The object of `infer --json`.
fn object(model: &Model, outcome: &Outcome, receipt: Option<&Receipt>, text: &str) -> Value {
    json!({
        "model": model.name(),
        "model_sha256": outcome.model_digest.to_string(),
        "numerics": outcome.numerics,
        "prompt_ids": outcome.prompt_ids,
        "ids": outcome.ids,
        "text": text,
        "finish_reason": outcome.finish.to_string(),
        "seed": outcome.seed,
        "simd": outcome.simd.to_string(),
        "threads": outcome.threads,
        "timings": {
            "load_ns": outcome.timings.load_ns,
            "prefill_ns": outcome.timings.prefill_ns,
            "decode_ns": outcome.timings.decode_ns,
        },
        "receipt": receipt.map(|receipt| json!({
            "session": receipt.session,
            "turn": receipt.turn,
            "nonce": hex(&receipt.nonce),
            "commitment": receipt.commitment.to_string(),
        })),
    })
}

#[cfg(test)]
mod tests {
    use sislm::{Digest, Simd, Timings};

    use super::*;

    fn model() -> Model {
        let mut model = Model::default();
        model.name[..4].copy_from_slice(b"tiny");
        model
    }

    fn outcome() -> Outcome {
        Outcome {
            prompt_ids: vec![1, 403],
            ids: vec![407, 261, 378],
            finish: Finish::Length,
            simd: Simd(3),
            threads: 2,
            context: 256,
            positions: 5,
            reused: 0,
            numerics: 1,
            seed: u64::MAX,
            timings: Timings {
                load_ns: 1,
                prefill_ns: 2,
                decode_ns: 1_500_000_000,
            },
            model_digest: Digest([0xab; 32]),
        }
    }

    fn receipt() -> Receipt {
        Receipt {
            session: 4,
            turn: 1,
            nonce: [15; 16],
            commitment: Digest([0xcd; 32]),
        }
    }

    #[test]
    fn the_object_has_the_agreed_keys_in_order() {
        let object = object(&model(), &outcome(), Some(&receipt()), "a \u{20ac}\n");
        let wanted = concat!(
            r#"{"model":"tiny","model_sha256":"abababababababababababababababababababababababababababababababab","#,
            r#""numerics":1,"prompt_ids":[1,403],"ids":[407,261,378],"text":"a €\n","finish_reason":"length","#,
            r#""seed":18446744073709551615,"simd":"dotprod","threads":2,"#,
            r#""timings":{"load_ns":1,"prefill_ns":2,"decode_ns":1500000000},"receipt":{"session":4,"turn":1,"nonce":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","#,
            r#""commitment":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"}}"#
        );
        assert_eq!(object.to_string(), wanted);
    }
}
