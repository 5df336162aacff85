//! How fast calls go out: a steady rate with a small burst, halved on a throttle and raised
//! again slowly (additive increase, multiplicative decrease).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The pace of one account, service and region, or of everything.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Calls a second now.
    rate: f64,
    /// Calls a second when nobody complains.
    ceiling: f64,
    /// How many calls may go at once after a rest.
    burst: f64,
    /// When the next call may go.
    next: Instant,
    /// When the rate last changed.
    changed: Instant,
}

/// Never slower than one call in four seconds.
const FLOOR: f64 = 0.25;

/// How long a throttle is remembered before the rate rises by a tenth of the ceiling.
const RECOVERY: Duration = Duration::from_secs(10);

/// Throttles that arrive together count once.
const GRACE: Duration = Duration::from_millis(500);

impl Pace {
    pub(crate) fn new(rate: f64, burst: f64) -> Self {
        let now = Instant::now();
        Pace(Mutex::new(State {
            rate,
            ceiling: rate,
            burst,
            next: now,
            changed: now,
        }))
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a turn: when the next call may go.
    fn reserve(&self, now: Instant) -> Instant {
        self.with(|state| {
            while state.rate < state.ceiling && now.duration_since(state.changed) >= RECOVERY {
                state.rate = (state.rate + state.ceiling / 10.0).min(state.ceiling);
                state.changed += RECOVERY;
            }
            let credit = Duration::from_secs_f64((state.burst - 1.0).max(0.0) / state.rate);
            let earliest = now.checked_sub(credit).unwrap_or(now);
            let turn = state.next.max(earliest);
            state.next = turn + Duration::from_secs_f64(1.0 / state.rate);
            turn
        })
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self) {
        let now = Instant::now();
        let turn = self.reserve(now);
        if turn > now {
            tokio::time::sleep_until(turn).await;
        }
    }

    /// A request that did not wait for its turn (a retry) takes one all the same.
    pub(crate) fn charge(&self) {
        self.reserve(Instant::now());
    }

    /// Halves the rate.
    pub(crate) fn throttled(&self) {
        let now = Instant::now();
        self.with(|state| {
            if state.rate == state.ceiling || now.duration_since(state.changed) >= GRACE {
                state.rate = (state.rate / 2.0).max(FLOOR.min(state.ceiling));
                state.changed = now;
            }
        });
    }
}

/// Calls a second that a service takes from one account in one region. Source: published quotas
/// where there are any (EC2, Security Hub, Lambda), cautious figures elsewhere.
pub(crate) fn rate_of(service: &str) -> f64 {
    match service {
        "organizations" | "iam" | "account" => 5.0,
        "config" | "logs" => 4.0,
        "securityhub" | "cloudwatch" => 8.0,
        "lambda" => 12.0,
        "ec2" => 15.0,
        "sts" => 50.0,
        "s3" => 100.0,
        "kms" | "secretsmanager" | "sns" | "sqs" | "dynamodb" => 25.0,
        _ => 10.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(pace: &Pace, start: Instant, count: usize) -> Vec<f64> {
        (0..count)
            .map(|_| {
                pace.reserve(start)
                    .saturating_duration_since(start)
                    .as_secs_f64()
            })
            .collect()
    }

    #[tokio::test]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let pace = Pace::new(10.0, 3.0);
        let start = Instant::now() + Duration::from_secs(60);
        let turns = turns(&pace, start, 6);
        assert_eq!(&turns[..3], &[0.0, 0.0, 0.0]);
        for (turn, wanted) in turns[3..].iter().zip([0.1, 0.2, 0.3]) {
            assert!((turn - wanted).abs() < 1e-6, "{turns:?}");
        }
    }

    #[tokio::test]
    async fn a_throttle_halves_the_rate_and_time_heals_it() {
        let pace = Pace::new(10.0, 1.0);
        pace.throttled();
        pace.throttled();
        assert_eq!(pace.with(|state| state.rate), 5.0);
        pace.reserve(Instant::now() + Duration::from_secs(25));
        assert_eq!(pace.with(|state| state.rate), 7.0);
        pace.reserve(Instant::now() + Duration::from_secs(500));
        assert_eq!(pace.with(|state| state.rate), 10.0);
    }

    #[tokio::test]
    async fn a_strict_pace_never_exceeds_its_rate() {
        let pace = Pace::new(50.0, 1.0);
        let start = Instant::now() + Duration::from_secs(60);
        let turns = turns(&pace, start, 101);
        assert!(turns[100] - turns[0] >= 100.0 / 50.0 - 1e-6, "{turns:?}");
    }
}
