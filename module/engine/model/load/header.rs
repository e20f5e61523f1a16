// SPDX-License-Identifier: GPL-2.0
//! The header of a file, and what its keys say by rules of their own.

use crate::gguf;
use crate::model::adapter;
use crate::model::load::Failure;
use crate::model::load::Load;
use crate::model::load::Phase;
use crate::tokenizer;

impl Load {
    /// Parses the header and checks its metadata keys, in about `budget` items.
    ///
    /// # Errors
    ///
    /// The refusal of the header.
    pub fn header(
        &mut self,
        prefix: &[u8],
        table: &mut [u8],
        budget: u32,
    ) -> Result<gguf::Progress, Failure> {
        match self.phase {
            Phase::Begun => {
                let progress = self.parser.run(prefix, table, budget)?;
                if progress != gguf::Progress::Done {
                    return Ok(progress);
                }
                self.begin_checking(prefix, table)?;
                self.phase = Phase::Checking(0);
                Ok(gguf::Progress::More)
            }
            Phase::Checking(first) => {
                let progress = self.check_keys(prefix, table, first, budget)?;
                self.phase = match progress {
                    gguf::Progress::Done => Phase::Parsed,
                    _ => Phase::Checking(first.saturating_add(budget)),
                };
                Ok(progress)
            }
            _ => Err(Failure::Misuse),
        }
    }

    /// Checks what keys have a rule of their own.
    fn begin_checking(&mut self, prefix: &[u8], table: &[u8]) -> Result<(), Failure> {
        let (Some((alpha, _)), Some(shape)) = (self.adapter.as_mut(), self.shape.as_ref()) else {
            return Ok(self.model_keys(prefix, table)?.check_rules()?);
        };
        let keys = self.parser.keys(prefix, table).ok_or(Failure::Misuse)?;
        *alpha = adapter::keys::check(&keys, shape.architecture)?;
        Ok(())
    }

    /// Checks whether `budget` keys from `first` on are known.
    fn check_keys(
        &self,
        prefix: &[u8],
        table: &[u8],
        first: u32,
        budget: u32,
    ) -> Result<gguf::Progress, Failure> {
        let all = self.parser.keys(prefix, table).ok_or(Failure::Misuse)?;
        let model = match self.adapter {
            None => Some(self.model_keys(prefix, table)?),
            Some(_) => None,
        };
        for index in (first..).take(budget as usize) {
            let Some((name, value)) = all.at(index as usize) else {
                return Ok(gguf::Progress::Done);
            };
            if let Some(keys) = &model {
                keys.check_known(name, value)?;
                tokenizer::keys::check_known(name, value, prefix)?;
            } else {
                adapter::keys::check_known(name, value, prefix)?;
            }
        }
        Ok(gguf::Progress::More)
    }

    /// Where the string of metadata key `name` is; `None` when there is none.
    ///
    /// # Errors
    ///
    /// Misuse: the header is not parsed.
    pub fn string(
        &self,
        prefix: &[u8],
        table: &[u8],
        name: &[u8],
    ) -> Result<Option<gguf::Span>, Failure> {
        if matches!(self.phase, Phase::Begun | Phase::Checking(_)) {
            return Err(Failure::Misuse);
        }
        let keys = self.parser.keys(prefix, table).ok_or(Failure::Misuse)?;
        Ok(keys.string(name))
    }
}
