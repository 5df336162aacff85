//! The total that progress is told from: never behind what is done, and right in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use palisade_aws::{Observer, Options};
use palisade_mocks::World;

use super::{estates, everything, run, served};

/// Counts, and looks at both counts each time.
#[derive(Default)]
struct Counts {
    total: AtomicI64,
    done: AtomicI64,
}

impl Counts {
    fn hold(&self) {
        // In this order: a total that grows in between does not make a false alarm.
        let done = self.done.load(Ordering::SeqCst);
        let total = self.total.load(Ordering::SeqCst);
        assert!(done <= total, "{done} of {total} calls");
    }
}

impl Observer for Counts {
    fn planned(&self, calls: u64) {
        self.total.fetch_add(calls as i64, Ordering::SeqCst);
    }

    fn spared(&self, calls: u64) {
        self.total.fetch_sub(calls as i64, Ordering::SeqCst);
        self.hold();
    }

    fn finished(&self, _: &str) {
        self.done.fetch_add(1, Ordering::SeqCst);
        self.hold();
    }
}

fn ends_even(world: &World, options: Options) {
    let counts = Arc::new(Counts::default());
    run(options, served(world), counts.clone()).unwrap();
    let total = counts.total.load(Ordering::SeqCst);
    assert!(total > 20, "{total}");
    assert_eq!(
        counts.done.load(Ordering::SeqCst),
        total,
        "{}",
        world.name()
    );
}

#[test]
fn the_total_is_never_behind_and_even_in_the_end() {
    for name in ["eight-minutes", "organization", "denied"] {
        let world = World::load(name).unwrap();
        ends_even(&world, everything(&world));
    }
    let world = estates::one_of_everything();
    ends_even(&world, everything(&world));
    let only_there = Options {
        regions: vec!["eu-central-1".to_owned()],
        ..everything(&world)
    };
    ends_even(&world, only_there);
}
