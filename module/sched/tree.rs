// SPDX-License-Identifier: GPL-2.0
//! The tree of domains: users, their cgroup namespaces, tenants in these, classes of turns there. It
//! says whose turn is next.
//!
//! Each node has a virtual time, which its turns' measured work advances by its weight. A class has
//! the weight of its nice value, what is above the largest of those with active turns below. Of the nodes beside each other
//! that with the least one is next. Who was away comes back at the least time of those that
//! stayed, and keeps a later one: time that was not used cannot be saved up (VTC, Sheng et al., 2024).
//!
//! One node below the root has no time: its turns are next when nobody else's wait, and they join no step.
//!
//! Nodes without turns are kept, with their times, until their place is needed.

use super::{
    list::{Linked, Links, List, NONE},
    weight::{weight, NORMAL}, //
};
use crate::users::{Path, LAST, LEVELS};
use kernel::prelude::*;

/// The node above the users.
const ROOT: u32 = 0;

/// A node.
struct Node {
    parent: u32,
    key: u64,
    /// The next node with the same hash.
    chain: u32,
    /// Nodes below it.
    children: u32,
    /// Turns below it that wait or are in the step.
    active: u32,
    /// Those that wait.
    waiting: u32,
    weight: u64,
    /// Work of its turns, nanoseconds at nice 0.
    time: u64,
    /// The time of the nodes below it when the last of them went away.
    floor: u64,
    /// The nodes below it with active turns.
    below: List,
    /// Its neighbours in such a list.
    links: Links,
    /// The last step that nothing below it could join.
    passed: u64,
}

impl Node {
    fn new(parent: u32, key: u64) -> Self {
        Self {
            parent,
            key,
            chain: NONE,
            children: 0,
            active: 0,
            waiting: 0,
            weight: weight(key),
            time: 0,
            floor: 0,
            below: List::empty(),
            links: Links::none(),
            passed: 0,
        }
    }

    /// Whether its turns are next when nobody else's wait.
    fn is_last(&self) -> bool {
        self.parent == ROOT && self.key == LAST
    }
}

impl Linked for Node {
    fn links(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// The nodes.
pub(super) struct Tree {
    nodes: KVVec<Node>,
    most: usize,
    /// First nodes by hash; a power of two.
    buckets: KVVec<u32>,
    seed: u64,
    /// Where a place was found last.
    hand: u32,
}

impl Tree {
    /// Without users, for at most `turns` active turns. `seed`: what no user knows.
    pub(super) fn new(turns: usize, seed: u64) -> Result<Self> {
        // Each turn has nodes of its own at most; as many again are remembered.
        let most = turns.saturating_mul(2 * LEVELS).saturating_add(1);
        let mut nodes = KVVec::with_capacity(most, GFP_KERNEL)?;
        nodes.push_within_capacity(Node::new(NONE, 0))?;
        let buckets = KVVec::from_elem(NONE, most.next_power_of_two(), GFP_KERNEL)?;
        Ok(Self {
            nodes,
            most,
            buckets,
            seed,
            hand: ROOT,
        })
    }

    fn get(&self, place: u32) -> Option<&Node> {
        self.nodes.get(place as usize)
    }

    fn get_mut(&mut self, place: u32) -> Option<&mut Node> {
        self.nodes.get_mut(place as usize)
    }

    fn bucket(&mut self, parent: u32, key: u64) -> Option<&mut u32> {
        let mixed = (key ^ self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ u64::from(parent) ^ mixed >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // CAST: The upper half, cut to the number of buckets.
        let place = (mixed >> 32) as usize & self.buckets.len().wrapping_sub(1);
        self.buckets.get_mut(place)
    }

    /// The node `key` below `parent`, made if it is not there. `None` when there is no place, which is
    /// not reached: there are more than turns need.
    fn find(&mut self, parent: u32, key: u64) -> Option<u32> {
        let mut place = *self.bucket(parent, key)?;
        while let Some(node) = self.get(place) {
            if (node.parent, node.key) == (parent, key) {
                return Some(place);
            }
            place = node.chain;
        }
        // The parent is kept: it may have no turn yet.
        let place = self.make_room(parent)?;
        let bucket = self.bucket(parent, key)?;
        let chain = core::mem::replace(bucket, place);
        *self.get_mut(place)? = Node {
            chain,
            ..Node::new(parent, key)
        };
        let above = self.get_mut(parent)?;
        above.children = above.children.saturating_add(1);
        Some(place)
    }

    /// A place for a node: a new one, or that of a node without turns and nodes below, other than `kept`.
    fn make_room(&mut self, kept: u32) -> Option<u32> {
        // CAST: A few nodes for each of at most 4096 files.
        let count = self.nodes.len() as u32;
        if self.nodes.len() < self.most {
            self.nodes
                .push_within_capacity(Node::new(NONE, 0))
                .ok()
                .map(|()| count)
        } else {
            let unused = (1..=count).find_map(|step| {
                let place = self.hand.wrapping_add(step).checked_rem(count)?;
                let node = self.get(place)?;
                let unused = node.active == 0 && node.children == 0;
                (unused && place != ROOT && place != kept).then_some(place)
            })?;
            self.hand = unused;
            self.forget(unused);
            Some(unused)
        }
    }

    fn forget(&mut self, place: u32) {
        let Some(&Node {
            parent, key, chain, ..
        }) = self.get(place)
        else {
            return;
        };
        let mut before = NONE;
        let mut at = self.bucket(parent, key).map_or(NONE, |first| *first);
        while at != place && at != NONE {
            before = at;
            at = self.get(at).map_or(NONE, |node| node.chain);
        }
        if let Some(node) = self.get_mut(before) {
            node.chain = chain;
        } else if let Some(first) = self.bucket(parent, key) {
            *first = chain;
        }
        if let Some(above) = self.get_mut(parent) {
            above.children = above.children.saturating_sub(1);
        }
    }

    /// The least time of the nodes with active turns below `parent`.
    fn least(&self, parent: &Node) -> Option<u64> {
        let timed = self.below(parent).filter(|(_, node)| !node.is_last());
        timed.map(|(_, node)| node.time).min()
    }

    /// The nodes with active turns below `parent`.
    fn below<'a>(&'a self, parent: &Node) -> impl Iterator<Item = (u32, &'a Node)> {
        let mut place = parent.below.first();
        core::iter::from_fn(move || {
            let node = self.get(place)?;
            let found = (place, node);
            place = node.links.next();
            Some(found)
        })
    }

    /// A turn of the domain `path` becomes active, and waits: its leaf.
    pub(super) fn enter(&mut self, path: &Path) -> Option<u32> {
        let mut leaf = ROOT;
        for key in path {
            leaf = self.find(leaf, *key)?;
        }
        let mut place = leaf;
        while let Some(node) = self.get_mut(place) {
            node.active = node.active.saturating_add(1);
            let (first, parent, weight) = (node.active == 1, node.parent, node.weight);
            if first {
                self.come_back(place, parent);
            }
            if let Some(above) = self.get_mut(parent) {
                above.weight = match above.active {
                    0 => weight,
                    _ => above.weight.max(weight),
                };
            }
            place = parent;
        }
        self.wait(leaf);
        Some(leaf)
    }

    /// The first turn below `place` is active.
    fn come_back(&mut self, place: u32, parent: u32) {
        let Some(above) = self.get(parent) else {
            return;
        };
        let least = self.least(above).unwrap_or(above.floor);
        let mut below = above.below;
        if let Some(node) = self.get_mut(place) {
            node.time = node.time.max(least);
        }
        below.push(&mut self.nodes, place);
        if let Some(above) = self.get_mut(parent) {
            above.below = below;
        }
    }

    /// An active turn of `leaf` that does not wait goes away.
    pub(super) fn leave(&mut self, leaf: u32) {
        let mut place = leaf;
        while let Some(node) = self.get_mut(place) {
            node.active = node.active.saturating_sub(1);
            let (last, parent, time) = (node.active == 0, node.parent, node.time);
            if let (true, Some(mut below)) = (last, self.get(parent).map(|above| above.below)) {
                below.remove(&mut self.nodes, place);
                if let Some(above) = self.get_mut(parent) {
                    above.below = below;
                    if below.first() == NONE {
                        above.floor = above.floor.max(time);
                    }
                }
            }
            self.weigh(parent);
            place = parent;
        }
    }

    /// The weight of a node is the largest of those with active turns below.
    fn weigh(&mut self, place: u32) {
        let above = self.get(place);
        let largest = above.and_then(|above| self.below(above).map(|(_, node)| node.weight).max());
        if let (Some(weight), Some(node)) = (largest, self.get_mut(place)) {
            node.weight = weight;
        }
    }

    /// An active turn of `leaf` waits.
    pub(super) fn wait(&mut self, leaf: u32) {
        self.each_above(leaf, |node| node.waiting = node.waiting.saturating_add(1));
    }

    /// A turn of `leaf` waits no longer.
    pub(super) fn take(&mut self, leaf: u32) {
        self.each_above(leaf, |node| node.waiting = node.waiting.saturating_sub(1));
    }

    /// Adds what a turn of `leaf` has cost to the times of its domain.
    pub(super) fn charge(&mut self, leaf: u32, ns: u64) {
        self.each_above(leaf, |node| {
            if node.is_last() {
                return;
            }
            let work = ns.saturating_mul(NORMAL).checked_div(node.weight);
            node.time = node.time.saturating_add(work.unwrap_or(0));
        });
    }

    fn each_above(&mut self, leaf: u32, mut change: impl FnMut(&mut Node)) {
        let mut place = leaf;
        while let Some(node) = self.get_mut(place) {
            change(node);
            place = node.parent;
        }
    }

    /// Turns that wait.
    pub(super) fn waiting(&self) -> u32 {
        self.get(ROOT).map_or(0, |root| root.waiting)
    }

    /// Turns that wait and do not come last.
    pub(super) fn waiting_users(&self) -> u32 {
        let last = self.get(ROOT).and_then(|root| {
            let mut below = self.below(root);
            below.find(|(_, node)| node.is_last())
        });
        let last = last.map_or(0, |(_, node)| node.waiting);
        self.waiting().saturating_sub(last)
    }

    /// Whether a turn of another user than that of `leaf` waits.
    pub(super) fn others_wait(&self, leaf: u32) -> bool {
        let mut place = leaf;
        while let Some(node) = self.get(place) {
            if node.parent == ROOT {
                let own = if node.is_last() { 0 } else { node.waiting };
                return self.waiting_users() > own;
            }
            place = node.parent;
        }
        false
    }

    /// The leaf whose turns are next for a step: at each level below the node with the least time of
    /// those that wait. Without those that were passed over in this step, by its `number`, and
    /// those that are more than `lead` ahead of another node with active turns. Without a `lead` the step has no
    /// turn yet.
    pub(super) fn choose(&mut self, number: u64, lead: u64) -> Option<u32> {
        let mut place = ROOT;
        let alone = lead == u64::MAX && self.waiting_users() == 0;
        loop {
            let node = self.get(place)?;
            if node.below.first() == NONE && place != ROOT {
                return Some(place);
            }
            let most = self
                .least(node)
                .map_or(0, |least| least.saturating_add(lead));
            let is_due = |node: &Node| match node.is_last() {
                true => alone,
                false => node.time <= most,
            };
            let mut waiting = self
                .below(node)
                .filter(|(_, node)| node.waiting > 0 && node.passed != number && is_due(node));
            let first = waiting.next();
            let next = waiting.fold(first, |best, other| match best {
                Some(best) if best.1.time <= other.1.time => Some(best),
                _ => Some(other),
            });
            place = match next {
                Some((place, _)) => place,
                None if place == ROOT => return None,
                None => {
                    self.pass(place, number);
                    ROOT
                }
            };
        }
    }

    /// Nothing more of `place` can join step `number`.
    pub(super) fn pass(&mut self, place: u32, number: u64) {
        if let Some(node) = self.get_mut(place) {
            node.passed = number;
        }
    }

    /// All places of leaves are below this.
    pub(super) fn places(&self) -> usize {
        self.most
    }
}

#[kunit_tests(sislm_tree)]
mod tests {
    use super::*;

    const LEAD: u64 = 100;
    const NICE_0: u64 = 20;

    /// Serves a turn that costs `cost` of the domain that is next: its user.
    fn serve(tree: &mut Tree, leaves: &[u32], number: u64, cost: impl Fn(usize) -> u64) -> usize {
        let leaf = tree.choose(number, u64::MAX).unwrap_or(NONE);
        let user = leaves.iter().position(|one| *one == leaf).unwrap_or(99);
        tree.charge(leaf, cost(user));
        user
    }

    #[test]
    fn the_least_served_is_next() {
        let mut tree = Tree::new(8, 1).unwrap();
        let leaves = [0, 1, 2].map(|user| tree.enter(&[user, 0, 0, NICE_0]).unwrap());
        let mut costs = [0u64; 3];
        for number in 1..=600 {
            let user = serve(&mut tree, &leaves, number, |user| 10 << user);
            costs[user] += 10 << user;
        }
        let (least, most) = (costs.iter().min(), costs.iter().max());
        assert!(most.unwrap() - least.unwrap() <= 40);
    }

    #[test]
    fn a_user_with_more_domains_has_no_more() {
        let mut tree = Tree::new(8, 1).unwrap();
        let leaves = [
            [0, 0, 0, NICE_0],
            [1, 0, 1, NICE_0],
            [1, 0, 2, NICE_0],
            [1, 3, 0, NICE_0],
        ];
        let leaves = leaves.map(|path| tree.enter(&path).unwrap());
        let mut counts = [0u32; 4];
        for number in 1..=400 {
            counts[serve(&mut tree, &leaves, number, |_| 10)] += 1;
        }
        assert_eq!(counts, [200, 50, 50, 100]);
    }

    #[test]
    fn who_was_away_cannot_save_time_up() {
        let mut tree = Tree::new(8, 1).unwrap();
        let one = tree.enter(&[1, 0, 0, NICE_0]).unwrap();
        tree.charge(one, 1000);
        let other = tree.enter(&[2, 0, 0, NICE_0]).unwrap();
        let mut counts = [0u32; 2];
        for number in 1..=100 {
            counts[serve(&mut tree, &[one, other], number, |_| 10)] += 1;
        }
        assert_eq!(counts, [50, 50]);
        // Nor while nobody was there; and a debt is not forgotten.
        tree.charge(other, 30);
        for leaf in [other, one] {
            tree.take(leaf);
            tree.leave(leaf);
        }
        let leaves = [1, 2].map(|user| tree.enter(&[user, 0, 0, NICE_0]).unwrap());
        let first = [1, 2, 3].map(|number| serve(&mut tree, &leaves, number, |_| 10));
        assert_eq!(first, [0, 0, 0]);
    }

    #[test]
    fn nobody_is_far_ahead() {
        let mut tree = Tree::new(8, 1).unwrap();
        let (one, other) = (
            tree.enter(&[1, 0, 0, NICE_0]),
            tree.enter(&[2, 0, 0, NICE_0]),
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        tree.charge(other, LEAD);
        assert_eq!(tree.choose(1, LEAD), Some(one));
        tree.take(one);
        assert_eq!(tree.choose(1, LEAD), Some(other));
        tree.charge(other, 1);
        // The other one is in the step, and behind.
        assert_eq!(tree.choose(1, LEAD), None);
        tree.leave(one);
        assert_eq!(tree.choose(1, LEAD), Some(other));
        tree.pass(other, 1);
        assert_eq!(tree.choose(1, LEAD), None);
        assert_eq!(tree.choose(2, LEAD), Some(other));
    }

    #[test]
    fn places_are_used_again() {
        let mut tree = Tree::new(4, 1).unwrap();
        let kept = tree.enter(&[7, 7, 7, NICE_0]).unwrap();
        for number in 0..1000 {
            let leaf = tree
                .enter(&[number % 30, number % 7, number, NICE_0])
                .unwrap();
            assert!(leaf != kept && (leaf as usize) < tree.places());
            assert!(tree.others_wait(kept) == (number % 30 != 7));
            tree.take(leaf);
            tree.leave(leaf);
        }
        assert_eq!(tree.enter(&[7, 7, 7, NICE_0]), Some(kept));
    }

    #[test]
    fn weights_are_those_of_nice_values() {
        let mut tree = Tree::new(8, 1).unwrap();
        let paths = [
            [1, 0, 0, NICE_0],
            [1, 0, 0, NICE_0 + 3],
            [2, 0, 0, NICE_0 + 3],
        ];
        let leaves = paths.map(|path| tree.enter(&path).unwrap());
        let mut counts = [0u32; 3];
        for number in 1..=3000 {
            counts[serve(&mut tree, &leaves, number, |_| 1000)] += 1;
        }
        // Users as 1024 to 526, and so the two classes of the one.
        let is_near =
            |one: u32, other: u32| (one as u64 * 526).abs_diff(other as u64 * 1024) < 2100;
        assert!(is_near(counts[0] + counts[1], counts[2]));
        assert!(is_near(counts[0], counts[1]));
        // Without the heavier class it is a user like the other.
        tree.take(leaves[0]);
        tree.leave(leaves[0]);
        let mut counts = [0u32; 3];
        for number in 3001..=4000 {
            counts[serve(&mut tree, &leaves, number, |_| 1000)] += 1;
        }
        assert!(counts[1].abs_diff(counts[2]) <= 4);
    }

    #[test]
    fn who_comes_last_takes_nobody_s_time() {
        let mut tree = Tree::new(8, 1).unwrap();
        let last = tree.enter(&[LAST, 0, 0, NICE_0]).unwrap();
        assert_eq!(tree.choose(1, u64::MAX), Some(last));
        // It joins no step.
        assert_eq!(tree.choose(1, LEAD), None);
        tree.charge(last, 1000);
        let one = tree.enter(&[1, 0, 0, NICE_0]).unwrap();
        for number in 2..100 {
            assert_eq!(tree.choose(number, u64::MAX), Some(one));
            tree.charge(one, 10);
        }
        assert!(!tree.others_wait(one) && tree.others_wait(last));
        assert_eq!((tree.waiting(), tree.waiting_users()), (2, 1));
        // Who comes meanwhile begins where the users are.
        let other = tree.enter(&[2, 0, 0, NICE_0]).unwrap();
        let mut counts = [0u32; 2];
        for number in 100..120 {
            counts[serve(&mut tree, &[one, other], number, |_| 10)] += 1;
        }
        assert_eq!(counts, [10, 10]);
        for leaf in [one, other] {
            tree.take(leaf);
            let is_last = tree.choose(120, u64::MAX) == Some(last);
            assert_eq!(is_last, leaf == other);
        }
    }
}
