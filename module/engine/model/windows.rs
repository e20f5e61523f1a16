// SPDX-License-Identifier: GPL-2.0
//! Sliding windows: which layers look back only so far.

use crate::gguf::Kind;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::Value;
use crate::model::architecture::Windows;
use crate::model::keys::ModelKeys;
use crate::model::number::LAYERS_MAX;
use crate::model::number::Range;

/// Name of the key that says how far they look back.
const WINDOW: &[u8] = b"attention.sliding_window";
/// Name of the key that says which layers have a window.
const PATTERN: &[u8] = b"attention.sliding_window_pattern";

/// A window and the layers that have it.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(Debug))]
pub struct Window {
    /// Positions that a row attends to, its own included; 0 when no layer has a window.
    pub positions: u32,
    /// Positions behind its own that a row attends to, where any does so.
    behind: u32,
    layers: [u64; LAYERS_MAX.div_ceil(u64::BITS) as usize],
}

impl Window {
    /// No layer has a window.
    pub const NONE: Window = Window {
        positions: 0,
        behind: 0,
        layers: [0; LAYERS_MAX.div_ceil(u64::BITS) as usize],
    };

    /// The window of a model with `layers` layers.
    ///
    /// # Errors
    ///
    /// A key of another type, or that does not fit the layers.
    pub fn new(keys: &ModelKeys<'_>, layers: u32) -> Result<Window, Refusal> {
        let told = keys.all().u32(keys.name(WINDOW).bytes())?;
        let windows = keys.architecture().windows;
        let (of, positions) = match windows {
            Windows::None => return Ok(Window::NONE),
            Windows::AllButOneOf(of) | Windows::AllButOneOfAround(of) => (of, told.unwrap_or(0)),
            Windows::AllButOneOfWithin(of, usual) => (of, told.unwrap_or(usual)),
            Windows::Told => (0, Range::new(WINDOW, u32::MAX).required(keys, None)?),
        };
        let mut window = Window {
            positions,
            ..Window::NONE
        };
        if positions == 0 {
            return Ok(window);
        }
        if let Windows::AllButOneOfAround(_) = keys.architecture().windows {
            window.behind = positions / 2;
            window.positions = positions / 2 + 1;
        }
        let name = keys.name(PATTERN);
        let name = name.bytes();
        match keys.all().find(name).filter(|_| keys.reads(PATTERN)) {
            Some(Value::Array(array)) if array.kind == Kind::Bool => {
                if array.count != layers {
                    return Err(Refusal::new(Reason::KeyValue, array.count.into(), name));
                }
                let flags = array.of(keys.all().prefix()).iter();
                window.fill(layers, flags.map(|&flag| flag != 0));
            }
            Some(value) => window.repeat(layers, value.u32(name)?),
            None if windows == Windows::Told => {
                return Err(Refusal::new(Reason::KeyMissing, 0, name));
            }
            None => window.repeat(layers, of),
        }
        Ok(window)
    }

    /// Whether `layer` has the window.
    #[inline]
    pub fn has(&self, layer: u32) -> bool {
        let word = self.layers.get((layer / u64::BITS) as usize);
        word.is_some_and(|word| word >> (layer % u64::BITS) & 1 != 0)
    }

    /// First position that a row at `position` of `layer` attends to.
    #[inline]
    pub fn first(&self, layer: u32, position: usize) -> usize {
        if self.has(layer) {
            (position + 1).saturating_sub(self.positions as usize)
        } else {
            0
        }
    }

    /// Last position that a row at `position` of `layer` attends to, of those up to `last`.
    #[inline]
    pub fn last(&self, layer: u32, position: usize, last: usize) -> usize {
        if self.behind > 0 && self.has(layer) {
            last.min(position.saturating_add(self.behind as usize))
        } else {
            last
        }
    }

    /// Gives a window to all but the last of each `of` of `layers` layers; with 0 to all.
    fn repeat(&mut self, layers: u32, of: u32) {
        let before_last = |layer: u32| layer.checked_rem(of).is_none_or(|place| place + 1 < of);
        self.fill(layers, (0..layers).map(before_last));
    }

    /// Gives a window to the layers whose flag is set.
    fn fill(&mut self, layers: u32, flags: impl Iterator<Item = bool>) {
        for (layer, flag) in (0..layers).zip(flags) {
            if let Some(word) = self.layers.get_mut((layer / u64::BITS) as usize) {
                *word |= u64::from(flag) << (layer % u64::BITS);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_last_of_some_layers_have_a_window() {
        let mut window = Window {
            positions: 3,
            ..Window::NONE
        };
        window.repeat(70, 6);
        for layer in 0..70 {
            assert_eq!(window.has(layer), layer % 6 != 5);
        }
        assert!(!window.has(70) && !window.has(u32::MAX));
        assert_eq!(window.first(0, 1), 0);
        assert_eq!(window.first(0, 2), 0);
        assert_eq!(window.first(0, 7), 5);
        assert_eq!(window.first(5, 7), 0);
        assert_eq!(window.last(0, 7, 9), 9);
        window.behind = 1;
        assert_eq!((window.last(0, 7, 9), window.last(0, 7, 7)), (8, 7));
        assert_eq!(window.last(5, 7, 9), 9);
        let mut none = Window::NONE;
        none.repeat(4, 0);
        assert!((0..4).all(|layer| none.has(layer)));
    }
}
