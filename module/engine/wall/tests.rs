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
    _vocabulary: Memory,
    facts: Facts,
    plan: Plan,
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
        kind: 0,
        detail: 0,
        subject: [0; 64],
        value: [0; 32],
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
    load_in(file, budget, context, SEGMENT_BYTES)
}

/// Sizes of segments: one that holds the whole model, then smaller ones, in which each matrix of
/// the model goes on in another segment.
fn segment_sizes(file: &[u8]) -> Vec<u32> {
    let plan = load(file, 100_000, 512).expect("a sound file").plan;
    let least = plan.item_bytes.next_multiple_of(64) as u32;
    let sizes = [least, 3 * least, 5 * least + 64, 64 << 10];
    let mut sizes: Vec<u32> = sizes.into_iter().filter(|&size| size >= least).collect();
    sizes.insert(0, SEGMENT_BYTES);
    sizes
}

/// What of a load was done last.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Begun,
    Parsed,
    Planned,
    Attached,
    Reading,
}

/// Makes the calls of a load that are not in order after `phase`: each fails, and changes nothing.
///
/// # Safety
///
/// `load` is the state of a load in that phase.
unsafe fn expect_order(load: *mut u8, phase: Phase) {
    let prefix = [0; 64];
    let (base, bytes) = (prefix.as_ptr(), prefix.len());
    let mut header = Header { need: 0 };
    let status = |status: Result<i32, Failed>| assert_eq!(status, Ok(fault::ARGUMENT));
    // SAFETY: The caller's promise; slices and locals that outlive each call.
    unsafe {
        if phase != Phase::Begun {
            status(call(|refusal| {
                sislm_engine_load_header(load, base, bytes, 1, &mut header, refusal)
            }));
        }
        if phase != Phase::Parsed {
            let mut plan = core::mem::zeroed();
            status(call(|refusal| {
                sislm_engine_load_plan(load, base, bytes, &mut plan, refusal)
            }));
        }
        if matches!(phase, Phase::Begun | Phase::Parsed) {
            let (model, tables) = (Memory::new(1 << 16), Memory::new(64));
            let segment = Segment {
                base: tables.base(),
                bytes: 64,
            };
            let (at, room) = (model.base(), model.bytes());
            let attached = sislm_engine_load_attach(load, at, room, &segment, 1, tables.base(), 64);
            assert_eq!(attached, fault::ARGUMENT);
        }
        if phase != Phase::Attached {
            status(call(|refusal| {
                sislm_engine_load_vocabulary(load, base, bytes, 1, refusal)
            }));
        }
        if phase != Phase::Reading {
            let mut read = core::mem::zeroed();
            assert_eq!(sislm_engine_load_next(load, &mut read), fault::ARGUMENT);
        }
        // Nothing was read so far.
        status(call(|refusal| {
            sislm_engine_load_pack(load, base, bytes, 0, 0, refusal)
        }));
        let mut facts = core::mem::zeroed();
        status(call(|refusal| {
            sislm_engine_load_finish(load, &mut facts, refusal)
        }));
    }
}

/// As [`load`], with segments of `segment_bytes`.
fn load_in(file: &[u8], budget: u32, context: u32, segment_bytes: u32) -> Result<Model, Failed> {
    let limits = Limits {
        file_bytes: file.len() as u64,
        model_bytes: 1 << 30,
        context,
        simd: 1,
        segment_bytes,
        pad: 0,
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
        expect_order(load, Phase::Begun);
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
            item_bytes: 0,
        };
        expect_order(load, Phase::Parsed);
        let status = call(|refusal| sislm_engine_load_plan(load, base, bytes, &mut plan, refusal))?;
        assert_eq!(status, DONE);
        expect_order(load, Phase::Planned);
        let memory = Memory::new(plan.model_bytes);
        let mut arena = Vec::new();
        let mut left = plan.arena_bytes;
        while left > 0 {
            let bytes = left.min(u64::from(segment_bytes));
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
        let vocabulary = Memory::new(plan.vocabulary_bytes);
        let count = segments.len() as u32;
        let attached = sislm_engine_load_attach(
            load,
            memory.base(),
            memory.bytes(),
            segments.as_ptr(),
            count,
            vocabulary.base(),
            vocabulary.bytes(),
        );
        assert_eq!(attached, DONE);
        expect_order(load, Phase::Attached);
        while call(|refusal| sislm_engine_load_vocabulary(load, base, bytes, budget, refusal))?
            == MORE
        {}
        let mut read = Read {
            offset: 0,
            bytes: 0,
            chunks: 0,
        };
        let next = |read: &mut Read| assert_eq!(sislm_engine_load_next(load, read), DONE);
        expect_order(load, Phase::Reading);
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
            _vocabulary: vocabulary,
            facts,
            plan,
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
    let bytes = |model: &Model| -> Vec<Vec<[u8; 64]>> {
        let all = model._arena.iter().chain([&model._vocabulary]);
        all.map(|part| part.0.iter().map(|line| line.0).collect())
            .collect()
    };
    assert!(!one._arena.is_empty());
    assert!(bytes(&one) == bytes(&many));
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

/// Models of test_models that are run by the tests of numbers.
const MODELS: [&str; 4] = [
    "random-llama-q4_0.gguf",
    "random-llama-f16.gguf",
    "random-llama-q4_k.gguf",
    "random-gpt2-q8_0.gguf",
];

/// Tokens of a sequence that touches the whole vocabulary.
fn tokens(model: &Model, count: u32) -> Vec<u32> {
    (0..count)
        .map(|i| (i * i * 31 + 7) % model.facts.vocabulary)
        .collect()
}

/// Bits of all logits, computed alone and row by row in one large segment.
fn alone(file: &[u8], count: u32) -> Vec<Vec<u32>> {
    let model = load(file, 1000, 1024).expect("a sound file");
    let step = Step::new(&model, 1);
    let sequence = step.sequence(count, 0);
    let mut all = Vec::new();
    for (position, token) in (0..).zip(tokens(&model, count)) {
        let row = sequence.row(position, token, ROW_LOGITS);
        let result = step.run(&[row]).remove(0);
        all.push(bits(&result.expect("finite").expect("logits")));
    }
    all
}

#[test]
fn company_and_cuts_change_no_bit() {
    for (name, expected) in MODELS.map(|name| (name, alone(&file(name), 40))) {
        for segment in segment_sizes(&file(name)) {
            let model = load_in(&file(name), 1000, 1024, segment).expect("a sound file");
            let step = Step::new(&model, 1);
            // In one batch with a sequence of the other type before.
            let [other, wide] = [1, 0].map(|kv_type| step.sequence(40, kv_type));
            let mut rows = vec![other.row(0, 5, 0), other.row(1, 6, ROW_LOGITS)];
            let tokens = tokens(&model, 40);
            rows.extend((0..).zip(&tokens).map(|(position, token)| {
                let wanted = [0, 13, 39].contains(&position);
                wide.row(position, *token, if wanted { ROW_LOGITS } else { 0 })
            }));
            let results = step.run(&rows);
            for (index, expected) in expected.iter().enumerate() {
                let found = results[index + 2].clone().expect("finite");
                assert_eq!(found.is_some(), [0, 13, 39].contains(&index));
                if let Some(found) = found {
                    assert_eq!(bits(&found), *expected, "{name}, row {index}, {segment}");
                }
            }
            assert!(results[1].clone().expect("finite").is_some());
        }
    }
}

/// Runs the same tokens in `sequences` sequences, sequence s delayed by s passes so that their rows
/// are of different positions, with up to `rows` rows of each in a pass.
fn in_company(model: &Model, sequences: u32, rows: u32, expected: &[Vec<u32>], name: &str) {
    let step = Step::new(model, 1);
    let count = expected.len() as u32;
    let tokens = tokens(model, count);
    let all: Vec<Sequence> = (0..sequences).map(|_| step.sequence(count, 0)).collect();
    let mut done = vec![0; all.len()];
    for pass in 0.. {
        let mut batch = Vec::new();
        for (index, sequence) in all.iter().enumerate().take(pass + 1) {
            let last = (done[index] + rows).min(count);
            for position in done[index]..last {
                let logits = position + 1 == last;
                let flags = if logits { ROW_LOGITS } else { 0 };
                let row = sequence.row(position, tokens[position as usize], flags);
                batch.push((row, logits.then_some(position)));
            }
            done[index] = last;
        }
        if batch.is_empty() {
            break;
        }
        let rows: Vec<Row> = batch.iter().map(|(row, _)| *row).collect();
        for (result, (_, position)) in step.run(&rows).into_iter().zip(&batch) {
            let logits = result.expect("finite");
            let position = position.map(|position| &expected[position as usize]);
            assert_eq!(
                logits.map(|logits| bits(&logits)).as_ref(),
                position,
                "{name}"
            );
        }
    }
    assert_eq!(done, vec![count; all.len()]);
}

#[test]
fn every_layout_and_company_gives_the_same_bits() {
    for (name, expected) in MODELS.map(|name| (name, alone(&file(name), 21))) {
        for segment in segment_sizes(&file(name)) {
            let model = load_in(&file(name), 1000, 1024, segment).expect("a sound file");
            for (sequences, rows) in [(1, 2), (1, 3), (1, 8), (2, 1), (8, 1), (3, 5), (8, 8)] {
                let what = format!("{name}, {segment}: {sequences} sequences of {rows} rows");
                in_company(&model, sequences, rows, &expected, &what);
            }
        }
    }
}

#[test]
fn a_segment_smaller_than_an_item_is_refused() {
    let bytes = file("random-llama-q4_0.gguf");
    let [whole, least, ..] = segment_sizes(&bytes)[..] else {
        panic!("two sizes")
    };
    assert!(load_in(&bytes, 1000, 512, least).is_ok());
    let limit = load_in(&bytes, 1000, 512, least - 64).map(|_| ());
    assert!(matches!(limit, Err(Failed::Refused(_, _))), "{limit:?}");
    let model = load_in(&bytes, 1000, 512, least).expect("a sound file");
    assert!(model._arena.len() > 20, "each matrix crosses a segment");
    assert_eq!(
        load_in(&bytes, 1000, 512, whole)
            .expect("sound")
            ._arena
            .len(),
        1
    );
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
