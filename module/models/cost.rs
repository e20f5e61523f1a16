// SPDX-License-Identifier: GPL-2.0
//! What a step costs each of its turns, in computing time of all who computed it.
//!
//! Any step reads all weights, whatever it computes: that part, known from steps of one row, is divided
//! equally among the turns. The rest is divided by rows.

use kernel::prelude::*;

/// Computing time of the steps of a workspace, nanoseconds.
pub(crate) struct Cost {
    /// A step of one row; 0 when not known.
    one: u64,
}

impl Cost {
    /// Nothing is known.
    pub(crate) const fn new() -> Self {
        Self { one: 0 }
    }

    /// Notes that a step of `rows` rows took `ns`.
    pub(crate) fn note(&mut self, ns: u64, rows: u32) {
        if rows == 1 {
            self.one = match self.one {
                0 => ns,
                // A quarter of the way.
                before => before.saturating_mul(3).saturating_add(ns) >> 2,
            };
        }
    }

    /// Of a step of `ns`, `turns` turns and `all` rows: what it costs a turn with `rows` of these.
    pub(crate) fn share(&self, ns: u64, turns: u32, rows: u32, all: u32) -> u64 {
        let fixed = self.one.min(ns);
        let equal = fixed.checked_div(u64::from(turns)).unwrap_or(0);
        let rest = ns.saturating_sub(fixed);
        let by_rows = rest.saturating_mul(u64::from(rows));
        equal.saturating_add(by_rows.checked_div(u64::from(all)).unwrap_or(0))
    }
}

#[kunit_tests(sislm_cost)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_alone_pays_for_all() {
        let mut cost = Cost::new();
        assert_eq!(cost.share(1000, 1, 7, 7), 1000);
        cost.note(300, 1);
        assert_eq!(cost.share(1000, 1, 7, 7), 1000);
        assert_eq!(cost.share(200, 1, 1, 1), 200);
    }

    #[test]
    fn weights_are_paid_for_equally_and_the_rest_by_rows() {
        let mut cost = Cost::new();
        cost.note(400, 1);
        assert_eq!(cost.share(1000, 2, 1, 4), 200 + 150);
        assert_eq!(cost.share(1000, 2, 3, 4), 200 + 450);
    }

    #[test]
    fn only_steps_of_one_row_tell_what_any_step_costs() {
        let mut cost = Cost::new();
        cost.note(900, 2);
        assert_eq!(cost.share(1000, 2, 1, 4), 250);
        cost.note(400, 1);
        cost.note(800, 1);
        assert_eq!(cost.share(500, 2, 0, 4), 250);
    }
}
