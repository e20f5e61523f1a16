// SPDX-License-Identifier: GPL-2.0
//! What is printed.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use sislm_engine::abi::{BLOCK_POSITIONS, NUMERICS};

use crate::arguments::{Arguments, Kv, Pooling};
use crate::simd::Simd;
use crate::split;
use crate::wall::{self, Model, Step};

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A model's name: that of its file, without the number of a part.
pub fn name(path: &Path) -> String {
    split::name(path)
        .or(path.file_stem())
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Ids, separated by spaces, or as an object.
pub fn ids(as_object: bool, ids: &[u32]) {
    if as_object {
        return println!("{}", json!({ "ids": ids }));
    }
    let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
    println!("{}", ids.join(" "));
}

/// The text of ids, byte for byte.
pub fn text(model: &Model, ids: &[u32], first: bool) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for (place, &id) in ids.iter().enumerate() {
        out.write_all(&model.detokenize(id, first && place == 0)?)?;
    }
    Ok(out.flush()?)
}

/// Facts and memory by part.
pub fn info(arguments: &Arguments, simd: Simd, model: &Model) -> Result<()> {
    let facts = &model.facts;
    let text = |bytes: &[u8]| {
        let text = bytes.split(|&byte| byte == 0).next();
        String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
    };
    let context = facts.context.min(256);
    let step = Step::new(model, 64, arguments.threads, context, Kv::F16.number())?;
    let blocks = u64::from(context.div_ceil(BLOCK_POSITIONS));
    let report = json!({
        "model": name(&arguments.model),
        "model_sha256": hex(&model.digest),
        "title": text(&facts.title),
        "chat_template": model.chat_template.as_deref().map(String::from_utf8_lossy),
        "numerics": NUMERICS,
        "simd": simd.name(),
        "architecture": text(&facts.architecture_name),
        "tokenizer": facts.tokenizer,
        "layers": facts.layers,
        "embedding": facts.embedding,
        "heads": facts.heads,
        "kv_heads": facts.kv_heads,
        "head_size": facts.head_size,
        "feed_forward": facts.feed_forward,
        "vocabulary": facts.vocabulary,
        "context": facts.context,
        "head": facts.passes == 1,
        "pooling": Pooling::from_number(facts.pooling).map(Pooling::name),
        "bos": facts.bos,
        "eos": facts.eos,
        "ends": facts.ends.get(..facts.end_count as usize).unwrap_or(&facts.ends),
        "notes": facts.notes,
        "parameters": facts.parameters,
        "file_bytes": model.file_bytes,
        "weight_bytes": model.plan.weight_bytes,
        "vocabulary_bytes": model.plan.vocabulary_bytes,
        "arena_bytes": model.plan.arena_bytes,
        "item_bytes": model.plan.item_bytes,
        "model_bytes": model.plan.model_bytes,
        "step_bytes": step.bytes(),
        "kv_block_bytes": step.kv_block_bytes,
        "kv_bytes": blocks * step.kv_block_bytes + step.state_bytes,
    });
    if arguments.json {
        println!("{report}");
    } else {
        for (key, value) in report.as_object().into_iter().flatten() {
            println!("{key:<17}{value}");
        }
    }
    Ok(())
}

/// Comparisons and failures; a failure is the exit status too.
pub fn selftest(simd: Simd, cases: u64) -> Result<ExitCode> {
    let result = wall::selftest(simd.number(), cases)?;
    println!(
        "{} cases at level {}, {} failures",
        result.cases,
        simd.name(),
        result.failures
    );
    Ok(if result.failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Products of a weight and an activation row, and their time.
pub fn bench(simd: Simd, shape: (u32, u32, u32, u32), repeats: u32) -> Result<ExitCode> {
    let time = wall::bench(simd.number(), shape, repeats)?;
    let (_, rows, columns, groups) = shape;
    let products = [rows, columns, groups, 16, repeats]
        .map(u64::from)
        .iter()
        .product::<u64>();
    let rate = products as f64 / time.as_secs_f64() / 1e9;
    println!(
        "{products} products at level {} in {time:?}: {rate:.3} per ns",
        simd.name()
    );
    Ok(ExitCode::SUCCESS)
}
