// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong, as sentences that say what to do next.

use std::fmt;
use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

use crate::{Finish, GrammarError, ModelName, OutOfRange, Refusal};

/// An error of the device; displayed as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The device could not be opened.
    Open {
        /// Path of the device.
        path: PathBuf,
        /// What `open` gave.
        errno: Errno,
    },
    /// A model could not be loaded.
    Load {
        /// Name it was to have.
        name: ModelName,
        /// What LOAD gave.
        errno: Errno,
        /// Why the file was refused, when that is the cause.
        refusal: Option<Refusal>,
        /// Bytes read until then.
        done: u64,
        /// Bytes of the file.
        total: u64,
    },
    /// A model could not be unloaded.
    Unload {
        /// Its name.
        name: ModelName,
        /// What UNLOAD gave.
        errno: Errno,
    },
    /// An alias could not be read or set.
    Alias {
        /// Its name, where one was asked for.
        name: Option<ModelName>,
        /// What ALIAS gave.
        errno: Errno,
    },
    /// What compares answers could not be read or set.
    Shadow {
        /// Whose answers, where some were asked for.
        name: Option<ModelName>,
        /// What SHADOW gave.
        errno: Errno,
    },
    /// A session could not be set up.
    Configure {
        /// The model asked for, None for the device's choice.
        model: Option<ModelName>,
        /// What CONFIGURE gave.
        errno: Errno,
        /// What is outside its range, when the device says it.
        refused: Option<OutOfRange>,
    },
    /// The prompt has more bytes than the device takes.
    PromptBytes {
        /// Bytes of the prompt.
        bytes: usize,
        /// Most bytes of a prompt.
        limit: u32,
    },
    /// A text to tokenize has more bytes than the device takes.
    TextBytes {
        /// Bytes of the text.
        bytes: usize,
        /// Most bytes of a text.
        limit: u32,
    },
    /// The prompt has more tokens than the context has positions left.
    PromptTokens {
        /// Tokens of the prompt.
        tokens: u32,
        /// Positions of the context.
        context: u32,
    },
    /// The turn began and failed.
    Turn {
        /// Why it ended.
        finish: Finish,
        /// The cause of [`Finish::Error`].
        errno: Errno,
    },
    /// The grammar cannot be followed.
    Grammar(GrammarError),
    /// Another call failed.
    Call {
        /// What was to be done, to follow "cannot".
        doing: &'static str,
        /// What the call gave.
        errno: Errno,
    },
}

impl Error {
    /// The errno under the error.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Open { errno, .. }
            | Self::Load { errno, .. }
            | Self::Unload { errno, .. }
            | Self::Alias { errno, .. }
            | Self::Shadow { errno, .. }
            | Self::Configure { errno, .. }
            | Self::Turn { errno, .. }
            | Self::Call { errno, .. } => *errno,
            Self::Grammar(_) => Errno::EINVAL,
            Self::PromptBytes { .. } | Self::TextBytes { .. } | Self::PromptTokens { .. } => {
                Errno::EMSGSIZE
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<GrammarError> for Error {
    fn from(error: GrammarError) -> Self {
        Self::Grammar(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { path, errno } => {
                let path = path.display();
                match errno {
                    Errno::ENOENT | Errno::ENXIO | Errno::ENODEV => write!(
                        f,
                        "{path} is not there: load the module first (modprobe sislm, or insmod sislm.ko) as root"
                    ),
                    Errno::EACCES | Errno::EPERM => write!(
                        f,
                        "{path} may not be opened by this user: ask the administrator to add you to the group sislm \
                         (usermod -aG sislm USER), then log in again"
                    ),
                    Errno::EDQUOT => write!(
                        f,
                        "this user has as many files of {path} open as it may: end another client, \
                         or let the administrator raise the limit (sislm-client limits UID --sessions N)"
                    ),
                    Errno::EMFILE | Errno::ENFILE | Errno::EBUSY | Errno::EUSERS => write!(
                        f,
                        "{path} has too many open files ({errno:?}): end another client, \
                         or let the administrator raise the module's limit"
                    ),
                    errno => write!(f, "cannot open {path}: {}", reason(*errno)),
                }
            }
            Self::Load { name, errno, refusal: Some(refusal), .. } => {
                write!(f, "the file was refused as \"{name}\" ({errno:?}): {refusal}")
            }
            Self::Load { name, errno, done, total, .. } => {
                write!(f, "cannot load \"{name}\" (stopped at {done} of {total} bytes): ")?;
                match errno {
                    Errno::EPERM | Errno::EACCES => {
                        write!(f, "only an administrator (CAP_SYS_ADMIN) may load models; run sudo sislm-client load FILE")
                    }
                    Errno::EEXIST => {
                        write!(f, "a model of that name is being loaded; wait until it is, or give another name with --name")
                    }
                    Errno::ENOSPC => {
                        write!(f, "the module holds as many models as it takes; unload one first")
                    }
                    Errno::ESTALE => {
                        write!(f, "the file became shorter meanwhile; load it when nobody writes to it")
                    }
                    Errno::ENOMEM => write!(
                        f,
                        "this machine has not enough free memory for it; unload another model, \
                         or take a smaller one (Q4_0 needs half of Q8_0)"
                    ),
                    Errno::EBADF => write!(f, "the file is not open for reading"),
                    Errno::EINVAL | Errno::EISDIR | Errno::ESPIPE => {
                        write!(f, "a model is loaded from a regular file; copy it to one")
                    }
                    Errno::EINTR => write!(f, "it was interrupted; start it again"),
                    errno => f.write_str(&reason(*errno)),
                }
            }
            Self::Unload { name, errno } => {
                write!(f, "cannot unload \"{name}\": ")?;
                match errno {
                    Errno::ENOENT => write!(f, "no such model; sislm-client models lists them"),
                    Errno::EBUSY => write!(
                        f,
                        "a session uses it, an alias that was set gives it, or it is a shadow; end the one (fuser /dev/sislm shows who) and change \
                         the other (sislm-client alias, shadow), or let --drain unload it with its last session"
                    ),
                    Errno::ENOTUNIQ => {
                        write!(f, "there are several versions of it; choose one (sislm-client models lists them)")
                    }
                    Errno::EPERM => write!(f, "only an administrator (CAP_SYS_ADMIN) may; run it with sudo"),
                    errno => f.write_str(&reason(*errno)),
                }
            }
            Self::Alias { name, errno } => {
                match name {
                    Some(name) => write!(f, "cannot read or set the alias \"{name}\": ")?,
                    None => write!(f, "cannot read the aliases: ")?,
                }
                match errno {
                    Errno::ENOENT => write!(f, "there is no such version, or it was not set; sislm-client models lists versions"),
                    Errno::ENOSPC => write!(f, "as many aliases are set as the module takes; unpin one (sislm-client alias NAME --unpin)"),
                    Errno::EINVAL => write!(
                        f,
                        "an alias has a name without a version, and gives up to 4 versions, none twice, each with a weight of 1 to 1000000"
                    ),
                    errno => f.write_str(&reason(*errno)),
                }
            }
            Self::Shadow { name, errno } => {
                match name {
                    Some(name) => write!(f, "cannot read or set what compares answers of \"{name}\": ")?,
                    None => write!(f, "cannot read what compares answers: ")?,
                }
                match errno {
                    Errno::ENOENT => write!(f, "there is no such name or version, or it has none; sislm-client alias and models list them"),
                    Errno::ENOSPC => write!(f, "as many names are compared as the module takes; end one (sislm-client shadow NAME --off)"),
                    Errno::EOPNOTSUPP => write!(f, "the version makes embeddings, and has no opinion of answers"),
                    errno => f.write_str(&reason(*errno)),
                }
            }
            Self::Configure { refused: Some(refused), .. } => refused.fmt(f),
            Self::Configure { model, errno, .. } => {
                match model {
                    Some(name) => write!(f, "cannot use the model \"{name}\": ")?,
                    None => write!(f, "cannot use the default model: ")?,
                }
                match (errno, model) {
                    (Errno::ENOENT, Some(_)) => write!(f, "it is not loaded; sislm-client models lists those that are"),
                    (Errno::ENOENT, None) => {
                        write!(f, "none is loaded; let an administrator load one (sudo sislm-client load FILE)")
                    }
                    (Errno::ENOTUNIQ, _) => write!(
                        f,
                        "several are loaded, none of them under the name \"default\"; choose one with -m NAME \
                         (sislm-client models lists them)"
                    ),
                    (Errno::ENOMEM, _) => {
                        write!(f, "not enough memory for this context; ask for fewer positions, or for keys and values in f16")
                    }
                    (Errno::EINVAL, _) => {
                        write!(f, "an option is out of its range; sislm-client info prints the limits")
                    }
                    (errno, _) => f.write_str(&reason(*errno)),
                }
            }
            Self::PromptBytes { bytes, limit } => write!(
                f,
                "the prompt has {bytes} bytes, and the device takes at most {limit}: shorten it, \
                 or let the administrator raise the module's parameter prompt_max"
            ),
            Self::TextBytes { bytes, limit } => write!(
                f,
                "the text has {bytes} bytes, and the device takes at most {limit} at once: cut it at line ends and give \
                 the parts one by one (all but the first with --continued), or let the administrator raise the module's \
                 parameter prompt_max"
            ),
            Self::PromptTokens { tokens, context } => write!(
                f,
                "the prompt has {tokens} tokens, more than this context of {context} positions has left: \
                 shorten it, or ask for a larger context (--ctx)"
            ),
            Self::Turn { finish: Finish::Numeric, .. } => write!(
                f,
                "the turn ended because a computed value was infinite or NaN: the model's weights are damaged, \
                 or of a kind it was not trained for; compare the file's SHA-256 with its publisher's"
            ),
            Self::Turn { errno: Errno::ENOMEM, .. } => {
                write!(f, "the turn ended for lack of memory: ask for a smaller context (--ctx), or try again later")
            }
            Self::Turn { errno: Errno::EIDRM, .. } => {
                write!(f, "an administrator has unloaded the model: choose another, or wait until it is loaded again")
            }
            Self::Turn { errno: Errno::EIO, .. } => {
                write!(f, "the device stands still: the kernel's log (dmesg) says since when; try again later")
            }
            Self::Turn { errno: Errno::EOPNOTSUPP, .. } => {
                write!(f, "the model makes embeddings, and no text: sislm-client embed prints them")
            }
            Self::Turn { finish, errno } => write!(f, "the turn ended ({finish}): {}", reason(*errno)),
            Self::Grammar(error) => error.fmt(f),
            Self::Call { doing, errno } => write!(f, "cannot {doing}: {}", reason(*errno)),
        }
    }
}

/// The errno that the system gave; EIO for an error of the standard library's own.
pub(crate) fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// A sentence for an errno that the call gives no special meaning.
fn reason(errno: Errno) -> String {
    match errno {
        Errno::EPERM | Errno::EACCES => {
            "only an administrator (CAP_SYS_ADMIN) may; run it with sudo".into()
        }
        Errno::ENOTTY => {
            "the path is not that of a sislm device, or the module is older than this client".into()
        }
        Errno::E2BIG => {
            "this client is newer than the module; load the module that belongs to it".into()
        }
        Errno::EOPNOTSUPP => "this machine or module does not support it".into(),
        Errno::EIO => {
            "the device stands still; the kernel's log (dmesg) says since when; try again later"
                .into()
        }
        Errno::EIDRM => "an administrator has unloaded the model".into(),
        Errno::EBUSY => "it is in use; try again when the turn is over".into(),
        Errno::ENODATA => "there is no prompt to answer".into(),
        errno => format!("{} ({errno:?})", errno.desc()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(errno: Errno, refusal: Option<Refusal>) -> String {
        let name = "tiny".parse().unwrap();
        Error::Load {
            name,
            errno,
            refusal,
            done: 10,
            total: 20,
        }
        .to_string()
    }

    #[test]
    fn a_missing_device_says_how_to_get_it() {
        let error = Error::Open {
            path: "/dev/sislm".into(),
            errno: Errno::ENOENT,
        };
        assert!(error.to_string().contains("insmod sislm.ko"));
    }

    #[test]
    fn a_closed_device_names_the_group() {
        let error = Error::Open {
            path: "/dev/sislm".into(),
            errno: Errno::EACCES,
        };
        assert!(error.to_string().contains("group sislm"));
    }

    #[test]
    fn a_load_without_the_right_says_who_can() {
        assert!(load(Errno::EPERM, None).contains("only an administrator"));
    }

    #[test]
    fn a_load_without_memory_says_what_helps() {
        assert!(load(Errno::ENOMEM, None).contains("smaller"));
    }

    #[test]
    fn a_refused_file_says_why_and_with_which_errno() {
        let refusal = Refusal {
            reason: 1,
            ..Default::default()
        };
        let sentence = load(Errno::EINVAL, Some(refusal));
        assert!(
            sentence.contains("not a GGUF file") && sentence.contains("EINVAL"),
            "{sentence}"
        );
    }

    #[test]
    fn a_long_prompt_gives_both_counts() {
        let sentence = Error::PromptTokens {
            tokens: 300,
            context: 256,
        }
        .to_string();
        assert!(sentence.contains("300") && sentence.contains("256") && sentence.contains("--ctx"));
    }

    #[test]
    fn an_option_out_of_its_range_is_named_with_the_range() {
        let error = Error::Configure {
            model: None,
            errno: Errno::EINVAL,
            refused: Some(OutOfRange {
                option: Some("--top-p"),
                least: "0.000001".into(),
                most: "1".into(),
            }),
        };
        assert_eq!(
            error.to_string(),
            "--top-p is out of its range: give 0.000001 to 1"
        );
    }

    #[test]
    fn an_errno_without_a_sentence_is_named() {
        let error = Error::Call {
            doing: "do it",
            errno: Errno::EPROTO,
        };
        assert!(error.to_string().contains("EPROTO"));
        assert_eq!(error.errno(), Errno::EPROTO);
    }
}
