// SPDX-License-Identifier: GPL-2.0
//! A sequence: the context of one open file.

use crate::{
    models::model::Model,
    sys::{charge::Payer, flight::Scales, kv::BlockTable, wiped::Wiped},
    users::{quota::Charge, Namespace}, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Positions that blocks are taken for in advance.
pub(crate) const POSITIONS_AHEAD: u32 = 256;

/// Tokens with their keys and values.
pub(crate) struct Sequence {
    context: u32,
    kv_type: u32,
    /// Of adapters: what is computed depends on them.
    scales: Scales,
    tokens: Wiped<u32>,
    computed: u32,
    table: Option<Arc<BlockTable>>,
    namespace: Arc<Namespace>,
    charges: KVec<Charge>,
    payer: Option<Payer>,
}

impl Sequence {
    /// Empty, of at most `context` positions.
    pub(crate) fn new(
        context: u32,
        kv_type: u32,
        scales: Scales,
        namespace: &Arc<Namespace>,
    ) -> Result<Self> {
        Ok(Self {
            context,
            kv_type,
            scales,
            tokens: Wiped::with_capacity(context as usize)?,
            computed: 0,
            table: None,
            namespace: namespace.clone(),
            charges: KVec::new(),
            payer: None,
        })
    }

    /// Most positions.
    pub(crate) fn context(&self) -> u32 {
        self.context
    }

    /// The tokens, oldest first.
    pub(crate) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Positions used.
    pub(crate) fn positions(&self) -> u32 {
        // CAST: At most `context` tokens.
        self.tokens.len() as u32
    }

    /// Positions whose keys and values are there.
    pub(crate) fn computed(&self) -> u32 {
        self.computed
    }

    /// Positions left.
    pub(crate) fn free(&self) -> u32 {
        self.context.saturating_sub(self.positions())
    }

    /// Appends tokens; `EMSGSIZE` and nothing is taken when they do not fit.
    pub(crate) fn append(&mut self, tokens: &[u32]) -> Result {
        if tokens.len() > self.free() as usize {
            return Err(EMSGSIZE);
        }
        self.tokens.extend(tokens)
    }

    /// Appends one token when a position is left. Never allocates.
    pub(crate) fn push(&mut self, token: u32) -> bool {
        self.free() > 0 && self.tokens.push(token).is_ok()
    }

    /// Type of the keys and values: `SISLM_KV_*`.
    pub(crate) fn kv_type(&self) -> u32 {
        self.kv_type
    }

    /// What the adapters of the model are multiplied by, millionths.
    pub(crate) fn scales(&self) -> &Scales {
        &self.scales
    }

    /// Whether it can go on from fewer positions: what layers carry from position to position cannot be taken back.
    pub(crate) fn goes_back_to(&self, positions: u32) -> bool {
        positions >= self.computed || !self.table.as_ref().is_some_and(|table| table.has_state())
    }

    /// Forgets all but the first `positions`; gives how many are left. What is computed of them stays.
    pub(crate) fn truncate(&mut self, positions: u32) -> u32 {
        self.tokens.truncate(positions as usize);
        self.computed = self.computed.min(positions);
        self.positions()
    }

    /// Notes that the next `count` positions are computed.
    pub(crate) fn advance(&mut self, count: u32) {
        self.computed = self.computed.saturating_add(count).min(self.positions());
    }

    /// Notes that the positions are computed from the first on once more: another pass begins.
    pub(crate) fn rewind(&mut self) {
        self.computed = 0;
    }

    /// The blocks, once taken.
    pub(crate) fn table(&self) -> Option<&Arc<BlockTable>> {
        self.table.as_ref()
    }

    /// Memory of its keys and values, of `model`, bytes.
    pub(crate) fn bytes(&self, model: &Model) -> u64 {
        let Some(table) = &self.table else {
            return 0;
        };
        let size = model.size(self.kv_type);
        let blocks = u64::from(table.len()).saturating_mul(size.kv_block);
        blocks.saturating_add(size.state)
    }

    /// Whether the next position has no block.
    pub(crate) fn lacks_blocks(&self) -> bool {
        let held = self.table.as_ref().map_or(0, |table| table.positions());
        self.positions() > held
    }

    /// Takes blocks for `positions` positions, in the caller's context and charged to it, as those
    /// that [`Sequence::grow`] takes later are.
    pub(crate) fn take_blocks(&mut self, positions: u32, model: &Model) -> Result {
        self.payer = Some(Payer::current());
        self.extend(positions, model)
    }

    /// Takes blocks for the positions up to [`POSITIONS_AHEAD`] from here, charged to whom
    /// [`Sequence::take_blocks`] was.
    pub(crate) fn grow(&mut self, model: &Model) -> Result {
        let positions = self.positions().saturating_add(POSITIONS_AHEAD);
        let payer = self.payer.take().ok_or(EINVAL)?;
        let grown = payer.pay(|| self.extend(positions, model));
        self.payer = Some(payer);
        grown
    }

    fn extend(&mut self, positions: u32, model: &Model) -> Result {
        let positions = positions.min(self.context);
        let old = self.table.as_deref();
        if old.is_some_and(|table| table.positions() >= positions) {
            return Ok(());
        }
        let before = old.map_or(0, |table| table.len());
        let size = model.size(self.kv_type);
        let charges = &mut self.charges;
        let counted = charges.len();
        let charge = |bytes| {
            let charge = model.pool.charge(&self.namespace, bytes)?;
            Ok(charges.push(charge, GFP_KERNEL_ACCOUNT)?)
        };
        let table = BlockTable::extended(old, positions, self.kv_type, size, charge)
            .inspect_err(|_| self.charges.truncate(counted))?;
        let added = table.len().saturating_sub(before);
        self.table = Some(Arc::new(table, GFP_KERNEL_ACCOUNT)?);
        self.namespace
            .user()
            .statistics()
            .add(|all| &all.kv_blocks, u64::from(added));
        Ok(())
    }
}

impl Drop for Sequence {
    fn drop(&mut self) {
        let blocks = self.table.as_ref().map_or(0, |table| table.len());
        self.namespace
            .user()
            .statistics()
            .subtract(|all| &all.kv_blocks, u64::from(blocks));
    }
}
