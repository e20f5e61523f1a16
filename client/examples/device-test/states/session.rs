// SPDX-License-Identifier: MIT OR Apache-2.0
//! A session of these tests, and what is done with it.

use std::fs::File;
use std::io::{self, Read, Write};

use nix::errno::Errno;

use super::MODEL;
use crate::raw::*;
use crate::report::Failure;

pub(super) const PROMPT: &[u8] = b"one ten tires";

/// A session that answers greedily with `tokens` tokens (0: until the context is full).
pub(super) fn session(context: u32, tokens: u32) -> Result<File, Failure> {
    let file = open()?;
    let mut configure = sislm_configure {
        flags: SISLM_CONFIGURE_IGNORE_EOS,
        context,
        max_tokens: tokens,
        model: name(MODEL),
        sampling: sislm_sampling {
            top_p: SISLM_MILLION,
            typical_p: SISLM_MILLION,
            repeat_penalty: SISLM_MILLION,
            ..Default::default()
        },
        ..Default::default()
    };
    call(&file, SISLM_IOC_CONFIGURE, &mut configure)?;
    Ok(file)
}

pub(super) fn read(mut file: &File) -> Result<usize, Errno> {
    file.read(&mut [0; 256]).map_err(errno)
}

pub(super) fn write(mut file: &File, text: &[u8]) -> Result<usize, Errno> {
    file.write(text).map_err(errno)
}

pub(super) fn errno(error: io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

pub(super) fn result(file: &File) -> Result<sislm_result, Errno> {
    let mut result = sislm_result::default();
    call(file, SISLM_IOC_RESULT, &mut result).map(|()| result)
}

/// The text until the end of the turn.
pub(super) fn drain(mut file: &File) -> Result<Vec<u8>, Errno> {
    let mut text = Vec::new();
    let mut buffer = [0; 256];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(text),
            Ok(length) => text.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(errno(error)),
        }
    }
}

pub(super) fn cancel(file: &File) -> Result<(), Errno> {
    call(file, SISLM_IOC_CANCEL, &mut ())
}

/// An ioctl that is sound but for the state it is made in.
pub(super) fn busy(file: &File, number: u32) -> Result<(), Errno> {
    let mut text = [0_u8; 64];
    let ids = [1_u32, 2];
    let sampling = sislm_sampling {
        top_p: SISLM_MILLION,
        typical_p: SISLM_MILLION,
        repeat_penalty: SISLM_MILLION,
        ..Default::default()
    };
    match number {
        SISLM_IOC_RUN => {
            let (prompt, text) = (PROMPT.as_ptr() as u64, text.as_mut_ptr() as u64);
            let mut run = sislm_run {
                prompt,
                prompt_length: 3,
                text,
                capacity: 64,
                ..Default::default()
            };
            call(file, number, &mut run)
        }
        SISLM_IOC_CONFIGURE => call(
            file,
            number,
            &mut sislm_configure {
                model: name(MODEL),
                sampling,
                ..Default::default()
            },
        ),
        _ => call(
            file,
            number,
            &mut sislm_evaluate {
                ids: ids.as_ptr() as u64,
                count: 2,
                ..Default::default()
            },
        ),
    }
}
