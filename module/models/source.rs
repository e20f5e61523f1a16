// SPDX-License-Identifier: GPL-2.0
//! The bytes of a model, in one file or in ranges of several, read as one file.

use crate::sys::{
    file::ModelFile,
    uapi::{AdapterFile, Load, Part, SISLM_ADAPTERS_MAX, SISLM_PARTS_MAX, SISLM_SCALE_MAX},
    user, //
};
use kernel::prelude::*;

/// A range of a file.
struct Extent {
    file: ModelFile,
    /// Its first byte in the file.
    offset: u64,
    bytes: u64,
    /// Its first byte in the whole.
    start: u64,
}

/// An adapter to load.
pub(crate) struct AdapterSource {
    /// Its file.
    pub(crate) file: Source,
    /// What it is multiplied by where nothing else is asked for, millionths.
    pub(crate) scale: i32,
}

impl AdapterSource {
    /// Takes the adapters of LOAD; errors as of [`Source::open`].
    #[inline(never)]
    pub(crate) fn open_all(request: &Load) -> Result<KVec<Self>> {
        if request.adapter_count > SISLM_ADAPTERS_MAX {
            return Err(EINVAL);
        }
        let mut all = KVec::with_capacity(request.adapter_count as usize, GFP_KERNEL)?;
        for index in 0..u64::from(request.adapter_count) {
            let mut adapter = [AdapterFile::default()];
            user::read_array(request.adapters, index, &mut adapter)?;
            let [AdapterFile { fd, scale }] = adapter;
            if scale.unsigned_abs() > SISLM_SCALE_MAX {
                return Err(EINVAL);
            }
            let file = Source::of_file(fd, 0)?;
            all.push(Self { file, scale }, GFP_KERNEL)?;
        }
        Ok(all)
    }
}

/// A whole file and the ranges that follow it.
pub(crate) struct Source {
    extents: KVec<Extent>,
    bytes: u64,
}

impl Source {
    /// Takes the files of LOAD.
    ///
    /// `EINVAL`: a wrong field, or a range past the end of its file. `EFBIG`: more than files can
    /// hold. Otherwise as [`ModelFile::open`].
    pub(crate) fn open(request: &Load) -> Result<Self> {
        if request.part_count > SISLM_PARTS_MAX {
            return Err(EINVAL);
        }
        let mut source = Self::of_file(request.fd, request.part_count as usize)?;
        for index in 0..u64::from(request.part_count) {
            let mut part = [Part::default()];
            user::read_array(request.parts, index, &mut part)?;
            let [part] = part;
            if part.pad != 0 {
                return Err(EINVAL);
            }
            let file = ModelFile::open(part.fd)?;
            let end = part.offset.checked_add(part.bytes).ok_or(EINVAL)?;
            if end > file.size() {
                return Err(EINVAL);
            }
            source.append(file, part.offset, part.bytes)?;
        }
        Ok(source)
    }

    /// The whole file `fd`, with room for `more` ranges.
    fn of_file(fd: i32, more: usize) -> Result<Self> {
        // The administrator's, until the load ends.
        let mut source = Self {
            extents: KVec::with_capacity(more.saturating_add(1), GFP_KERNEL)?,
            bytes: 0,
        };
        let file = ModelFile::open(fd)?;
        let bytes = file.size();
        source.append(file, 0, bytes)?;
        Ok(source)
    }

    fn append(&mut self, file: ModelFile, offset: u64, bytes: u64) -> Result {
        let start = self.bytes;
        let end = start.checked_add(bytes).ok_or(EFBIG)?;
        i64::try_from(end).map_err(|_| EFBIG)?;
        let extent = Extent {
            file,
            offset,
            bytes,
            start,
        };
        self.extents.push_within_capacity(extent).map_err(|_| EIO)?;
        self.bytes = end;
        Ok(())
    }

    /// Bytes of all ranges when they were taken.
    pub(crate) fn size(&self) -> u64 {
        self.bytes
    }

    /// Fills `buffer` from `offset` of the whole; how many bytes there were, fewer when a file has
    /// become shorter.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0usize;
        let ends = |extent: &Extent| extent.start.saturating_add(extent.bytes) <= offset;
        for extent in self.extents.iter().skip_while(|extent| ends(extent)) {
            let within = offset
                .saturating_add(filled as u64)
                .saturating_sub(extent.start);
            let left = usize::try_from(extent.bytes.saturating_sub(within)).unwrap_or(usize::MAX);
            let rest = buffer.get_mut(filled..).unwrap_or(&mut []);
            let most = rest.len().min(left);
            let piece = rest.get_mut(..most).unwrap_or(&mut []);
            if piece.is_empty() {
                continue;
            }
            let read = extent
                .file
                .read(extent.offset.saturating_add(within), piece)?;
            filled = filled.saturating_add(read);
            if read < most {
                break;
            }
        }
        Ok(filled)
    }
}
