// SPDX-License-Identifier: MIT OR Apache-2.0
//! EVALUATE for embeddings.

use nix::errno::Errno;

use super::{Fields, MODEL};
use crate::raw::*;

/// EVALUATE with embeddings.
pub(super) fn wrong(fields: &mut Fields<'_>) {
    const NUMBER: u32 = SISLM_IOC_EVALUATE;
    let mut model = sislm_model {
        name: name(MODEL),
        ..Default::default()
    };
    let found = call(&fields.file, SISLM_IOC_MODEL, &mut model);
    let told = (found, model.pooling, model.encoder);
    let wanted = (Ok(()), SISLM_POOLING_NONE, 0);
    fields.report.equal("fields/model.pooling", told, wanted);
    let ids = [1_u32, 300, 301, 302];
    let width = model.embedding as usize;
    let mut values = vec![f32::NAN; 4 * width + 1];
    let mut log_probabilities = [0_i32; 4];
    let mut top = [sislm_candidate::default(); 8];
    let embed = sislm_evaluate {
        ids: ids.as_ptr() as u64,
        count: 4,
        flags: SISLM_EVALUATE_EMBED,
        embeddings: values.as_mut_ptr() as u64,
        embeddings_capacity: 4 * model.embedding,
        ..Default::default()
    };
    let mut answer = embed;
    let found = call(&fields.file, NUMBER, &mut answer);
    let told = (found, answer.pooling, answer.done);
    let wanted = (Ok(()), SISLM_POOLING_NONE, 4);
    fields.report.equal("fields/embed", told, wanted);
    let filled = values.iter().take_while(|value| value.is_finite()).count();
    fields
        .report
        .equal("fields/embed-fills-its-rows-alone", filled, 4 * width);
    for (pooling, name) in [
        (SISLM_POOLING_MEAN, "mean"),
        (SISLM_POOLING_FIRST, "first"),
        (SISLM_POOLING_LAST, "last"),
    ] {
        let one = sislm_evaluate {
            pooling,
            embeddings_capacity: model.embedding,
            ..embed
        };
        fields.sound(&format!("embed-{name}"), NUMBER, &one);
        fields.wrong(
            &format!("embed-{name}.embeddings_capacity"),
            NUMBER,
            &one,
            |e| e.embeddings_capacity -= 1,
            &[Errno::ENOSPC],
        );
    }
    fields.invalid("embed.flags", NUMBER, &embed, |e| e.flags |= 2);
    fields.invalid("embed.pooling", NUMBER, &embed, |e| {
        e.pooling = SISLM_POOLING_LAST + 1
    });
    fields.invalid("embed.log_probabilities", NUMBER, &embed, |e| {
        e.log_probabilities = log_probabilities.as_mut_ptr() as u64
    });
    fields.invalid("embed.top", NUMBER, &embed, |e| {
        e.top = top.as_mut_ptr() as u64
    });
    fields.invalid("embed.top_k", NUMBER, &embed, |e| e.top_k = 1);
    fields.invalid("embed.embeddings-0", NUMBER, &embed, |e| e.embeddings = 0);
    for (name, capacity) in [("0", 0), ("few", 4 * model.embedding - 1)] {
        fields.wrong(
            &format!("embed.embeddings_capacity-{name}"),
            NUMBER,
            &embed,
            |e| e.embeddings_capacity = capacity,
            &[Errno::ENOSPC],
        );
    }
    fields.wrong(
        "embed.embeddings",
        NUMBER,
        &embed,
        |e| e.embeddings = NOWHERE,
        &[Errno::EFAULT],
    );
    let scores = sislm_evaluate {
        flags: 0,
        embeddings: 0,
        embeddings_capacity: 0,
        ..embed
    };
    fields.sound("embed-after-refusals", NUMBER, &embed);
    fields.sound("evaluate-after-embed", NUMBER, &scores);
    fields.invalid("evaluate.embeddings", NUMBER, &scores, |e| {
        e.embeddings = embed.embeddings
    });
    fields.invalid("evaluate.embeddings_capacity", NUMBER, &scores, |e| {
        e.embeddings_capacity = 1
    });
    fields.invalid("evaluate.pooling", NUMBER, &scores, |e| {
        e.pooling = SISLM_POOLING_MEAN
    });
}
