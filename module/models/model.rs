// SPDX-License-Identifier: GPL-2.0
//! A loaded model.

use crate::{
    limits::Limits,
    metrics::Metrics,
    models::{
        backlog::Backlog,
        choice::{Candidate, Wish},
        loaded::{Loaded, LoadedAdapter},
        metadata::Metadata,
        name::{Name, Tag},
        workspace::Workspace,
    },
    records::{first, recorder::Recorder, who::Who},
    statistics::Statistics,
    sys::{
        digest::DIGEST_BYTES,
        errno::EIDRM,
        flight::Scales,
        model::{Facts, ModelMemory},
        neon::Section,
        step::{self, Adapters, Size},
        uapi::{self, SISLM_ADAPTERS_MAX, SISLM_KV_F16, SISLM_KV_F32, SISLM_KV_Q8_0},
    },
    users::{
        quota::{Pool, Quota},
        Tally, User,
    }, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, SpinLock,
    },
};

/// The memory of a model.
pub(crate) struct Content {
    /// Its weights and tables.
    pub(crate) memory: Arc<ModelMemory>,
    /// What its turns compute in.
    pub(crate) workspace: Arc<Workspace>,
    /// Its strings.
    pub(crate) metadata: KBox<Metadata>,
}

/// Models made since the module was loaded.
static INSTANCES: Atomic<u64> = Atomic::new(0);

/// A loaded model; read-only but for counters and its content, which can be taken away.
#[pin_data]
pub(crate) struct Model {
    /// Its name.
    pub(crate) name: Name,
    /// Which version of the name it is, from 1.
    pub(crate) version: u32,
    /// Number of its load, from 1.
    pub(crate) instance: u64,
    /// Number of the load that its memory came with.
    pub(super) origin: u64,
    /// What METRICS tells of it.
    pub(crate) metrics: Arc<Metrics>,
    #[pin]
    content: SpinLock<Option<Arc<Content>>>,
    /// The engine's facts.
    pub(crate) facts: Facts,
    /// Positions of a context when none are asked for.
    pub(crate) context_default: u32,
    /// SHA-256 of the file.
    pub(crate) digest: [u8; DIGEST_BYTES],
    /// Keys and values of its sequences.
    pub(crate) pool: Arc<Pool>,
    /// What is under way on it.
    pub(crate) backlog: Arc<Backlog>,
    /// The operator's opinion of it; 0 for none.
    pub(super) rank: u32,
    measures: Measures,
    adapters: KVec<uapi::Adapter>,
    /// Files with a context on it.
    #[pin]
    pub(super) files: Tally,
}

/// How much memory parts of a model take.
#[derive(Clone, Copy)]
struct Measures {
    file_bytes: u64,
    weight_bytes: u64,
    vocabulary_bytes: u64,
    descriptor_bytes: u64,
    arena_bytes: u64,
    peak_bytes: u64,
    /// Of keys and values in f16, f32 and q8_0.
    sizes: [Size; 3],
    step_bytes: u64,
}

impl Model {
    /// From a finished load. Apart from the load, whose stack is deep.
    #[inline(never)]
    pub(crate) fn new(
        tag: Tag,
        loaded: KBox<Loaded>,
        adapters: &[LoadedAdapter],
        limits: &Limits,
        quota: &Arc<Quota>,
        (statistics, metrics): (&Arc<Statistics>, &Arc<Metrics>),
        section: &mut Section,
    ) -> Result<Arc<Self>> {
        let loaded = KBox::into_inner(loaded);
        let metadata = loaded.metadata;
        let mut arena_bytes = loaded.memory.bytes().saturating_add(metadata.bytes());
        let (mut weight_bytes, mut peak_bytes) = (loaded.weight_bytes, loaded.peak_bytes);
        let mut descriptor_bytes = loaded.descriptor_bytes;
        let mut described = KVec::with_capacity(adapters.len(), GFP_KERNEL)?;
        let mut kept = Adapters::default();
        for (adapter, scale) in adapters {
            arena_bytes = arena_bytes.saturating_add(adapter.memory.bytes());
            weight_bytes = weight_bytes.saturating_add(adapter.weight_bytes);
            descriptor_bytes = descriptor_bytes.saturating_add(adapter.descriptor_bytes);
            peak_bytes = peak_bytes.max(adapter.peak_bytes);
            described.push(adapter.described(*scale), GFP_KERNEL)?;
            kept.add(&adapter.memory)?;
        }
        let memory = loaded.memory;
        let slots = limits.slots();
        let context = loaded.facts.context;
        let mut size = |kv_type| step::size(section, &memory, &kept, slots, context, kv_type);
        let sizes = [
            size(SISLM_KV_F16)?,
            size(SISLM_KV_F32)?,
            size(SISLM_KV_Q8_0)?,
        ];
        let workspace = Workspace::new(section, &memory, kept, &loaded.facts, slots, statistics)?;
        let step_bytes = workspace.bytes();
        let content = Content {
            memory,
            workspace,
            metadata,
        };
        let content = Arc::new(content, GFP_KERNEL)?;
        let pool = Pool::new(quota, limits.turns())?;
        let files = Tally::new(limits.turns())?;
        let metrics = Metrics::of_model(metrics)?;
        let backlog = Backlog::new()?;
        let instance = INSTANCES.fetch_add(1, Relaxed).wrapping_add(1);
        Arc::pin_init(
            pin_init!(Self {
                name: tag.name,
                version: tag.version,
                origin: instance,
                instance,
                metrics,
                content <- new_spinlock!(Some(content), "sislm_model"),
                facts: loaded.facts,
                context_default: limits.context_default.min(context),
                digest: loaded.digest,
                pool,
                backlog,
                rank: tag.rank,
                measures: Measures {
                    file_bytes: loaded.file_bytes,
                    weight_bytes,
                    vocabulary_bytes: loaded.vocabulary_bytes,
                    descriptor_bytes,
                    arena_bytes,
                    peak_bytes,
                    sizes,
                    step_bytes,
                },
                adapters: described,
                files <- files,
            }),
            GFP_KERNEL,
        )
    }

    /// Of the same files as `other`, whose memory it shares; `scales` are those of its adapters.
    #[inline(never)]
    pub(crate) fn sharing(
        tag: Tag,
        other: &Self,
        scales: impl Iterator<Item = i32>,
        limits: &Limits,
        quota: &Arc<Quota>,
        metrics: &Arc<Metrics>,
    ) -> Result<Arc<Self>> {
        let content = other.content()?;
        let mut adapters = KVec::with_capacity(other.adapters.len(), GFP_KERNEL)?;
        for (adapter, scale) in other.adapters.iter().zip(scales) {
            let adapter = uapi::Adapter { scale, ..*adapter };
            adapters.push(adapter, GFP_KERNEL)?;
        }
        let pool = Pool::new(quota, limits.turns())?;
        let files = Tally::new(limits.turns())?;
        let metrics = Metrics::of_model(metrics)?;
        let backlog = Backlog::new()?;
        Arc::pin_init(
            pin_init!(Self {
                name: tag.name,
                version: tag.version,
                instance: INSTANCES.fetch_add(1, Relaxed).wrapping_add(1),
                origin: other.origin,
                metrics,
                content <- new_spinlock!(Some(content), "sislm_model"),
                facts: other.facts,
                context_default: other.context_default,
                digest: other.digest,
                pool,
                backlog,
                rank: tag.rank,
                measures: other.measures,
                adapters,
                files <- files,
            }),
            GFP_KERNEL,
        )
    }

    /// Size and SHA-256 of its file and of those of its adapters.
    pub(crate) fn files(&self) -> impl Iterator<Item = (u64, &[u8; DIGEST_BYTES])> + '_ {
        let own = (self.measures.file_bytes, &self.digest);
        let adapters = self.adapters.iter();
        let adapters = adapters.map(|adapter| (adapter.file_bytes, &adapter.digest));
        Iterator::chain(core::iter::once(own), adapters)
    }

    /// Its memory. `EIDRM`: it was unloaded by force.
    pub(crate) fn content(&self) -> Result<Arc<Content>> {
        self.content.lock().clone().ok_or(EIDRM())
    }

    /// Takes its memory away, which is freed when the step in flight is over.
    pub(crate) fn revoke(&self) -> Option<Arc<Content>> {
        self.content.lock().take()
    }

    /// What sequences with keys and values of type `kv_type` take.
    pub(crate) fn size(&self, kv_type: u32) -> Size {
        let [half, single, quantized] = self.measures.sizes;
        match kv_type {
            SISLM_KV_F32 => single,
            SISLM_KV_Q8_0 => quantized,
            _ => half,
        }
    }

    /// What is known of it for a choice: contexts on it have `context` positions, with keys and values of type `kv_type` in
    /// at most `left` bytes.
    pub(crate) fn candidate(
        &self,
        wish: &Wish,
        (context, kv_type, left): (u32, u32, u64),
    ) -> Result<Candidate> {
        let (prompt_ns, token_ns) = self.content()?.workspace.pace.lock().times();
        let positions = wish.prompt.saturating_add(wish.tokens).min(context);
        Ok(Candidate {
            rank: self.rank,
            turns: self.backlog.turns(),
            rows: self.backlog.rows(),
            prompt_ns,
            token_ns,
            kv_bytes: self.size(kv_type).bytes(positions),
            kv_left: left,
        })
    }

    /// SHA-256 of the files of its adapters, then zeroes.
    pub(crate) fn adapter_digests(&self) -> [[u8; DIGEST_BYTES]; SISLM_ADAPTERS_MAX as usize] {
        let mut digests = [[0; DIGEST_BYTES]; SISLM_ADAPTERS_MAX as usize];
        for (digest, adapter) in digests.iter_mut().zip(&self.adapters) {
            *digest = adapter.digest;
        }
        digests
    }

    /// Writes what METRICS tells of it into the answer.
    pub(crate) fn tell_metrics(&self, to: &mut uapi::Metrics) {
        self.metrics.tell(to);
        to.kv_bytes = self.pool.bytes().all();
        to.model_bytes = self.bytes();
        // CAST: At most 4096 files.
        to.sessions = self.files.all() as u32;
    }

    /// Makes the record of its load or unload, by `who`.
    pub(crate) fn record(&self, kind: u32, who: &Who, recorder: &Recorder) {
        let mut record = uapi::Record {
            kind,
            model: self.instance,
            version: self.version,
            digest: first(&self.digest),
            commitment: self.digest,
            ..Default::default()
        };
        who.sign(&mut record);
        recorder.record(&mut record, |_| {});
    }

    /// Size of the file it was loaded from.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.measures.file_bytes
    }

    /// Memory taken from the kernel, keys and values excepted.
    pub(crate) fn bytes(&self) -> u64 {
        self.measures.arena_bytes
    }

    /// Whether a file has a context on it.
    pub(crate) fn in_use(&self) -> bool {
        self.files.all() != 0
    }

    /// What its adapters are multiplied by when `asked` for, else as LOAD said. `EINVAL`: it has fewer.
    pub(crate) fn scales(&self, asked: Option<&Scales>) -> Result<Scales> {
        let mut scales = *asked.unwrap_or(&Scales::default());
        let (own, rest) = scales
            .split_at_mut_checked(self.adapters.len())
            .ok_or(EINVAL)?;
        if rest.iter().any(|scale| *scale != 0) {
            return Err(EINVAL);
        }
        if asked.is_none() {
            for (scale, adapter) in own.iter_mut().zip(&self.adapters) {
                *scale = adapter.scale;
            }
        }
        Ok(scales)
    }

    /// Whether it makes embeddings, and no text.
    pub(crate) fn is_encoder(&self) -> bool {
        self.facts.passes > 1
    }

    /// The answer of the MODEL ioctl. Keys and values and files are those of `user`, or of all.
    pub(crate) fn describe(&self, to: &mut uapi::Model, user: Option<&User>) {
        to.name = self.name.bytes();
        to.title = self.facts.title;
        to.digest = self.digest;
        to.file_bytes = self.measures.file_bytes;
        to.parameters = self.facts.parameters;
        to.weight_bytes = self.measures.weight_bytes;
        to.vocabulary_bytes = self.measures.vocabulary_bytes;
        to.model_bytes = self.measures.descriptor_bytes;
        to.arena_bytes = self.measures.arena_bytes;
        to.step_bytes = self.measures.step_bytes;
        to.kv_block_bytes = self.size(SISLM_KV_F16).kv_block;
        to.kv_bytes = self.pool.bytes().of(user);
        to.peak_bytes = self.measures.peak_bytes;
        to.architecture = self.facts.architecture;
        to.tokenizer = self.facts.tokenizer;
        to.layers = self.facts.layers;
        to.embedding = self.facts.embedding;
        to.heads = self.facts.heads;
        to.kv_heads = self.facts.kv_heads;
        to.head_size = self.facts.head_size;
        to.feed_forward = self.facts.feed_forward;
        to.vocabulary = self.facts.vocabulary;
        to.context = self.facts.context;
        to.bos = self.facts.bos;
        to.eos = self.facts.eos;
        to.file_type = self.facts.file_type;
        // CAST: At most as many as there are files.
        to.users = self.files.of(user) as u32;
        to.notes = self.facts.notes;
        to.end_count = self.facts.end_count;
        to.ends = self.facts.ends;
        to.architecture_name = self.facts.architecture_name;
        to.pooling = self.facts.pooling;
        to.encoder = u32::from(self.is_encoder());
        // CAST: At most SISLM_ADAPTERS_MAX.
        to.adapter_count = self.adapters.len() as u32;
        to.pad = 0;
        to.rank = self.rank;
        to.pad2 = 0;
        to.adapters = Default::default();
        to.version = self.version;
        to.instance = self.instance;
        for (to, adapter) in to.adapters.iter_mut().zip(&self.adapters) {
            *to = *adapter;
        }
    }
}
