// SPDX-License-Identifier: GPL-2.0
//! Weight formats: the one dispatch over them.
//!
//! A weight matrix is packed in groups of [`GROUP_ROWS`] rows, block by block along the row, so
//! that the rows lie in the lanes of a vector. One packed layout serves every SIMD level.

use super::activation::ActivationKind;
use super::codec::{Codec, GroupOf, RUN};
use super::finite::Finite;
use super::layout::{Layout, Product};
use super::level::Level;
use super::pieces::{pieces, pieces_mut};
use super::plain::{view, view_mut};

pub use super::group::{Error, GROUP_ROWS};

/// Defines [`Format`] from rows of variant, GGUF type number, name, module and type.
macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $module:ident::$type:ident;)*) => {
        $(mod $module;)*

        /// The formats. Their values are dense: where some are missing, a `match` has a branch for
        /// those, which is a trap.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u32)]
        pub enum Format {
            $($(#[$doc])* $variant,)*
        }

        impl Format {
            /// Every format.
            pub const ALL: &[Format] = &[$(Format::$variant,)*];

            /// The GGUF type number.
            pub fn number(self) -> u32 {
                match self {
                    $(Format::$variant => $number,)*
                }
            }

            /// The name in GGUF, as `Q4_K`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Format::$variant => $name,)*
                }
            }
        }

        /// `$body` with the type of `$format` as `$alias`.
        macro_rules! with_format {
            ($format:expr, $alias:ident => $body:expr) => {
                match $format {
                    $(Format::$variant => {
                        type $alias = $module::$type;
                        $body
                    })*
                }
            };
        }
    };
}

formats! {
    /// IEEE binary32.
    F32 = 0, "F32", f32::F32;
    /// IEEE binary16.
    F16 = 1, "F16", f16::F16;
    /// 4-bit blocks of 32 with a scale.
    Q4_0 = 2, "Q4_0", q4_0::Q4_0;
    /// 4-bit blocks of 32 with a scale and a minimum.
    Q4_1 = 3, "Q4_1", q4_1::Q4_1;
    /// 5-bit blocks of 32 with a scale.
    Q5_0 = 6, "Q5_0", q5_0::Q5_0;
    /// 5-bit blocks of 32 with a scale and a minimum.
    Q5_1 = 7, "Q5_1", q5_1::Q5_1;
    /// 8-bit blocks of 32 with a scale.
    Q8_0 = 8, "Q8_0", q8_0::Q8_0;
    /// 2-bit blocks of 256 with 4-bit scales and minima.
    Q2K = 10, "Q2_K", q2_k::Q2K;
    /// 3-bit blocks of 256 with 6-bit scales.
    Q3K = 11, "Q3_K", q3_k::Q3K;
    /// 4-bit blocks of 256 with 6-bit scales and minima.
    Q4K = 12, "Q4_K", q4_k::Q4K;
    /// 5-bit blocks of 256 with 6-bit scales and minima.
    Q5K = 13, "Q5_K", q5_k::Q5K;
    /// 6-bit blocks of 256 with 8-bit scales.
    Q6K = 14, "Q6_K", q6_k::Q6K;
    /// Entries of a code book of 256, with signs, in blocks of 256 with 8 scales.
    IQ2XXS = 16, "IQ2_XXS", iq2_xxs::IQ2XXS;
    /// Entries of a code book of 512, with signs, in blocks of 256 with 16 scales.
    IQ2XS = 17, "IQ2_XS", iq2_xs::IQ2XS;
    /// Short entries of a code book of 256, with signs, in blocks of 256 with 8 scales.
    IQ3XXS = 18, "IQ3_XXS", iq3_xxs::IQ3XXS;
    /// Entries of a code book of 2048, with shifts, in blocks of 256 with 8 scales.
    IQ1S = 19, "IQ1_S", iq1_s::IQ1S;
    /// 4-bit codes in blocks of 32 with a scale.
    IQ4NL = 20, "IQ4_NL", iq4_nl::IQ4NL;
    /// Short entries of a code book of 512, with signs, in blocks of 256 with 8 scales.
    IQ3S = 21, "IQ3_S", iq3_s::IQ3S;
    /// Entries of a code book of 1024, with signs, in blocks of 256 with 16 scales.
    IQ2S = 22, "IQ2_S", iq2_s::IQ2S;
    /// 4-bit codes in blocks of 256 with 8 scales of 6 bits.
    IQ4XS = 23, "IQ4_XS", iq4_xs::IQ4XS;
    /// Entries of a code book of 2048, with shifts, in blocks of 256 with 16 scales.
    IQ1M = 29, "IQ1_M", iq1_m::IQ1M;
    /// The upper half of an IEEE binary32.
    Bf16 = 30, "BF16", bf16::Bf16;
    /// Ternary weights, five in a byte, in blocks of 256 with a scale.
    TQ1_0 = 34, "TQ1_0", tq1_0::TQ1_0;
    /// Ternary weights, four in a byte, in blocks of 256 with a scale.
    TQ2_0 = 35, "TQ2_0", tq2_0::TQ2_0;
    /// 4-bit floats in blocks of 32 with a power of two.
    MXFP4 = 39, "MXFP4", mxfp4::MXFP4;
    /// 4-bit floats in blocks of 64 with 4 scales that are 8-bit floats.
    NVFP4 = 40, "NVFP4", nvfp4::NVFP4;
    /// Signs in blocks of 128 with a scale.
    Q1_0 = 41, "Q1_0", q1_0::Q1_0;
    /// 2-bit blocks of 64 with a scale.
    Q2_0 = 42, "Q2_0", q2_0::Q2_0;
}

impl Format {
    /// The format with the GGUF type number `number`.
    pub fn from_number(number: u32) -> Option<Format> {
        let mut formats = Format::ALL.iter().copied();
        formats.find(|format| format.number() == number)
    }

    /// Weights of a block along a row; a row is a multiple of it.
    pub fn block(self) -> usize {
        with_format!(self, T => <T as Codec>::PARTS * <T as Codec>::Layout::BLOCK)
    }

    /// Bytes of a block of one row in the file.
    pub fn file_block_bytes(self) -> usize {
        with_format!(self, T => size_of::<<T as Codec>::File>())
    }

    /// The numbers of a block in the file that must be finite.
    pub fn finite(self) -> &'static [Finite] {
        with_format!(self, T => <T as Codec>::FINITE)
    }

    /// How the activations it is multiplied with are packed.
    pub fn activation(self) -> ActivationKind {
        with_format!(self, T => <T as Codec>::Layout::ACTIVATION)
    }

    /// Bytes of a row in the file; `None` when `columns` is no multiple of the block, or too large.
    pub fn row_bytes(self, columns: usize) -> Option<usize> {
        with_format!(self, T => {
            blocks::<T>(columns)?.checked_mul(size_of::<<T as Codec>::File>())
        })
    }

    /// Bytes of a packed group of 16 rows; `None` when `columns` is no multiple of the block, or
    /// too large.
    pub fn group_bytes(self, columns: usize) -> Option<usize> {
        with_format!(self, T => {
            blocks::<T>(columns)?.checked_mul(T::PARTS * size_of::<GroupOf<T>>())
        })
    }

    /// [`Format::pack_rows`] of 1 to 16 `rows` that lie one behind the other; missing ones become
    /// zeros.
    pub fn pack(self, rows: &[u8], columns: usize, group: &mut [u8]) -> Result<(), Error> {
        let bytes = self.row_bytes(columns).ok_or(Error::Shape)?;
        let whole = rows.len().checked_rem(bytes) == Some(0)
            && rows.len() <= bytes.saturating_mul(GROUP_ROWS)
            && !rows.is_empty();
        if !whole {
            return Err(Error::Shape);
        }
        let mut rows = pieces(rows, bytes);
        let rows = core::array::from_fn(|_| rows.next().unwrap_or_default());
        self.pack_rows(&rows, columns, group)
    }

    /// Packs up to 16 `rows`, as the file has them, into one `group`; empty ones become zeros.
    pub fn pack_rows(
        self,
        rows: &[&[u8]; GROUP_ROWS],
        columns: usize,
        group: &mut [u8],
    ) -> Result<(), Error> {
        with_format!(self, T => pack::<T>(rows, columns, group))
    }

    /// The row in `lane` (0 to 15) of a group as f32: scale times quantum rounded once, F16 and F32
    /// exact.
    pub fn unpack_row(
        self,
        group: &[u8],
        lane: usize,
        columns: usize,
        out: &mut [f32],
    ) -> Result<(), Error> {
        with_format!(self, T => unpack_row::<T>(group, lane, columns, out))
    }

    /// Multiplies n whole `groups` with `rows` activation rows packed at the same level, into `out`
    /// as [row][16 * n].
    pub fn multiply(
        self,
        level: Level,
        groups: &[u8],
        columns: usize,
        activation: &[u8],
        rows: usize,
        out: &mut [f32],
    ) -> Result<(), Error> {
        with_format!(self, T => multiply::<T>(level, groups, columns, activation, rows, out))
    }
}

/// On its own for each format, so that the frames of all of them do not add up in one.
#[inline(never)]
fn multiply<T: Codec>(
    level: Level,
    groups: &[u8],
    columns: usize,
    activation: &[u8],
    rows: usize,
    out: &mut [f32],
) -> Result<(), Error> {
    let blocks = blocks::<T>(columns).ok_or(Error::Shape)?;
    let blocks = blocks.saturating_mul(T::PARTS);
    let product = Product::<T::Layout>::new(groups, blocks, activation, rows, out)?;
    T::Layout::multiply(level.instructions(), product);
    Ok(())
}

/// Blocks of a row in the file.
fn blocks<T: Codec>(columns: usize) -> Option<usize> {
    let weights = const { T::PARTS * T::Layout::BLOCK };
    const { assert!(T::PARTS * T::Layout::BLOCK > 0) };
    (columns.is_multiple_of(weights)).then_some(columns / weights)
}

fn pack<T: Codec>(
    rows: &[&[u8]; GROUP_ROWS],
    columns: usize,
    group: &mut [u8],
) -> Result<(), Error> {
    let blocks = blocks::<T>(columns).ok_or(Error::Shape)?;
    let bytes = blocks.saturating_mul(size_of::<T::File>());
    let whole = rows.iter().all(|row| row.is_empty() || row.len() == bytes);
    let packed_bytes = group.len();
    let groups: &mut [GroupOf<T>] = view_mut(group);
    let fits =
        groups.len() == blocks.saturating_mul(T::PARTS) && size_of_val(groups) == packed_bytes;
    if !whole || !fits {
        return Err(Error::Shape);
    }
    let rows: [&[T::File]; GROUP_ROWS] = rows.map(view);
    let not_finite = |column: usize, lane: usize| Error::NotFinite {
        block: column.saturating_add(blocks.saturating_mul(lane)),
    };
    let whole = blocks / RUN * RUN;
    let (runs, rest) = groups
        .split_at_mut_checked(whole.saturating_mul(T::PARTS))
        .ok_or(Error::Shape)?;
    for (first, run) in (0..whole)
        .step_by(RUN)
        .zip(pieces_mut(runs, RUN * T::PARTS))
    {
        let rows = rows.map(|row| row.as_chunks().0.get(first / RUN));
        T::interleave_run(&rows, run)
            .map_err(|(block, lane)| not_finite(first.saturating_add(block), lane))?;
    }
    for (column, packed) in (whole..).zip(pieces_mut(rest, T::PARTS)) {
        let rows = rows.map(|row| row.get(column));
        T::interleave(&rows, packed).map_err(|lane| not_finite(column, lane))?;
    }
    Ok(())
}

fn unpack_row<T: Codec>(
    group: &[u8],
    lane: usize,
    columns: usize,
    out: &mut [f32],
) -> Result<(), Error> {
    let blocks = blocks::<T>(columns).ok_or(Error::Shape)?;
    let packed: &[GroupOf<T>] = view(group);
    if packed.len() != blocks.saturating_mul(T::PARTS)
        || size_of_val(packed) != group.len()
        || out.len() != columns
        || lane >= GROUP_ROWS
    {
        return Err(Error::Shape);
    }
    for (block, values) in packed.iter().zip(pieces_mut(out, T::Layout::BLOCK)) {
        for (k, value) in values.iter_mut().enumerate() {
            *value = T::Layout::value(block, lane, k);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
