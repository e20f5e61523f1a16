// SPDX-License-Identifier: MIT OR Apache-2.0
//! The device: what it can do, and its models.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::contents::LOOK_BYTES;
use crate::error::errno_of;
use crate::uapi::*;
use crate::{
    metadata, request, AdapterFile, Alias, Contents, Error, Metrics, Model, ModelName, Query,
    Records, Refusal, Selftest, Session, SessionConfig, Shadow, Source,
};
use crate::{Limits, Simd, Statistics, Vocabulary};

/// Bytes that most strings of the metadata have at most.
const GUESS_BYTES: usize = 4096;

/// An open device.
#[derive(Debug)]
pub struct Device {
    file: File,
    path: PathBuf,
}

/// How a model is loaded, beside its files and its name.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    /// The name means it from then on, and versions before are unloaded when no session uses them any more.
    pub replaces: bool,
    /// The operator's opinion of it, the more the better, up to [`crate::RANK_MAX`]; 0 for never chosen.
    pub rank: u32,
}

/// How a load went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Bytes of the file, all read.
    pub bytes: u64,
    /// Nanoseconds spent in reading.
    pub read_ns: u64,
    /// Nanoseconds spent in packing, by all tasks together.
    pub pack_ns: u64,
    /// Nanoseconds spent in the digest.
    pub digest_ns: u64,
    /// Nanoseconds from start to end; the parts above run at the same time. 0 from a module that
    /// does not tell.
    pub load_ns: u64,
    /// The version that the model is; 0 from a module that has none.
    pub version: u32,
    /// Whether it shares the memory of another, of the same bytes.
    pub shared: bool,
}

/// Progress of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub done: u64,
    /// Bytes of the file.
    pub total: u64,
}

impl Device {
    /// Where the module puts the device.
    pub const PATH: &'static str = "/dev/sislm";

    /// Opens the device at `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Open`]
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        Ok(Self {
            file: open(&path)?,
            path,
        })
    }

    /// Version, capabilities and limits.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn query(&self) -> Result<Query, Error> {
        let mut query = Query::default();
        self.call("ask the device what it can do", &mut query)?;
        Ok(query)
    }

    /// Counters of the module since it was loaded.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn statistics(&self) -> Result<Statistics, Error> {
        let mut statistics = Statistics::default();
        self.call("read the counters", &mut statistics)?;
        Ok(statistics)
    }

    /// What the module counts of the model `name`, or of all. Needs CAP_SYS_ADMIN. None when the model is
    /// not loaded.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn metrics(&self, name: Option<&ModelName>) -> Result<Option<Metrics>, Error> {
        let mut metrics = Metrics::default();
        if let Some(name) = name {
            metrics.name = name.to_bytes();
        }
        match request::call(self.file.as_fd(), &mut metrics) {
            Ok(()) => Ok(Some(metrics)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(Error::Call {
                doing: "read the metrics",
                errno,
            }),
        }
    }

    /// Decision records, from the oldest one on that is kept. Needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]; ENFILE when there are too many readers.
    pub fn trace(&self) -> Result<Records, Error> {
        let descriptor = request::trace(self.file.as_fd()).map_err(|errno| Error::Call {
            doing: "read the records",
            errno,
        })?;
        Ok(Records::new(descriptor.into()))
    }

    /// Compares the loops of `level` (0 for the one in use) with their scalar twins.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]; EOPNOTSUPP when the CPU lacks the level.
    pub fn selftest(&self, level: Simd) -> Result<Selftest, Error> {
        let mut selftest = Selftest {
            simd: level.0,
            ..Default::default()
        };
        self.call("run the self-test", &mut selftest)?;
        Ok(selftest)
    }

    /// Times passes of an inner loop over made-up data: what it is with `weights` and `ns`.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]; EINVAL outside the ranges of the header, EFBIG for more than 8 MiB of data.
    pub fn time_loop(&self, mut inner: sislm_bench) -> Result<sislm_bench, Error> {
        self.call("time an inner loop", &mut inner)?;
        Ok(inner)
    }

    /// Loads the model of `source` under `name`. Needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// [`Error::Load`]
    pub fn load(&self, source: &Source, name: &ModelName) -> Result<Load, Error> {
        self.load_adapted(source, &[], name, LoadOptions::default())
    }

    /// As [`Device::load`], with `adapters` and options.
    ///
    /// # Errors
    ///
    /// [`Error::Load`]; EINVAL for more than [`crate::ADAPTERS_MAX`].
    pub fn load_adapted(
        &self,
        source: &Source,
        adapters: &[AdapterFile],
        name: &ModelName,
        options: LoadOptions,
    ) -> Result<Load, Error> {
        let files: Vec<_> = adapters.iter().map(AdapterFile::raw).collect();
        let mut load = sislm_load {
            fd: source.beginning().as_raw_fd(),
            name: name.to_bytes(),
            flags: if options.replaces {
                SISLM_LOAD_REPLACE
            } else {
                0
            },
            rank: options.rank,
            ..Default::default()
        };
        let result = request::load(self.file.as_fd(), &mut load, &source.parts(), &files);
        result.map_err(|errno| Error::Load {
            name: name.clone(),
            errno,
            refusal: Refusal::of(&load).map(|refusal| Refusal {
                contents: match load.refused_file {
                    0 => contents(source.beginning()),
                    place => adapters
                        .get(place as usize - 1)
                        .and_then(|adapter| contents(adapter.file())),
                },
                ..refusal
            }),
            done: load.done,
            total: load.total,
        })?;
        Ok(Load {
            bytes: load.total,
            read_ns: load.read_ns,
            pack_ns: load.pack_ns,
            digest_ns: load.digest_ns,
            load_ns: load.load_ns,
            version: load.version,
            shared: load.shared != 0,
        })
    }

    /// Progress of the load under `name`; None when there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn progress(&self, name: &ModelName) -> Result<Option<Progress>, Error> {
        let mut progress = sislm_progress {
            name: name.to_bytes(),
            ..Default::default()
        };
        match request::call(self.file.as_fd(), &mut progress) {
            Ok(()) => Ok(Some(Progress {
                done: progress.done,
                total: progress.total,
            })),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(Error::Call {
                doing: "read the progress of a load",
                errno,
            }),
        }
    }

    /// Unloads the model `name`. Needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// [`Error::Unload`]; EBUSY while a session has a context on it.
    pub fn unload(&self, name: &ModelName) -> Result<(), Error> {
        self.unload_with(name, 0)
    }

    /// Unloads the model `name` although sessions use it: their turns and calls fail with EIDRM.
    /// Needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// [`Error::Unload`]; EBUSY while it is being loaded.
    pub fn unload_by_force(&self, name: &ModelName) -> Result<(), Error> {
        self.unload_with(name, SISLM_UNLOAD_FORCE)
    }

    /// Unloads the model `name` when no session uses it any more; none begins to. Needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// [`Error::Unload`]; EBUSY while an alias that was set gives it.
    pub fn unload_when_unused(&self, name: &ModelName) -> Result<(), Error> {
        self.unload_with(name, SISLM_UNLOAD_DRAIN)
    }

    /// What the name `name` without a version means; None when it means nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Alias`]
    pub fn alias(&self, name: &ModelName) -> Result<Option<Alias>, Error> {
        let alias = Alias {
            name: name.to_bytes(),
            ..Default::default()
        };
        self.ask_alias(alias, Some(name))
    }

    /// All aliases; none from a module that has none.
    ///
    /// # Errors
    ///
    /// [`Error::Alias`]
    pub fn aliases(&self) -> Result<Vec<Alias>, Error> {
        let mut aliases = Vec::new();
        for index in 0.. {
            let alias = Alias {
                index,
                ..Default::default()
            };
            match self.ask_alias(alias, None) {
                Ok(Some(alias)) => aliases.push(alias),
                Err(error) if error.errno() != Errno::ENOTTY => return Err(error),
                // The last one, or a module without aliases.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(aliases)
    }

    /// Sets the alias `name` to versions, each with a weight; to none: to the newest version of its name. As it is then. Needs
    /// CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// [`Error::Alias`]; ENOENT when there is no such version, ENOSPC when as many are set as the module takes.
    pub fn set_alias(
        &self,
        name: &ModelName,
        targets: &[(ModelName, u32)],
    ) -> Result<Alias, Error> {
        let failed = |errno| Error::Alias {
            name: Some(name.clone()),
            errno,
        };
        let mut alias = Alias::to_set(name, targets).ok_or_else(|| failed(Errno::EINVAL))?;
        request::call(self.file.as_fd(), &mut alias).map_err(failed)?;
        Ok(alias)
    }

    fn ask_alias(
        &self,
        mut alias: Alias,
        name: Option<&ModelName>,
    ) -> Result<Option<Alias>, Error> {
        match request::call(self.file.as_fd(), &mut alias) {
            Ok(()) => Ok(Some(alias)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(Error::Alias {
                name: name.cloned(),
                errno,
            }),
        }
    }

    /// What was counted of answers of `alias`, or of all that are compared: one entry for each version that answered, or one
    /// without any. Needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// [`Error::Shadow`]
    pub fn shadows(&self, alias: Option<&ModelName>) -> Result<Vec<Shadow>, Error> {
        let mut shadows = Vec::new();
        for index in 0.. {
            let mut shadow = Shadow {
                index,
                alias: alias.map_or([0; _], ModelName::to_bytes),
                ..Default::default()
            };
            match request::call(self.file.as_fd(), &mut shadow) {
                Ok(()) => shadows.push(shadow),
                Err(Errno::ENOENT) => break,
                Err(errno) => {
                    return Err(Error::Shadow {
                        name: alias.cloned(),
                        errno,
                    })
                }
            }
        }
        Ok(shadows)
    }

    /// Lets `version` compare `permille` of 1,000 answers of `alias`; without one none is compared, and what was counted is
    /// forgotten. Needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// [`Error::Shadow`]; ENOENT when there is no such name or version.
    pub fn set_shadow(
        &self,
        alias: &ModelName,
        version: Option<&ModelName>,
        permille: u32,
    ) -> Result<Shadow, Error> {
        let mut shadow = Shadow::to_set(alias, version, permille);
        request::call(self.file.as_fd(), &mut shadow).map_err(|errno| Error::Shadow {
            name: Some(alias.clone()),
            errno,
        })?;
        Ok(shadow)
    }

    /// What a user may have of the device, and has. Needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn limits(&self, uid: u32) -> Result<Limits, Error> {
        let mut limits = Limits {
            uid,
            ..Default::default()
        };
        self.call("read the limits of a user", &mut limits)?;
        Ok(limits)
    }

    /// Changes the limits of the user `limits.uid` that are not 0; as they are then. Needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]; ENOSPC when those of as many users as the module takes are set.
    pub fn set_limits(&self, limits: &Limits) -> Result<Limits, Error> {
        let mut limits = Limits {
            flags: SISLM_LIMITS_SET,
            ..*limits
        };
        self.call("set the limits of a user", &mut limits)?;
        Ok(limits)
    }

    fn unload_with(&self, name: &ModelName, flags: u32) -> Result<(), Error> {
        let mut argument = sislm_unload {
            name: name.to_bytes(),
            flags,
            ..Default::default()
        };
        request::call(self.file.as_fd(), &mut argument).map_err(|errno| Error::Unload {
            name: name.clone(),
            errno,
        })
    }

    /// The loaded models.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn models(&self) -> Result<Vec<Model>, Error> {
        let mut models = Vec::new();
        for index in 0.. {
            match self.ask_model(Model {
                index,
                ..Default::default()
            })? {
                Some(model) => models.push(model),
                None => break,
            }
        }
        Ok(models)
    }

    /// The model `name`; None when it is not loaded.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn model(&self, name: &ModelName) -> Result<Option<Model>, Error> {
        self.ask_model(Model {
            name: name.to_bytes(),
            ..Default::default()
        })
    }

    fn ask_model(&self, mut model: Model) -> Result<Option<Model>, Error> {
        match request::call(self.file.as_fd(), &mut model) {
            Ok(()) => Ok(Some(model)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(Error::Call {
                doing: "ask for the loaded models",
                errno,
            }),
        }
    }

    /// The string that the file of the model `name` has under `key`, one of [`crate::METADATA_KEYS`]; None
    /// when it has none.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]; EFBIG when it is longer than what the module keeps.
    pub fn metadata(&self, name: &ModelName, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let doing = "read the model's metadata";
        let errno = Errno::EINVAL;
        let key = metadata::to_bytes(key).ok_or(Error::Call { doing, errno })?;
        let found = request::grown(doing, GUESS_BYTES, |text| {
            request::metadata(self.file.as_fd(), name.to_bytes(), key, text)
        });
        match found {
            Err(error) if error.errno() == Errno::ENODATA => Ok(None),
            found => found.map(Some),
        }
    }

    /// The tokens of the model `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn vocabulary(&self, name: &ModelName) -> Result<Vocabulary, Error> {
        let doing = "read the model's vocabulary";
        let file = self.file.as_fd();
        let (tokens, bytes) =
            match request::vocabulary(file, name.to_bytes(), &mut [], &mut [], &mut []) {
                (tokens, bytes, Ok(()) | Err(Errno::ENOSPC)) => (tokens, bytes),
                (_, _, Err(errno)) => return Err(Error::Call { doing, errno }),
            };
        let (mut kinds, mut ends, mut text) = (vec![0; tokens], vec![0; tokens], vec![0; bytes]);
        match request::vocabulary(file, name.to_bytes(), &mut kinds, &mut ends, &mut text) {
            (_, _, Ok(())) => Ok(Vocabulary::new(kinds, ends, text)),
            (_, _, Err(errno)) => Err(Error::Call { doing, errno }),
        }
    }

    /// Opens a session of its own without a model: it is to be configured.
    ///
    /// # Errors
    ///
    /// [`Error::Open`]
    pub fn blank_session(&self) -> Result<Session, Error> {
        Ok(Session::blank(open(&self.path)?))
    }

    /// Opens a session of its own, with a context on a model.
    ///
    /// # Errors
    ///
    /// [`Error::Open`], [`Error::Configure`]
    pub fn session(&self, config: &SessionConfig) -> Result<Session, Error> {
        Session::configured(open(&self.path)?, config)
    }

    fn call<T: request::Argument>(
        &self,
        doing: &'static str,
        argument: &mut T,
    ) -> Result<(), Error> {
        request::call(self.file.as_fd(), argument).map_err(|errno| Error::Call { doing, errno })
    }
}

/// What the file holds instead of a model; None when nothing shows it, or it cannot be read.
fn contents(file: &File) -> Option<Contents> {
    let mut first = vec![0; LOOK_BYTES];
    let length = file.read_at(&mut first, 0).ok()?;
    Contents::of(first.get(..length)?)
}

fn open(path: &Path) -> Result<File, Error> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    file.map_err(|error| Error::Open {
        path: path.to_owned(),
        errno: errno_of(&error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_not_there_is_an_error_of_open() {
        let error = Device::open("/nonexistent/sislm").unwrap_err();
        assert_eq!(
            error,
            Error::Open {
                path: "/nonexistent/sislm".into(),
                errno: Errno::ENOENT
            }
        );
    }

    #[test]
    fn a_file_in_a_model_s_place_is_looked_at() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, b"<html>").unwrap();
        assert_eq!(contents(file.as_file()), Some(Contents::WebPage));
        let directory = File::open("/").unwrap();
        assert_eq!(contents(&directory), None);
    }

    #[test]
    fn a_file_that_is_no_device_is_told_apart() {
        let device = Device::open("/dev/null").unwrap();
        let error = device.query().unwrap_err();
        assert_eq!(error.errno(), Errno::ENOTTY);
        assert!(
            error.to_string().contains("not that of a sislm device"),
            "{error}"
        );
    }
}
