// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that command lines have.

/// Seed of the draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(pub Option<u64>);

/// A count of tokens, from 1; 0 for -1, which is without limit.
pub(super) fn most_tokens(text: &str) -> Result<u32, String> {
    match text.parse() {
        _ if text == "-1" => Ok(0),
        Ok(0) | Err(_) => Err("expected 1 or more, or -1 for no limit but the context".into()),
        Ok(count) => Ok(count),
    }
}

/// A count from 1.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or("expected a number from 1".into())
}

/// A seed of 64 bits; none for -1.
pub(crate) fn seed(text: &str) -> Result<Seed, String> {
    match text.parse() {
        _ if text == "-1" => Ok(Seed(None)),
        Ok(seed) => Ok(Seed(Some(seed))),
        Err(_) => Err("expected 0 to 18446744073709551615, or -1 for one that is drawn".into()),
    }
}

/// A stop string.
pub(super) fn stop(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > sislm::STOP_BYTES as usize {
        return Err(format!(
            "a stop string has 1 to {} bytes",
            sislm::STOP_BYTES
        ));
    }
    Ok(text.into())
}

/// A time that can be waited for.
pub(super) fn delay(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (0.1..=86_400.0).contains(seconds))
        .ok_or_else(|| "give a number of seconds from 0.1 to 86400".into())
}
