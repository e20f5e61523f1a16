// SPDX-License-Identifier: GPL-2.0
//! Lists within a table, linked by the places of their entries: nothing is allocated or moved.

/// No place.
pub(super) const NONE: u32 = u32::MAX;

/// An entry's neighbours in the list that it is in.
#[derive(Clone, Copy)]
pub(super) struct Links {
    next: u32,
    previous: u32,
}

impl Links {
    /// Of an entry in no list.
    pub(super) const fn none() -> Self {
        Self {
            next: NONE,
            previous: NONE,
        }
    }

    /// The place of the next entry, or [`NONE`].
    pub(super) fn next(&self) -> u32 {
        self.next
    }
}

/// An entry of a table whose entries are in lists, one at a time.
pub(super) trait Linked {
    /// Its neighbours.
    fn links(&mut self) -> &mut Links;
}

/// A list: its ends.
#[derive(Clone, Copy)]
pub(super) struct List {
    first: u32,
    last: u32,
}

impl List {
    /// Without entries.
    pub(super) const fn empty() -> Self {
        Self {
            first: NONE,
            last: NONE,
        }
    }

    /// The place of the first entry, or [`NONE`].
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// Puts the entry at `place`, which is in no list, at the end.
    pub(super) fn push(&mut self, table: &mut [impl Linked], place: u32) {
        let last = self.last;
        if let Some(entry) = table.get_mut(place as usize) {
            *entry.links() = Links {
                next: NONE,
                previous: last,
            };
        }
        match table.get_mut(last as usize) {
            Some(entry) => entry.links().next = place,
            None => self.first = place,
        }
        self.last = place;
    }

    /// Takes the entry at `place`, which is in this list, out.
    pub(super) fn remove(&mut self, table: &mut [impl Linked], place: u32) {
        let Some(entry) = table.get_mut(place as usize) else {
            return;
        };
        let Links { next, previous } = core::mem::replace(entry.links(), Links::none());
        match table.get_mut(previous as usize) {
            Some(entry) => entry.links().next = next,
            None => self.first = next,
        }
        match table.get_mut(next as usize) {
            Some(entry) => entry.links().previous = previous,
            None => self.last = previous,
        }
    }
}
