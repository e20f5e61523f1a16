// SPDX-License-Identifier: GPL-2.0
//! Patterns of pre-tokenizers, as data, and their names in files.

mod afmoe;
mod alternative;
mod bailingmoe;
mod bloom;
mod chameleon;
mod class;
mod deepseek_coder;
mod deepseek_llm;
mod deepseek_v3;
mod default;
mod exaone_moe;
mod falcon;
mod gemma4;
mod gpt_2;
mod gpt_4o;
mod jais_2;
mod kimi_k2;
mod laguna;
mod llama_bpe;
mod minicpm5;
mod qwen2;
mod qwen35;
mod seed_coder;
mod smollm;
mod superbpe;
mod tekken;
#[cfg(test)]
pub(super) mod testing;
mod tiny_aya;
mod ufakzeka;
mod viking;
mod youtu;

use alternative::Split;
pub(super) use alternative::{Alternative, ITEMS_MAX, Item};

/// Most splits of a pattern.
pub(super) const SPLITS_MAX: usize = 6;

/// Splits of a text, one after the other: each cuts the parts that the one before left.
pub(super) type Pattern = &'static [Split];

/// A pre-tokenizer: the pattern, and what else its name means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// `tokenizer.ggml.pre`.
    pub(super) name: &'static [u8],
    pub(super) pattern: Pattern,
    /// Whether a piece that is a token as a whole is taken at once, whatever the merges say.
    pub(super) whole_words: bool,
    /// Whether BOS goes before a text if the file does not say.
    pub(super) adds_bos: bool,
}

impl Row {
    const fn whole_words(self) -> Self {
        Self {
            whole_words: true,
            ..self
        }
    }

    const fn adds_bos(self) -> Self {
        Self {
            adds_bos: true,
            ..self
        }
    }
}

const fn row(name: &'static str, pattern: Pattern) -> Row {
    Row {
        name: name.as_bytes(),
        pattern,
        whole_words: false,
        adds_bos: false,
    }
}

const ROWS: &[Row] = &[
    row("gpt-2", gpt_2::PATTERN),
    row("phi-2", gpt_2::PATTERN),
    row("mpt", gpt_2::PATTERN),
    row("olmo", gpt_2::PATTERN),
    row("jais", gpt_2::PATTERN),
    row("trillion", gpt_2::PATTERN),
    row("exaone4", gpt_2::PATTERN),
    row("modern-bert", gpt_2::PATTERN),
    row("gigachat", gpt_2::PATTERN),
    row("mellum", gpt_2::PATTERN),
    row("granite-docling", gpt_2::PATTERN),
    row("a.x-4.0", gpt_2::PATTERN),
    row("roberta-bpe", gpt_2::PATTERN),
    row("jina-v1-en", gpt_2::PATTERN),
    row("jina-v2-code", gpt_2::PATTERN),
    row("jina-v2-es", gpt_2::PATTERN),
    row("jina-v2-de", gpt_2::PATTERN),
    row("jina-es", gpt_2::PATTERN),
    row("jina-de", gpt_2::PATTERN),
    row("gemma4", gemma4::PATTERN),
    row("smollm", smollm::PATTERN),
    row("starcoder", smollm::PATTERN),
    row("refact", smollm::PATTERN),
    row("command-r", smollm::PATTERN),
    row("codeshell", smollm::PATTERN),
    row("exaone", smollm::PATTERN),
    row("minerva-7b", smollm::PATTERN),
    row("mellum2", smollm::PATTERN),
    row("llama-bpe", llama_bpe::PATTERN)
        .whole_words()
        .adds_bos(),
    row("llama3", llama_bpe::PATTERN).whole_words().adds_bos(),
    row("llama-v3", llama_bpe::PATTERN).whole_words().adds_bos(),
    row("lfm2", llama_bpe::PATTERN).whole_words().adds_bos(),
    row("falcon3", llama_bpe::PATTERN).whole_words().adds_bos(),
    row("falcon-h1", llama_bpe::PATTERN)
        .whole_words()
        .adds_bos(),
    row("pixtral", llama_bpe::PATTERN).whole_words().adds_bos(),
    row("midm-2.0", llama_bpe::PATTERN).whole_words().adds_bos(),
    row("jina-v5-nano", llama_bpe::PATTERN)
        .whole_words()
        .adds_bos(),
    row("dbrx", llama_bpe::PATTERN),
    row("smaug-bpe", llama_bpe::PATTERN),
    row("chatglm-bpe", llama_bpe::PATTERN),
    row("glm4", llama_bpe::PATTERN),
    row("qwen2", qwen2::PATTERN),
    row("deepseek-r1-qwen", qwen2::PATTERN),
    row("stablelm2", qwen2::PATTERN),
    row("hunyuan", qwen2::PATTERN),
    row("megrez", qwen2::PATTERN),
    row("solar-open", qwen2::PATTERN),
    row("grok-2", qwen2::PATTERN),
    row("kormo", qwen2::PATTERN),
    row("f2llmv2", qwen2::PATTERN),
    row("qwen35", qwen35::PATTERN),
    row("seed-coder", seed_coder::PATTERN),
    row("bailingmoe", bailingmoe::PATTERN),
    row("bailingmoe2", bailingmoe::PATTERN),
    row("llada-moe", bailingmoe::PATTERN),
    row("ufakzeka", ufakzeka::PATTERN),
    row("minicpm5", minicpm5::PATTERN).whole_words(),
    row("laguna", laguna::PATTERN),
    row("exaone-moe", exaone_moe::PATTERN),
    row("tekken", tekken::PATTERN).whole_words().adds_bos(),
    row("gpt-4o", gpt_4o::PATTERN),
    row("llama4", gpt_4o::PATTERN),
    row("kanana2", gpt_4o::PATTERN),
    row("talkie", gpt_4o::PATTERN),
    row("minimax-m2", gpt_4o::PATTERN),
    row("tiny_aya", tiny_aya::PATTERN),
    row("cohere2moe", tiny_aya::PATTERN),
    row("falcon", falcon::PATTERN),
    row("default", default::PATTERN),
    row("deepseek-llm", deepseek_llm::PATTERN),
    row("deepseek-coder", deepseek_coder::PATTERN),
    row("deepseek-v3", deepseek_v3::PATTERN),
    row("hunyuan-dense", deepseek_v3::PATTERN),
    row("joyai-llm", deepseek_v3::PATTERN),
    row("hy_v4", deepseek_v3::PATTERN),
    row("bloom", bloom::PATTERN),
    row("poro-chat", bloom::PATTERN),
    row("gpt3-finnish", bloom::PATTERN),
    row("viking", viking::PATTERN),
    row("jais-2", jais_2::PATTERN),
    row("superbpe", superbpe::PATTERN),
    row("kimi-k2", kimi_k2::PATTERN),
    row("afmoe", afmoe::PATTERN),
    row("chameleon", chameleon::PATTERN).adds_bos(),
    row("youtu", youtu::PATTERN).whole_words(),
];

/// The place in the list of the pre-tokenizer of this name.
pub(super) fn place(name: &[u8]) -> Option<u32> {
    let place = ROWS.iter().position(|row| row.name == name);
    u32::try_from(place?).ok()
}

/// The pre-tokenizer at this place in the list.
pub(super) fn at(place: u32) -> Option<&'static Row> {
    ROWS.get(place as usize)
}
