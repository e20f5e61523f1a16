// SPDX-License-Identifier: MIT OR Apache-2.0
//! The device as the server uses it: so many turns at once, a session for each, a pool of idle ones.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use nix::errno::Errno;
use sislm::{Alias, Device, Model, ModelName, SessionConfig, Slot};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ApiError;
use super::grammars::Grammars;
use super::hangup::Hangup;
use super::job::{Job, Prompt};
use super::metrics::{Metrics, Present};
use super::pool::Pool;

/// Limits of the engine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Requests answered at once.
    pub turns: usize,
    /// Requests that wait beside them.
    pub queue: usize,
    /// Age at which an idle session is closed.
    pub idle: Duration,
}

/// The device, and what the server makes of it.
pub(super) struct Engine {
    /// The device.
    pub device: Device,
    /// What requests change.
    pub defaults: SessionConfig,
    /// Idle sessions.
    pub pool: Pool<Slot>,
    /// Tokens of models.
    pub grammars: Grammars,
    /// What is counted.
    pub metrics: Metrics,
    /// When the server was started, in seconds since 1970.
    pub started: u64,
    numerics: u32,
    limits: Limits,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    running: AtomicUsize,
    draining: AtomicBool,
    drawn: AtomicU64,
    lines: Mutex<Vec<Weak<Hangup>>>,
}

/// A turn of an engine: others wait while it lives.
pub(super) struct Running {
    engine: Arc<Engine>,
    _permit: OwnedSemaphorePermit,
}

impl Running {
    /// The engine.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// One more turn of the engine, if nobody waits for it.
    pub(super) fn another(&self) -> Option<Self> {
        let permit = self.engine.turns.clone().try_acquire_owned().ok()?;
        Some(Self::new(self.engine.clone(), permit))
    }

    fn new(engine: Arc<Engine>, permit: OwnedSemaphorePermit) -> Self {
        engine.running.fetch_add(1, Ordering::SeqCst);
        Self {
            engine,
            _permit: permit,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.engine.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Counts something as long as it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Engine {
    /// On `device`; requests start from `defaults`.
    pub(super) fn new(
        device: Device,
        defaults: SessionConfig,
        limits: Limits,
        started: u64,
    ) -> Result<Self, sislm::Error> {
        Ok(Self {
            started,
            numerics: device.query()?.numerics,
            device,
            defaults,
            pool: Pool::new(limits.turns),
            grammars: Grammars::default(),
            metrics: Metrics::new(),
            limits,
            turns: Arc::new(Semaphore::new(limits.turns)),
            waiting: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            drawn: AtomicU64::new(0),
            lines: Mutex::new(Vec::new()),
        })
    }

    /// Whether one more request may wait.
    pub(super) fn admit(&self) -> Result<(), ApiError> {
        if self.is_draining() {
            return Err(ApiError::draining());
        }
        if self.waiting.load(Ordering::SeqCst) >= self.limits.queue {
            let sentence = "too many requests wait for a turn: try again in a second";
            return Err(ApiError::busy(sentence));
        }
        Ok(())
    }

    /// Waits for a turn.
    pub(super) async fn turn(self: Arc<Self>) -> Option<Running> {
        let permit = {
            let _waits = Counted::new(&self.waiting);
            // Never closed.
            self.turns.clone().acquire_owned().await.ok()?
        };
        Some(Running::new(self, permit))
    }

    /// The model of that name; without one the default, as everywhere. Of an alias each request draws a version anew:
    /// sessions are not those of one client.
    pub(super) fn model(&self, name: Option<&str>) -> Result<Model, ApiError> {
        let models = self.device.models()?;
        let mut names: Vec<String> = self.device.aliases()?.iter().map(Alias::name).collect();
        if models.is_empty() {
            let sentence = "no model is loaded: let an administrator load one";
            return Err(ApiError::no_model(sentence));
        }
        if names.is_empty() {
            // Of a module without versions.
            names = models.iter().map(Model::name).collect();
        }
        let default = ModelName::default_model();
        let wanted = match name {
            Some(name) => name.parse().ok(),
            None if names.iter().any(|name| name == default.as_str()) => Some(default),
            None => {
                let mut own = models.iter().map(Model::name);
                let first = own.next().filter(|first| own.all(|other| other == *first));
                first.and_then(|name| name.parse().ok())
            }
        };
        let found = match wanted {
            Some(wanted) => self.drawn(&wanted)?,
            None => None,
        };
        found.ok_or_else(|| {
            let wanted = name.map_or("none is named default".into(), |name| {
                format!("there is no model {name:?}")
            });
            ApiError::no_model(format!("{wanted}: choose one of {}", names.join(", ")))
        })
    }

    /// The model that `name` means to the next request.
    fn drawn(&self, name: &ModelName) -> Result<Option<Model>, ApiError> {
        let alias = match name.version() {
            None => self.device.alias(name),
            Some(_) => Ok(None),
        };
        let alias = match alias {
            // Of a module without versions.
            Err(error) if error.errno() == Errno::ENOTTY => None,
            alias => alias?,
        };
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let drawn = alias.and_then(|alias| alias.drawn(number));
        let drawn = drawn.and_then(|name| name.parse().ok());
        Ok(self.device.model(drawn.as_ref().unwrap_or(name))?)
    }

    /// The version that the device chooses for `job`, of the models with a rank.
    pub(super) fn chosen(&self, job: &Job) -> Result<String, ApiError> {
        let tokens = job.prompts.iter().map(Prompt::tokens).max().unwrap_or(0);
        let mut session = self.device.blank_session()?;
        match session.choose(&job.config, tokens) {
            Ok((name, _)) => Ok(name.to_string()),
            Err(error) if error.errno() == Errno::ENOENT => Err(ApiError::no_model(
                "no model was given a rank: name one, or let an administrator load one with a rank",
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// What an answer depends on beside the request: the model's bytes and the arithmetic.
    pub(super) fn fingerprint(&self, model: &Model) -> String {
        let digest = model.digest().to_string();
        let first = digest.get(..16).unwrap_or(&digest);
        format!("{first}-{}", self.numerics)
    }

    /// What is as it is now.
    pub(super) fn present(&self) -> Present {
        Present {
            running: self.running.load(Ordering::SeqCst),
            waiting: self.waiting.load(Ordering::SeqCst),
            idle: self.pool.len(),
            kv_bytes: self.device.statistics().map_or(0, |all| all.kv_bytes),
        }
    }

    /// Closes sessions that were idle for long.
    pub(super) fn expire(&self) {
        self.pool.expire(self.limits.idle);
    }

    /// Whether no new request is answered.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Answers no new request from here on.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Ends all turns.
    pub(super) fn cancel_all(&self) {
        for line in self.lines().drain(..) {
            if let Some(line) = line.upgrade() {
                line.hang_up();
            }
        }
    }

    /// Remembers a request for [`Engine::cancel_all`].
    pub(super) fn note(&self, hangup: &Arc<Hangup>) {
        let mut lines = self.lines();
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(hangup));
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Weak<Hangup>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
