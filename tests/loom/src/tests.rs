// SPDX-License-Identifier: GPL-2.0
//! Tasks that share the claims.

use crate::sys::{
    claims::{Baton, Claims, Published},
    flight::STAGES,
    neon::{Inside, Section},
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
fn begin<'a>(
    mut baton: Baton<'a, State>,
    publish: impl FnOnce(Baton<'a, State>) -> Published<'a, State>,
) {
    let (state, flight) = baton.parts();
    if state.steps == 0 {
        return baton.release();
    }
    state.steps -= 1;
    state.stage = 0;
    flight.begin(state.breaks);
    assert!(publish(baton).is_ok());
}

/// Goes on after the last chunk of a stage: with the next stage, or the next step.
fn advance(mut baton: Baton<'_, State>, inside: &Inside<'_>) {
    let failed = baton.failed();
    let (state, _) = baton.parts();
    state.stage += 1;
    assert_eq!(failed, state.breaks, "an error that got lost, or was kept");
    let stage = state.stage;
    if (stage as usize) < STAGES.len() {
        assert!(baton.publish(inside, stage).is_ok());
        return;
    }
    state.failed += u32::from(failed);
    state.breaks = false;
    begin(baton, |baton| baton.publish(inside, 0));
}

/// What a task does with the baton after the last chunk of a stage.
#[derive(Clone, Copy)]
enum After {
    /// Goes on, in the same section.
    Advance,
    /// Puts it down, and picks it up where it is not somebody else's.
    PutDown,
}

/// A task: claims until no chunk is free and no baton lies there, `limit` at a time.
fn drive(claims: &Claims<State>, slot: u32, limit: u64, after: After) {
    loop {
        let any = claims.run(&mut Section, slot, limit, |inside, amount, baton| {
            assert!(amount.work > 0);
            match (baton, after) {
                (Some(baton), After::Advance) => advance(baton, inside),
                (Some(baton), After::PutDown) => baton.put_down(),
                (None, _) => {}
            }
            Some(limit)
        });
        match claims.pick_up() {
            Some(baton) => Section.enter(|inside| advance(baton, inside)),
            None if !any => return,
            None => {}
        }
    }
}

/// Runs `steps` steps by the caller and `helpers` others, and looks at the end.
fn run(steps: u32, helpers: u32, limit: u64, breaks: bool, after: After) {
    let claims = claims(steps, breaks);
    let baton = claims.take().expect("it is free");
    assert!(!claims.is_free());
    begin(baton, |baton| baton.publish_from(&mut Section, 0));
    let others: Vec<_> = (1..=helpers)
        .map(|slot| {
            let claims = claims.clone();
            thread::spawn(move || drive(&claims, slot, limit, after))
        })
        .collect();
    drive(&claims, 0, limit, after);
    for other in others {
        other.join().expect("a task that ends");
    }
    // Whoever did the last chunk went on, so all is done, and the baton free.
    assert!(claims.is_free() && !claims.is_put_down() && !claims.available());
    let mut baton = claims.take().expect("it was released");
    let (state, flight) = baton.parts();
    assert_eq!((state.steps, state.failed), (0, u32::from(breaks)));
    assert_eq!(flight.begin(false), steps + 1);
}

#[test]
fn two_tasks_run_each_chunk_of_each_stage_once_and_in_order() {
    explore(3, || run(2, 1, 1, false, After::Advance));
}

#[test]
fn a_task_that_claims_several_chunks_at_once_takes_none_of_the_next_stage() {
    explore(3, || run(2, 1, 8, false, After::Advance));
}

#[test]
fn three_tasks_run_each_chunk_once() {
    explore(2, || run(1, 2, 1, false, After::Advance));
}

#[test]
fn a_baton_that_is_put_down_is_picked_up_by_one() {
    explore(3, || run(2, 1, 1, false, After::PutDown));
}

#[test]
fn an_error_of_a_chunk_is_seen_with_the_baton_and_forgotten_with_the_next_step() {
    explore(3, || run(2, 1, 1, true, After::Advance));
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
        let baton = claims.take().expect("it is free");
        begin(baton, |baton| baton.publish_from(&mut Section, 0));
        let woken = asleep.load(Ordering::Relaxed);
        let stays_awake = other.join().expect("a task that ends");
        assert!(woken || stays_awake, "it sleeps, and nobody wakes it");
    });
}
