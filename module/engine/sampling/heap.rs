// SPDX-License-Identifier: GPL-2.0
//! A binary heap in a slice, the largest entry first (Williams 1964). `core`'s own sorts keep
//! panic paths, and cannot stop halfway.

/// Restores the heap below `root`, whose entry may be too small.
pub(super) fn sift_down<T: Copy + Ord>(heap: &mut [T], mut root: usize) {
    let Some(&value) = heap.get(root) else { return };
    loop {
        let mut child = root.saturating_mul(2).saturating_add(1);
        let Some(&(mut larger)) = heap.get(child) else {
            break;
        };
        if let Some(&right) = heap.get(child.saturating_add(1))
            && right > larger
        {
            larger = right;
            child = child.saturating_add(1);
        }
        if larger <= value {
            break;
        }
        if let Some(slot) = heap.get_mut(root) {
            *slot = larger;
        }
        root = child;
    }
    if let Some(slot) = heap.get_mut(root) {
        *slot = value;
    }
}

/// Restores the heap above `leaf`, whose entry may be too large.
pub(super) fn sift_up<T: Copy + Ord>(heap: &mut [T], mut leaf: usize) {
    let Some(&value) = heap.get(leaf) else { return };
    while let Some(above) = leaf.checked_sub(1) {
        let parent = above / 2;
        let Some(&upper) = heap.get(parent) else {
            break;
        };
        if upper >= value {
            break;
        }
        if let Some(slot) = heap.get_mut(leaf) {
            *slot = upper;
        }
        leaf = parent;
    }
    if let Some(slot) = heap.get_mut(leaf) {
        *slot = value;
    }
}

/// Takes the largest entry out of a heap and puts it behind what is left of it.
pub(super) fn pop<T: Copy + Ord>(heap: &mut [T]) -> Option<T> {
    let (&mut top, _) = heap.split_first_mut()?;
    let (last, rest) = heap.split_last_mut()?;
    if let Some(root) = rest.first_mut() {
        *root = *last;
        *last = top;
        sift_down(rest, 0);
    }
    Some(top)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::generator::Generator;

    #[test]
    fn sorts_like_the_library() {
        let mut generator = Generator::new(1);
        for length in 0..200usize {
            let mut heap: Vec<u32> = (0..length).map(|_| generator.draw() % 64).collect();
            let mut expected = heap.clone();
            expected.sort_unstable();
            for root in (0..length / 2).rev() {
                sift_down(&mut heap, root);
            }
            for left in (1..=length).rev() {
                assert_eq!(pop(&mut heap[..left]), Some(expected[left - 1]));
            }
            assert_eq!(heap, expected);
        }
    }

    #[test]
    fn grows_by_sifting_up() {
        let mut generator = Generator::new(2);
        let mut heap = Vec::new();
        for _ in 0..500 {
            heap.push(generator.draw());
            let leaf = heap.len() - 1;
            sift_up(&mut heap, leaf);
            assert_eq!(heap.first(), heap.iter().max());
        }
    }
}
