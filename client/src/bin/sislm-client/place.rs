// SPDX-License-Identifier: MIT OR Apache-2.0
//! A place to listen at.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// A place to listen at, as the command line has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// ADDRESS:PORT
    Tcp(SocketAddr),
    /// unix:PATH
    Unix(PathBuf),
}

impl Default for Place {
    fn default() -> Self {
        Self::Tcp(SocketAddr::from(([127, 0, 0, 1], 8080)))
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(path.into()));
        }
        let address = text.replace("localhost:", "127.0.0.1:");
        address.parse().map(Self::Tcp).map_err(|_| {
            "expected ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080, or unix:PATH".into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_a_path() {
        assert_eq!(
            "localhost:80".parse(),
            Ok(Place::Tcp(([127, 0, 0, 1], 80).into()))
        );
        assert_eq!("unix:/run/a".parse(), Ok(Place::Unix("/run/a".into())));
        for wrong in ["8080", "unix:", "example.com:80", ""] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
