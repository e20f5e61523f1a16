// SPDX-License-Identifier: GPL-2.0
//! The configuration of a session.

use crate::{
    models::name::Wanted,
    sys::{
        flight::Scales,
        neon::Section,
        sample::{Drawing, SharedDrawing},
        uapi::{
            Configure, SISLM_CONFIGURE_AUTO, SISLM_CONFIGURE_CONTROL, SISLM_CONFIGURE_IGNORE_EOS,
            SISLM_CONFIGURE_SCALES, SISLM_CONFIGURE_SEED, SISLM_CONFIGURE_UNHELPED, SISLM_KV_F16,
            SISLM_KV_F32, SISLM_KV_Q8_0, SISLM_SCALE_MAX,
        },
    },
    turn::stop::{StopIds, StopStrings}, //
};
use kernel::prelude::*;

/// What CONFIGURE sets, checked.
#[derive(Clone)]
pub(crate) struct Configuration {
    /// The model asked for.
    pub(crate) model: Option<Wanted>,
    /// What a choice of the model is made by, where it is asked for: the tokens that the prompt will have.
    pub(crate) auto: Option<u32>,
    /// Positions, 0 for the default.
    pub(crate) context: u32,
    /// `SISLM_KV_*`.
    pub(crate) kv_type: u32,
    /// Most tokens of a turn, 0 for no limit.
    pub(crate) max_tokens: u32,
    /// How tokens are drawn.
    pub(crate) drawing: SharedDrawing,
    /// The seed of every turn; drawn for each when not given.
    pub(crate) seed: Option<u64>,
    /// Whether control tokens in text are parsed.
    pub(crate) control: bool,
    /// Whether the model's own tokens do not end a turn.
    pub(crate) ignore_eos: bool,
    /// Whether turns are computed by who waits for them alone.
    pub(crate) unhelped: bool,
    /// Text that ends a turn.
    pub(crate) stop: StopStrings,
    /// Tokens that end a turn, whatever `ignore_eos` says.
    pub(crate) stop_ids: StopIds,
    /// What the model's adapters are multiplied by; as LOAD said where it is not asked for.
    pub(crate) scales: Option<Scales>,
    /// For whom its turns are.
    pub(crate) tenant: u64,
    /// Milliseconds of a turn, 0 for no limit.
    pub(crate) deadline_ms: u32,
    /// Most tokens in a second, 0 for no limit.
    pub(crate) tokens_per_second: u32,
}

impl Configuration {
    /// Of a file that is never configured.
    pub(crate) const fn balanced() -> Self {
        Self {
            model: None,
            auto: None,
            context: 0,
            kv_type: SISLM_KV_F16,
            max_tokens: 0,
            drawing: SharedDrawing::BALANCED,
            seed: None,
            control: false,
            ignore_eos: false,
            unhelped: false,
            stop: StopStrings::none(),
            stop_ids: StopIds::none(),
            scales: None,
            tenant: 0,
            deadline_ms: 0,
            tokens_per_second: 0,
        }
    }

    /// As asked for; `EINVAL` for anything out of range or unknown, of which the request tells some. Not inlined, and on the
    /// heap: a turn may be ended meanwhile, far down the stack.
    #[inline(never)]
    pub(crate) fn check(request: &mut Configure) -> Result<KBox<Self>> {
        Ok(KBox::new(Self::new(request)?, GFP_KERNEL_ACCOUNT)?)
    }

    fn new(request: &mut Configure) -> Result<Self> {
        const FLAGS: u32 = SISLM_CONFIGURE_SEED
            | SISLM_CONFIGURE_CONTROL
            | SISLM_CONFIGURE_IGNORE_EOS
            | SISLM_CONFIGURE_UNHELPED
            | SISLM_CONFIGURE_SCALES
            | SISLM_CONFIGURE_AUTO;
        let has = |flag| request.flags & flag != 0;
        let (model, auto) = (Wanted::optional(request.model)?, has(SISLM_CONFIGURE_AUTO));
        if auto && model.is_some() || !auto && request.prompt_tokens != 0 {
            return Err(EINVAL);
        }
        if request.flags & !FLAGS != 0
            || request.pad != 0
            || request.pad2 != 0
            || request.pad3 != 0
            || !matches!(request.kv_type, SISLM_KV_F16 | SISLM_KV_F32 | SISLM_KV_Q8_0)
        {
            return Err(EINVAL);
        }
        let drawing = SharedDrawing::new(drawing(request)?)?;
        let has = |flag| request.flags & flag != 0;
        Ok(Self {
            model,
            auto: auto.then_some(request.prompt_tokens),
            context: request.context,
            kv_type: request.kv_type,
            max_tokens: request.max_tokens,
            drawing,
            seed: has(SISLM_CONFIGURE_SEED).then_some(request.seed),
            control: has(SISLM_CONFIGURE_CONTROL),
            ignore_eos: has(SISLM_CONFIGURE_IGNORE_EOS),
            unhelped: has(SISLM_CONFIGURE_UNHELPED),
            stop: StopStrings::new(request.stop_count, &request.stop_length, &request.stop)?,
            stop_ids: StopIds::new(request.stop_id_count, &request.stop_ids)?,
            scales: scales(request)?,
            tenant: request.tenant,
            deadline_ms: request.deadline_ms,
            tokens_per_second: request.tokens_per_second,
        })
    }
}

/// What the adapters are to be multiplied by; `EINVAL` for a scale outside its range.
fn scales(request: &Configure) -> Result<Option<Scales>> {
    let given = request.flags & SISLM_CONFIGURE_SCALES != 0;
    let most = if given { SISLM_SCALE_MAX } else { 0 };
    if request
        .scales
        .iter()
        .any(|scale| scale.unsigned_abs() > most)
    {
        return Err(EINVAL);
    }
    Ok(given.then_some(request.scales))
}

/// How tokens are to be drawn; `EINVAL` for a member outside its range, which the request then tells.
fn drawing(request: &mut Configure) -> Result<Drawing> {
    request.refused = 0;
    request.refused_least = 0;
    request.refused_most = 0;
    match Drawing::new(&mut Section::new()?, request)? {
        Ok(drawing) => Ok(drawing),
        Err(refused) => {
            // CAST: The structure has less than 4 GiB.
            request.refused = refused.place as u32;
            request.refused_least = refused.least;
            request.refused_most = refused.most;
            Err(EINVAL)
        }
    }
}
