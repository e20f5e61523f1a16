// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of models on the command line: those without a version, and versions with a weight.

use std::str::FromStr;

use sislm::{ModelName, WEIGHT_MAX};

/// What stands for any model with a rank: the module chooses.
pub(crate) const ANY: &str = "auto";

/// A version that an alias gives, and its weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target(pub ModelName, pub u32);

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, weight) = match text.split_once('=') {
            Some((name, weight)) => (name, weight.parse().ok()),
            None => (text, Some(1)),
        };
        let name: ModelName = name.parse()?;
        if name.version().is_none() {
            return Err(format!("an alias gives versions: which one of {name}?"));
        }
        let weight = weight.filter(|weight| (1..=WEIGHT_MAX).contains(weight));
        let weight =
            weight.ok_or_else(|| format!("a weight is a number from 1 to {WEIGHT_MAX}"))?;
        Ok(Self(name, weight))
    }
}

/// A name without a version, that is not [`ANY`].
pub(crate) fn base_name(text: &str) -> Result<ModelName, String> {
    let name: ModelName = text.parse()?;
    if text == ANY {
        return Err(format!(
            "{ANY} stands for any model with a rank: choose another name"
        ));
    }
    match name.version() {
        None => Ok(name),
        Some(_) => Err("a name is given without a version here".into()),
    }
}

/// A name with a version.
pub(crate) fn version_name(text: &str) -> Result<ModelName, String> {
    let name: ModelName = text.parse()?;
    match name.version() {
        Some(_) => Ok(name),
        None => Err(format!("a version is given here: which one of {name}?")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_a_weight() {
        let target = |text: &str| text.parse::<Target>();
        let Target(name, weight) = target("tiny@2=90").unwrap();
        assert_eq!((name.as_str(), weight), ("tiny@2", 90));
        assert_eq!(target("tiny@2").unwrap().1, 1);
        for bad in ["tiny", "tiny=3", "tiny@2=0", "tiny@2=1000001", "tiny@2="] {
            assert!(target(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn some_names_have_no_version() {
        assert!(base_name("tiny").is_ok());
        assert!(base_name("tiny@1").is_err());
        assert!(base_name("auto").is_err());
        assert!(version_name("tiny@1").is_ok() && version_name("tiny").is_err());
    }
}
