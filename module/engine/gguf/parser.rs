// SPDX-License-Identifier: GPL-2.0
//! The header's parser: a resumable machine over the part of the file that is in memory.

use super::order::{Layout, Sort, Walk};
use super::table::{self, TableMut, table_bytes};
use super::value::Value;
use super::{Cursor, Keys, Kind, Reason, Refusal, Stop, TensorInfo, Tensors};

/// Bytes of the fixed part: magic, version, number of tensors, number of metadata keys.
pub const FIXED_BYTES: usize = 24;
/// Most metadata keys.
const KEYS_MAX: u64 = 1 << 16;
/// Most tensors.
const TENSORS_MAX: u64 = 8192;
/// Longest metadata key, in bytes.
const KEY_BYTES_MAX: u64 = 1024;
/// Alignment of tensors where the file does not say.
const ALIGNMENT: u32 = 32;
/// Largest alignment of tensors.
const ALIGNMENT_MAX: u32 = 1 << 24;

/// How far a machine came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Finished.
    Done,
    /// The budget is used up.
    More,
    /// The part of the file in memory is too short.
    Short {
        /// Bytes from the start of the file that are needed at least.
        need: u64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Keys,
    /// Walks over the elements of an array of strings.
    Elements {
        left: u32,
    },
    Tensors,
    Sorting(Sort),
    Placing(Walk),
    Finished,
}

/// The machine. It holds positions and values, no references.
#[derive(Clone, Copy, Debug)]
pub struct Parser {
    file_bytes: u64,
    /// Offset of the next item.
    at: usize,
    keys: u32,
    tensors: u32,
    /// Items of the present kind that are done.
    done: u32,
    stage: Stage,
    alignment: u32,
    data: u64,
}

impl Parser {
    /// Reads the fixed part, [`FIXED_BYTES`] long. `None` when `prefix` is shorter than it.
    pub fn new(prefix: &[u8], file_bytes: u64) -> Option<Result<Self, Refusal>> {
        match Self::read_fixed(prefix, file_bytes) {
            Ok(parser) => Some(Ok(parser)),
            Err(Stop::Short(_)) => None,
            Err(Stop::Refused(refusal)) => Some(Err(refusal)),
        }
    }

    fn read_fixed(prefix: &[u8], file_bytes: u64) -> Result<Self, Stop> {
        let mut cursor = Cursor::new(prefix, 0, file_bytes);
        if cursor.array()? != *b"GGUF" {
            return Err(Refusal::new(Reason::NotGguf, 0, b"").into());
        }
        let version = cursor.u32()?;
        if !matches!(version, 2 | 3) {
            return Err(Refusal::new(Reason::Version, u64::from(version), b"").into());
        }
        let tensors = capped(cursor.u64()?, TENSORS_MAX, b"tensors")?;
        let keys = capped(cursor.u64()?, KEYS_MAX, b"metadata keys")?;
        Ok(Self {
            file_bytes,
            at: cursor.at(),
            keys,
            tensors,
            done: 0,
            stage: Stage::Keys,
            alignment: ALIGNMENT,
            data: 0,
        })
    }

    /// Bytes of the table that [`Parser::run`] fills.
    pub fn table_bytes(&self) -> u64 {
        table_bytes(self.keys, self.tensors)
    }

    /// Goes on with about `budget` items (keys, array elements, tensors). `prefix` is the file
    /// from its start, `table` is the same memory in each call, zeroed before the first.
    ///
    /// # Errors
    /// The refusal; the machine must not be run again.
    pub fn run(
        &mut self,
        prefix: &[u8],
        table: &mut [u8],
        budget: u32,
    ) -> Result<Progress, Refusal> {
        let small = Refusal::new(Reason::Limit, self.table_bytes(), b"tensor table");
        let mut table = TableMut::new(table, self.keys, self.tensors).ok_or(small)?;
        for _ in 0..budget {
            match self.step(prefix, &mut table) {
                Ok(()) if matches!(self.stage, Stage::Finished) => return Ok(Progress::Done),
                Ok(()) => {}
                Err(Stop::Short(need)) => return Ok(Progress::Short { need }),
                Err(Stop::Refused(refusal)) => return Err(refusal),
            }
        }
        Ok(Progress::More)
    }

    /// The metadata keys, after [`Progress::Done`]; `None` when `table` is not the table. `prefix` is
    /// the file from its start.
    pub fn keys<'a>(&self, prefix: &'a [u8], table: &'a [u8]) -> Option<Keys<'a>> {
        table::keys(prefix, table, self.keys, self.tensors)
    }

    /// The tensors, after [`Progress::Done`]; `None` when `table` is not the table.
    pub fn tensors<'a>(&self, table: &'a [u8]) -> Option<Tensors<'a>> {
        Tensors::new(table, self.keys, self.tensors)
    }

    /// Bytes of the header, without padding; after [`Progress::Done`].
    pub fn header_bytes(&self) -> u64 {
        self.at as u64
    }

    /// Offset of the data section; after [`Progress::Done`].
    pub fn data_offset(&self) -> u64 {
        self.data
    }

    /// Does one item, wholly or not at all.
    fn step(&mut self, prefix: &[u8], table: &mut TableMut<'_>) -> Result<(), Stop> {
        match self.stage {
            Stage::Keys if self.done == self.keys => {
                // CAST: At most HEADER_BYTES_MAX.
                #[expect(clippy::cast_possible_truncation)]
                table.close_keys(self.at as u32);
                self.alignment = alignment(&table.keys(prefix))?;
                self.done = 0;
                self.stage = Stage::Tensors;
            }
            Stage::Keys => self.read_key(prefix, table)?,
            Stage::Elements { left: 0 } => self.stage = Stage::Keys,
            Stage::Elements { left } => {
                let mut cursor = self.cursor(prefix);
                cursor.string()?;
                self.at = cursor.at();
                self.stage = Stage::Elements { left: left - 1 };
            }
            Stage::Tensors if self.done == self.tensors => {
                let mask = u64::from(self.alignment) - 1;
                self.data = (self.at as u64 + mask) & !mask;
                self.stage = Stage::Sorting(Sort::new(self.tensors));
            }
            Stage::Tensors => self.read_tensor(prefix, table)?,
            Stage::Sorting(ref mut sort) => {
                if sort.step(table) {
                    self.stage = Stage::Placing(Walk::new(self.data));
                }
            }
            Stage::Placing(mut walk) => {
                let layout = Layout {
                    data: self.data,
                    alignment: self.alignment,
                    file_bytes: self.file_bytes,
                };
                let finished = walk.step(table, layout, prefix)?;
                self.stage = if finished {
                    Stage::Finished
                } else {
                    Stage::Placing(walk)
                };
            }
            Stage::Finished => {}
        }
        Ok(())
    }

    fn read_key(&mut self, prefix: &[u8], table: &mut TableMut<'_>) -> Result<(), Stop> {
        let start = self.at;
        let mut cursor = self.cursor(prefix);
        let length = cursor.u64()?;
        if length > KEY_BYTES_MAX {
            return Err(Refusal::new(Reason::Count, length, b"key").into());
        }
        if length == 0 {
            return Err(Refusal::new(Reason::Malformed, start as u64, b"key").into());
        }
        let key = cursor.bytes(length)?;
        let value = Value::read(&mut cursor, key)?;
        // CAST: At most HEADER_BYTES_MAX.
        #[expect(clippy::cast_possible_truncation)]
        table.add_key(prefix, self.done, key, start as u32)?;
        self.at = cursor.at();
        self.done += 1;
        if let Value::Array(array) = value
            && array.kind == Kind::String
        {
            self.stage = Stage::Elements { left: array.count };
        }
        Ok(())
    }

    fn read_tensor(&mut self, prefix: &[u8], table: &mut TableMut<'_>) -> Result<(), Stop> {
        let mut cursor = self.cursor(prefix);
        let info = TensorInfo::read(&mut cursor)?;
        table.add_tensor(prefix, self.done, &info)?;
        self.at = cursor.at();
        self.done += 1;
        Ok(())
    }

    fn cursor<'a>(&self, prefix: &'a [u8]) -> Cursor<'a> {
        Cursor::new(prefix, self.at, self.file_bytes)
    }
}

/// The alignment of tensors: a power of two, 8 to [`ALIGNMENT_MAX`].
fn alignment(keys: &Keys<'_>) -> Result<u32, Refusal> {
    const KEY: &[u8] = b"general.alignment";
    let alignment = keys.u32(KEY)?.unwrap_or(ALIGNMENT);
    if !alignment.is_power_of_two() || !(8..=ALIGNMENT_MAX).contains(&alignment) {
        return Err(Refusal::new(Reason::KeyValue, u64::from(alignment), KEY));
    }
    Ok(alignment)
}

fn capped(count: u64, most: u64, what: &[u8]) -> Result<u32, Refusal> {
    match u32::try_from(count) {
        Ok(number) if count <= most => Ok(number),
        _ => Err(Refusal::new(Reason::Count, count, what)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Parsed, Writer, mutations, parse};
    use super::*;

    /// A small sound file with every kind of value.
    fn sound() -> Writer {
        Writer::new()
            .text("general.architecture", "llama")
            .text("general.name", "a name")
            .u32("general.file_type", 7)
            .u32("llama.context_length", 256)
            .f32("llama.attention.layer_norm_rms_epsilon", 1e-5)
            .u32("other.context_length", 3)
            .key("an.integer", Kind::I64 as u32, &[7; 8])
            .array("an.array", Kind::U16, 3, &[0; 6])
            .strings("some.strings", &[b"one", b"", b"three"])
            .strings("tokenizer.ggml.tokens", &[b"<unk>", b"a"])
            .floats("tokenizer.ggml.scores", &[0.0, -1.0])
            .integers("tokenizer.ggml.token_type", &[2, 1])
            .bool("tokenizer.ggml.add_bos_token", true)
            .tensor("second", &[3, 2], 0, &[1; 24])
            .tensor("first", &[64], 8, &[2; 68])
            .tensor("third", &[32, 1, 2], 2, &[3; 36])
    }

    fn refusal(writer: &Writer) -> (Reason, u64, String) {
        let refusal = parse(&writer.finish(), 100).expect_err("a refusal");
        let end = refusal
            .subject
            .iter()
            .position(|&byte| byte == 0)
            .expect("a NUL");
        let subject = String::from_utf8(refusal.subject[..end].to_vec()).expect("ASCII");
        (refusal.reason, refusal.detail, subject)
    }

    fn refused(writer: Writer) -> (Reason, String) {
        let (reason, _, subject) = refusal(&writer);
        (reason, subject)
    }

    #[test]
    fn reads_what_was_written_with_any_budget() {
        let file = sound().finish();
        for budget in [1, 2, 7, 1000] {
            let Parsed { parser, table } = parse(&file, budget).expect("a sound file");
            let keys = parser.keys(&file, &table).expect("the table");
            assert_eq!(keys.text(b"general.architecture"), Ok(Some(&b"llama"[..])));
            assert_eq!(keys.text(b"general.name"), Ok(Some(&b"a name"[..])));
            assert_eq!(keys.u32(b"general.file_type"), Ok(Some(7)));
            let epsilon = keys.f32(b"llama.attention.layer_norm_rms_epsilon");
            assert_eq!(epsilon, Ok(Some(1e-5)));
            assert_eq!(keys.bool(b"tokenizer.ggml.add_bos_token"), Ok(Some(true)));
            let tokens = keys.array(b"tokenizer.ggml.tokens", &[Kind::String]);
            let tokens = tokens.expect("strings").expect("tokens");
            assert_eq!((tokens.count, tokens.bytes), (2, 8 + 5 + 8 + 1));
            let scores = keys.array(b"tokenizer.ggml.scores", &[Kind::F32]);
            let scores = scores.expect("floats").expect("scores");
            assert_eq!(scores.of(&file)[4..], (-1f32).to_le_bytes());
            assert_eq!(parser.data_offset() % 32, 0);
            let tensors = parser.tensors(&table).expect("the table");
            assert_eq!(tensors.count(), 3);
            let at = tensors.find(&file, b"first").expect("the tensor");
            let info = tensors.get(at).expect("the tensor");
            assert_eq!((info.kind, info.dims, info.bytes), (8, [64, 1, 1, 1], 68));
            assert_eq!(file[info.offset as usize..][..68], [2; 68]);
            assert_eq!(tensors.find(&file, b"fourth"), None);
            let order: Vec<u32> = (0..3)
                .map(|place| tensors.in_file_order(place).expect("a place"))
                .collect();
            assert_eq!(order, [0, 1, 2]);
        }
    }

    #[test]
    fn a_growing_prefix_gives_the_same_as_the_whole_file() {
        let file = sound().finish();
        let whole = parse(&file, 1000).expect("a sound file");
        let mut parser = Parser::new(&file[..24], file.len() as u64)
            .expect("24 bytes")
            .expect("GGUF");
        let mut table = vec![0; parser.table_bytes() as usize];
        let mut known = 24;
        loop {
            match parser
                .run(&file[..known], &mut table, 3)
                .expect("a sound file")
            {
                Progress::Done => break,
                Progress::More => {}
                Progress::Short { need } => {
                    assert!(known < need as usize && need as usize <= file.len());
                    known += 1;
                }
            }
        }
        assert_eq!(table, whole.table);
    }

    #[test]
    fn a_file_cut_anywhere_is_truncated() {
        let file = sound().finish();
        // The last tensor's padding is not missed.
        for length in 0..file.len() - 28 {
            let reason = match Parser::new(&file[..length], length as u64) {
                Some(Ok(_)) => parse(&file[..length], 1000).expect_err("a cut file").reason,
                Some(Err(refusal)) => refusal.reason,
                None => panic!("short of a whole file"),
            };
            assert_eq!(reason, Reason::Truncated, "{length}");
        }
    }

    #[test]
    fn a_prefix_below_the_fixed_part_is_short() {
        assert!(Parser::new(&sound().finish()[..23], 1000).is_none());
    }

    #[test]
    fn tensors_are_sorted_by_offset() {
        let mut writer = Writer::new();
        let places: Vec<u64> = (0..500).map(|number| number * 7919 % 500).collect();
        for (number, place) in places.iter().enumerate() {
            writer = writer.info(&format!("t{number}"), &[8], 0, place * 32);
        }
        let mut file = writer.finish();
        file.resize(file.len() + 500 * 32, 0);
        let Parsed { parser, table } = parse(&file, 10).expect("a sound file");
        let tensors = parser.tensors(&table).expect("the table");
        for place in 0..500 {
            let index = tensors.in_file_order(place).expect("a place");
            assert_eq!(places[index as usize], u64::from(place));
        }
        assert_eq!(tensors.in_file_order(500), None);
    }

    #[test]
    fn defects_of_the_fixed_part_are_refused() {
        let change = |at: usize, bytes: &[u8]| {
            let mut file = sound().finish();
            file[at..at + bytes.len()].copy_from_slice(bytes);
            let outcome = Parser::new(&file, file.len() as u64).expect("24 bytes");
            outcome.expect_err("a refusal").reason
        };
        assert_eq!(change(0, b"ggml"), Reason::NotGguf);
        assert_eq!(change(4, &[1]), Reason::Version);
        assert_eq!(change(4, &[4]), Reason::Version);
        assert_eq!(change(4, &[0, 0, 0, 3]), Reason::Version);
        assert_eq!(change(8, &[1, 32]), Reason::Count);
        assert_eq!(change(15, &[128]), Reason::Count);
        assert_eq!(change(16, &[1, 0, 1]), Reason::Count);
        assert_eq!(change(16, &[255; 8]), Reason::Count);
    }

    #[test]
    fn defects_of_keys_are_refused() {
        let key = |reason, key: &str| (reason, key.to_owned());
        let twice = sound().u32("an.integer", 1);
        assert_eq!(refused(twice), key(Reason::Malformed, "an.integer"));
        assert_eq!(refused(sound().u32("", 1)), key(Reason::Malformed, "key"));
        let long = "k".repeat(1025);
        assert_eq!(refused(sound().u32(&long, 1)), key(Reason::Count, "key"));
        assert_eq!(
            refused(sound().key("x", 13, &[0; 8])),
            key(Reason::Malformed, "x")
        );
        let array = |kind: u32, count: u64| {
            let head = [&kind.to_le_bytes()[..], &count.to_le_bytes(), &[0; 64]].concat();
            refused(sound().key("x", Kind::Array as u32, &head))
        };
        assert_eq!(array(Kind::Array as u32, 1), key(Reason::Malformed, "x"));
        assert_eq!(array(77, 1), key(Reason::Malformed, "x"));
        assert_eq!(array(Kind::U64 as u32, 1 << 61), key(Reason::Count, "x"));
        assert_eq!(array(Kind::U8 as u32, 1 << 40), key(Reason::Truncated, ""));
        assert_eq!(array(Kind::String as u32, 1 << 40), key(Reason::Count, "x"));
        assert_eq!(
            array(Kind::String as u32, u64::MAX),
            key(Reason::Count, "x")
        );
        let endless = sound().key("x", Kind::String as u32, &u64::MAX.to_le_bytes());
        assert_eq!(refused(endless), key(Reason::Truncated, ""));
        let truth = sound().key("x", Kind::Bool as u32, &[2]);
        assert_eq!(refused(truth), key(Reason::Malformed, "x"));
    }

    #[test]
    fn the_longest_key_and_the_largest_alignment_are_taken() {
        let long = sound().u32(&"k".repeat(1024), 1);
        assert!(parse(&long.finish(), 100).is_ok());
        let aligned = |alignment| Writer::new().u32("general.alignment", alignment);
        assert!(parse(&aligned(ALIGNMENT_MAX).finish(), 100).is_ok());
        assert!(parse(&aligned(8).finish(), 100).is_ok());
        let refused = |writer| refused(writer);
        let value = (Reason::KeyValue, "general.alignment".to_owned());
        for alignment in [0, 1, 4, 24, ALIGNMENT_MAX * 2] {
            assert_eq!(refused(aligned(alignment)), value);
        }
        let text = Writer::new().text("general.alignment", "32");
        let kind = (Reason::KeyType, "general.alignment".to_owned());
        assert_eq!(refused(text), kind);
    }

    #[test]
    fn defects_of_tensors_are_refused() {
        let tensor = |reason, name: &str| (reason, name.to_owned());
        let info = |dims: &[u64], kind, offset| refused(sound().info("x", dims, kind, offset));
        assert_eq!(
            refused(sound().info("first", &[1], 0, 0)),
            tensor(Reason::TensorDuplicate, "first")
        );
        assert_eq!(info(&[8], 0, 0), tensor(Reason::TensorBounds, "x"));
        assert_eq!(info(&[8], 0, 1 << 20), tensor(Reason::TensorBounds, "x"));
        assert_eq!(info(&[8], 0, 8), tensor(Reason::TensorBounds, "x"));
        // Behind all others, inside the file, and not aligned.
        let mut unaligned = sound().info("x", &[1], 0, 192 + 8).finish();
        unaligned.resize(unaligned.len() + 64, 0);
        let found = parse(&unaligned, 100).expect_err("a refusal");
        assert_eq!((found.reason, found.detail), (Reason::TensorBounds, 200));
        assert_eq!(
            info(&[8], 0, u64::MAX - 31),
            tensor(Reason::TensorBounds, "x")
        );
        assert_eq!(info(&[8], 0, 192), tensor(Reason::Truncated, "x"));
        assert_eq!(info(&[8], 99, 192), tensor(Reason::TensorType, "x"));
        assert_eq!(info(&[33], 8, 192), tensor(Reason::TensorShape, "x"));
        assert_eq!(info(&[1 << 62, 4], 0, 192), tensor(Reason::Count, "x"));
        assert_eq!(info(&[], 0, 192), tensor(Reason::Count, "x"));
        assert_eq!(info(&[1; 5], 0, 192), tensor(Reason::Count, "x"));
        let long = sound().info(&"n".repeat(65), &[1], 0, 192);
        assert_eq!(refused(long), tensor(Reason::Count, "tensor name"));
        let last = sound().info("x", &[8], 0, 192);
        assert_eq!(refusal(&last).1, last.finish().len() as u64 + 32);
    }

    #[test]
    fn a_table_of_another_size_is_refused() {
        let file = sound().finish();
        let mut parser = Parser::new(&file, file.len() as u64)
            .expect("24 bytes")
            .expect("GGUF");
        let mut table = vec![0; parser.table_bytes() as usize - 1];
        let refusal = parser.run(&file, &mut table, 1).expect_err("a short table");
        assert_eq!(refusal.reason, Reason::Limit);
    }

    #[test]
    fn mutated_headers_never_panic() {
        let mut sound_files = 0;
        mutations(&sound().finish(), 1, 20_000, |file| {
            if let Some(Ok(_)) = Parser::new(file, file.len() as u64) {
                sound_files += u32::from(parse(file, 50).is_ok());
            }
        });
        assert!(sound_files > 100 && sound_files < 15_000, "{sound_files}");
    }
}
