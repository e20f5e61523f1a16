// SPDX-License-Identifier: GPL-2.0
//! Records of nobody.

/// Who opened a file.
pub(crate) mod who {
    /// Nobody.
    #[derive(Clone, Copy)]
    pub(crate) struct Who;
}
