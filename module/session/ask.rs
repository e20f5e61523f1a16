// SPDX-License-Identifier: GPL-2.0
//! Sessions of other kernel code: as an open file's, without the file.

use super::{Session, Sessions};
use crate::{
    session::buffer::Buffer,
    sys::{
        callers::{Answer, Serves},
        uapi,
    },
    turn::configuration::Configuration, //
};
use kernel::{prelude::*, sync::Arc};

impl Serves for Sessions {
    type Session = Session;

    fn open(&self, request: &mut uapi::Configure) -> Result<Arc<Session>> {
        let configuration = Configuration::check(request)?;
        let session = Session::open(self)?;
        match session.configure(&configuration, 0) {
            Ok(_) => Ok(session),
            Err(error) => {
                session.close();
                Err(error)
            }
        }
    }

    fn ask(
        session: &Arc<Session>,
        prompt: &[u8],
        answer: &Answer,
        result: &mut uapi::Outcome,
    ) -> Result {
        if prompt.len() > session.shared().limits.prompt as usize {
            return Err(EMSGSIZE);
        }
        let mut text = Buffer::with_capacity(prompt.len())?;
        text.append(prompt)?;
        let number = session.begin_text(text, result)?;
        session.tell(number, answer, result)
    }

    fn close(session: Arc<Session>) {
        session.close();
    }
}

impl Session {
    /// Gives the text of turn `number` to `answer` until its end. Not inlined: a turn before is ended further down the stack.
    #[inline(never)]
    fn tell(&self, number: u64, answer: &Answer, result: &mut uapi::Outcome) -> Result {
        let outcome = match self.follow(number, || self.give_text(number, answer)) {
            // No kernel restarts this call.
            Err(ERESTARTSYS) => self.abandon(number, EINTR),
            ended => ended,
        }?;
        outcome.answer(&self.shared().limits, result)?;
        outcome.error.map_or(Ok(()), |_| Err(EIO))
    }

    /// Gives what text there is to a caller in the kernel.
    fn give_text(&self, number: u64, answer: &Answer) -> Result {
        let mut result = Ok(());
        self.copy_text(number, usize::MAX, |part| {
            result = answer.give(part);
            match result {
                Ok(()) => part.len(),
                Err(_) => 0,
            }
        });
        result
    }
}
