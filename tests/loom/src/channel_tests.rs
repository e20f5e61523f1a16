// SPDX-License-Identifier: GPL-2.0
//! Calls that meet on one file, and the carrier that computes its turn. Loom reports it when all wait.

use crate::{
    records::who::Who,
    turn::{
        channel::{Purpose, State},
        link::Link,
        ring::Ring,
        sink::Sink,
        Turn,
    },
    users::Seat,
};
use kernel::sync::Arc;
use loom::{
    sync::{Arc as Shared, Mutex},
    thread,
};

/// Bytes of text that a session keeps for its reader.
const RING: usize = 4;

/// An open file: its link, and the mutex that guards the state IDLE.
struct File {
    link: Arc<Link>,
    session: Mutex<()>,
}

/// A file with turn 1 begun.
fn file() -> Shared<File> {
    let seat = Seat::new().expect("nothing is allocated");
    let link = Link::new(seat, Who::default(), false).expect("nothing is allocated");
    let mut ring = Some(Ring::new(RING).expect("nothing is allocated"));
    link.channel.lock().open(&mut ring);
    assert_eq!(link.begin(State::Idle, Purpose::Stream), Some(1));
    let session = Mutex::new(());
    Shared::new(File { link, session })
}

/// Explores with at most `switches` switches away from a task that could go on.
fn explore(switches: usize, test: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(switches);
    model.check(test);
}

/// The carrier: tokens of one byte until the turn is cancelled or has so many; then it is over.
fn carry(link: &Link, tokens: u32) {
    for _ in 0..tokens {
        if link.is_cancelled() {
            break;
        }
        link.give(b"x");
    }
    let left = link.receive(Turn::new(true));
    assert!(
        matches!(left, Ok(None)),
        "the file is open, and the turn over"
    );
}

impl File {
    /// Takes the end of turn 1, if its text is read: whether it is gone. As `take_end` of sessions.
    fn take_end(&self) -> bool {
        let _session = self.session.lock().expect("no task panics with it");
        let ended = {
            let mut channel = self.link.channel.lock();
            if channel.is_gone(1) {
                return true;
            }
            channel.take_answer();
            channel.is_read()
        };
        if ended {
            self.link.become_idle(None);
        }
        ended
    }

    /// A reader: the bytes of turn 1 until its end, or until somebody else has ended it.
    fn read(&self) -> usize {
        let (link, mut read) = (&self.link, 0);
        loop {
            link.wait.wait(|| link.is_readable(1));
            let mut text = [0; RING];
            if link.channel.lock().begin_copy(1) {
                let count = link.channel.lock().peek(1, &mut text);
                link.channel.lock().consume(1, count);
                read += count;
                if link.channel.lock().end_copy(1) {
                    link.wait.wake_all();
                }
            }
            if self.take_end() {
                return read;
            }
        }
    }

    /// CANCEL: returns when turn 1 is gone. As `settle` of sessions.
    fn cancel(&self) {
        let link = &self.link;
        loop {
            {
                let _session = self.session.lock().expect("no task panics with it");
                if link.channel.lock().is_gone(1) {
                    return;
                }
                link.cancel(1);
                if link.channel.lock().is_over() {
                    link.channel.lock().take_answer();
                    link.become_idle(None);
                    return;
                }
            }
            link.wait.wait(|| link.has_turn(1));
        }
    }

    /// A call that begins a turn in IDLE, if that is the state.
    fn begin(&self) -> Option<u64> {
        let _session = self.session.lock().expect("no task panics with it");
        self.link.begin(State::Idle, Purpose::Run)
    }
}

/// Runs `task` beside the caller.
fn spawn(file: &Shared<File>, task: impl FnOnce(&File) + Send + 'static) -> thread::JoinHandle<()> {
    let file = file.clone();
    thread::spawn(move || task(&file))
}

#[test]
fn a_reader_gets_all_text_and_the_end() {
    explore(3, || {
        let file = file();
        let carrier = spawn(&file, |file| carry(&file.link, 2));
        assert_eq!(file.read(), 2);
        carrier.join().expect("a task that ends");
        assert!(file.link.channel.lock().state() == State::Idle);
    });
}

#[test]
fn reader_and_canceller_return_whoever_ends_the_turn() {
    explore(2, || {
        let file = file();
        let carrier = spawn(&file, |file| carry(&file.link, 1));
        let canceller = spawn(&file, File::cancel);
        assert!(file.read() <= 1);
        carrier.join().expect("a task that ends");
        canceller.join().expect("a task that ends");
        assert!(file.link.channel.lock().state() == State::Idle);
    });
}

/// A second call begins the next turn as soon as the first is ended. Neither a late CANCEL reaches it,
/// nor a call that gives the first up, which holds no mutex.
#[test]
fn a_late_canceller_leaves_the_next_turn_alone() {
    explore(3, || {
        let file = file();
        let canceller = spawn(&file, File::cancel);
        let other = spawn(&file, |file| file.link.cancel(1));
        carry(&file.link, 0);
        let begun = loop {
            file.link.wait.wait(|| file.link.has_turn(1));
            file.take_end();
            if let Some(number) = file.begin() {
                break number;
            }
        };
        canceller.join().expect("a task that ends");
        other.join().expect("a task that ends");
        assert_eq!(begun, 2);
        assert!(!file.link.is_cancelled() && !file.link.channel.lock().is_gone(2));
    });
}

/// A turn that comes when the file is closed is given back, and one that came before is found.
#[test]
fn a_closed_file_keeps_no_turn() {
    explore(3, || {
        let file = file();
        let given_back = Shared::new(Mutex::new(0));
        let carrier = {
            let given_back = given_back.clone();
            spawn(&file, move |file| {
                let kept = match file.link.receive(Turn::new(false)) {
                    Ok(None) => 0,
                    // With room for text it goes on.
                    Ok(Some(_)) | Err(_) => 1,
                };
                *given_back.lock().expect("no task panics with it") = kept;
            })
        };
        file.link.cancel_all();
        let (found, ring) = file.link.channel.lock().close();
        assert!(ring.is_some());
        carrier.join().expect("a task that ends");
        let given_back = *given_back.lock().expect("no task panics with it");
        assert_eq!(given_back + usize::from(found.is_some()), 1);
        assert!(!file.link.channel.lock().has_turn());
    });
}
