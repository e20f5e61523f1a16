// SPDX-License-Identifier: MIT OR Apache-2.0
//! The interface has one layout: for 32-bit callers, on both sides' machines.

use std::collections::BTreeSet;

const HEADER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../module/uapi/sislm.h");

/// Sizes, offsets and numbers of the interface, as clang computes them for `target`.
fn layout(target: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let bindings = bindgen::Builder::default()
        .header(HEADER)
        .clang_arg(format!("--target={target}"))
        .allowlist_item("sislm_.*|SISLM_.*")
        .layout_tests(true)
        .clang_macro_fallback()
        .clang_macro_fallback_build_dir(folder.path())
        .formatter(bindgen::Formatter::None)
        .generate()
        .unwrap_or_else(|error| panic!("{target}: {error}"))
        .to_string();
    let told = |part: &&str| {
        ["Size of", "Offset of", "pub const SISLM_"]
            .iter()
            .any(|word| part.contains(word))
    };
    bindings
        .split(';')
        .filter(told)
        .map(|part| part.trim().to_owned())
        .collect()
}

fn assert_same_as_arm64(target: &str) {
    let arm64 = layout("aarch64-linux-gnu");
    assert!(
        arm64.iter().any(|line| line.contains("Size of sislm_run")),
        "{arm64:#?}"
    );
    assert!(arm64
        .iter()
        .any(|line| line.contains("Offset of field: sislm_load::subject")));
    assert!(arm64.iter().any(|line| line.contains("SISLM_IOC_EVALUATE")));
    let other = layout(target);
    let differences: Vec<_> = arm64.symmetric_difference(&other).collect();
    assert!(
        differences.is_empty(),
        "{target} differs:\n{differences:#?}"
    );
}

#[test]
fn a_32_bit_arm_caller_has_the_same_layout() {
    assert_same_as_arm64("arm-linux-gnueabihf");
}

#[test]
fn a_32_bit_x86_caller_has_the_same_layout() {
    // The only one on which a __u64 is aligned to 4.
    assert_same_as_arm64("i386-linux-gnu");
}

#[test]
fn a_64_bit_x86_caller_has_the_same_layout() {
    assert_same_as_arm64("x86_64-linux-gnu");
}
