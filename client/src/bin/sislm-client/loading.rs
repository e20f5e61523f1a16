// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loading a file, with a progress bar on a terminal.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use nix::fcntl::{posix_fadvise, PosixFadviseAdvice};
use sislm::{AdapterFile, Device, Load, LoadOptions, ModelName, Source};

/// Time between two looks at the progress.
const LOOK: Duration = Duration::from_millis(100);

/// Loads `source` with `adapters` under `name`; the device is at `path`.
pub(crate) fn load(
    device: &Device,
    path: &Path,
    source: &Source,
    adapters: &[AdapterFile],
    name: &ModelName,
    options: LoadOptions,
) -> anyhow::Result<Load> {
    let own = adapters.iter().map(AdapterFile::bytes);
    let bytes = own.fold(source.bytes(), u64::saturating_add);
    let load = if io::stderr().is_terminal() {
        let watcher = Device::open(path)?;
        let (done, over) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || watch(&watcher, name, bytes, &over));
            let load = device.load_adapted(source, adapters, name, options);
            drop(done);
            load
        })
    } else {
        device.load_adapted(source, adapters, name, options)
    };
    // The module holds its own copy: the page cache's is of no more use. Only advice, so a failure
    // is no matter.
    let files = adapters.iter().map(AdapterFile::file);
    for file in source.files().chain(files) {
        let _ = posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    }
    Ok(load?)
}

/// Shows the progress of the load under `name` until `over` is closed.
fn watch(device: &Device, name: &ModelName, bytes: u64, over: &mpsc::Receiver<()>) {
    let style = ProgressStyle::with_template(
        "loading {msg} [{bar:40}] {decimal_bytes}/{decimal_total_bytes}",
    );
    let bar = ProgressBar::new(bytes).with_message(name.to_string());
    if let Ok(style) = style {
        bar.set_style(style);
    }
    while let Err(RecvTimeoutError::Timeout) = over.recv_timeout(LOOK) {
        // None: the load has not begun, or is over.
        if let Ok(Some(progress)) = device.progress(name) {
            bar.set_position(progress.done);
        }
    }
    bar.finish_and_clear();
}
