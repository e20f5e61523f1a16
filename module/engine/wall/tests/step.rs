// SPDX-License-Identifier: GPL-2.0
//! Passes as the module makes them: rows outside their ranges, and rows that are not finite.

use core::ptr;

use super::Memory;
use super::file;
use super::load::Model;
use super::load::load;
use crate::abi::BLOCK_POSITIONS;
use crate::abi::DONE;
use crate::abi::ROW_HIDDEN_STATE;
use crate::abi::ROW_LOGITS;
use crate::abi::Row;
use crate::abi::StepShape;
use crate::abi::StepSize;
use crate::abi::fault;
use crate::gguf::Parser;
use crate::gguf::Progress;
use crate::model::Hyperparameters;
use crate::model::architecture::Architecture;
use crate::step::batch::Batch;
use crate::wall::all::*;

/// A sequence: its blocks and their addresses.
pub(super) struct Sequence {
    blocks: Vec<Memory>,
    table: Vec<*mut u8>,
    state: Memory,
    kv_type: u32,
}

/// A step and what it needs.
pub(super) struct Step<'a> {
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
    pub(super) fn new(model: &'a Model, kv_type: u32) -> Step<'a> {
        let mut size = StepSize {
            step_bytes: 0,
            kv_block_bytes: 0,
            state_bytes: 0,
        };
        // SAFETY: A loaded model, locals, and memory of the size asked for.
        unsafe {
            let base = model.memory.base();
            assert_eq!(
                sislm_engine_step_size(base, ptr::null(), 0, &SHAPE, kv_type, &mut size),
                DONE
            );
            let memory = Memory::new(size.step_bytes);
            assert_eq!(
                sislm_engine_step_begin(
                    memory.base(),
                    memory.bytes(),
                    base,
                    ptr::null(),
                    0,
                    &SHAPE
                ),
                DONE
            );
            Step {
                model,
                memory,
                size,
            }
        }
    }

    pub(super) fn sequence(&self, positions: u32, kv_type: u32) -> Sequence {
        let count = positions.div_ceil(BLOCK_POSITIONS);
        let blocks: Vec<Memory> = (0..count)
            .map(|_| Memory::new(self.size.kv_block_bytes))
            .collect();
        let table = blocks.iter().map(Memory::base).collect();
        Sequence {
            blocks,
            table,
            state: Memory::new(self.size.state_bytes),
            kv_type,
        }
    }

    fn prepare(&self, rows: &[Row]) -> Result<u32, i32> {
        let mut stages = 0;
        let count = rows.len() as u32;
        // SAFETY: A begun step, rows that live, an output.
        match unsafe {
            sislm_engine_step_prepare(self.memory.base(), rows.as_ptr(), count, 0, &mut stages)
        } {
            DONE => Ok(stages),
            status => Err(status),
        }
    }

    /// One pass: the status of each row, and its logits.
    pub(super) fn run(&self, rows: &[Row]) -> Vec<Result<Option<Vec<f32>>, i32>> {
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
                // From the last on: one, two, three and so on at once.
                let (mut end, mut count) = (chunks, 1);
                while end > 0 {
                    count = end.min(count);
                    end -= count;
                    assert_eq!(
                        sislm_engine_step_chunks(step, stage, count % 2, end, count),
                        DONE
                    );
                    count += 1;
                }
                for (slot, first, count) in [(0, chunks, 1), (2, 0, 1), (0, u32::MAX, 1)] {
                    assert_eq!(
                        sislm_engine_step_chunks(step, stage, slot, first, count),
                        fault::ARGUMENT
                    );
                }
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
    pub(super) fn row(&self, position: u32, token: u32, flags: u32) -> Row {
        Row {
            blocks: self.table.as_ptr(),
            state: self.state.base(),
            position,
            token,
            kv_type: self.kv_type,
            flags,
            last: position,
            pad: 0,
            scales: [0; 4],
        }
    }

    fn used(&self) -> bool {
        self.blocks
            .iter()
            .any(|block| block.0.iter().any(|line| line.0 != [0; 64]))
    }
}

#[test]
fn rows_of_an_encoder_see_up_to_a_last_one() {
    let limits = StepShape {
        rows: 2,
        logits: 1,
        workers: 1,
        context: 64,
    };
    let good = Row {
        blocks: core::ptr::NonNull::dangling().as_ptr(),
        state: core::ptr::null_mut(),
        position: 3,
        token: 1,
        kv_type: 0,
        flags: ROW_HIDDEN_STATE,
        last: 10,
        pad: 0,
        scales: [0; 4],
    };
    // SAFETY: All zero is a batch without rows.
    let mut batch: Batch = unsafe { core::mem::zeroed() };
    let mut set = |name: &[u8], row, part| {
        let architecture = Architecture::find(name).expect("an architecture");
        let model = Hyperparameters::testing(architecture).measured();
        let set = batch.set(&[row; 2], &limits, &model, part, |_, _| None);
        set.map(|()| batch.hidden_states())
    };
    let refused = Err(fault::ARGUMENT);
    for part in 0..3 {
        assert_eq!(set(b"bert", good, part), Ok(true));
    }
    assert_eq!(
        set(b"bert", good, 3),
        refused,
        "two layers have three passes"
    );
    for row in [
        Row {
            flags: ROW_LOGITS,
            ..good
        },
        Row { last: 2, ..good },
        Row { last: 64, ..good },
    ] {
        assert_eq!(set(b"bert", row, 0), refused);
    }
    assert_eq!(set(b"llama", good, 0), refused);
    let own = Row { last: 3, ..good };
    assert_eq!(set(b"llama", own, 0), Ok(true));
    assert_eq!(set(b"llama", own, 1), refused);
    let without = Row {
        flags: ROW_LOGITS,
        ..own
    };
    assert_eq!(set(b"llama", without, 0), refused, "two rows with logits");
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
        Row { kv_type: 3, ..good },
        Row { flags: 4, ..good },
        Row { last: 298, ..good },
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
        state_bytes: 0,
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
        let status = unsafe {
            sislm_engine_step_size(model.memory.base(), ptr::null(), 0, &shape, 0, &mut size)
        };
        assert_eq!(status, fault::ARGUMENT);
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
