// SPDX-License-Identifier: GPL-2.0
//! The kernel crate's attributes, without their effect: here nothing is pinned.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Takes the `#[pin]` of fields away.
#[proc_macro_attribute]
pub fn pin_data(_: TokenStream, item: TokenStream) -> TokenStream {
    without_pin(item)
}

/// Tests of the kernel are not compiled here.
#[proc_macro_attribute]
pub fn kunit_tests(_: TokenStream, _: TokenStream) -> TokenStream {
    TokenStream::new()
}

fn without_pin(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut kept = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(ref hash) if hash.as_char() == '#' => {
                if tokens.next_if(is_pin).is_none() {
                    kept.push(token);
                }
            }
            TokenTree::Group(group) => {
                let inner = without_pin(group.stream());
                kept.push(Group::new(group.delimiter(), inner).into());
            }
            other => kept.push(other),
        }
    }
    kept.into_iter().collect()
}

fn is_pin(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group)
        if group.delimiter() == Delimiter::Bracket && group.stream().to_string() == "pin")
}
