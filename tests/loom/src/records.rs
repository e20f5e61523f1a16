// SPDX-License-Identifier: GPL-2.0
//! Records of nobody.

/// Who opened a file.
pub(crate) mod who {
    /// Nobody.
    #[derive(Clone, Copy, Default)]
    #[expect(dead_code, reason = "only records read it")]
    pub(crate) struct Who {
        /// For whom its turns are.
        pub(crate) tenant: u64,
        /// Its process.
        pub(crate) tgid: u32,
    }
}
