// SPDX-License-Identifier: MIT OR Apache-2.0
//! gpt2-adder: sums of two numbers of two digits.

use sislm::{Device, KvType, SamplingConfig, SessionConfig, Source};

use crate::report::{Failure, Report};

const PROBLEMS: u32 = 200;

/// Asks 200 sums; the model writes the sum's three digits in reverse.
pub(crate) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let name: sislm::ModelName = "adder".parse()?;
    device.load(&Source::open(model)?, &name)?;
    let config = SessionConfig {
        model: Some(name.clone()),
        kv: KvType::F32,
        max_tokens: 3,
        sampling: SamplingConfig::greedy(),
        ..Default::default()
    };
    let mut session = device.session(&config)?;
    let mut draw = 1_u32;
    let mut wrong = Vec::new();
    for _ in 0..PROBLEMS {
        // Numerical Recipes' generator; its upper bits are random enough for problems.
        draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (a, b) = ((draw >> 16) % 100, (draw >> 24) % 100);
        let prompt = format!("{a:02}{b:02}");
        let mut answer = String::new();
        for text in session.prompt(prompt.as_bytes())? {
            answer.push_str(&text?);
        }
        let reversed: String = answer.chars().rev().collect();
        if reversed != format!("{:03}", a + b) {
            wrong.push(format!("{a}+{b}={reversed}"));
        }
        session.reset()?;
    }
    report.equal("adder/200-sums", wrong, Vec::new());
    drop(session);
    device.unload(&name)?;
    Ok(())
}
