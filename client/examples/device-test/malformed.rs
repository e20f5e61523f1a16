// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are no sound models, each with the refusal it must meet.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::Path;

use nix::errno::Errno;

use crate::raw::*;
use crate::report::{Failure, Report};

/// SISLM_LOAD_* by number.
pub(crate) const REASONS: [&str; 23] = [
    "OK",
    "NOT_GGUF",
    "VERSION",
    "TRUNCATED",
    "MALFORMED",
    "COUNT",
    "KEY_MISSING",
    "KEY_TYPE",
    "KEY_VALUE",
    "ARCHITECTURE",
    "TOKENIZER",
    "TENSOR_MISSING",
    "TENSOR_TYPE",
    "TENSOR_SHAPE",
    "TENSOR_BOUNDS",
    "TENSOR_DUPLICATE",
    "NOT_FINITE",
    "LIMIT",
    "VOCABULARY",
    "UNSUPPORTED",
    "SPLIT",
    "TENSOR_UNKNOWN",
    "VECTOR_TYPE",
];

/// Loads every file that DIRECTORY/REASONS names, and DIRECTORY/sound.gguf cut at each sixteenth.
pub(crate) fn run(report: &mut Report, directory: &str) -> Result<(), Failure> {
    let device = open()?;
    let directory = Path::new(directory);
    let table = fs::read_to_string(directory.join("REASONS"))?;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (Some(name), Some(reasons), Some(subject)) = (words.next(), words.next(), words.next())
        else {
            return Err(format!("REASONS: {line}").into());
        };
        let (found, load) = attempt(&device, &directory.join(format!("{name}.gguf")))?;
        judge(
            report,
            &format!("malformed/{name}"),
            found,
            &load,
            reasons,
            subject,
        );
    }
    truncated(report, &device, &directory.join("sound.gguf"))?;
    first_of_many(
        report,
        &device,
        &directory.join("../kernel-docs-7m-q4_0.gguf"),
    )
}

/// Tries to load `path`; a model that loads is unloaded again.
fn attempt(device: &File, path: &Path) -> Result<(Result<(), Errno>, sislm_load), Failure> {
    let file = File::open(path)?;
    let mut load = sislm_load {
        fd: file.as_raw_fd(),
        name: name(b"malformed"),
        ..Default::default()
    };
    let found = call(device, SISLM_IOC_LOAD, &mut load);
    if found.is_ok() {
        call(
            device,
            SISLM_IOC_UNLOAD,
            &mut sislm_unload {
                name: name(b"malformed"),
                ..Default::default()
            },
        )?;
    }
    Ok((found, load))
}

fn judge(
    report: &mut Report,
    test: &str,
    found: Result<(), Errno>,
    load: &sislm_load,
    reasons: &str,
    subject: &str,
) {
    let reason = REASONS.get(load.reason as usize).copied().unwrap_or("?");
    let end = load.subject.iter().position(|&byte| byte == 0).unwrap_or(0);
    let about = String::from_utf8_lossy(load.subject.get(..end).unwrap_or_default()).into_owned();
    let errno = match reason {
        "OK" => Ok(()),
        "ARCHITECTURE" | "TOKENIZER" | "TENSOR_TYPE" | "VERSION" | "UNSUPPORTED" | "SPLIT"
        | "TENSOR_UNKNOWN" | "VECTOR_TYPE" => Err(Errno::EOPNOTSUPP),
        "LIMIT" => Err(Errno::EFBIG),
        _ => Err(Errno::EINVAL),
    };
    let fits = reasons.split(',').any(|wanted| wanted == reason);
    // A norm of the wrong type or an alternative reason may name what it stumbled over instead.
    let named = subject == "-" || reasons.contains(',') || about == subject;
    let wanted = format!("{reasons} about {subject}");
    if fits && named && (found == errno || found == Err(Errno::EINVAL) && errno.is_err()) {
        report.equal(test, true, true);
    } else {
        report.failed(
            test,
            &format!(
                "found {found:?} {reason} about {about:?} ({}), wanted {wanted}",
                load.detail
            ),
        );
    }
}

fn truncated(report: &mut Report, device: &File, path: &Path) -> Result<(), Failure> {
    let whole = fs::read(path)?;
    let cut = Path::new("/tmp/truncated.gguf");
    for sixteenth in 0..16 {
        let bytes = whole.len() * sixteenth / 16;
        fs::write(cut, &whole[..bytes])?;
        let (found, load) = attempt(device, cut)?;
        let test = format!("malformed/truncated-at-{sixteenth}-16");
        judge(
            report,
            &test,
            found,
            &load,
            "TRUNCATED,NOT_GGUF,TENSOR_BOUNDS",
            "-",
        );
    }
    fs::remove_file(cut)?;
    Ok(())
}

/// Of many blocks that are not finite the first one is named, whichever task packs faster.
fn first_of_many(report: &mut Report, device: &File, path: &Path) -> Result<(), Failure> {
    let sound = fs::read(path)?;
    let spoilt = Path::new("/tmp/spoilt.gguf");
    let start = sound.len() / 2;
    let refused_for = |end: usize| -> Result<_, Failure> {
        let mut bytes = sound.clone();
        bytes[start..end].fill(0xff);
        fs::write(spoilt, &bytes)?;
        let (found, load) = attempt(device, spoilt)?;
        Ok((found, load.reason, load.detail, load.subject))
    };
    // At least all of the group of rows that it begins in, which is checked block by block of each row.
    let one = refused_for(start + 8192)?;
    report.equal(
        "malformed/few-blocks-are-not-finite",
        (one.0, REASONS[one.1 as usize]),
        (Err(Errno::EINVAL), "NOT_FINITE"),
    );
    for round in 0..8 {
        let test = format!("malformed/first-of-many-{round}");
        report.equal(&test, refused_for(sound.len())?, one);
    }
    fs::remove_file(spoilt)?;
    Ok(())
}
