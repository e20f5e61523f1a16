// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cases of a tokenizer: FILE.inp holds texts, FILE.out the ids of each.

use std::fs;

use sislm::{Device, SessionConfig, Source, Tokenize};

use crate::report::{Failure, Report};

const BORDER: &str = "\n__ggml_vocab_test__\n";

/// Tokenizes the texts of `cases`.inp without BOS and turns the ids back.
pub(crate) fn run(report: &mut Report, model: &str, cases: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let name: sislm::ModelName = "tokenizer".parse()?;
    device.load(&Source::open(model)?, &name)?;
    let session = device.session(&SessionConfig {
        model: Some(name.clone()),
        ..Default::default()
    })?;
    let texts = fs::read_to_string(format!("{cases}.inp"))?;
    let answers = fs::read_to_string(format!("{cases}.out"))?;
    let group = cases.rsplit('/').next().unwrap_or(cases);
    let texts: Vec<&str> = texts.trim_end_matches(BORDER).split(BORDER).collect();
    let answers: Vec<&str> = answers.trim_end_matches('\n').split('\n').collect();
    report.equal(
        &format!("tokenizer/{group}/count"),
        texts.len(),
        answers.len(),
    );
    let bos = device.model(&name)?.and_then(|model| model.bos_id());
    let mut wrong = Vec::new();
    for (text, answer) in texts.iter().zip(answers) {
        let wanted: Vec<u32> = answer
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        // The cases have the space prefix of position 0, and no BOS.
        let mut found = session.tokenize(
            text.as_bytes(),
            Tokenize {
                first: true,
                control: false,
            },
        )?;
        if found.first().copied() == bos && !wanted.starts_with(&found[..1.min(found.len())]) {
            found.remove(0);
        }
        if found != wanted {
            wrong.push(format!("{text:?}: {found:?}, wanted {wanted:?}"));
        }
    }
    wrong.truncate(3);
    report.equal(&format!("tokenizer/{group}/ids"), wrong, Vec::new());
    drop(session);
    device.unload(&name)?;
    Ok(())
}
