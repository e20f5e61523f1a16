// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clients of a crowd, each in a thread of its own.

use std::thread::{self, sleep, JoinHandle};
use std::time::Duration;

use serde_json::{json, Value};

use super::{chat, SOCKET};
use crate::http::{events, open, post, send};
use crate::report::Failure;

const CHAT: &str = "/v1/chat/completions";
const JSON: &str = "content-type: application/json\r\n";
/// The seed of the slow reader.
const SLOW: u64 = 99;
/// Time between two pieces that the slow reader takes, and before the first.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(2)];

/// A client, and what it comes to.
pub(super) type Client<T> = JoinHandle<Result<T, String>>;

/// What a client came to.
pub(super) fn joined<T>(client: Client<T>) -> Result<T, String> {
    client
        .join()
        .unwrap_or_else(|_| Err("a thread failed".into()))
}

/// Reads a whole stream: its text.
pub(super) fn patient(model: &str, seed: u64) -> Client<String> {
    whole(request(model, seed, json!({ "max_tokens": 24 })))
}

/// The same of a stream that takes longer.
pub(super) fn lasting(model: &str, seed: u64) -> Client<String> {
    whole(request(model, seed, json!({ "max_tokens": 200 })))
}

fn whole(request: Value) -> Client<String> {
    client(move || text(&post(SOCKET, CHAT, &request)?.text()?))
}

/// Hangs up before the answer begins, or after some of it: whether it had begun. Which, and when, hangs on `number`.
///
/// The answer does not fit the socket, so that it can not be over before.
pub(super) fn hasty(model: &str, seed: u64, number: u64) -> Client<bool> {
    let request = request(model, seed, large()).to_string();
    let random = random(number);
    client(move || {
        let pieces = random % 8;
        if pieces == 0 {
            let connection = open(SOCKET, "POST", CHAT, JSON, request.as_bytes())?;
            sleep(Duration::from_millis(random >> 32 & 0x3ff));
            drop(connection);
            return Ok(false);
        }
        let mut response = send(SOCKET, "POST", CHAT, JSON, request.as_bytes())?;
        for _ in 0..pieces {
            response.chunk()?;
        }
        Ok(true)
    })
}

/// Takes a stream that does not fit the socket late and piece by piece: its text.
pub(super) fn slow(model: &str) -> Client<String> {
    reader(model, PAUSES)
}

/// The same stream, taken as it comes.
pub(super) fn unhurried(model: &str) -> Client<String> {
    reader(model, [Duration::ZERO; 2])
}

fn reader(model: &str, pauses: [Duration; 2]) -> Client<String> {
    let request = request(model, SLOW, large());
    client(move || {
        let [piece, first] = pauses;
        let mut response = post(SOCKET, CHAT, &request)?;
        sleep(first);
        let mut stream = String::new();
        while let Some(chunk) = response.chunk()? {
            stream += &chunk;
            sleep(piece);
        }
        text(&stream)
    })
}

/// Sends a body of 10 MB: the status.
pub(super) fn large_body() -> Client<u16> {
    client(|| Ok(send(SOCKET, "POST", CHAT, JSON, &vec![b' '; 10 << 20])?.status))
}

/// Sends a thousand headers: the status.
pub(super) fn header_flood() -> Client<u16> {
    let flood: String = (0..1000).map(|line| format!("x-{line}: y\r\n")).collect();
    client(move || Ok(send(SOCKET, "GET", "/health", &flood, b"")?.status))
}

fn client<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Client<T> {
    thread::spawn(move || work().map_err(|error| error.to_string()))
}

/// What makes a stream too large for a socket.
fn large() -> Value {
    json!({ "max_tokens": 150, "logprobs": true, "top_logprobs": 20 })
}

/// A stream that no token ends, hot so that no two seeds give the same text.
fn request(model: &str, seed: u64, mut more: Value) -> Value {
    for (name, value) in [
        ("seed", json!(seed)),
        ("stream", json!(true)),
        ("ignore_eos", json!(true)),
        ("temperature", json!(2)),
        ("top_k", json!(0)),
        ("top_p", json!(1)),
        ("min_p", json!(0)),
    ] {
        more[name] = value;
    }
    chat(model, &format!("number {seed}"), &more)
}

/// The text of a stream that ended as streams do.
fn text(stream: &str) -> Result<String, Failure> {
    let (objects, done) = events(stream)?;
    if !done {
        return Err("the stream was cut off".into());
    }
    let deltas = objects
        .iter()
        .filter_map(|object| object["choices"][0]["delta"]["content"].as_str());
    Ok(deltas.collect())
}

/// A number that looks random (SplitMix64).
fn random(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}
