// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parts written to a folder, and what is made of them.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// Tensors of F32, two values each, with their data padded.
const NAMES: [&str; 3] = ["first", "second", "third"];

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// A pair with a number of 16 bits.
fn number(key: &str, value: u16) -> Vec<u8> {
    [
        string(key),
        2u32.to_le_bytes().to_vec(),
        value.to_le_bytes().to_vec(),
    ]
    .concat()
}

fn keys() -> Vec<Vec<u8>> {
    let list = [
        &9u32.to_le_bytes()[..],
        &8u32.to_le_bytes(),
        &2u64.to_le_bytes(),
    ]
    .concat();
    let list = [string("a.list"), list, string("one"), string("")].concat();
    let text = [
        string("general.architecture"),
        8u32.to_le_bytes().to_vec(),
        string("llama"),
    ]
    .concat();
    vec![text, list, number("a.number", 7)]
}

fn file(pairs: &[Vec<u8>], tensors: &[&str]) -> Vec<u8> {
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    file.extend((tensors.len() as u64).to_le_bytes());
    file.extend((pairs.len() as u64).to_le_bytes());
    file.extend(pairs.concat());
    for (place, name) in tensors.iter().enumerate() {
        file.extend(string(name));
        file.extend(
            [
                &1u32.to_le_bytes()[..],
                &2u64.to_le_bytes(),
                &0u32.to_le_bytes(),
            ]
            .concat(),
        );
        file.extend((place as u64 * 32).to_le_bytes());
    }
    file.resize(file.len().next_multiple_of(32), 0);
    for name in tensors {
        let mut data = name.as_bytes().to_vec();
        data.resize(32, 0);
        file.extend(data);
    }
    file
}

/// Parts of one model, written to a folder of their own.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary directory"));
        folder.write(1, &[keys(), split(0, 3, 3)].concat(), &NAMES[..0]);
        folder.write(2, &split(1, 3, 3), &NAMES[..2]);
        folder.write(3, &split(2, 3, 3), &NAMES[2..]);
        folder
    }

    fn path(&self, number: u32) -> PathBuf {
        self.0
            .path()
            .join(format!("model-{number:05}-of-00003.gguf"))
    }

    fn write(&self, number: u32, pairs: &[Vec<u8>], tensors: &[&str]) {
        fs::write(self.path(number), file(pairs, tensors)).expect("a written part");
    }

    fn fault(&self) -> (PathBuf, String) {
        let error = Split::find(&self.path(1)).expect_err("a fault");
        (error.path.clone(), error.to_string())
    }
}

fn split(place: u16, count: u16, tensors: u16) -> Vec<Vec<u8>> {
    vec![
        number("split.no", place),
        number("split.count", count),
        number("split.tensors.count", tensors),
    ]
}

/// All bytes of the model that a part belongs to.
fn whole(path: &Path) -> Vec<u8> {
    let split = Split::find(path).expect("sound parts").expect("a part");
    let mut bytes = split.header;
    for part in split.parts {
        let mut data = vec![0; usize::try_from(part.bytes).unwrap()];
        part.file.read_exact_at(&mut data, part.offset).unwrap();
        bytes.extend(data);
    }
    bytes
}

#[test]
fn any_part_gives_the_file_that_they_were_split_from() {
    let folder = Folder::new();
    for number in 1..=3 {
        assert_eq!(whole(&folder.path(number)), file(&keys(), &NAMES));
    }
}

#[test]
fn whole_models_and_what_is_no_model_are_no_parts() {
    let folder = Folder::new();
    let none = |path: &Path| Split::find(path).unwrap().is_none();
    assert!(none(&folder.0.path().join("model-00001-of-00004.gguf")));
    assert!(none(&folder.0.path().join("model.gguf")));
    folder.write(1, &keys(), &NAMES);
    assert!(none(&folder.path(1)));
    fs::write(folder.path(1), "no model").unwrap();
    assert!(none(&folder.path(1)));
}

#[test]
fn a_part_that_is_missing_or_damaged_is_named() {
    let folder = Folder::new();
    fs::remove_file(folder.path(3)).unwrap();
    let (path, sentence) = folder.fault();
    assert_eq!(path, folder.path(3));
    assert!(sentence.contains("into one folder"), "{sentence}");

    let folder = Folder::new();
    let part = fs::read(folder.path(2)).unwrap();
    for length in [0, 3, 30, 100, part.len() - 70, part.len() - 1] {
        fs::write(folder.path(2), &part[..length]).unwrap();
        let (path, sentence) = folder.fault();
        assert_eq!(path, folder.path(2), "{length}");
        assert!(sentence.contains("again"), "{length}: {sentence}");
    }
}

#[test]
fn a_part_of_another_model_is_refused() {
    for other in [split(2, 3, 3), split(1, 4, 3), keys()] {
        let folder = Folder::new();
        folder.write(2, &other, &NAMES[..2]);
        let (path, sentence) = folder.fault();
        assert_eq!(path, folder.path(2));
        assert!(sentence.contains("part 2 of 3"), "{sentence}");
    }
    let folder = Folder::new();
    folder.write(3, &split(2, 3, 3), &NAMES[1..]);
    let (_, sentence) = folder.fault();
    assert!(sentence.contains("4 tensors, not 3"), "{sentence}");
    let folder = Folder::new();
    let alignment = number("general.alignment", 64);
    folder.write(3, &[split(2, 3, 3), vec![alignment]].concat(), &NAMES[2..]);
    assert!(folder.fault().1.contains("aligned otherwise"));
}

#[test]
fn counts_and_lengths_past_the_end_take_no_memory() {
    let folder = Folder::new();
    let part = fs::read(folder.path(2)).unwrap();
    // Tensors, keys, and the length of the first key.
    for at in [8, 16, 24] {
        let mut changed = part.clone();
        changed[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        fs::write(folder.path(2), changed).unwrap();
        assert_eq!(folder.fault().0, folder.path(2), "{at}");
    }
}
