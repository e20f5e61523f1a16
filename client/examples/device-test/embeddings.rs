// SPDX-License-Identifier: MIT OR Apache-2.0
//! Embeddings of a model against its NAME.embd.json, through `sislm-client embed`, and what an encoder refuses.

use std::io::{Read, Write};

use nix::errno::Errno;
use serde_json::Value;

use crate::raw::*;
use crate::reference::{client, ids};
use crate::report::{Failure, Report};

/// How far values may be apart by the largest: llama.cpp takes GELU from a table of binary16.
const TABLE: f64 = 0.004;
/// The same for models without GELU.
const EXACT: f64 = 0.0005;
/// Architectures without it.
const WITHOUT_TABLE: [&str; 2] = ["nomic-bert", "qwen3"];

/// Embeds the texts of `reference` with `model`, which is loaded.
pub(crate) fn run(report: &mut Report, model: &str, reference: &str) -> Result<(), Failure> {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(reference)?)?;
    let architecture = file["architecture"].as_str().ok_or("no architecture")?;
    let most = match WITHOUT_TABLE.contains(&architecture) {
        true => EXACT,
        false => TABLE,
    };
    let texts = file["texts"].as_array().ok_or("no texts")?;
    for (index, case) in texts.iter().enumerate() {
        let test = format!("embeddings/{model}/{index}");
        let text = case["text"].as_str().ok_or("no text")?;
        for (name, more) in [("pooled", Some("--raw")), ("pooled_normalized", None)] {
            let mut arguments = vec!["embed", "-m", model];
            arguments.extend(more);
            arguments.extend(["--", text]);
            let found = client(&arguments)?;
            let own = (ids(&found["ids"])?, ids(&case["ids"])?);
            report.equal(&format!("{test}/{name}/ids"), own.0, own.1);
            let (found, wanted) = (values(&found["embedding"])?, values(&case[name])?);
            let near = apart(&found, &wanted).is_some_and(|apart| apart <= most);
            report.equal(&format!("{test}/{name}"), near, true);
        }
    }
    Ok(())
}

/// The encoder `model`, which is loaded, makes no text.
pub(crate) fn encoder(report: &mut Report, model: &str) -> Result<(), Failure> {
    let file = open()?;
    let mut configure = sislm_configure {
        model: name(model.as_bytes()),
        sampling: sislm_sampling {
            top_p: SISLM_MILLION,
            typical_p: SISLM_MILLION,
            repeat_penalty: SISLM_MILLION,
            ..Default::default()
        },
        ..Default::default()
    };
    call(&file, SISLM_IOC_CONFIGURE, &mut configure)?;
    let mut text = [0_u8; 64];
    let mut run = sislm_run {
        prompt: b"ab".as_ptr() as u64,
        prompt_length: 2,
        text: text.as_mut_ptr() as u64,
        capacity: 64,
        ..Default::default()
    };
    let found = call(&file, SISLM_IOC_RUN, &mut run);
    report.refused("encoder/run", found, &[Errno::EOPNOTSUPP]);
    let ids = [1_u32, 2];
    let mut evaluate = sislm_evaluate {
        ids: ids.as_ptr() as u64,
        count: 2,
        ..Default::default()
    };
    let found = call(&file, SISLM_IOC_EVALUATE, &mut evaluate);
    report.refused("encoder/evaluate", found, &[Errno::EOPNOTSUPP]);
    (&file).write_all(b"ab")?;
    let found = (&file)
        .read(&mut text)
        .map_err(|error| error.raw_os_error());
    let wanted = Some(Errno::EOPNOTSUPP as i32);
    report.equal("encoder/read", found, Err(wanted));
    let mut told = sislm_model {
        name: name(model.as_bytes()),
        ..Default::default()
    };
    call(&file, SISLM_IOC_MODEL, &mut told)?;
    report.equal("encoder/model", told.encoder, 1);
    Ok(())
}

fn values(value: &Value) -> Result<Vec<f64>, Failure> {
    let array = value.as_array().ok_or("no list of values")?;
    let values = array.iter().map(Value::as_f64);
    values.collect::<Option<_>>().ok_or("no number".into())
}

/// The largest difference by the largest value; None of lists of other lengths.
fn apart(found: &[f64], wanted: &[f64]) -> Option<f64> {
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let largest = most(&mut wanted.iter().map(|value| value.abs())).max(1.0);
    let pairs = found.iter().zip(wanted);
    let furthest = most(&mut pairs.map(|(one, other)| (one - other).abs()));
    (found.len() == wanted.len()).then_some(furthest / largest)
}
