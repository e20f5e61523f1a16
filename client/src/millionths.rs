// SPDX-License-Identifier: MIT OR Apache-2.0
//! A fraction in millionths: the interface has no floating point.

use std::fmt;
use std::str::FromStr;

use crate::uapi::SISLM_MILLION;

/// A fraction of 0 to 4294, exact to six decimals; parsed from and displayed as a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millionths(pub u32);

impl Millionths {
    /// 0
    pub const ZERO: Self = Self(0);
    /// 1
    pub const ONE: Self = Self(SISLM_MILLION);

    /// Millionths of a number with or without a sign.
    ///
    /// # Errors
    ///
    /// A sentence that says what a number looks like.
    pub fn signed(text: &str) -> Result<i32, String> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let Self(millionths) = digits.parse()?;
        match i32::try_from(millionths) {
            Ok(millionths) if negative => Ok(-millionths),
            Ok(millionths) => Ok(millionths),
            Err(_) => Err("the number is too large".into()),
        }
    }
}

impl FromStr for Millionths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return Err("expected a number like 0.8".into());
        }
        if fraction.len() > 6 {
            return Err("at most six decimals are kept: round the number yourself".into());
        }
        let value = format!("0{whole}{fraction:0<6}");
        value
            .parse()
            .map(Self)
            .map_err(|_| "the number is too large".into())
    }
}

impl fmt::Display for Millionths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / SISLM_MILLION, self.0 % SISLM_MILLION);
        let decimals = format!("{fraction:06}");
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            decimals => write!(f, "{whole}.{decimals}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (text, value) in [
            ("0", 0),
            ("1", 1_000_000),
            ("0.8", 800_000),
            (".5", 500_000),
            ("2.", 2_000_000),
            ("0.000001", 1),
            ("4294.967295", u32::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Millionths(value)), "{text}");
        }
    }

    #[test]
    fn display_is_what_was_parsed() {
        for text in ["0", "1", "0.8", "0.000001", "1.25", "100"] {
            assert_eq!(text.parse::<Millionths>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_sign_is_kept() {
        for (text, value) in [("-0.5", -500_000), ("+2", 2_000_000), ("0", 0)] {
            assert_eq!(Millionths::signed(text), Ok(value));
        }
        for text in ["", "-", "--1", "2147.483648", "inf"] {
            assert!(Millionths::signed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_an_error() {
        for text in [
            "",
            ".",
            "-1",
            "+1",
            "1e3",
            "nan",
            "0.0000001",
            "4294.967296",
            "9999999999",
            "1,5",
        ] {
            assert!(text.parse::<Millionths>().is_err(), "{text}");
        }
    }
}
