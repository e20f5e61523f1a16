// SPDX-License-Identifier: GPL-2.0
//! What a file says of the embedding of a text.

use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::model::keys::ModelKeys;
use crate::model::number::Range;

/// Most kinds of text that a token may be of.
const TYPES_MAX: u32 = 16;

/// How the hidden states of a text become its embedding; numbers are those of `SISLM_POOLING_*`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// They do not: each token has its own.
    None = 1,
    /// Their mean.
    Mean = 2,
    /// That of the first token.
    First = 3,
    /// That of the last token.
    Last = 4,
}

/// The embedding of a text.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(Debug))]
pub struct Embeddings {
    /// How it is made of hidden states.
    pub pooling: Pooling,
    /// Kinds of text that a token may be of.
    pub token_types: u32,
    /// Width between the two matrices behind the last norm; 0 without them.
    pub dense: u32,
}

impl Embeddings {
    /// Of a model that says nothing.
    pub const NONE: Embeddings = Embeddings {
        pooling: Pooling::None,
        token_types: 2,
        dense: 0,
    };

    /// As the file says; a matrix has at most `columns` columns.
    ///
    /// # Errors
    ///
    /// A key out of range, or a way of pooling that needs a head of its own.
    pub fn new(keys: &ModelKeys<'_>, columns: u32) -> Result<Embeddings, Refusal> {
        let name = keys.name(b"pooling_type");
        let pooling = match keys.all().u32(name.bytes())? {
            None | Some(0) => Pooling::None,
            Some(1) => Pooling::Mean,
            Some(2) => Pooling::First,
            Some(3) => Pooling::Last,
            Some(other) => {
                let detail = u64::from(other);
                return Err(Refusal::new(Reason::Unsupported, detail, name.bytes()));
            }
        };
        const TYPES: &[u8] = b"tokenizer.ggml.token_type_count";
        let token_types = keys.all().u32(TYPES)?.unwrap_or(2);
        if !(1..=TYPES_MAX).contains(&token_types) {
            return Err(Refusal::new(Reason::KeyValue, token_types.into(), TYPES));
        }
        const DENSE: &[u8] = b"dense_2_feat_out";
        let dense = match keys.reads(DENSE) {
            true => Range::new(DENSE, columns)
                .optional(keys, None)?
                .unwrap_or(0),
            false => 0,
        };
        Ok(Embeddings {
            pooling,
            token_types,
            dense,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::testing::Parsed;
    use crate::gguf::testing::Writer;
    use crate::gguf::testing::parse;

    const COLUMNS: u32 = 4096;

    fn read(architecture: &str, key: &str, value: u32) -> Result<Embeddings, Refusal> {
        let writer = Writer::new().text("general.architecture", architecture);
        let file = writer.u32(key, value).finish();
        let Parsed { parser, table } = parse(&file, 100)?;
        let keys = ModelKeys::new(parser.keys(&file, &table).expect("the table"))?;
        Embeddings::new(&keys, COLUMNS)
    }

    #[test]
    fn each_way_of_pooling_is_known_but_rank() {
        let pooling = |number| read("bert", "bert.pooling_type", number).map(|all| all.pooling);
        for (number, wanted) in [
            (0, Pooling::None),
            (1, Pooling::Mean),
            (2, Pooling::First),
            (3, Pooling::Last),
        ] {
            assert_eq!(pooling(number), Ok(wanted));
        }
        for number in [4, u32::MAX] {
            let name = b"bert.pooling_type";
            let refusal = Refusal::new(Reason::Unsupported, number.into(), name);
            assert_eq!(pooling(number), Err(refusal));
        }
    }

    #[test]
    fn numbers_are_in_their_ranges() {
        const TYPES: &str = "tokenizer.ggml.token_type_count";
        let types = |number| read("bert", TYPES, number).map(|all| all.token_types);
        assert_eq!((types(1), types(TYPES_MAX)), (Ok(1), Ok(TYPES_MAX)));
        let dense = "gemma-embedding.dense_2_feat_out";
        let dense = |number| read("gemma-embedding", dense, number).map(|all| all.dense);
        assert_eq!((dense(1), dense(COLUMNS)), (Ok(1), Ok(COLUMNS)));
        let refused = |reason: Refusal, number: u32| {
            assert_eq!(
                (reason.reason, reason.detail),
                (Reason::KeyValue, number.into())
            );
        };
        for number in [0, TYPES_MAX + 1, u32::MAX] {
            refused(types(number).expect_err("a refusal"), number);
        }
        for number in [0, COLUMNS + 1, u32::MAX] {
            refused(dense(number).expect_err("a refusal"), number);
        }
    }
}
