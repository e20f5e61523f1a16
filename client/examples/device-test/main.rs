// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of `/dev/sislm` that a shell cannot make; run inside the guest by `tests/guest`.
//!
//! Prints a line for each test: `ok NAME`, `not ok NAME why` or `skip NAME why`.

mod adapters;
mod adder;
mod async_fd;
mod conversation;
mod embeddings;
mod faults;
mod fields;
mod files;
mod guided;
mod http;
mod interrupts;
mod malformed;
mod preset;
mod raw;
mod records;
mod reference;
mod registry;
mod report;
mod schemas;
mod serve;
mod sessions;
mod shadow;
mod slots;
mod stalled;
mod states;
mod stress;
mod talk;
mod tokenizer;
mod turns;

use std::process::ExitCode;

use report::Report;

const USAGE: &str = "usage: device-test \
    fields MODEL.gguf | guided MODEL.gguf | states MODEL.gguf | files MODEL.gguf | adapters MODEL.gguf LORA.gguf | malformed DIRECTORY | adder MODEL.gguf \
    | reference MODEL.gguf REF.json TOKENS | tokenizer MODEL.gguf CASES | sessions MODEL.gguf COUNT | faults MODEL.gguf \
    | slots MODEL.gguf any|all | serve NAME SLOW-NAME ENCODER | serve-lora NAME | serve-auto BETTER QUICK | auto-rate | crowd NAME STREAMS | talk NAME SLOW-NAME | turns MODEL.gguf ROUNDS | stalled MODEL.gguf | preset MODEL.gguf | stress MODEL.gguf SECONDS \
    | interrupts NAME COUNT SECONDS | conversation NAME REF.json TEXT | embeddings NAME REF.json \
    | encoder NAME | records MODEL.gguf COUNT | recorded MODEL.gguf COUNT | registry ONE.gguf OTHER.gguf SWAPS | shadow ONE.gguf OTHER.gguf STRANGER.gguf COUNT | shadow-pressure ONE.gguf OTHER.gguf BYTES | draws NAME COUNT FILE | schemas NAME COUNT | templates NAME ENDLESS-NAME...";

fn main() -> ExitCode {
    sislm::render_if_asked();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut report = Report::default();
    let done = match words.as_slice() {
        ["fields", model] => fields::run(&mut report, model),
        ["guided", model] => guided::run(&mut report, model),
        ["states", model] => states::run(&mut report, model),
        ["adapters", model, lora] => adapters::run(&mut report, model, lora),
        ["files", model] => files::run(&mut report, model),
        ["malformed", directory] => malformed::run(&mut report, directory),
        ["adder", model] => adder::run(&mut report, model),
        ["reference", model, reference, tokens] => {
            reference::run(&mut report, model, reference, tokens)
        }
        ["tokenizer", model, cases] => tokenizer::run(&mut report, model, cases),
        ["sessions", model, count] => sessions::run(&mut report, model, count),
        ["slots", model, kept] => slots::run(&mut report, model, kept),
        ["serve", model, slow, encoder, tools] => {
            serve::run(&mut report, model, slow, encoder, tools)
        }
        ["serve-auto", better, quick] => serve::auto::run(&mut report, better, quick),
        ["auto-rate"] => serve::auto::rate(&mut report),
        ["serve-lora", model] => serve::lora::run(&mut report, model),
        ["templates", model, endless @ ..] => serve::templates::run(&mut report, model, endless),
        ["crowd", model, streams] => serve::crowd::run(&mut report, model, streams),
        ["talk", model, slow] => talk::run(&mut report, model, slow),
        ["preset", model] => preset::run(&mut report, model),
        ["stalled", model] => stalled::run(&mut report, model),
        ["stress", model, seconds] => stress::run(&mut report, model, seconds),
        ["stress-process", numbers @ ..] => stress::process(numbers),
        ["interrupts", model, count, seconds] => {
            interrupts::run(&mut report, model, count, seconds)
        }
        ["conversation", model, reference, text] => {
            conversation::run(&mut report, model, reference, text)
        }
        ["embeddings", model, reference] => embeddings::run(&mut report, model, reference),
        ["schemas", model, count] => schemas::run(&mut report, model, count),
        ["encoder", model] => embeddings::encoder(&mut report, model),
        ["turns", model, rounds] => turns::run(&mut report, model, rounds),
        ["records", model, count] => records::run(&mut report, model, count),
        ["recorded", model, count] => records::made(&mut report, model, count),
        ["registry", one, other, swaps] => registry::run(&mut report, one, other, swaps),
        ["shadow-pressure", one, other, limit] => {
            shadow::pressure::run(&mut report, one, other, limit)
        }
        ["shadow", one, other, stranger, count] => {
            shadow::run(&mut report, one, other, stranger, count)
        }
        ["draws", model, count, path] => registry::draws(&mut report, model, count, path),
        ["faults", model] => faults::run(&mut report, model),
        _ => Err(USAGE.into()),
    };
    if let Err(error) = done {
        report.failed(words.first().unwrap_or(&"usage"), &error.to_string());
    }
    if report.sound() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
