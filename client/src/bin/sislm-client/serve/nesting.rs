// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end of a JSON object, found while it comes.

/// How deep in objects and lists a text is, and whether in a string.
#[derive(Clone, Debug, Default)]
pub(super) struct Nesting {
    depth: usize,
    quoted: bool,
    escaped: bool,
}

impl Nesting {
    /// Whether the object ends with this character.
    pub(super) fn ends(&mut self, character: char) -> bool {
        match character {
            _ if self.escaped => self.escaped = false,
            '\\' if self.quoted => self.escaped = true,
            '"' => self.quoted = !self.quoted,
            _ if self.quoted => {}
            '{' | '[' => self.depth += 1,
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_count() {
        for text in ["{}", r#"{"a": [{}, "}"]}"#, r#"{"\"}": "\\"}"#] {
            let mut nesting = Nesting::default();
            let end = text.chars().position(|character| nesting.ends(character));
            assert_eq!(end, Some(text.len() - 1), "{text}");
        }
    }
}
