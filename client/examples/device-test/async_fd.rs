// SPDX-License-Identifier: MIT OR Apache-2.0
//! A turn on tokio's event loop.

use std::fs::File;
use std::io::{Read, Write};
use std::time::Duration;

use tokio::io::unix::AsyncFd;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::raw;
use crate::report::Failure;

/// Time of a whole turn.
const LIMIT: Duration = Duration::from_secs(60);

/// The answer to `prompt` on a nonblocking file, which the loop knows before the prompt is written.
pub(crate) fn answer(file: File, prompt: &[u8]) -> Result<Vec<u8>, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let file = raw::register(file)?;
        let turn = async {
            write(&file, prompt).await?;
            read(&file).await
        };
        Ok(timeout(LIMIT, turn).await??)
    })
}

async fn write(file: &AsyncFd<File>, prompt: &[u8]) -> std::io::Result<()> {
    loop {
        let mut ready = file.writable().await?;
        if let Ok(written) = ready.try_io(|file| file.get_ref().write_all(prompt)) {
            return written;
        }
    }
}

async fn read(file: &AsyncFd<File>) -> std::io::Result<Vec<u8>> {
    let (mut text, mut buffer) = (Vec::new(), [0; 256]);
    loop {
        let mut ready = file.readable().await?;
        match ready.try_io(|file| file.get_ref().read(&mut buffer)) {
            Ok(Ok(0)) => return Ok(text),
            Ok(length) => text.extend_from_slice(&buffer[..length?]),
            // Not ready after all.
            Err(_) => (),
        }
    }
}
