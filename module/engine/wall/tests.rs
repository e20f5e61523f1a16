// SPDX-License-Identifier: GPL-2.0
//! The wall as the module uses it, over the files of test_models.

use std::fs;
use std::path::PathBuf;

use crate::abi::BLOCK_POSITIONS;
use crate::abi::DONE;
use crate::abi::Facts;
use crate::abi::Header;
use crate::abi::Limits;
use crate::abi::MORE;
use crate::abi::Plan;
use crate::abi::ROW_LOGITS;
use crate::abi::Read;
use crate::abi::Refusal;
use crate::abi::Row;
use crate::abi::SEGMENT_BYTES;
use crate::abi::Segment;
use crate::abi::StepShape;
use crate::abi::StepSize;
use crate::abi::fault;
use crate::gguf::Parser;
use crate::gguf::Progress;
use crate::wall::all::*;

/// A cache line, for the alignment of the wall.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u8; 64]);

/// Zeroed memory.
struct Memory(Vec<Line>);

impl Memory {
    fn new(bytes: u64) -> Memory {
        Memory(vec![Line([0; 64]); bytes.div_ceil(64) as usize])
    }

    fn base(&self) -> *mut u8 {
        self.0.as_ptr().cast::<u8>().cast_mut()
    }

    fn bytes(&self) -> usize {
        64 * self.0.len()
    }
}

/// A loaded model.
struct Model {
    memory: Memory,
    _arena: Vec<Memory>,
    _segments: Vec<Segment>,
    facts: Facts,
}

/// A file of test_models.
fn file(name: &str) -> Vec<u8> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../test_models"));
    fs::read(root.join(name)).expect("a file of test_models")
}

/// What the file is refused with, or the status when that says nothing.
#[derive(Debug, PartialEq)]
enum Failed {
    Refused(u32, String),
    Status(i32),
}

/// A call that can refuse: its status, or why it failed.
fn call(f: impl FnOnce(*mut Refusal) -> i32) -> Result<i32, Failed> {
    let mut refusal = Refusal {
        reason: 0,
        pad: 0,
        detail: 0,
        subject: [0; 64],
    };
    match f(&mut refusal) {
        fault::REFUSED => {
            let text: Vec<u8> = refusal
                .subject
                .into_iter()
                .take_while(|&byte| byte != 0)
                .collect();
            Err(Failed::Refused(
                refusal.reason,
                String::from_utf8(text).expect("ASCII"),
            ))
        }
        status => Ok(status),
    }
}

/// Loads `file` as the module does, with a header buffer that grows and `budget` per call.
fn load(file: &[u8], budget: u32, context: u32) -> Result<Model, Failed> {
    let limits = Limits {
        file_bytes: file.len() as u64,
        model_bytes: 1 << 30,
        context,
        simd: 1,
    };
    let mut header = Header { need: 24 };
    let mut size = 0;
    let first = &file[..file.len().min(24)];
    // SAFETY: Slices and locals that outlive each call; memory of the sizes asked for, zeroed; calls
    // in the order of the wall.
    unsafe {
        let status = call(|refusal| {
            sislm_engine_load_size(first.as_ptr(), first.len(), &mut header, &mut size, refusal)
        })?;
        if status != DONE {
            return Err(Failed::Status(status));
        }
        let state = Memory::new(size);
        let load = state.base();
        let begun =
            sislm_engine_load_begin(load, state.bytes(), &limits, first.as_ptr(), first.len());
        assert_eq!(begun, DONE);
        let mut known = first.len();
        loop {
            let prefix = file[..known].to_vec();
            let status = call(|refusal| {
                let (base, bytes) = (prefix.as_ptr(), prefix.len());
                sislm_engine_load_header(load, base, bytes, budget, &mut header, refusal)
            })?;
            match status {
                DONE => break,
                MORE => {}
                fault::SHORT => {
                    assert!(header.need as usize > known && header.need <= file.len() as u64);
                    known = (header.need as usize).max(2 * known).min(file.len());
                }
                other => panic!("{other}"),
            }
        }
        let prefix = &file[..known];
        let (base, bytes) = (prefix.as_ptr(), prefix.len());
        let mut plan = Plan {
            model_bytes: 0,
            arena_bytes: 0,
            weight_bytes: 0,
            vocabulary_bytes: 0,
            scratch_bytes: 0,
        };
        let status = call(|refusal| sislm_engine_load_plan(load, base, bytes, &mut plan, refusal))?;
        assert_eq!(status, DONE);
        let memory = Memory::new(plan.model_bytes);
        let mut arena = Vec::new();
        let mut left = plan.arena_bytes;
        while left > 0 {
            let bytes = left.min(SEGMENT_BYTES as u64);
            arena.push(Memory::new(bytes));
            left -= bytes;
        }
        let segments: Vec<Segment> = arena
            .iter()
            .map(|part| Segment {
                base: part.base(),
                bytes: part.bytes(),
            })
            .collect();
        let scratch = Memory::new(plan.scratch_bytes);
        let count = segments.len() as u32;
        let attached = sislm_engine_load_attach(
            load,
            memory.base(),
            memory.bytes(),
            segments.as_ptr(),
            count,
            scratch.base(),
            scratch.bytes(),
        );
        assert_eq!(attached, DONE);
        while call(|refusal| sislm_engine_load_vocabulary(load, base, bytes, budget, refusal))?
            == MORE
        {}
        let mut read = Read {
            offset: 0,
            bytes: 0,
            chunks: 0,
        };
        let next = |read: &mut Read| assert_eq!(sislm_engine_load_next(load, read), DONE);
        next(&mut read);
        let mut offset = 0;
        while read.bytes != 0 {
            assert_eq!(read.offset, offset);
            offset += u64::from(read.bytes);
            let data = file[read.offset as usize..offset as usize].to_vec();
            let mut following = read;
            next(&mut following);
            // Descending: the order of the chunks must not matter.
            for chunk in (0..read.chunks).rev() {
                let status = call(|refusal| {
                    sislm_engine_load_pack(
                        load,
                        data.as_ptr(),
                        data.len(),
                        read.offset,
                        chunk,
                        refusal,
                    )
                })?;
                assert_eq!(status, DONE);
            }
            read = following;
        }
        assert_eq!(offset, file.len() as u64);
        let mut facts = core::mem::zeroed();
        let status = call(|refusal| sislm_engine_load_finish(load, &mut facts, refusal))?;
        assert_eq!(status, DONE);
        Ok(Model {
            memory,
            _arena: arena,
            _segments: segments,
            facts,
        })
    }
}

/// A sequence: its blocks and their addresses.
struct Sequence {
    blocks: Vec<Memory>,
    table: Vec<*mut u8>,
    kv_type: u32,
}

/// A step and what it needs.
struct Step<'a> {
    model: &'a Model,
    memory: Memory,
    size: StepSize,
}

const SHAPE: StepShape = StepShape {
    rows: 64,
    logits: 8,
    workers: 2,
    context: 300,
};

impl<'a> Step<'a> {
    fn new(model: &'a Model, kv_type: u32) -> Step<'a> {
        let mut size = StepSize {
            step_bytes: 0,
            kv_block_bytes: 0,
        };
        // SAFETY: A loaded model, locals, and memory of the size asked for.
        unsafe {
            let base = model.memory.base();
            assert_eq!(
                sislm_engine_step_size(base, &SHAPE, kv_type, &mut size),
                DONE
            );
            let memory = Memory::new(size.step_bytes);
            assert_eq!(
                sislm_engine_step_begin(memory.base(), memory.bytes(), base, &SHAPE),
                DONE
            );
            Step {
                model,
                memory,
                size,
            }
        }
    }

    fn sequence(&self, positions: u32, kv_type: u32) -> Sequence {
        let count = positions.div_ceil(BLOCK_POSITIONS);
        let blocks: Vec<Memory> = (0..count)
            .map(|_| Memory::new(self.size.kv_block_bytes))
            .collect();
        let table = blocks.iter().map(Memory::base).collect();
        Sequence {
            blocks,
            table,
            kv_type,
        }
    }

    fn prepare(&self, rows: &[Row]) -> Result<u32, i32> {
        let mut stages = 0;
        let count = rows.len() as u32;
        // SAFETY: A begun step, rows that live, an output.
        match unsafe {
            sislm_engine_step_prepare(self.memory.base(), rows.as_ptr(), count, &mut stages)
        } {
            DONE => Ok(stages),
            status => Err(status),
        }
    }

    /// One pass: the status of each row, and its logits.
    fn run(&self, rows: &[Row]) -> Vec<Result<Option<Vec<f32>>, i32>> {
        let stages = self.prepare(rows).expect("sound rows");
        let step = self.memory.base();
        // SAFETY: A prepared step; stages in order, chunks once each, two slots in turn.
        unsafe {
            for stage in 0..stages {
                let (mut chunks, mut work) = (0, 0);
                assert_eq!(
                    sislm_engine_step_stage(step, stage, &mut chunks, &mut work),
                    DONE
                );
                assert!(chunks > 0 && work > 0);
                for chunk in (0..chunks).rev() {
                    assert_eq!(sislm_engine_step_chunk(step, stage, chunk % 2, chunk), DONE);
                }
                assert_eq!(
                    sislm_engine_step_chunk(step, stage, 0, chunks),
                    fault::ARGUMENT
                );
                assert_eq!(sislm_engine_step_chunk(step, stage, 2, 0), fault::ARGUMENT);
            }
            let (mut chunks, mut work) = (0, 0);
            let past = sislm_engine_step_stage(step, stages, &mut chunks, &mut work);
            assert_eq!(past, fault::ARGUMENT);
        }
        (0..rows.len() as u32).map(|row| self.logits(row)).collect()
    }

    fn logits(&self, row: u32) -> Result<Option<Vec<f32>>, i32> {
        let mut logits = core::ptr::null();
        // SAFETY: A step after its last stage, an output; logits have the vocabulary's length.
        unsafe {
            match sislm_engine_step_logits(self.memory.base(), row, &mut logits) {
                DONE if logits.is_null() => Ok(None),
                DONE => {
                    let count = self.model.facts.vocabulary as usize;
                    Ok(Some(
                        core::slice::from_raw_parts(logits.cast(), count).to_vec(),
                    ))
                }
                status => Err(status),
            }
        }
    }
}

impl Sequence {
    fn row(&self, position: u32, token: u32, flags: u32) -> Row {
        Row {
            blocks: self.table.as_ptr(),
            position,
            token,
            kv_type: self.kv_type,
            flags,
        }
    }

    fn used(&self) -> bool {
        self.blocks
            .iter()
            .any(|block| block.0.iter().any(|line| line.0 != [0; 64]))
    }
}

/// Bits of logits.
fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn every_defect_is_refused_for_its_reason() {
    let list = String::from_utf8(file("malformed/REASONS")).expect("text");
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../uapi/sislm.h");
    let header = fs::read_to_string(header).expect("the UAPI header");
    let number = |name: &str| -> u32 {
        let line = header.lines().find(|line| {
            line.split_whitespace().nth(1) == Some(format!("SISLM_LOAD_{name}").as_str())
        });
        let line = line.unwrap_or_else(|| panic!("no SISLM_LOAD_{name}"));
        line.split_whitespace()
            .nth(2)
            .and_then(|text| text.parse().ok())
            .expect("a number")
    };
    let mut wrong = Vec::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let [name, reasons, subject] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let bytes = file(&format!("malformed/{name}.gguf"));
        for budget in [1, 1000] {
            let fits = match load(&bytes, budget, 1024) {
                Ok(_) => reasons == "OK",
                Err(Failed::Status(status)) => {
                    status == fault::SHORT && reasons.contains("TRUNCATED")
                }
                Err(Failed::Refused(reason, about)) => {
                    let known = reasons.split(',').any(|name| number(name) == reason);
                    let fits = known && (subject == "-" || subject == about);
                    if !fits {
                        wrong.push(format!("{line}: {reason} {about}"));
                    }
                    true
                }
            };
            assert!(fits, "{line}");
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_budget_of_one_loads_the_same_model() {
    let bytes = file("random-llama-q4_0.gguf");
    let [one, many] = [1, 100_000].map(|budget| load(&bytes, budget, 512).expect("a sound file"));
    assert_eq!(one.facts.context, 512);
    let same = one._arena.iter().zip(&many._arena);
    assert!(
        same.into_iter()
            .all(|(a, b)| a.0.iter().zip(&b.0).all(|(a, b)| a.0 == b.0))
    );
}

#[test]
fn rows_outside_their_ranges_are_refused() {
    let model = load(&file("random-llama-f16.gguf"), 1000, 1024).expect("a sound file");
    let step = Step::new(&model, 1);
    let sequence = step.sequence(300, 1);
    let good = sequence.row(299, 7, ROW_LOGITS);
    assert!(step.prepare(&[good]).is_ok());
    let bad = [
        Row {
            position: 300,
            ..good
        },
        Row {
            token: model.facts.vocabulary,
            ..good
        },
        Row { kv_type: 2, ..good },
        Row { flags: 2, ..good },
        Row {
            blocks: core::ptr::null(),
            ..good
        },
    ];
    for row in bad {
        assert_eq!(step.prepare(&[good, row]), Err(fault::ARGUMENT));
    }
    assert_eq!(step.prepare(&[]), Err(fault::ARGUMENT));
    assert_eq!(step.prepare(&[good; 65]), Err(fault::ARGUMENT));
    assert_eq!(
        step.prepare(&[good; 9]),
        Err(fault::ARGUMENT),
        "nine rows with logits"
    );
    assert!(!sequence.used());
    let mut size = StepSize {
        step_bytes: 0,
        kv_block_bytes: 0,
    };
    for shape in [
        StepShape { rows: 0, ..SHAPE },
        StepShape { rows: 65, ..SHAPE },
        StepShape { logits: 0, ..SHAPE },
        StepShape { logits: 9, ..SHAPE },
        StepShape {
            workers: 0,
            ..SHAPE
        },
        StepShape {
            context: 0,
            ..SHAPE
        },
        StepShape {
            context: 1025,
            ..SHAPE
        },
    ] {
        // SAFETY: A loaded model and locals.
        let status = unsafe { sislm_engine_step_size(model.memory.base(), &shape, 0, &mut size) };
        assert_eq!(status, fault::ARGUMENT);
    }
}

#[test]
fn company_and_cuts_change_no_bit() {
    for name in ["random-llama-q4_0.gguf", "random-gpt2-q8_0.gguf"] {
        let model = load(&file(name), 1000, 1024).expect("a sound file");
        let step = Step::new(&model, 1);
        let tokens: Vec<u32> = (0..40)
            .map(|i| (i * i * 31 + 7) % model.facts.vocabulary)
            .collect();
        // Alone, row by row.
        let alone = step.sequence(40, 0);
        let mut expected = Vec::new();
        for (position, token) in (0..).zip(&tokens) {
            let result = step
                .run(&[alone.row(position, *token, ROW_LOGITS)])
                .remove(0);
            expected.push(bits(&result.expect("finite").expect("logits")));
        }
        // In one batch with a sequence of the other type before and after.
        let [other, wide] = [1, 0].map(|kv_type| step.sequence(40, kv_type));
        let mut rows = vec![other.row(0, 5, 0), other.row(1, 6, ROW_LOGITS)];
        rows.extend((0..).zip(&tokens).map(|(position, token)| {
            let wanted = [0, 13, 39].contains(&position);
            wide.row(position, *token, if wanted { ROW_LOGITS } else { 0 })
        }));
        let results = step.run(&rows);
        for (index, expected) in expected.iter().enumerate() {
            let found = results[index + 2].clone().expect("finite");
            assert_eq!(found.is_some(), [0, 13, 39].contains(&index));
            if let Some(found) = found {
                assert_eq!(bits(&found), *expected, "{name}, row {index}");
            }
        }
        assert!(results[1].clone().expect("finite").is_some());
    }
}

/// Offset in the file of the f32 tensor called `name`.
fn offset_of(file: &[u8], name: &str) -> usize {
    let mut parser = Parser::new(file, file.len() as u64)
        .expect("whole")
        .expect("sound");
    let mut table = vec![0; parser.table_bytes() as usize];
    while parser.run(file, &mut table, 1000).expect("sound") != Progress::Done {}
    let tensors = parser.tensors(&table).expect("its table");
    let info = tensors
        .get(tensors.find(file, name.as_bytes()).expect("the tensor"))
        .expect("it");
    assert_eq!(info.kind, 0, "f32");
    info.offset as usize
}

#[test]
fn a_row_that_is_not_finite_fails_alone() {
    let mut bytes = file("random-llama-f16.gguf");
    let model = load(&bytes, 1000, 64).expect("a sound file");
    let width = model.facts.embedding as usize;
    let mut set = |offset: usize, value: f32| {
        bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    };
    // Only token 9 has a value where the first norm multiplies by a huge weight.
    let embeddings = offset_of(&file("random-llama-f16.gguf"), "token_embd.weight");
    for token in 0..model.facts.vocabulary as usize {
        set(
            embeddings + 4 * token * width,
            if token == 9 { 1.0 } else { 0.0 },
        );
    }
    let norm = offset_of(&file("random-llama-f16.gguf"), "blk.0.attn_norm.weight");
    set(norm, 3e38);
    let model = load(&bytes, 1000, 300).expect("finite weights");
    let step = Step::new(&model, 1);
    let run = |tokens: &[u32]| {
        let sequences: Vec<Sequence> = tokens.iter().map(|_| step.sequence(1, 1)).collect();
        let rows: Vec<Row> = sequences
            .iter()
            .zip(tokens)
            .map(|(sequence, token)| sequence.row(0, *token, ROW_LOGITS))
            .collect();
        step.run(&rows)
    };
    let alone: Vec<_> = [1, 2, 3, 4, 5].map(|token| run(&[token]).remove(0)).into();
    assert!(alone.iter().all(|row| matches!(row, Ok(Some(_)))));
    for tokens in [
        &[1, 9][..],
        &[1, 2, 9, 4],
        &[9, 2, 3, 4, 5],
        &[1, 2, 3, 9, 5],
    ] {
        for (token, row) in tokens.iter().zip(run(tokens)) {
            match token {
                9 => assert_eq!(row, Err(fault::NUMERIC)),
                token => assert_eq!(row, alone[*token as usize - 1]),
            }
        }
    }
}
