// SPDX-License-Identifier: GPL-2.0
//! How the next token is drawn.

/// Millionths, as they cross the wall; members and ranges are those of `struct sislm_sampling`.
#[derive(Clone, Copy)]
pub struct Millionths {
    /// 0 to 100000000; 0 is greedy.
    pub temperature: u32,
    /// Candidates kept (a count, not millionths); 0 for all.
    pub top_k: u32,
    /// 1 to 1000000.
    pub top_p: u32,
    /// 0 to 1000000.
    pub min_p: u32,
    /// 1 to 1000000.
    pub typical_p: u32,
    /// 1 to 100000000.
    pub repeat_penalty: u32,
    /// Tokens looked back at (a count).
    pub repeat_last: u32,
    /// -100000000 to 100000000.
    pub presence_penalty: i32,
    /// -100000000 to 100000000.
    pub frequency_penalty: i32,
}

/// The same as binary32, checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// 0 is greedy.
    pub temperature: f32,
    /// Candidates kept; 0 for all.
    pub top_k: u32,
    /// Share of the probability kept, above 0; 1 keeps all.
    pub top_p: f32,
    /// Least share of the best one's probability; 0 keeps all.
    pub min_p: f32,
    /// Share of the probability kept around the entropy, above 0; 1 keeps all.
    pub typical_p: f32,
    /// Divides positive logits, multiplies others; 1 is none.
    pub repeat_penalty: f32,
    /// Tokens looked back at by the three penalties.
    pub repeat_last: u32,
    /// Subtracted once from a token that occurred.
    pub presence_penalty: f32,
    /// Subtracted for each occurrence.
    pub frequency_penalty: f32,
}

const MILLION: u32 = 1_000_000;
const HUNDRED: u32 = 100 * MILLION;

/// One division, rounded once: contract, section 9.
fn fraction(millionths: u32) -> f32 {
    millionths as f32 / MILLION as f32
}

fn signed(millionths: i32) -> f32 {
    millionths as f32 / MILLION as f32
}

impl Parameters {
    /// `None` when a member is outside its range.
    pub fn new(from: &Millionths) -> Option<Self> {
        let in_range = from.temperature <= HUNDRED
            && (1..=MILLION).contains(&from.top_p)
            && from.min_p <= MILLION
            && (1..=MILLION).contains(&from.typical_p)
            && (1..=HUNDRED).contains(&from.repeat_penalty)
            && from.presence_penalty.unsigned_abs() <= HUNDRED
            && from.frequency_penalty.unsigned_abs() <= HUNDRED;
        in_range.then(|| Self {
            temperature: fraction(from.temperature),
            top_k: from.top_k,
            top_p: fraction(from.top_p),
            min_p: fraction(from.min_p),
            typical_p: fraction(from.typical_p),
            repeat_penalty: fraction(from.repeat_penalty),
            repeat_last: from.repeat_last,
            presence_penalty: signed(from.presence_penalty),
            frequency_penalty: signed(from.frequency_penalty),
        })
    }

    /// Whether any penalty changes a logit.
    pub fn penalizes(&self) -> bool {
        self.repeat_last != 0
            && (self.repeat_penalty != 1.0
                || self.presence_penalty != 0.0
                || self.frequency_penalty != 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) const BALANCED: Millionths = Millionths {
        temperature: 800_000,
        top_k: 40,
        top_p: 900_000,
        min_p: 0,
        typical_p: MILLION,
        repeat_penalty: MILLION,
        repeat_last: 64,
        presence_penalty: 0,
        frequency_penalty: 0,
    };

    #[test]
    fn fractions_are_rounded_once() {
        let parameters = Parameters::new(&BALANCED).unwrap();
        assert_eq!(parameters.temperature.to_bits(), 0.8f32.to_bits());
        assert_eq!(parameters.top_p.to_bits(), 0.9f32.to_bits());
        assert_eq!(parameters.typical_p, 1.0);
        assert!(!parameters.penalizes());
    }

    #[test]
    fn each_member_outside_its_range_is_refused() {
        let wrong: [fn(&mut Millionths); 9] = [
            |m| m.temperature = HUNDRED + 1,
            |m| m.top_p = 0,
            |m| m.top_p = MILLION + 1,
            |m| m.min_p = MILLION + 1,
            |m| m.typical_p = 0,
            |m| m.repeat_penalty = 0,
            |m| m.repeat_penalty = HUNDRED + 1,
            |m| m.presence_penalty = i32::MIN,
            |m| m.frequency_penalty = HUNDRED as i32 + 1,
        ];
        for change in wrong {
            let mut millionths = BALANCED;
            change(&mut millionths);
            assert!(Parameters::new(&millionths).is_none());
        }
    }
}
