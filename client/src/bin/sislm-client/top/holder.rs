// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes that hold the device open.

use std::cmp::Ordering;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process;

use sislm::OpenFile;

use super::facts::Facts;

/// A session, and the first process that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    /// The process, and the session's descriptor in it.
    pub file: OpenFile,
    /// The process's user.
    pub user: u32,
    /// The process's name.
    pub command: String,
    /// The session.
    pub facts: Facts,
}

/// All sessions that this user may see, in the order of their processes, without those of this process itself. `order` tells
/// descriptors apart that are of one session; those of which it cannot tell are taken for several.
pub(crate) fn all(
    proc: &Path,
    order: impl Fn(OpenFile, OpenFile) -> Option<Ordering>,
) -> Vec<Holder> {
    let numbers = fs::read_dir(proc).into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut processes: Vec<u32> = numbers.filter(|&found| found != process::id()).collect();
    processes.sort_unstable();
    let mut known: Vec<OpenFile> = Vec::new();
    let mut is_new = |file| {
        let place = known.binary_search_by(|&seen| order(seen, file).unwrap_or(Ordering::Less));
        place.map_err(|place| known.insert(place, file)).is_err()
    };
    let holders = processes
        .into_iter()
        .flat_map(|found| of_process(proc, found));
    holders.filter(|holder| is_new(holder.file)).collect()
}

/// Those of one process; none when it has ended meanwhile, or is of somebody else.
fn of_process(proc: &Path, process: u32) -> Vec<Holder> {
    let folder = proc.join(process.to_string());
    let files = fs::read_dir(folder.join("fdinfo"))
        .into_iter()
        .flatten()
        .flatten();
    let session = |file: fs::DirEntry| {
        let facts = Facts::parse(&fs::read_to_string(file.path()).ok()?)?;
        let descriptor = file.file_name().to_str()?.parse().ok()?;
        facts.is_session().then_some((descriptor, facts))
    };
    let mut sessions: Vec<(u32, Facts)> = files.filter_map(session).collect();
    if sessions.is_empty() {
        return Vec::new();
    }
    sessions.sort_unstable_by_key(|(descriptor, _)| *descriptor);
    let user = fs::metadata(&folder).map_or(0, |found| found.uid());
    let command = fs::read_to_string(folder.join("comm")).unwrap_or_default();
    let command = printable(command.trim_end());
    let holder = |(descriptor, facts)| Holder {
        file: OpenFile {
            process,
            descriptor,
        },
        user,
        command: command.clone(),
        facts,
    };
    sessions.into_iter().map(holder).collect()
}

/// A process may have named itself by what a terminal obeys.
fn printable(name: &str) -> String {
    name.chars()
        .map(|found| if found.is_control() { '?' } else { found })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_session_is_found_once_at_its_first_process() {
        let folder = tempfile::tempdir().unwrap();
        let proc = folder.path();
        for (name, text) in [
            ("20/fdinfo/0", "pos:\t0\n"),
            ("20/fdinfo/3", "sislm-state:\tbusy\n"),
            ("20/fdinfo/10", "sislm-state:\trunning\n"),
            ("20/fdinfo/11", "sislm-state:\tidle\n"),
            ("20/comm", "two\n"),
            ("3/fdinfo/4", "sislm-state:\trunning\n"),
            ("3/fdinfo/5", "sislm-state:\tpending\n"),
            ("3/comm", "a\u{1b}[2J\n"),
            ("4/fdinfo/0", "pos:\t0\n"),
            ("self/fdinfo/0", "sislm-state:\tidle\n"),
            ("uptime", "1"),
        ] {
            write(proc, name, text);
        }
        let seen = |order: &dyn Fn(OpenFile, OpenFile) -> Option<Ordering>| {
            let holders = all(proc, order).into_iter();
            let seen = holders.map(|holder| (holder.command, holder.file.descriptor));
            seen.collect::<Vec<_>>()
        };
        let found = |command: &str, descriptor| (command.to_owned(), descriptor);
        // The first is the fourth.
        let number = |file: OpenFile| match (file.process, file.descriptor) {
            (3, 4) | (20, 10) => 1,
            (_, descriptor) => descriptor,
        };
        assert_eq!(
            seen(&|one, other| Some(number(one).cmp(&number(other)))),
            [found("a?[2J", 4), found("a?[2J", 5), found("two", 3)]
        );
        assert_eq!(seen(&|_, _| None).len(), 4);
    }
}
