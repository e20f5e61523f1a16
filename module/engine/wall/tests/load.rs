// SPDX-License-Identifier: GPL-2.0
//! A load as the module makes it: its calls in order and out of it, and what is refused.

use std::fs;

use super::Memory;
use super::file;
use crate::abi::DONE;
use crate::abi::Facts;
use crate::abi::Header;
use crate::abi::Limits;
use crate::abi::MORE;
use crate::abi::Plan;
use crate::abi::Read;
use crate::abi::Refusal;
use crate::abi::SEGMENT_BYTES;
use crate::abi::Segment;
use crate::abi::Text;
use crate::abi::fault;
use crate::wall::all::*;

/// A loaded model.
pub(super) struct Model {
    pub memory: Memory,
    _arena: Vec<Memory>,
    _segments: Vec<Segment>,
    _vocabulary: Memory,
    pub facts: Facts,
    plan: Plan,
}

/// What the file is refused with, or the status when that says nothing.
#[derive(Debug, PartialEq)]
pub(super) enum Failed {
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
pub(super) fn load(file: &[u8], budget: u32, context: u32) -> Result<Model, Failed> {
    load_in(file, budget, context, SEGMENT_BYTES)
}

/// Sizes of segments: one that holds the whole model, then smaller ones, in which each matrix of
/// the model goes on in another segment.
pub(super) fn segment_sizes(file: &[u8]) -> Vec<u32> {
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
        if phase == Phase::Begun {
            let mut text = Text::NONE;
            let asked = sislm_engine_load_string(load, base, bytes, b"k".as_ptr(), 1, &mut text);
            assert_eq!(asked, fault::ARGUMENT);
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
            sislm_engine_load_finish(load, 1, &mut facts, refusal)
        }));
    }
}

/// As [`load`], with segments of `segment_bytes`.
pub(super) fn load_in(
    file: &[u8],
    budget: u32,
    context: u32,
    segment_bytes: u32,
) -> Result<Model, Failed> {
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
        let begun = sislm_engine_load_begin(
            load,
            state.bytes(),
            &limits,
            first.as_ptr(),
            first.len(),
            core::ptr::null(),
        );
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
        for (key, wanted) in [
            ("general.architecture", true),
            ("general.alignment", false),
            ("", false),
        ] {
            let mut text = Text::NONE;
            let key = key.as_bytes();
            let asked =
                sislm_engine_load_string(load, base, bytes, key.as_ptr(), key.len(), &mut text);
            assert_eq!((asked, text.offset != 0), (DONE, wanted));
            let (start, end) = (text.offset as usize, (text.offset + text.bytes) as usize);
            assert!(!wanted || !prefix[start..end].is_empty());
        }
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
        while call(|refusal| sislm_engine_load_finish(load, budget, &mut facts, refusal))? == MORE {
        }
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
