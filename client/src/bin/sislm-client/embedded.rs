// SPDX-License-Identifier: MIT OR Apache-2.0
//! The model inside this program, for a device that has none.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use nix::errno::Errno;
use nix::sys::memfd::{memfd_create, MFdFlags};
use sislm::{Device, Error, LoadOptions, ModelName, Source};

use crate::exit_codes::{ExitCode, Failure};
use crate::loading;

/// test_models/README.md says how it was made, and under which license.
static MODEL: &[u8] = include_bytes!("../../../../test_models/kernel-docs-7m-q4_0.gguf");

/// Loads the embedded model as `default`; the device is at `path`.
pub(crate) fn load(device: &Device, path: &Path) -> anyhow::Result<ModelName> {
    let name = ModelName::default_model();
    let context = "cannot hold the embedded model in memory";
    let mut file =
        File::from(memfd_create(c"sislm-default", MFdFlags::MFD_CLOEXEC).context(context)?);
    file.write_all(MODEL).context(context)?;
    let loaded = loading::load(
        device,
        path,
        &Source::of_file(file).context(context)?,
        &[],
        &name,
        LoadOptions::default(),
    );
    match loaded
        .as_ref()
        .err()
        .and_then(|error| error.downcast_ref::<Error>())
        .map(Error::errno)
    {
        // Another client was faster.
        Some(Errno::EEXIST) => Ok(name),
        Some(Errno::EPERM) => Err(Failure::error(
            ExitCode::NotPermitted,
            "no model is loaded, and only an administrator (CAP_SYS_ADMIN) may load one: \
             ask for sudo sislm-client load FILE, or for one sudo sislm-client infer Hello, \
             which loads the small model embedded in it",
        )),
        _ => loaded.map(|_| name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_model_is_a_gguf_file_of_at_most_10_mb() {
        assert!(MODEL.starts_with(b"GGUF"));
        assert!(MODEL.len() <= 10_000_000);
    }
}
