// SPDX-License-Identifier: MIT OR Apache-2.0
//! Generates the bindings of module/uapi/sislm.h, the only definition of the interface.

use std::env;
use std::path::PathBuf;

const HEADER: &str = "../module/uapi/sislm.h";

fn main() {
    println!("cargo::rerun-if-changed={HEADER}");
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    bindgen::Builder::default()
        .header(HEADER)
        .allowlist_item("sislm_.*|SISLM_.*")
        .derive_default(true)
        .layout_tests(true)
        // The ioctl numbers are macros over sizeof: clang has to evaluate them.
        .clang_macro_fallback()
        .clang_macro_fallback_build_dir(&folder)
        .merge_extern_blocks(true)
        .formatter(bindgen::Formatter::None)
        .generate()
        .expect("bindgen needs libclang and the kernel's headers (linux-libc-dev)")
        .write_to_file(folder.join("uapi.rs"))
        .expect("OUT_DIR is writable");
}
