// SPDX-License-Identifier: MIT OR Apache-2.0
//! A session: one open file, with a context on a model.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::fd::AsFd;

use nix::errno::Errno;

use crate::error::errno_of;
use crate::uapi::*;
use crate::{request, Candidate, Digest, Error, Evaluation, KvType, ModelName, Outcome};
use crate::{
    Bias, Embedding, Finish, Model, OutOfRange, Pooling, Reason, Receipt, Samplers, SamplingConfig,
    Turn,
};

/// Most bytes of text that one token stands for.
const TOKEN_BYTES: usize = 1024;

/// Model, context and sampling of a session.
#[derive(Clone, Debug, Default)]
pub struct SessionConfig {
    /// The model; None for `default`, else the only one loaded.
    pub model: Option<ModelName>,
    /// Positions of the context; 0 for the device's default, or the model's own when smaller.
    pub context: u32,
    /// Type of the stored keys and values.
    pub kv: KvType,
    /// Most tokens of a turn; 0 for no limit but the context.
    pub max_tokens: u32,
    /// How the next token is drawn.
    pub sampling: SamplingConfig,
    /// What is off unless asked for.
    pub samplers: Samplers,
    /// What is added to logits, in any order, no token twice.
    pub biases: Vec<Bias>,
    /// Seed of the draws; None lets the kernel draw one, which the outcome reports.
    pub seed: Option<u64>,
    /// Texts that end a turn: at most [`crate::STOP_MAX`] of 1 to [`crate::STOP_BYTES`] bytes.
    pub stop: Vec<Vec<u8>>,
    /// Tokens that end a turn, beside the model's own and whatever `ignore_eos` says: at most
    /// [`crate::STOP_MAX`].
    pub stop_ids: Vec<u32>,
    /// Whether the names of control tokens in a prompt stand for these tokens.
    pub parse_control: bool,
    /// Whether a turn goes on past the model's own tokens that end it.
    pub ignore_eos: bool,
    /// Whether only callers that wait compute, who are charged for it, and no workers.
    pub unhelped: bool,
    /// What each adapter of the model is multiplied by, in millionths; None for what LOAD was given.
    pub scales: Option<Vec<i32>>,
    /// For whom the turns are: any number. This user's time is divided equally between its tenants.
    pub tenant: u64,
    /// Milliseconds of a turn, after which it ends with the text so far; 0 for no limit.
    pub deadline_ms: u32,
    /// Most tokens of answers in a second; 0 for no limit.
    pub tokens_per_second: u32,
}

/// How text becomes ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokenize {
    /// As at position 0: BOS and the space prefix as the model says.
    pub first: bool,
    /// Whether the names of control tokens stand for these tokens.
    pub control: bool,
}

/// One open file with a context of its own.
///
/// A turn continues the context of those before it; [`Session::reset`] empties it.
#[derive(Debug)]
pub struct Session {
    file: File,
    prompt_max: u32,
    /// At least as many positions as the context has.
    context: u32,
}

/// Ends the turn of a session from another thread.
#[derive(Debug)]
pub struct Canceller(File);

impl Canceller {
    /// Ends the turn, or drops the prompt that waits; nothing in an idle session.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn cancel(&self) -> Result<(), Error> {
        request::cancel(self.0.as_fd()).map_err(|errno| Error::Call {
            doing: "cancel the turn",
            errno,
        })
    }
}

impl Session {
    /// A session on `file`, configured.
    pub(crate) fn configured(file: File, config: &SessionConfig) -> Result<Self, Error> {
        let mut session = Self::blank(file);
        session.configure(config, 0)?;
        Ok(session)
    }

    /// A session on `file`, to be configured.
    pub(crate) fn blank(file: File) -> Self {
        Self {
            file,
            prompt_max: 0,
            context: 0,
        }
    }

    /// The model that `name` means to this session; None when it means nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn model(&self, name: &ModelName) -> Result<Option<Model>, Error> {
        let mut model = Model {
            name: name.to_bytes(),
            ..Default::default()
        };
        match request::call(self.file.as_fd(), &mut model) {
            Ok(()) => Ok(Some(model)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(Error::Call {
                doing: "ask for the model",
                errno,
            }),
        }
    }

    /// Sets model, context and sampling anew, and gives how many positions are kept of the context: the first ones, at
    /// most `keep`, none when the model, its positions or the type of keys and values are others than before.
    ///
    /// # Errors
    ///
    /// [`Error::Configure`]; EBUSY while a turn runs.
    pub fn configure(&mut self, config: &SessionConfig, keep: u32) -> Result<u32, Error> {
        let failed = |errno, refused| Error::Configure {
            model: config.model.clone(),
            errno,
            refused,
        };
        let mut argument = configuration(config).ok_or_else(|| failed(Errno::EINVAL, None))?;
        let biases = biases(config);
        argument.biases = biases.as_ptr() as u64;
        argument.bias_count =
            u32::try_from(biases.len()).map_err(|_| failed(Errno::EINVAL, None))?;
        argument.keep = keep;
        if let Err(errno) = request::call(self.file.as_fd(), &mut argument) {
            return Err(failed(errno, OutOfRange::of(&argument)));
        }
        let mut query = sislm_query::default();
        request::call(self.file.as_fd(), &mut query).map_err(|errno| failed(errno, None))?;
        self.prompt_max = query.prompt_max;
        self.context = config.context.max(query.context_default);
        Ok(argument.keep)
    }

    /// As [`Session::configure`] with nothing kept, on a model that the device chooses for a prompt of about so many tokens: which
    /// one, and why. What `config` says of the model is ignored.
    ///
    /// # Errors
    ///
    /// [`Error::Configure`]; ENOENT when no model was given a rank.
    pub fn choose(
        &mut self,
        config: &SessionConfig,
        prompt_tokens: u32,
    ) -> Result<(ModelName, Reason), Error> {
        let failed = |errno| Error::Configure {
            model: None,
            errno,
            refused: None,
        };
        let mut argument = configuration(config).ok_or_else(|| failed(Errno::EINVAL))?;
        argument.model = [0; SISLM_NAME_MAX as usize];
        argument.flags |= SISLM_CONFIGURE_AUTO;
        argument.prompt_tokens = prompt_tokens;
        request::call(self.file.as_fd(), &mut argument).map_err(failed)?;
        let name = ModelName::from_bytes(&argument.chosen).ok_or_else(|| failed(Errno::EPROTO))?;
        Ok((name, Reason::from(argument.choice)))
    }

    /// Gives the device a prompt; the turn runs while its text is read.
    ///
    /// # Errors
    ///
    /// [`Error::PromptBytes`]; [`Error::Call`] with EBUSY while a turn runs.
    pub fn prompt(&mut self, text: &[u8]) -> Result<Turn<'_>, Error> {
        let written = loop {
            match (&self.file).write(text) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                result => break result,
            }
        };
        let errno = match written {
            Ok(length) if length == text.len() => return Ok(Turn::new(self)),
            Ok(_) => Errno::EIO,
            Err(error) => errno_of(&error),
        };
        Err(match errno {
            Errno::EMSGSIZE => Error::PromptBytes {
                bytes: text.len(),
                limit: self.prompt_max,
            },
            errno => Error::Call {
                doing: "write the prompt",
                errno,
            },
        })
    }

    /// Gives the device a prompt of ids, to which nothing is added; the turn runs while its text is read.
    ///
    /// # Errors
    ///
    /// [`Error::PromptTokens`]; [`Error::Call`] with EBUSY while a turn runs, EINVAL for an id outside the
    /// vocabulary.
    pub fn prompt_ids(&mut self, ids: &[u32]) -> Result<Turn<'_>, Error> {
        match request::prompt(self.file.as_fd(), ids) {
            Ok(()) => Ok(Turn::new(self)),
            Err(Errno::EMSGSIZE) => Err(Error::PromptTokens {
                tokens: u32::try_from(ids.len()).unwrap_or(u32::MAX),
                context: self.context,
            }),
            Err(errno) => Err(Error::Call {
                doing: "give the prompt",
                errno,
            }),
        }
    }

    /// Runs a whole turn in one call, which an empty prompt needs: it begins a sequence with BOS
    /// alone, and there is nothing to write. The text, with U+FFFD for bytes that are no UTF-8.
    ///
    /// # Errors
    ///
    /// As [`Session::prompt`] and [`Turn`]; [`Error::Call`] with EINVAL for an empty prompt when the
    /// model has no BOS.
    pub fn run(&mut self, prompt: &[u8]) -> Result<String, Error> {
        let mut text = vec![0; (self.context as usize).saturating_mul(TOKEN_BYTES)];
        let (length, result) = request::run(self.file.as_fd(), prompt, &mut text);
        result.map_err(|errno| self.turn_error("answer the prompt", errno))?;
        text.truncate(length);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// What the errno of a turn means: RESULT knows more.
    pub(crate) fn turn_error(&self, doing: &'static str, errno: Errno) -> Error {
        let result = match self.raw_result() {
            Ok(result) => result,
            Err(error) => return error,
        };
        let finish = Finish::from(result.finish);
        match errno {
            Errno::EMSGSIZE => Error::PromptTokens {
                tokens: result.prompt_count,
                context: result.context,
            },
            Errno::ENOMEM => Error::Turn { finish, errno },
            Errno::EIO if result.error != 0 => {
                let cause = i32::try_from(result.error).unwrap_or_default();
                Error::Turn {
                    finish,
                    errno: Errno::from_raw(cause),
                }
            }
            Errno::EIO => Error::Turn { finish, errno },
            errno => Error::Call { doing, errno },
        }
    }

    /// What ends the turn from another thread.
    ///
    /// # Errors
    ///
    /// [`Error::Call`] when no descriptor is left.
    pub fn canceller(&self) -> Result<Canceller, Error> {
        self.file
            .try_clone()
            .map(Canceller)
            .map_err(|error| Error::Call {
                doing: "duplicate the session",
                errno: errno_of(&error),
            })
    }

    /// Empties the context.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn reset(&mut self) -> Result<(), Error> {
        request::reset(self.file.as_fd()).map_err(|errno| Error::Call {
            doing: "empty the context",
            errno,
        })
    }

    /// The last turn.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn outcome(&self) -> Result<Outcome, Error> {
        let counts = self.raw_result()?;
        let mut prompt_ids = vec![0; counts.prompt_count as usize];
        let mut ids = vec![0; counts.count as usize];
        let result =
            request::result(self.file.as_fd(), &mut prompt_ids, &mut ids).map_err(|errno| {
                Error::Call {
                    doing: "read the result",
                    errno,
                }
            })?;
        Ok(Outcome::new(&result, prompt_ids, ids))
    }

    /// What shows that the last turn gave its ids; None when it has no record.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn receipt(&self) -> Result<Option<Receipt>, Error> {
        let mut receipt = sislm_receipt::default();
        let called = request::call(self.file.as_fd(), &mut receipt);
        called.map_err(|errno| Error::Call {
            doing: "read the receipt",
            errno,
        })?;
        Ok(Receipt::of(&receipt))
    }

    /// RESULT without the ids.
    pub(crate) fn raw_result(&self) -> Result<sislm_result, Error> {
        request::result(self.file.as_fd(), &mut [], &mut []).map_err(|errno| Error::Call {
            doing: "read the result",
            errno,
        })
    }

    /// The ids of `text`.
    ///
    /// # Errors
    ///
    /// [`Error::TextBytes`], [`Error::Call`]
    pub fn tokenize(&self, text: &[u8], how: Tokenize) -> Result<Vec<u32>, Error> {
        self.tokenize_around(text, &[], how)
    }

    /// As [`Session::tokenize`], but in the `literal` parts of the text (ascending and apart) no control token is
    /// parsed, nor one whose name reaches into them.
    ///
    /// # Errors
    ///
    /// As [`Session::tokenize`]; EINVAL for more than 4096 parts.
    pub fn tokenize_around(
        &self,
        text: &[u8],
        literal: &[Range<usize>],
        how: Tokenize,
    ) -> Result<Vec<u32>, Error> {
        let doing = "tokenize the text";
        let errno = Errno::EINVAL;
        let parts: Option<Vec<sislm_literal>> = literal.iter().map(part_of).collect();
        let parts = parts.ok_or(Error::Call { doing, errno })?;
        let mut flags = 0;
        if how.first {
            flags |= SISLM_TOKENIZE_BOS;
        }
        if how.control {
            flags |= SISLM_TOKENIZE_CONTROL;
        }
        let ids = request::grown(doing, text.len().saturating_add(2), |ids| {
            request::tokenize(self.file.as_fd(), text, &parts, ids, flags)
        });
        ids.map_err(|error| match error.errno() {
            Errno::EMSGSIZE => Error::TextBytes {
                bytes: text.len(),
                limit: self.prompt_max,
            },
            _ => error,
        })
    }

    /// The bytes of `ids`; `first` removes the space prefix, as at position 0.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]; EINVAL for an id outside the vocabulary.
    pub fn detokenize(&self, ids: &[u32], first: bool) -> Result<Vec<u8>, Error> {
        let flags = if first { SISLM_TOKENIZE_BOS } else { 0 };
        request::grown(
            "turn the ids into text",
            ids.len().saturating_mul(8),
            |text| request::detokenize(self.file.as_fd(), ids, text, flags),
        )
    }

    /// The name of the control token `id`, or the text of another.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]; EINVAL for an id outside the vocabulary.
    pub fn token_name(&self, id: u32) -> Result<Vec<u8>, Error> {
        request::grown("name a token", TOKEN_BYTES, |text| {
            request::detokenize(self.file.as_fd(), &[id], text, SISLM_TOKENIZE_CONTROL)
        })
    }

    /// Log-probabilities of `ids` from position 0, and the `top_k` most likely tokens after each
    /// (0 to [`crate::TOP_MAX`]). Empties the context before and after.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]; EMSGSIZE for more ids than the context has positions.
    pub fn evaluate(&mut self, ids: &[u32], top_k: u32) -> Result<Evaluation, Error> {
        let failed = |errno| Error::Call {
            doing: "evaluate the tokens",
            errno,
        };
        let mut log_probabilities = vec![0; ids.len()];
        let length = ids
            .len()
            .checked_mul(top_k as usize)
            .ok_or(failed(Errno::EINVAL))?;
        let mut top = vec![Candidate::default(); length];
        let result = request::evaluate(
            self.file.as_fd(),
            ids,
            &mut log_probabilities,
            &mut top,
            top_k,
        )
        .map_err(failed)?;
        Ok(Evaluation {
            log_probabilities,
            top: top
                .chunks(top_k.max(1) as usize)
                .map(<[Candidate]>::to_vec)
                .collect(),
            nll: result.nll,
            prefill_ns: result.prefill_ns,
            logits_digest: Digest(result.logits_sha256),
        })
    }

    /// The embedding of `ids` by `model`, which this session uses; with `pooling`, or as the model's file
    /// says. Empties the context.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]; EMSGSIZE for more ids than the context has positions.
    pub fn embed(
        &mut self,
        model: &Model,
        ids: &[u32],
        pooling: Option<Pooling>,
    ) -> Result<Embedding, Error> {
        let failed = |errno| Error::Call {
            doing: "embed the tokens",
            errno,
        };
        let pooling = pooling.or(model.pooling()).unwrap_or(Pooling::None);
        let rows = match pooling {
            Pooling::None => ids.len(),
            Pooling::Mean | Pooling::First | Pooling::Last => 1,
        };
        let width = model.embedding as usize;
        let length = rows.checked_mul(width).ok_or(failed(Errno::EINVAL))?;
        let mut values = vec![0.0; length];
        request::embed(self.file.as_fd(), ids, &mut values, pooling.number()).map_err(failed)?;
        Ok(Embedding {
            pooling,
            rows: values.chunks(width.max(1)).map(<[f32]>::to_vec).collect(),
        })
    }

    /// A session over any file, to read from.
    #[cfg(test)]
    pub(crate) fn of_file(file: File) -> Self {
        Self {
            file,
            prompt_max: 0,
            context: 4096,
        }
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

/// A part of a text as the interface has it.
fn part_of(part: &Range<usize>) -> Option<sislm_literal> {
    Some(sislm_literal {
        offset: u32::try_from(part.start).ok()?,
        length: u32::try_from(part.len()).ok()?,
    })
}

/// The biases in the device's order.
pub(crate) fn biases(config: &SessionConfig) -> Vec<sislm_bias> {
    let mut biases: Vec<sislm_bias> = config.biases.iter().copied().map(Into::into).collect();
    biases.sort_by_key(|bias| bias.id);
    biases
}

/// The structure of CONFIGURE without the biases; None when strings do not fit it.
pub(crate) fn configuration(config: &SessionConfig) -> Option<sislm_configure> {
    let mut argument = sislm_configure {
        context: config.context,
        kv_type: config.kv.number(),
        max_tokens: config.max_tokens,
        sampling: config.sampling.into(),
        samplers: config.samplers.to_raw()?,
        stop_count: u32::try_from(config.stop.len()).ok()?,
        stop_id_count: u32::try_from(config.stop_ids.len()).ok()?,
        tenant: config.tenant,
        deadline_ms: config.deadline_ms,
        tokens_per_second: config.tokens_per_second,
        ..Default::default()
    };
    if let Some(model) = &config.model {
        argument.model = model.to_bytes();
    }
    if let Some(seed) = config.seed {
        argument.flags |= SISLM_CONFIGURE_SEED;
        argument.seed = seed;
    }
    if config.parse_control {
        argument.flags |= SISLM_CONFIGURE_CONTROL;
    }
    if config.unhelped {
        argument.flags |= SISLM_CONFIGURE_UNHELPED;
    }
    if config.ignore_eos {
        argument.flags |= SISLM_CONFIGURE_IGNORE_EOS;
    }
    if let Some(scales) = &config.scales {
        argument.flags |= SISLM_CONFIGURE_SCALES;
        let own = argument.scales.get_mut(..scales.len())?;
        own.copy_from_slice(scales);
    }
    for (index, stop) in config.stop.iter().enumerate() {
        if stop.is_empty() {
            return None;
        }
        argument
            .stop
            .get_mut(index)?
            .get_mut(..stop.len())?
            .copy_from_slice(stop);
        *argument.stop_length.get_mut(index)? = u32::try_from(stop.len()).ok()?;
    }
    argument
        .stop_ids
        .get_mut(..config.stop_ids.len())?
        .copy_from_slice(&config.stop_ids);
    Some(argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_seed_sets_its_flag() {
        assert_eq!(configuration(&SessionConfig::default()).unwrap().flags, 0);
        let seeded = SessionConfig {
            seed: Some(0),
            ..Default::default()
        };
        assert_eq!(configuration(&seeded).unwrap().flags, SISLM_CONFIGURE_SEED);
    }

    #[test]
    fn stop_strings_lie_in_their_rows() {
        let config = SessionConfig {
            stop: vec![b"\n\n".to_vec(), b"x".repeat(32)],
            ..Default::default()
        };
        let argument = configuration(&config).unwrap();
        assert_eq!(
            (argument.stop_count, argument.stop_length),
            (2, [2, 32, 0, 0])
        );
        assert_eq!(&argument.stop[0][..3], b"\n\n\0");
        assert_eq!(&argument.stop[1], &[b'x'; 32]);
    }

    #[test]
    fn stop_ids_are_counted() {
        let config = |stop_ids: &[u32]| SessionConfig {
            stop_ids: stop_ids.to_vec(),
            ..Default::default()
        };
        let argument = configuration(&config(&[0, 7])).unwrap();
        assert_eq!(
            (argument.stop_id_count, argument.stop_ids),
            (2, [0, 7, 0, 0])
        );
        assert!(configuration(&config(&[1; 5])).is_none());
    }

    #[test]
    fn stop_strings_that_do_not_fit_are_refused() {
        let stops = [vec![vec![]], vec![b"x".repeat(33)], vec![b"x".to_vec(); 5]];
        for stop in stops {
            assert!(configuration(&SessionConfig {
                stop,
                ..Default::default()
            })
            .is_none());
        }
    }
}
