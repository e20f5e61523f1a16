// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every field of every ioctl that has wrong values, sent with one of them.

mod parts;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;

use nix::errno::Errno;

use crate::raw::*;
use crate::report::{Failure, Report};

const MODEL: &[u8] = b"fields";

struct Fields<'a> {
    report: &'a mut Report,
    file: File,
}

impl Fields<'_> {
    /// Sends `sound` with one change and wants one of `errors`.
    fn wrong<T: Copy>(
        &mut self,
        name: &str,
        number: u32,
        sound: &T,
        change: impl FnOnce(&mut T),
        errors: &[Errno],
    ) {
        let mut argument = *sound;
        change(&mut argument);
        let found = call(&self.file, number, &mut argument);
        self.report
            .refused(&format!("fields/{name}"), found, errors);
    }

    fn invalid<T: Copy>(
        &mut self,
        name: &str,
        number: u32,
        sound: &T,
        change: impl FnOnce(&mut T),
    ) {
        self.wrong(name, number, sound, change, &[Errno::EINVAL]);
    }

    /// As `invalid`, of CONFIGURE, which tells the member's place and that its value is outside its range.
    fn outside(
        &mut self,
        name: &str,
        sound: &sislm_configure,
        change: impl FnOnce(&mut sislm_configure),
        (place, value): (usize, i64),
    ) {
        let mut argument = *sound;
        change(&mut argument);
        let found = call(&self.file, SISLM_IOC_CONFIGURE, &mut argument);
        let told = argument.refused as usize == place
            && argument.refused_least <= argument.refused_most
            && !(argument.refused_least..=argument.refused_most).contains(&value);
        self.report.equal(
            &format!("fields/configure.{name}"),
            (found, told),
            (Err(Errno::EINVAL), true),
        );
    }

    fn sound<T: Copy>(&mut self, name: &str, number: u32, argument: &T) {
        let mut argument = *argument;
        self.report.equal(
            &format!("fields/{name}"),
            call(&self.file, number, &mut argument),
            Ok(()),
        );
    }
}

/// Loads `model`, sends the wrong fields, unloads it.
pub(crate) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let file = open()?;
    let weights = File::open(model)?;
    let mut load = sislm_load {
        fd: weights.as_raw_fd(),
        name: name(MODEL),
        ..Default::default()
    };
    call(&file, SISLM_IOC_LOAD, &mut load)?;
    let mut fields = Fields { report, file };
    commands(&mut fields);
    sizes(&mut fields);
    models(&mut fields, &weights);
    metadata(&mut fields);
    configure(&mut fields);
    sampling(&mut fields);
    turn(&mut fields);
    prompt(&mut fields);
    text(&mut fields);
    evaluate(&mut fields);
    embed(&mut fields);
    checks(&mut fields);
    drop(fields);
    call(
        &open()?,
        SISLM_IOC_UNLOAD,
        &mut sislm_unload {
            name: name(MODEL),
            ..Default::default()
        },
    )?;
    Ok(())
}

fn commands(fields: &mut Fields<'_>) {
    let query = sislm_query::default();
    for nr in [0x12, 0x7f, 0xff] {
        let number = SISLM_IOC_QUERY & !0xff | nr;
        fields.wrong(
            &format!("command-{nr:#x}"),
            number,
            &query,
            |_| (),
            &[Errno::ENOTTY],
        );
    }
    fields.wrong(
        "magic",
        SISLM_IOC_QUERY ^ 0x100,
        &query,
        |_| (),
        &[Errno::ENOTTY],
    );
    let numbers = [
        ("query", SISLM_IOC_QUERY),
        ("load", SISLM_IOC_LOAD),
        ("unload", SISLM_IOC_UNLOAD),
        ("progress", SISLM_IOC_PROGRESS),
        ("model", SISLM_IOC_MODEL),
        ("configure", SISLM_IOC_CONFIGURE),
        ("run", SISLM_IOC_RUN),
        ("tokenize", SISLM_IOC_TOKENIZE),
        ("detokenize", SISLM_IOC_DETOKENIZE),
        ("evaluate", SISLM_IOC_EVALUATE),
        ("result", SISLM_IOC_RESULT),
        ("statistics", SISLM_IOC_STATISTICS),
        ("selftest", SISLM_IOC_SELFTEST),
        ("bench", SISLM_IOC_BENCH),
        ("metadata", SISLM_IOC_METADATA),
        ("prompt", SISLM_IOC_PROMPT),
    ];
    for (name, number) in numbers {
        let found = call_nowhere(&fields.file, number);
        fields
            .report
            .refused(&format!("fields/{name}.address"), found, &[Errno::EFAULT]);
    }
}

/// A caller of another age: its structure is longer or shorter than the module's.
fn sizes(fields: &mut Fields<'_>) {
    let size = size_of::<sislm_statistics>();
    let longer = resized(SISLM_IOC_STATISTICS, size + 16);
    let mut argument = (sislm_statistics::default(), [0_u64; 2]);
    fields.sound("longer-with-zeroes", longer, &argument);
    argument.1[1] = 1;
    fields.wrong(
        "longer-with-more",
        longer,
        &argument,
        |_| (),
        &[Errno::E2BIG],
    );

    let mut shorter = [0_u64; 2];
    let number = resized(SISLM_IOC_STATISTICS, 8);
    let found = call(&fields.file, number, &mut shorter).map(|()| shorter[1]);
    fields
        .report
        .equal("fields/shorter-writes-no-more", found, Ok(0));
}

fn models(fields: &mut Fields<'_>, weights: &File) {
    let bad_names: [(&str, &[u8]); 4] = [
        ("slash", b"a/b"),
        ("space", b"a b"),
        ("control", b"a\nb"),
        ("after-nul", b"a\0b"),
    ];
    let load = sislm_load {
        fd: weights.as_raw_fd(),
        name: name(b"other"),
        ..Default::default()
    };
    fields.invalid("load.flags", SISLM_IOC_LOAD, &load, |load| load.flags = 1);
    fields.invalid("load.pad", SISLM_IOC_LOAD, &load, |load| load.pad = 1);
    fields.invalid("load.pad2", SISLM_IOC_LOAD, &load, |load| load.pad2 = 1);
    parts::wrong(fields, &load, weights);
    fields.invalid("load.name-empty", SISLM_IOC_LOAD, &load, |load| {
        load.name = [0; 64]
    });
    fields.invalid("load.name-unterminated", SISLM_IOC_LOAD, &load, |load| {
        load.name = [b'a'; 64]
    });
    fields.wrong(
        "load.name-taken",
        SISLM_IOC_LOAD,
        &load,
        |load| load.name = name(MODEL),
        &[Errno::EEXIST],
    );
    fields.wrong(
        "load.fd-closed",
        SISLM_IOC_LOAD,
        &load,
        |load| load.fd = 999,
        &[Errno::EBADF],
    );
    fields.wrong(
        "load.fd-negative",
        SISLM_IOC_LOAD,
        &load,
        |load| load.fd = -1,
        &[Errno::EBADF],
    );
    for (slug, text) in bad_names {
        fields.invalid(
            &format!("load.name-{slug}"),
            SISLM_IOC_LOAD,
            &load,
            |load| load.name = name(text),
        );
        let unload = sislm_unload {
            name: name(text),
            ..Default::default()
        };
        fields.invalid(
            &format!("unload.name-{slug}"),
            SISLM_IOC_UNLOAD,
            &unload,
            |_| (),
        );
        let progress = sislm_progress {
            name: name(text),
            ..Default::default()
        };
        fields.invalid(
            &format!("progress.name-{slug}"),
            SISLM_IOC_PROGRESS,
            &progress,
            |_| (),
        );
        let model = sislm_model {
            name: name(text),
            ..Default::default()
        };
        fields.invalid(
            &format!("model.name-{slug}"),
            SISLM_IOC_MODEL,
            &model,
            |_| (),
        );
    }
    let model = sislm_unload {
        name: name(MODEL),
        ..Default::default()
    };
    fields.invalid("unload.flags", SISLM_IOC_UNLOAD, &model, |u| u.flags = 2);
    fields.invalid("unload.pad", SISLM_IOC_UNLOAD, &model, |u| u.pad = 1);
    let absent = sislm_unload {
        name: name(b"absent"),
        ..Default::default()
    };
    fields.wrong(
        "unload.name-absent",
        SISLM_IOC_UNLOAD,
        &absent,
        |_| (),
        &[Errno::ENOENT],
    );
    fields.invalid("unload.name-empty", SISLM_IOC_UNLOAD, &absent, |argument| {
        argument.name = [0; 64]
    });
    let progress = sislm_progress {
        name: name(b"absent"),
        ..Default::default()
    };
    fields.wrong(
        "progress.name-absent",
        SISLM_IOC_PROGRESS,
        &progress,
        |_| (),
        &[Errno::ENOENT],
    );
    let model = sislm_model::default();
    fields.sound("model", SISLM_IOC_MODEL, &model);
    fields.invalid("model.flags", SISLM_IOC_MODEL, &model, |model| {
        model.flags = 1
    });
    fields.wrong(
        "model.index-past-end",
        SISLM_IOC_MODEL,
        &model,
        |model| model.index = 1000,
        &[Errno::ENOENT],
    );
    fields.wrong(
        "model.index-max",
        SISLM_IOC_MODEL,
        &model,
        |model| model.index = u32::MAX,
        &[Errno::ENOENT],
    );
    fields.wrong(
        "model.name-absent",
        SISLM_IOC_MODEL,
        &model,
        |model| model.name = name(b"absent"),
        &[Errno::ENOENT],
    );
}

fn metadata(fields: &mut Fields<'_>) {
    let mut text = [0_u8; 64];
    let sound = sislm_metadata {
        name: name(MODEL),
        key: name(b"general.architecture"),
        text: text.as_mut_ptr() as u64,
        capacity: 64,
        ..Default::default()
    };
    let number = SISLM_IOC_METADATA;
    fields.sound("metadata", number, &sound);
    let mut wrong = |name: &str, errno, change: &dyn Fn(&mut sislm_metadata)| {
        let name = format!("metadata.{name}");
        fields.wrong(&name, number, &sound, |m| change(m), &[errno]);
    };
    wrong("name-empty", Errno::EINVAL, &|m| m.name = [0; 64]);
    wrong("name-unterminated", Errno::EINVAL, &|m| m.name = [b'a'; 64]);
    wrong("name-absent", Errno::ENOENT, &|m| m.name = name(b"absent"));
    wrong("key-empty", Errno::EINVAL, &|m| m.key = [0; 64]);
    wrong("key-unterminated", Errno::EINVAL, &|m| m.key = [b'a'; 64]);
    wrong("key-after-nul", Errno::EINVAL, &|m| m.key[63] = 1);
    // In the file, and not one of those that are kept.
    wrong("key-other", Errno::EINVAL, &|m| {
        m.key = name(b"llama.rope.freq_base")
    });
    wrong("key-absent", Errno::ENODATA, &|m| {
        m.key = name(b"tokenizer.chat_template.tool_use")
    });
    wrong("text", Errno::EFAULT, &|m| m.text = NOWHERE);
    wrong("capacity-0", Errno::ENOSPC, &|m| m.capacity = 0);
    wrong("capacity", Errno::ENOSPC, &|m| m.capacity = 4);
    wrong("flags", Errno::EINVAL, &|m| m.flags = 1);
    wrong("pad", Errno::EINVAL, &|m| m.pad = 1);

    // The size first, then the bytes.
    let mut asked = sislm_metadata {
        capacity: 0,
        text: 0,
        ..sound
    };
    let found = call(&fields.file, number, &mut asked).map_err(|errno| (errno, asked.length));
    let report = &mut fields.report;
    report.equal("fields/metadata-size", found, Err((Errno::ENOSPC, 5)));
    asked.text = text.as_mut_ptr() as u64;
    asked.capacity = asked.length;
    let found = call(&fields.file, number, &mut asked).map(|()| text[..6].to_vec());
    report.equal("fields/metadata-text", found, Ok(b"llama\0".to_vec()));
    let readable = File::open("/dev/sislm").map_err(|_| Errno::EIO);
    let found = readable.and_then(|file| call(&file, number, &mut asked));
    report.equal("fields/metadata-of-a-reader", found, Ok(()));
}

/// Greedy sampling on the model of these tests.
fn configuration() -> sislm_configure {
    let sampling = sislm_sampling {
        top_p: SISLM_MILLION,
        typical_p: SISLM_MILLION,
        repeat_penalty: SISLM_MILLION,
        ..Default::default()
    };
    sislm_configure {
        model: name(MODEL),
        sampling,
        max_tokens: 4,
        ..Default::default()
    }
}

/// Each member of the sampling with a value beyond its range.
fn sampling(fields: &mut Fields<'_>) {
    let sound = configuration();
    macro_rules! outside {
        ($($name:literal: $($member:ident).+ = $value:expr;)*) => {
            $(fields.outside(
                $name,
                &sound,
                |c| c.$($member).+ = $value,
                (std::mem::offset_of!(sislm_configure, $($member).+), i64::from($value)),
            );)*
        };
    }
    const MILLION: u32 = SISLM_MILLION;
    const HUNDRED: u32 = 100 * MILLION;
    const SIGNED: i32 = 100_000_000;
    outside! {
        "temperature": sampling.temperature = HUNDRED + 1;
        "top_p-0": sampling.top_p = 0_u32;
        "top_p-over": sampling.top_p = MILLION + 1;
        "min_p": sampling.min_p = MILLION + 1;
        "typical_p-0": sampling.typical_p = 0_u32;
        "typical_p-over": sampling.typical_p = MILLION + 1;
        "repeat_penalty-0": sampling.repeat_penalty = 0_u32;
        "repeat_penalty-over": sampling.repeat_penalty = HUNDRED + 1;
        "presence_penalty-under": sampling.presence_penalty = -SIGNED - 1;
        "presence_penalty-over": sampling.presence_penalty = SIGNED + 1;
        "frequency_penalty-under": sampling.frequency_penalty = -SIGNED - 1;
        "frequency_penalty-over": sampling.frequency_penalty = SIGNED + 1;
        "sampling.pad": sampling.pad = 1_u32;
        "dry_multiplier": samplers.dry_multiplier = HUNDRED + 1;
        "dry_base-over": samplers.dry_base = HUNDRED + 1;
        "top_n_sigma": samplers.top_n_sigma = HUNDRED + 1;
        "xtc_probability": samplers.xtc_probability = MILLION + 1;
        "xtc_threshold": samplers.xtc_threshold = MILLION + 1;
        "dynatemp_range": samplers.dynatemp_range = HUNDRED + 1;
        "dynatemp_exponent": samplers.dynatemp_exponent = HUNDRED + 1;
        "mirostat-1": samplers.mirostat = 1_u32;
        "mirostat-3": samplers.mirostat = 3_u32;
        "mirostat_tau": samplers.mirostat_tau = HUNDRED + 1;
        "mirostat_eta": samplers.mirostat_eta = HUNDRED + 1;
        "breaker_count": samplers.breaker_count = SISLM_BREAKER_MAX + 1;
        "samplers.pad": samplers.pad = 1_u32;
        "bias_count": bias_count = SISLM_BIAS_MAX + 1;
    }
    let base = std::mem::offset_of!(sislm_configure, samplers.dry_base);
    fields.outside(
        "dry_base-under",
        &sound,
        |c| (c.samplers.dry_multiplier, c.samplers.dry_base) = (1, MILLION - 1),
        (base, i64::from(MILLION) - 1),
    );
    breakers(fields, &sound);
    biases(fields, &sound);
    fields.sound("configure-after-samplers", SISLM_IOC_CONFIGURE, &sound);
}

/// Sequence breakers of DRY: lengths of 1 to the most, and zeroes past them.
fn breakers(fields: &mut Fields<'_>, sound: &sislm_configure) {
    let place = std::mem::offset_of!(sislm_configure, samplers.breaker_length);
    let mut outside = |name: &str, change: &dyn Fn(&mut sislm_samplers)| {
        let change = |c: &mut sislm_configure| change(&mut c.samplers);
        fields.outside(name, sound, change, (place, 0));
    };
    outside("breaker_length-0", &|s| s.breaker_count = 1);
    outside("breaker_length-over", &|s| {
        (s.breaker_count, s.breaker_length[0]) = (1, SISLM_BREAKER_BYTES + 1)
    });
    outside("breaker_length-unused", &|s| s.breaker_length[7] = 1);
    outside("breaker-unused", &|s| s.breaker[7][0] = b'a');
    outside("breaker-past-length", &|s| {
        (s.breaker_count, s.breaker_length[0], s.breaker[0][1]) = (1, 1, b'a')
    });
    let mut all = *sound;
    (all.samplers.dry_multiplier, all.samplers.dry_base) = (MAX_OF_ALL, MAX_OF_ALL);
    all.samplers.breaker_count = SISLM_BREAKER_MAX;
    all.samplers.breaker_length = [SISLM_BREAKER_BYTES; SISLM_BREAKER_MAX as usize];
    all.samplers.breaker = [[b'a'; SISLM_BREAKER_BYTES as usize]; SISLM_BREAKER_MAX as usize];
    fields.sound("configure.breakers", SISLM_IOC_CONFIGURE, &all);
}

/// Largest DRY multiplier and base.
const MAX_OF_ALL: u32 = 100 * SISLM_MILLION;

/// Biases: ascending ids of the model's, each bias within its range, one token left.
fn biases(fields: &mut Fields<'_>, sound: &sislm_configure) {
    let place = std::mem::offset_of!(sislm_configure, biases);
    let bias = |id, bias| sislm_bias { id, bias };
    let with = |biases: &[sislm_bias]| {
        let (address, count) = (biases.as_ptr() as u64, biases.len());
        move |c: &mut sislm_configure| {
            (c.biases, c.bias_count) = (address, u32::try_from(count).expect("few"));
        }
    };
    let over = [bias(7, 100_000_001)];
    fields.outside("bias-over", sound, with(&over), (place, 100_000_001));
    let under = [bias(7, -100_000_001)];
    fields.outside("bias-under", sound, with(&under), (place, -100_000_001));
    let twice = [bias(7, 1), bias(7, 1)];
    fields.outside("biases-twice", sound, with(&twice), (place, 7));
    let descending = [bias(7, 1), bias(6, 1)];
    fields.outside("biases-descending", sound, with(&descending), (place, 6));
    let unknown = [bias(1 << 20, 1)];
    fields.invalid(
        "configure.bias-no-token",
        SISLM_IOC_CONFIGURE,
        sound,
        with(&unknown),
    );
    fields.wrong(
        "configure.biases",
        SISLM_IOC_CONFIGURE,
        sound,
        |c| (c.biases, c.bias_count) = (NOWHERE, 1),
        &[Errno::EFAULT],
    );
    let most: Vec<sislm_bias> = (0..SISLM_BIAS_MAX)
        .map(|id| bias(id, 100_000_000))
        .collect();
    let vocabulary = vocabulary(&fields.file);
    let known = most
        .get(..most.len().min(vocabulary as usize))
        .unwrap_or(&most);
    let mut all = *sound;
    with(known)(&mut all);
    fields.sound("configure.biases-most", SISLM_IOC_CONFIGURE, &all);
    if vocabulary <= SISLM_BIAS_MAX {
        let banned: Vec<sislm_bias> = (0..vocabulary)
            .map(|id| bias(id, SISLM_BIAS_BANNED))
            .collect();
        fields.invalid(
            "configure.all-banned",
            SISLM_IOC_CONFIGURE,
            sound,
            with(&banned),
        );
        let mut one_left = *sound;
        with(&banned[1..])(&mut one_left);
        fields.sound("configure.one-left", SISLM_IOC_CONFIGURE, &one_left);
    }
}

/// Tokens of the model of these tests.
fn vocabulary(file: &File) -> u32 {
    let mut model = sislm_model {
        name: name(MODEL),
        ..Default::default()
    };
    call(file, SISLM_IOC_MODEL, &mut model).map_or(0, |()| model.vocabulary)
}

fn configure(fields: &mut Fields<'_>) {
    let sound = configuration();
    fields.sound("configure", SISLM_IOC_CONFIGURE, &sound);
    let mut refuse = |name: &str, change: &dyn Fn(&mut sislm_configure)| {
        fields.invalid(
            &format!("configure.{name}"),
            SISLM_IOC_CONFIGURE,
            &sound,
            |configure| change(configure),
        );
    };
    refuse("flags", &|c| c.flags = 1 << 4);
    refuse("flags-top", &|c| c.flags = 1 << 31);
    refuse("pad", &|c| c.pad = 1);
    refuse("pad2", &|c| c.pad2 = 1);
    refuse("pad3", &|c| c.pad3 = 1);
    refuse("kv_type", &|c| c.kv_type = 2);
    refuse("model-unterminated", &|c| c.model = [b'a'; 64]);
    refuse("model-slash", &|c| c.model = name(b"a/b"));
    refuse("stop_id_count", &|c| c.stop_id_count = SISLM_STOP_MAX + 1);
    refuse("stop_ids-past-their-count", &|c| c.stop_ids[0] = 1);
    refuse("stop_ids-no-token", &|c| {
        (c.stop_id_count, c.stop_ids[0]) = (1, 1 << 20)
    });
    refuse("stop_count", &|c| c.stop_count = SISLM_STOP_MAX + 1);
    refuse("stop_length-0", &|c| c.stop_count = 1);
    refuse("stop_length-over", &|c| {
        (c.stop_count, c.stop_length[0]) = (1, SISLM_STOP_BYTES + 1)
    });
    refuse("stop_length-unused", &|c| c.stop_length[3] = 1);
    refuse("stop-past-length", &|c| {
        (c.stop_count, c.stop_length[0], c.stop[0][0], c.stop[0][1]) = (1, 1, b'a', b'b')
    });
    refuse("stop-unused", &|c| c.stop[2][0] = b'a');
    fields.wrong(
        "configure.context-over-model",
        SISLM_IOC_CONFIGURE,
        &sound,
        |c| c.context = 1025,
        &[Errno::ERANGE],
    );
    fields.wrong(
        "configure.context-max",
        SISLM_IOC_CONFIGURE,
        &sound,
        |c| c.context = u32::MAX,
        &[Errno::ERANGE],
    );
    fields.wrong(
        "configure.model-absent",
        SISLM_IOC_CONFIGURE,
        &sound,
        |c| c.model = name(b"absent"),
        &[Errno::ENOENT],
    );
    fields.sound("configure-after-refusals", SISLM_IOC_CONFIGURE, &sound);
}

fn turn(fields: &mut Fields<'_>) {
    let mut text = [0_u8; 1024];
    let prompt = b"he";
    let run = sislm_run {
        prompt: prompt.as_ptr() as u64,
        prompt_length: 2,
        text: text.as_mut_ptr() as u64,
        capacity: 1024,
        ..Default::default()
    };
    fields.sound("run", SISLM_IOC_RUN, &run);
    fields.invalid("run.flags", SISLM_IOC_RUN, &run, |run| run.flags = 1);
    fields.wrong(
        "run.prompt",
        SISLM_IOC_RUN,
        &run,
        |run| run.prompt = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "run.prompt_length",
        SISLM_IOC_RUN,
        &run,
        |run| run.prompt_length = u32::MAX,
        &[Errno::EMSGSIZE],
    );
    fields.wrong(
        "run.text",
        SISLM_IOC_RUN,
        &run,
        |run| run.text = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "run.capacity",
        SISLM_IOC_RUN,
        &run,
        |run| run.capacity = 0,
        &[Errno::ENOSPC],
    );

    let result = sislm_result::default();
    let mut ids = [0_u32; 64];
    fields.sound("result", SISLM_IOC_RESULT, &result);
    fields.wrong(
        "result.ids",
        SISLM_IOC_RESULT,
        &result,
        |r| (r.ids, r.capacity) = (NOWHERE, 64),
        &[Errno::EFAULT],
    );
    fields.wrong(
        "result.prompt_ids",
        SISLM_IOC_RESULT,
        &result,
        |r| (r.prompt_ids, r.prompt_capacity) = (NOWHERE, 64),
        &[Errno::EFAULT],
    );
    fields.wrong(
        "result.capacity",
        SISLM_IOC_RESULT,
        &result,
        |r| (r.ids, r.capacity) = (ids.as_mut_ptr() as u64, 1),
        &[Errno::ENOSPC],
    );
    fields.wrong(
        "result.prompt_capacity",
        SISLM_IOC_RESULT,
        &result,
        |r| (r.prompt_ids, r.prompt_capacity) = (ids.as_mut_ptr() as u64, 1),
        &[Errno::ENOSPC],
    );
}

fn text(fields: &mut Fields<'_>) {
    let mut ids = [0_u32; 64];
    let mut text = [0_u8; 64];
    let words = b"one ten tires";
    let tokenize = sislm_tokenize {
        text: words.as_ptr() as u64,
        length: 13,
        ids: ids.as_mut_ptr() as u64,
        capacity: 64,
        flags: SISLM_TOKENIZE_BOS,
        ..Default::default()
    };
    fields.sound("tokenize", SISLM_IOC_TOKENIZE, &tokenize);
    fields.invalid("tokenize.flags", SISLM_IOC_TOKENIZE, &tokenize, |t| {
        t.flags = 1 << 2
    });
    fields.invalid("tokenize.pad", SISLM_IOC_TOKENIZE, &tokenize, |t| t.pad = 1);
    fields.wrong(
        "tokenize.text",
        SISLM_IOC_TOKENIZE,
        &tokenize,
        |t| t.text = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "tokenize.ids",
        SISLM_IOC_TOKENIZE,
        &tokenize,
        |t| t.ids = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "tokenize.capacity",
        SISLM_IOC_TOKENIZE,
        &tokenize,
        |t| t.capacity = 1,
        &[Errno::ENOSPC],
    );
    fields.wrong(
        "tokenize.length",
        SISLM_IOC_TOKENIZE,
        &tokenize,
        |t| t.length = u32::MAX,
        &[Errno::EMSGSIZE],
    );

    literal(fields, &tokenize);

    let detokenize = sislm_detokenize {
        ids: ids.as_mut_ptr() as u64,
        count: 3,
        text: text.as_mut_ptr() as u64,
        capacity: 64,
        flags: SISLM_TOKENIZE_BOS,
        length: 0,
    };
    fields.sound("detokenize", SISLM_IOC_DETOKENIZE, &detokenize);
    fields.invalid("detokenize.flags", SISLM_IOC_DETOKENIZE, &detokenize, |d| {
        d.flags = 1 << 2
    });
    fields.wrong(
        "detokenize.ids",
        SISLM_IOC_DETOKENIZE,
        &detokenize,
        |d| d.ids = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "detokenize.text",
        SISLM_IOC_DETOKENIZE,
        &detokenize,
        |d| d.text = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "detokenize.capacity",
        SISLM_IOC_DETOKENIZE,
        &detokenize,
        |d| d.capacity = 0,
        &[Errno::ENOSPC],
    );
    let outside = [u32::MAX];
    fields.invalid("detokenize.id", SISLM_IOC_DETOKENIZE, &detokenize, |d| {
        (d.ids, d.count) = (outside.as_ptr() as u64, 1)
    });
}

/// Parts of a text in which control tokens are not parsed.
fn literal(fields: &mut Fields<'_>, tokenize: &sislm_tokenize) {
    let part = |offset, length| sislm_literal { offset, length };
    let tokenize = sislm_tokenize {
        flags: SISLM_TOKENIZE_CONTROL,
        ..*tokenize
    };
    let number = SISLM_IOC_TOKENIZE;
    let with = |parts: &[sislm_literal]| sislm_tokenize {
        literal: parts.as_ptr() as u64,
        literal_count: u32::try_from(parts.len()).expect("few"),
        ..tokenize
    };
    let sound = [part(0, 3), part(3, 1), part(12, 1)];
    fields.sound("tokenize-literal", number, &with(&sound));
    for (name, parts) in [
        ("empty", &[part(1, 0)][..]),
        ("past-end", &[part(12, 2)]),
        ("overflow", &[part(u32::MAX, u32::MAX)]),
        ("descending", &[part(4, 1), part(0, 1)]),
        ("overlapping", &[part(0, 2), part(1, 1)]),
    ] {
        let name = format!("tokenize.literal-{name}");
        fields.invalid(&name, number, &with(parts), |_| ());
    }
    let sound = with(&sound);
    fields.invalid("tokenize.literal-without-control", number, &sound, |t| {
        t.flags = 0
    });
    fields.invalid("tokenize.literal_count", number, &sound, |t| {
        t.literal_count = SISLM_LITERAL_MAX + 1
    });
    let errors = [Errno::EFAULT];
    fields.wrong(
        "tokenize.literal",
        number,
        &sound,
        |t| t.literal = NOWHERE,
        &errors,
    );
}

/// A prompt of ids, and what goes on meanwhile.
fn prompt(fields: &mut Fields<'_>) {
    let ids = [1_u32, 300, 301];
    let outside = [1_u32, u32::MAX];
    let number = SISLM_IOC_PROMPT;
    let prompt = sislm_prompt {
        ids: ids.as_ptr() as u64,
        count: 3,
        flags: 0,
    };
    fields.invalid("prompt.flags", number, &prompt, |p| p.flags = 1);
    fields.invalid("prompt.count-0", number, &prompt, |p| p.count = 0);
    let errors = [Errno::EMSGSIZE];
    fields.wrong(
        "prompt.count",
        number,
        &prompt,
        |p| p.count = u32::MAX,
        &errors,
    );
    let errors = [Errno::EFAULT];
    fields.wrong("prompt.ids", number, &prompt, |p| p.ids = NOWHERE, &errors);
    fields.invalid("prompt.id", number, &prompt, |p| {
        (p.ids, p.count) = (outside.as_ptr() as u64, 2)
    });
    let readable = File::open("/dev/sislm").map_err(|_| Errno::EIO);
    let found = readable.and_then(|file| call(&file, number, &mut prompt.clone()));
    let report = &mut *fields.report;
    report.refused("fields/prompt-of-a-reader", found, &[Errno::EBADF]);

    fields.sound("prompt", number, &prompt);
    // It waits: nothing is added to it.
    let errors = [Errno::EBUSY];
    fields.wrong("prompt-twice", number, &prompt, |_| (), &errors);
    let written = (&fields.file)
        .write(b"x")
        .map_err(|error| error.raw_os_error());
    let busy = Err(Some(Errno::EBUSY as i32));
    fields
        .report
        .equal("fields/prompt-then-text", written, busy);
    let mut text = Vec::new();
    let read = (&fields.file)
        .read_to_end(&mut text)
        .map_err(|error| error.raw_os_error());
    fields
        .report
        .equal("fields/prompt-is-answered", read.map(|_| ()), Ok(()));
    let mut found = [0_u32; 8];
    let mut result = sislm_result {
        prompt_ids: found.as_mut_ptr() as u64,
        prompt_capacity: 8,
        ..Default::default()
    };
    let answer = call(&fields.file, SISLM_IOC_RESULT, &mut result);
    let answer = answer.map(|()| (result.prompt_count, result.count, found[..3].to_vec()));
    fields
        .report
        .equal("fields/prompt-ids", answer, Ok((3, 4, ids.to_vec())));
    // Text after ids, and ids dropped before they are asked for.
    let written = (&fields.file)
        .write(b"x")
        .map_err(|error| error.raw_os_error());
    fields
        .report
        .equal("fields/text-then-prompt", written, Ok(1));
    fields.wrong("prompt-after-text", number, &prompt, |_| (), &errors);
    let dropped = call(&fields.file, SISLM_IOC_RESET, &mut ());
    fields.report.equal("fields/text-dropped", dropped, Ok(()));
    fields.sound("prompt-after-reset", number, &prompt);
    let dropped = call(&fields.file, SISLM_IOC_CANCEL, &mut ());
    fields
        .report
        .equal("fields/prompt-dropped", dropped, Ok(()));
}

fn evaluate(fields: &mut Fields<'_>) {
    let ids = [1_u32, 300, 301, 302];
    let outside = [1_u32, u32::MAX];
    let mut log_probabilities = [0_i32; 4];
    let mut top = [sislm_candidate::default(); 8];
    let evaluate = sislm_evaluate {
        ids: ids.as_ptr() as u64,
        count: 4,
        log_probabilities: log_probabilities.as_mut_ptr() as u64,
        top: top.as_mut_ptr() as u64,
        top_k: 2,
        ..Default::default()
    };
    fields.sound("evaluate", SISLM_IOC_EVALUATE, &evaluate);
    fields.invalid("evaluate.flags", SISLM_IOC_EVALUATE, &evaluate, |e| {
        e.flags = 2
    });
    fields.invalid("evaluate.count-0", SISLM_IOC_EVALUATE, &evaluate, |e| {
        e.count = 0
    });
    fields.wrong(
        "evaluate.count-over-context",
        SISLM_IOC_EVALUATE,
        &evaluate,
        |e| e.count = u32::MAX,
        &[Errno::EMSGSIZE, Errno::EINVAL],
    );
    fields.invalid("evaluate.top_k", SISLM_IOC_EVALUATE, &evaluate, |e| {
        e.top_k = SISLM_TOP_MAX + 1
    });
    fields.invalid("evaluate.done", SISLM_IOC_EVALUATE, &evaluate, |e| {
        e.done = 1
    });
    fields.wrong(
        "evaluate.ids",
        SISLM_IOC_EVALUATE,
        &evaluate,
        |e| e.ids = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.invalid("evaluate.id", SISLM_IOC_EVALUATE, &evaluate, |e| {
        (e.ids, e.count) = (outside.as_ptr() as u64, 2)
    });
    fields.wrong(
        "evaluate.log_probabilities",
        SISLM_IOC_EVALUATE,
        &evaluate,
        |e| e.log_probabilities = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "evaluate.top",
        SISLM_IOC_EVALUATE,
        &evaluate,
        |e| e.top = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.sound("evaluate-after-refusals", SISLM_IOC_EVALUATE, &evaluate);
}

/// EVALUATE with embeddings.
fn embed(fields: &mut Fields<'_>) {
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

fn checks(fields: &mut Fields<'_>) {
    let selftest = sislm_selftest::default();
    fields.invalid("selftest.flags", SISLM_IOC_SELFTEST, &selftest, |s| {
        s.flags = 1
    });
    fields.invalid("selftest.simd", SISLM_IOC_SELFTEST, &selftest, |s| {
        s.simd = 5
    });
    let bench = sislm_bench {
        format: 2,
        rows: 1,
        columns: 64,
        groups: 1,
        repeats: 1,
        ..Default::default()
    };
    fields.sound("bench", SISLM_IOC_BENCH, &bench);
    fields.wrong(
        "bench.format",
        SISLM_IOC_BENCH,
        &bench,
        |b| b.format = 15,
        &[Errno::EINVAL, Errno::EOPNOTSUPP],
    );
    fields.invalid("bench.rows-0", SISLM_IOC_BENCH, &bench, |b| b.rows = 0);
    fields.invalid("bench.rows-over", SISLM_IOC_BENCH, &bench, |b| b.rows = 9);
    fields.invalid("bench.columns-0", SISLM_IOC_BENCH, &bench, |b| {
        b.columns = 0
    });
    fields.invalid("bench.columns-uneven", SISLM_IOC_BENCH, &bench, |b| {
        b.columns = 33
    });
    fields.invalid("bench.columns-over", SISLM_IOC_BENCH, &bench, |b| {
        b.columns = 8224
    });
    fields.invalid("bench.groups-0", SISLM_IOC_BENCH, &bench, |b| b.groups = 0);
    fields.invalid("bench.groups-over", SISLM_IOC_BENCH, &bench, |b| {
        b.groups = 1025
    });
    fields.invalid("bench.repeats-0", SISLM_IOC_BENCH, &bench, |b| {
        b.repeats = 0
    });
    fields.invalid("bench.repeats-over", SISLM_IOC_BENCH, &bench, |b| {
        b.repeats = 100_001
    });
    fields.invalid("bench.flags", SISLM_IOC_BENCH, &bench, |b| b.flags = 1);
}
