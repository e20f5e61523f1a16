// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every field of every ioctl that has wrong values, sent with one of them.

mod adapters;
mod alias;
mod bias;
mod check;
mod command;
mod configure;
mod embed;
mod evaluate;
mod guided;
mod metadata;
mod metrics;
mod model;
mod parts;
mod prompt;
mod sampling;
mod shadow;
mod text;
mod trace;
mod turn;
mod vocabulary;

use std::fs::File;

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
    load(&file, &weights, MODEL)?;
    let mut fields = Fields { report, file };
    command::numbers(&mut fields);
    command::sizes(&mut fields);
    model::wrong(&mut fields, &weights);
    metadata::wrong(&mut fields);
    configure::wrong(&mut fields);
    adapters::wrong_scales(&mut fields);
    sampling::wrong(&mut fields);
    turn::wrong(&mut fields);
    prompt::wrong(&mut fields);
    vocabulary::wrong(&mut fields);
    guided::wrong(&mut Fields {
        report: fields.report,
        file: open()?,
    });
    text::wrong(&mut fields);
    evaluate::wrong(&mut fields);
    embed::wrong(&mut fields);
    check::wrong(&mut fields);
    trace::wrong(&mut fields);
    metrics::wrong(&mut fields);
    alias::wrong(&mut fields);
    shadow::wrong(&mut fields);
    drop(fields);
    unload(&open()?, MODEL)?;
    Ok(())
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
