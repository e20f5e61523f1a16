// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chat templates that would work for ever: the server refuses, goes on, and no process of it stays.

use std::fs;
use std::thread;

use serde_json::{json, Value};

use super::{asked, chat, Server, SOCKET};
use crate::http::post;
use crate::report::{Failure, Report};

const CHAT: &str = "/v1/chat/completions";

/// With `model`, whose template is sound, and `endless` ones, all of which are asked at once.
pub(crate) fn run(report: &mut Report, model: &str, endless: &[&str]) -> Result<(), Failure> {
    let _server = Server::start(&["--turns", "2"])?;
    let ask = |name: String| -> Result<(u16, Value), String> {
        let response = post(SOCKET, CHAT, &chat(&name, "one", &json!({})));
        let response = response.map_err(|error| error.to_string())?;
        let status = response.status;
        let object = response.object().map_err(|error| error.to_string())?;
        Ok((status, object["error"].clone()))
    };
    let threads: Vec<_> = endless
        .iter()
        .map(|&name| {
            let owned = name.to_owned();
            (name, thread::spawn(move || ask(owned)))
        })
        .collect();
    for (name, thread) in threads {
        let (status, error) = thread.join().map_err(|_| "a thread failed")??;
        let says = error["message"].as_str().unwrap_or_default();
        report.equal(
            &format!("templates/serve-{name}"),
            (
                status,
                &error["param"],
                says.contains("too much time or memory"),
            ),
            (400, &json!("model"), true),
        );
    }
    let answer = asked(CHAT, &chat(model, "one", &json!({ "max_tokens": 2 })))?;
    report.equal("templates/serves-on", answer["choices"].is_array(), true);
    report.equal("templates/no-process-stays", renderers(), 0);
    Ok(())
}

/// Processes that render.
fn renderers() -> usize {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let commands = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let mark = b"--render-a-chat-template";
    commands
        .filter(|command| command.windows(mark.len()).any(|words| words == mark))
        .count()
}
