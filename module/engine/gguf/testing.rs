// SPDX-License-Identifier: GPL-2.0
//! A writer of small GGUF files, good and bad, for tests.

use super::{Kind, Parser, Progress, Reason, Refusal};

/// A GGUF file being written.
#[derive(Clone)]
pub(crate) struct Writer {
    keys: u64,
    tensors: u64,
    head: Vec<u8>,
    infos: Vec<u8>,
    data: Vec<u8>,
}

pub(crate) fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text].concat()
}

impl Writer {
    /// A file without keys and tensors.
    pub(crate) fn new() -> Self {
        Self {
            keys: 0,
            tensors: 0,
            head: vec![],
            infos: vec![],
            data: vec![],
        }
    }

    /// Number of keys.
    pub(crate) fn keys(&self) -> u64 {
        self.keys
    }

    /// A key with a value of any bytes.
    pub(crate) fn key(mut self, key: &str, kind: u32, value: &[u8]) -> Self {
        self.keys += 1;
        self.head.extend(string(key.as_bytes()));
        self.head.extend(kind.to_le_bytes());
        self.head.extend(value);
        self
    }

    pub(crate) fn text(self, key: &str, text: &str) -> Self {
        self.key(key, Kind::String as u32, &string(text.as_bytes()))
    }

    pub(crate) fn u32(self, key: &str, value: u32) -> Self {
        self.key(key, Kind::U32 as u32, &value.to_le_bytes())
    }

    pub(crate) fn f32(self, key: &str, value: f32) -> Self {
        self.key(key, Kind::F32 as u32, &value.to_le_bytes())
    }

    pub(crate) fn bool(self, key: &str, value: bool) -> Self {
        self.key(key, Kind::Bool as u32, &[u8::from(value)])
    }

    /// An array whose elements are `bytes`.
    pub(crate) fn array(self, key: &str, kind: Kind, count: u64, bytes: &[u8]) -> Self {
        let head = [&(kind as u32).to_le_bytes()[..], &count.to_le_bytes()].concat();
        self.key(key, Kind::Array as u32, &[&head, bytes].concat())
    }

    pub(crate) fn strings(self, key: &str, texts: &[&[u8]]) -> Self {
        let bytes: Vec<u8> = texts.iter().flat_map(|text| string(text)).collect();
        self.array(key, Kind::String, texts.len() as u64, &bytes)
    }

    pub(crate) fn floats(self, key: &str, values: &[f32]) -> Self {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.array(key, Kind::F32, values.len() as u64, &bytes)
    }

    pub(crate) fn integers(self, key: &str, values: &[i32]) -> Self {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.array(key, Kind::I32, values.len() as u64, &bytes)
    }

    /// A tensor info as given, without data.
    pub(crate) fn info(mut self, name: &str, dims: &[u64], kind: u32, offset: u64) -> Self {
        self.tensors += 1;
        self.infos.extend(string(name.as_bytes()));
        self.infos.extend((dims.len() as u32).to_le_bytes());
        self.infos
            .extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
        self.infos.extend(kind.to_le_bytes());
        self.infos.extend(offset.to_le_bytes());
        self
    }

    /// A tensor with its data, after those before it.
    pub(crate) fn tensor(self, name: &str, dims: &[u64], kind: u32, data: &[u8]) -> Self {
        let offset = self.data.len() as u64;
        let mut writer = self.info(name, dims, kind, offset);
        writer.data.extend(data);
        writer
            .data
            .resize(writer.data.len().next_multiple_of(32), 0);
        writer
    }

    /// The header, unpadded.
    pub(crate) fn header(&self) -> Vec<u8> {
        let fixed = [
            &b"GGUF"[..],
            &3u32.to_le_bytes(),
            &self.tensors.to_le_bytes(),
        ];
        [
            &fixed.concat()[..],
            &self.keys.to_le_bytes(),
            &self.head,
            &self.infos,
        ]
        .concat()
    }

    /// The file.
    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut file = self.header();
        if self.tensors > 0 {
            file.resize(file.len().next_multiple_of(32), 0);
        }
        file.extend(&self.data);
        file
    }
}

/// A parsed header.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) parser: Parser,
    pub(crate) table: Vec<u8>,
}

/// Parses a whole file with the budget given in each call.
pub(crate) fn parse(file: &[u8], budget: u32) -> Result<Parsed, Refusal> {
    parse_header(file, file.len() as u64, budget)
}

/// As [`parse`], of the header of a file of so many bytes.
pub(crate) fn parse_header(header: &[u8], bytes: u64, budget: u32) -> Result<Parsed, Refusal> {
    let mut parser = Parser::new(header, bytes).expect("24 bytes")?;
    let mut table = vec![0; parser.table_bytes() as usize];
    loop {
        match parser.run(header, &mut table, budget)? {
            Progress::Done => return Ok(Parsed { parser, table }),
            Progress::More => {}
            Progress::Short { need } => {
                assert!(need > header.len() as u64 && need <= bytes);
                return Err(Refusal::new(Reason::Truncated, need, b"header"));
            }
        }
    }
}

/// Calls `check` with `count` seeded mutations of `file`: bytes, integers at the edges of their
/// ranges, and pieces copied, cut out or cut off.
pub(crate) fn mutations(file: &[u8], seed: u64, count: u32, mut check: impl FnMut(&[u8])) {
    let mut state = seed;
    let mut draw = move |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((state >> 33) as usize) % below.max(1)
    };
    let edges = [
        0,
        1,
        0x7f,
        0x80,
        0xff,
        0xffff,
        0x7fff_ffff,
        0xffff_ffff,
        1 << 32,
        1 << 63,
        u64::MAX,
    ];
    for _ in 0..count {
        let mut mutant = file.to_vec();
        for _ in 0..=draw(3) {
            let at = draw(mutant.len());
            match draw(5) {
                0 => mutant[at] ^= 1 << draw(8),
                1 => mutant[at] = draw(256) as u8,
                2 => {
                    let edge = edges[draw(edges.len())].to_le_bytes();
                    let width = [1, 4, 8][draw(3)].min(mutant.len() - at);
                    mutant[at..at + width].copy_from_slice(&edge[..width]);
                }
                3 => {
                    let (from, length) = (draw(mutant.len()), draw(32));
                    let end = (from + length).min(mutant.len());
                    let piece = mutant[from..end].to_vec();
                    let end = (at + draw(32)).min(mutant.len());
                    mutant.splice(at..end, piece);
                }
                _ => mutant.truncate(at.max(24)),
            }
            if mutant.is_empty() {
                mutant.push(0);
            }
        }
        check(&mutant);
    }
}
