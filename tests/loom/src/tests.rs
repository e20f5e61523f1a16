// SPDX-License-Identifier: GPL-2.0
//! Tasks that share the claims.

use crate::sys::{
    claims::{Baton, Claims, Work},
    flight::STAGES,
    neon::Section,
};
use loom::{
    sync::{
        atomic::{fence, AtomicBool, Ordering},
        Arc,
    },
    thread,
};

/// What the baton guards.
struct State {
    /// Steps left.
    steps: u32,
    /// Stage of the step in flight.
    stage: u32,
    /// Whether a chunk of the step in flight ends with an error.
    breaks: bool,
    /// Steps that ended with one.
    failed: u32,
}

/// Explores with at most `switches` switches away from a task that could go on.
fn explore(switches: usize, test: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(switches);
    model.check(test);
}

/// Claims for so many steps, of which the first may break.
fn claims(steps: u32, breaks: bool) -> Arc<Claims<State>> {
    let state = State {
        steps,
        stage: 0,
        breaks,
        failed: 0,
    };
    Arc::new(Claims::new(state).expect("nothing is allocated"))
}

/// Begins the next step, or makes the baton free after the last.
fn begin(mut baton: Baton<'_, State>) {
    let (state, flight) = baton.parts();
    if state.steps == 0 {
        return baton.release();
    }
    state.steps -= 1;
    state.stage = 0;
    flight.begin(state.breaks);
    publish(baton, 0);
}

fn publish(baton: Baton<'_, State>, stage: u32) {
    assert!(baton.publish(&mut Section, stage).is_ok(), "stage {stage}");
}

/// Goes on after the last chunk of a stage: with the next stage, or the next step.
fn advance(mut baton: Baton<'_, State>) {
    let failed = baton.failed();
    let (state, _) = baton.parts();
    state.stage += 1;
    assert_eq!(failed, state.breaks, "an error that got lost, or was kept");
    let stage = state.stage;
    if (stage as usize) < STAGES.len() {
        return publish(baton, stage);
    }
    state.failed += u32::from(failed);
    state.breaks = false;
    begin(baton);
}

/// A task: claims until no chunk is free, `limit` at a time.
fn drive(claims: &Claims<State>, slot: u32, limit: u64) {
    loop {
        match claims.work(&mut Section, slot, limit) {
            Work::Nothing => return,
            Work::Some(amount) => assert!(amount.work > 0),
            Work::Last(amount, baton) => {
                assert!(amount.work > 0);
                advance(baton);
            }
        }
    }
}

/// Runs `steps` steps by the caller and `helpers` others, and looks at the end.
fn run(steps: u32, helpers: u32, limit: u64, breaks: bool) {
    let claims = claims(steps, breaks);
    let baton = claims.take().expect("it is free");
    assert!(!claims.is_free());
    begin(baton);
    let others: Vec<_> = (1..=helpers)
        .map(|slot| {
            let claims = claims.clone();
            thread::spawn(move || drive(&claims, slot, limit))
        })
        .collect();
    drive(&claims, 0, limit);
    for other in others {
        other.join().expect("a task that ends");
    }
    // Whoever did the last chunk went on, so all is done, and the baton free.
    assert!(claims.is_free() && !claims.available());
    let mut baton = claims.take().expect("it was released");
    let (state, flight) = baton.parts();
    assert_eq!((state.steps, state.failed), (0, u32::from(breaks)));
    assert_eq!(flight.begin(false), steps + 1);
}

#[test]
fn two_tasks_run_each_chunk_of_each_stage_once_and_in_order() {
    explore(3, || run(2, 1, 1, false));
}

#[test]
fn a_task_that_claims_several_chunks_at_once_takes_none_of_the_next_stage() {
    explore(3, || run(2, 1, 8, false));
}

#[test]
fn three_tasks_run_each_chunk_once() {
    explore(2, || run(1, 2, 1, false));
}

#[test]
fn an_error_of_a_chunk_is_seen_with_the_baton_and_forgotten_with_the_next_step() {
    explore(3, || run(2, 1, 1, true));
}

#[test]
fn the_baton_is_held_by_one_at_a_time() {
    explore(3, || {
        let claims = claims(0, false);
        let try_it = |claims: &Claims<State>| {
            let Some(mut baton) = claims.take() else {
                return 0;
            };
            // The step number is a cell that loom watches.
            baton.parts().1.begin(false);
            baton.release();
            1
        };
        let other = {
            let claims = claims.clone();
            thread::spawn(move || try_it(&claims))
        };
        let taken = try_it(&claims) + other.join().expect("a task that ends");
        let mut baton = claims.take().expect("it was released");
        assert!(taken > 0);
        assert_eq!(baton.parts().1.begin(false), taken + 1);
    });
}

/// A task that goes to sleep says so and then looks for chunks, with a full barrier between
/// (`prepare_to_wait`); whoever publishes looks for sleepers afterwards.
#[test]
fn a_task_does_not_sleep_through_a_stage() {
    explore(3, || {
        let (claims, asleep) = (claims(1, false), Arc::new(AtomicBool::new(false)));
        let other = {
            let (claims, asleep) = (claims.clone(), asleep.clone());
            thread::spawn(move || {
                asleep.store(true, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                claims.available()
            })
        };
        begin(claims.take().expect("it is free"));
        let woken = asleep.load(Ordering::Relaxed);
        let stays_awake = other.join().expect("a task that ends");
        assert!(woken || stays_awake, "it sleeps, and nobody wakes it");
    });
}
