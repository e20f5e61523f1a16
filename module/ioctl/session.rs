// SPDX-License-Identifier: GPL-2.0
//! QUERY, CONFIGURE, RUN, PROMPT, EVALUATE, NEXT, RESULT, RECEIPT, STATISTICS.

use super::require;
use crate::{
    session::Session,
    sys::{
        check::NUMERICS,
        node::is_administrator,
        uapi::{self, SISLM_ABI_VERSION},
        user::Argument,
    },
    turn::configuration::Configuration, //
};
use core::mem::offset_of;
use kernel::{fs::File, prelude::*, sync::Arc};

#[inline(never)]
pub(super) fn query(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    let mut request: uapi::Query = argument.read()?;
    let shared = session.shared();
    let limits = &shared.limits;
    request.abi = SISLM_ABI_VERSION;
    request.numerics = NUMERICS;
    request.simd = limits.simd;
    request.threads = limits.workers;
    // CAST: At most 256 models.
    request.models = shared.registry.count() as u32;
    request.sessions = if is_administrator(file) {
        shared.users.sessions()
    } else {
        // CAST: At most 4096 files.
        session.link.user().account().sessions.get() as u32
    };
    request.sessions_max = limits.sessions;
    request.prompt_max = limits.prompt;
    request.context_max = limits.context;
    request.context_default = limits.context_default;
    request.model_max = limits.model_bytes;
    request.kv_max = limits.kv_bytes;
    request.longest_section = shared.statistics.longest_section.get();
    argument.write(&request)
}

#[inline(never)]
pub(super) fn configure(session: &Arc<Session>, argument: &Argument) -> Result {
    // On the heap: a turn may be ended meanwhile, far down the stack.
    let mut request = read_configuration(argument)?;
    let result = match Configuration::check(&mut request) {
        Ok(configuration) => session.configure(&configuration, request.keep).map(|done| {
            (request.seed, request.keep) = (done.seed, done.kept);
            (request.choice, request.chosen) = (done.choice, done.chosen);
        }),
        // It tells what is out of its range.
        Err(EINVAL) if request.refused != 0 => Err(EINVAL),
        Err(error) => return Err(error),
    };
    argument.write(&*request)?;
    result
}

#[inline(never)]
fn read_configuration(argument: &Argument) -> Result<KBox<uapi::Configure>> {
    Ok(KBox::new(argument.read()?, GFP_KERNEL_ACCOUNT)?)
}

#[inline(never)]
pub(super) fn run(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Run = argument.read()?;
    require(request.flags == 0)?;
    let result = match session.run(&mut request) {
        // A structure without room for the turn cannot go on with it.
        Err(ERESTARTSYS) if !argument.holds(size_of::<uapi::Run>()) => {
            session.abandon(request.turn, EINTR)
        }
        result => result,
    };
    argument.write(&request)?;
    result
}

#[inline(never)]
pub(super) fn prompt(session: &Arc<Session>, argument: &Argument) -> Result {
    let request: uapi::Prompt = argument.read()?;
    require(request.flags == 0)?;
    session.prompt(&request)
}

#[inline(never)]
pub(super) fn evaluate(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Evaluate = argument.read()?;
    let result = match session.evaluate(&mut request) {
        // As above.
        Err(ERESTARTSYS) if !argument.holds(offset_of!(uapi::Evaluate, embeddings)) => {
            session.abandon(request.turn, EINTR)
        }
        result => result,
    };
    argument.write(&request)?;
    result
}

#[inline(never)]
pub(super) fn next(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Next = argument.read()?;
    let result = session.next(&mut request);
    argument.write(&request)?;
    result
}

#[inline(never)]
pub(super) fn result(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Outcome = argument.read()?;
    let outcome = session.outcome()?;
    let result = outcome.answer(&session.shared().limits, &mut request);
    argument.write(&request)?;
    result
}

#[inline(never)]
pub(super) fn receipt(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Receipt = argument.read()?;
    require(request.flags == 0 && request.pad == 0)?;
    let outcome = session.outcome()?;
    request.session = session.link.who().session;
    request.turn = outcome.recorded_turn();
    request.nonce = outcome.nonce.bytes();
    request.commitment = outcome.commitment;
    argument.write(&request)
}

#[inline(never)]
pub(super) fn statistics(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    let _: uapi::Statistics = argument.read()?;
    let shared = session.shared();
    let answer = if is_administrator(file) {
        shared.answer_statistics()
    } else {
        // What others do is none of the caller's business.
        session.link.user().answer_statistics()
    };
    argument.write(&answer)
}
