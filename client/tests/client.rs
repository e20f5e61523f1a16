// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client on a machine without the module: each mistake has a sentence and an exit code.

use std::process::{Command, Output, Stdio};

/// Runs `sislm-client` with no input.
fn client(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sislm-client"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the client was built")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("sentences are UTF-8")
}

/// Asserts the exit code, a sentence with `words`, and nothing on stdout.
fn assert_fails(arguments: &[&str], code: i32, words: &str) {
    let output = client(arguments);
    let sentence = stderr(&output);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {sentence}"
    );
    assert!(sentence.contains(words), "{arguments:?}: {sentence}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
}

#[test]
fn every_command_has_a_page_and_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    let made = client(&["man", folder.path().to_str().unwrap()]);
    assert!(made.status.success(), "{}", stderr(&made));
    for shell in ["bash", "zsh", "fish"] {
        let script = client(&["completions", shell]);
        let script = String::from_utf8(script.stdout).unwrap();
        for command in ["chat", "infer", "load", "serve"] {
            assert!(script.contains(command), "{shell} {command}");
        }
    }
    for command in ["-chat", "-infer", "-load", "-serve", ""] {
        let page = folder.path().join(format!("sislm-client{command}.1"));
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains(".SH OPTIONS"), "{command}");
    }
    assert_fails(&["man", "/nonexistent"], 1, "give a directory");
}

const MISSING: [&str; 2] = ["--device", "/nonexistent/sislm"];

#[test]
fn every_command_says_how_to_get_a_missing_device() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let file = file.path().to_str().unwrap();
    let commands: [&[&str]; 13] = [
        &["info"],
        &["load", file],
        &["unload", "tiny"],
        &["models"],
        &["infer", "Hello"],
        &["chat"],
        &["serve"],
        &["infer", "-m", "tiny", "Hello"],
        &["tokenize", "Hello"],
        &["detokenize", "1,2"],
        &["eval", "Hello"],
        &["stats"],
        &["selftest"],
    ];
    for command in commands {
        assert_fails(
            &[&MISSING, command].concat(),
            3,
            "/nonexistent/sislm is not there: load the module first",
        );
    }
}

#[test]
fn a_path_that_is_no_device_is_told_apart() {
    for command in ["info", "models", "stats"] {
        assert_fails(
            &["--device", "/dev/null", command],
            3,
            "not that of a sislm device",
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    assert_fails(
        &["load", "/nonexistent/model.gguf"],
        1,
        "cannot open /nonexistent/model.gguf",
    );
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for arguments in [
        &["infer", "--temperature", "hot", "x"][..],
        &["infer", "--top-k", "-1", "x"],
        &["eval", "--top", "65", "x"],
        &["eval", "--ids", "1,x"],
        &["load"],
        &["unload", "a/b"],
        &["frobnicate"],
        &[],
    ] {
        let output = client(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn what_cannot_be_kept_of_a_number_is_told() {
    assert_fails(
        &["infer", "--temperature", "0.1234567", "x"],
        2,
        "at most six decimals",
    );
}

#[test]
fn the_help_names_the_commands_and_the_exit_codes() {
    let output = client(&["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    for word in [
        "info",
        "load",
        "unload",
        "models",
        "infer",
        "tokenize",
        "detokenize",
        "eval",
        "stats",
        "selftest",
        "--json",
        "130 cancelled",
    ] {
        assert!(help.contains(word), "{word} is missing:\n{help}");
    }
}

#[test]
fn the_version_is_the_crates() {
    let output = client(&["--version"]);
    assert_eq!(
        output.stdout,
        format!("sislm-client {}\n", env!("CARGO_PKG_VERSION")).as_bytes()
    );
}
