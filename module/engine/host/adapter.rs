// SPDX-License-Identifier: GPL-2.0
//! An adapter as it is asked for: `FILE` or `FILE=SCALE`.

use std::path::PathBuf;
use std::str::FromStr;

/// A file and what its adapter is multiplied by.
#[derive(Clone)]
pub struct Adapter {
    /// The file.
    pub path: PathBuf,
    /// Millionths.
    pub scale: i32,
}

impl FromStr for Adapter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, scale) = match text.rsplit_once('=') {
            Some((path, scale)) => (path, scale),
            None => (text, "1"),
        };
        let number: f64 = scale
            .parse()
            .map_err(|_| format!("'{scale}' is no number"))?;
        if !(-100.0..=100.0).contains(&number) {
            return Err("a scale is between -100 and 100".to_owned());
        }
        // CAST: Within the range just checked.
        #[expect(clippy::cast_possible_truncation)]
        let scale = (number * 1e6).round() as i32;
        Ok(Self {
            path: path.into(),
            scale,
        })
    }
}
