//! What looking into buckets may cost, and what it did cost: bytes, requests, dollars.
//!
//! Every list and every range is paid for before it is asked for, so that no limit is ever
//! passed, not by a byte. One purse serves a whole scan.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Prices as data, with their date and source.
const PRICES: &str = include_str!("prices.tsv");

/// Millionths of a millionth of a dollar: every price is a whole number of them.
const DOLLAR: f64 = 1e12;

/// What one request or byte costs, in those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prices {
    list: u64,
    get: u64,
    transfer: u64,
    infrequent: u64,
    instant_archive: u64,
}

/// A price of somebody's own instead of the table's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// What it is for.
    pub kind: PriceKind,
    /// Dollars: for a thousand requests, or for a gigabyte.
    pub dollars: f64,
}

/// What S3 charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceKind {
    /// A thousand lists.
    List,
    /// A thousand reads and other requests.
    Get,
    /// A gigabyte sent to wherever the scan runs.
    Transfer,
    /// A gigabyte out of infrequent access.
    Infrequent,
    /// A gigabyte out of the archive that answers at once.
    InstantArchive,
}

impl FromStr for Price {
    type Err = String;

    /// Reads `transfer=0`, `list=0.0054`.
    fn from_str(text: &str) -> Result<Price, String> {
        const SHAPE: &str = "such as `transfer=0`: list, get (dollars for a thousand), transfer, \
                             infrequent or instant-archive (dollars for a gigabyte)";
        let (kind, dollars) = text.split_once('=').ok_or(SHAPE)?;
        let kind = match kind.trim() {
            "list" => PriceKind::List,
            "get" => PriceKind::Get,
            "transfer" => PriceKind::Transfer,
            "infrequent" => PriceKind::Infrequent,
            "instant-archive" => PriceKind::InstantArchive,
            _ => return Err(SHAPE.to_owned()),
        };
        let dollars = dollars.trim().trim_start_matches('$').parse::<f64>();
        match dollars {
            Ok(dollars) if (0.0..=1_000.0).contains(&dollars) => Ok(Price { kind, dollars }),
            _ => Err(SHAPE.to_owned()),
        }
    }
}

impl Prices {
    /// The table of this crate, but for the prices that are given.
    pub(crate) fn of(own: &[Price]) -> Prices {
        let mut prices = Prices::load();
        for price in own {
            let (place, per) = match price.kind {
                PriceKind::List => (&mut prices.list, 1e3),
                PriceKind::Get => (&mut prices.get, 1e3),
                PriceKind::Transfer => (&mut prices.transfer, 1e9),
                PriceKind::Infrequent => (&mut prices.infrequent, 1e9),
                PriceKind::InstantArchive => (&mut prices.instant_archive, 1e9),
            };
            *place = (price.dollars * DOLLAR / per).round() as u64;
        }
        prices
    }

    /// Reads the table of this crate.
    fn load() -> Prices {
        let price = |wanted: &str| {
            let line = PRICES
                .lines()
                .map(|line| line.split('\t').collect::<Vec<_>>())
                .find(|cells| cells[0] == wanted);
            let cells = line.expect("a test reads every price");
            let number = |at: usize| cells[at].parse::<f64>().expect("a test reads every price");
            (number(1) * DOLLAR / number(2)).round() as u64
        };
        Prices {
            list: price("list"),
            get: price("get"),
            transfer: price("transfer-byte"),
            infrequent: price("infrequent-byte"),
            instant_archive: price("instant-archive-byte"),
        }
    }

    /// A byte of an object of that storage class.
    fn byte(&self, storage_class: &str) -> u64 {
        let retrieval = match storage_class {
            "STANDARD_IA" | "ONEZONE_IA" => self.infrequent,
            "GLACIER_IR" => self.instant_archive,
            _ => 0,
        };
        self.transfer + retrieval
    }
}

/// What is left to spend, and what was spent.
#[derive(Debug)]
pub(crate) struct Purse {
    prices: Prices,
    bytes_left: AtomicU64,
    cost_left: AtomicU64,
    cost: AtomicU64,
    lists: AtomicU64,
    gets: AtomicU64,
    bytes: AtomicU64,
}

/// Which limit stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// No byte is left.
    Bytes,
    /// The next request would cost more than is left.
    Cost,
}

impl Spent {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Spent::Bytes => "the reading budget is used up",
            Spent::Cost => "the cost limit is used up",
        }
    }
}

impl Purse {
    /// Limits: bytes read, and dollars; no dollars: no limit of cost. Prices are the table's
    /// where `own` has none.
    pub(crate) fn new(max_bytes: u64, max_cost: Option<f64>, own: &[Price]) -> Purse {
        let cost = max_cost.map_or(u64::MAX, |dollars| {
            (dollars.max(0.0) * DOLLAR).round() as u64
        });
        Purse {
            prices: Prices::of(own),
            bytes_left: max_bytes.into(),
            cost_left: cost.into(),
            cost: 0.into(),
            lists: 0.into(),
            gets: 0.into(),
            bytes: 0.into(),
        }
    }

    /// Pays for one page of a listing.
    pub(crate) fn list(&self) -> Result<(), Spent> {
        self.pay(self.prices.list)?;
        self.lists.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Pays for a request of the cheaper kind that brings no content, such as an ACL.
    pub(crate) fn ask(&self) -> Result<(), Spent> {
        self.pay(self.prices.get)?;
        self.gets.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Pays for a range of at most `wanted` bytes of an object, and says how many it may be.
    pub(crate) fn range(&self, wanted: u64, storage_class: &str) -> Result<u64, Spent> {
        let byte = self.prices.byte(storage_class);
        let left = self.cost_left.load(Ordering::Relaxed);
        let affordable = match left.checked_sub(self.prices.get) {
            None => 0,
            Some(left) => left.checked_div(byte).unwrap_or(u64::MAX),
        };
        let granted = take(&self.bytes_left, wanted.min(affordable));
        if granted == 0 {
            return Err(if affordable == 0 {
                Spent::Cost
            } else {
                Spent::Bytes
            });
        }
        if let Err(spent) = self.pay(self.prices.get + granted * byte) {
            // Somebody else took what was left in between.
            self.bytes_left.fetch_add(granted, Ordering::Relaxed);
            return Err(spent);
        }
        self.gets.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(granted, Ordering::Relaxed);
        Ok(granted)
    }

    fn pay(&self, amount: u64) -> Result<(), Spent> {
        let paid = |left: u64| left.checked_sub(amount);
        let change = |left| {
            if left == u64::MAX {
                Some(left)
            } else {
                paid(left)
            }
        };
        self.cost_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, change)
            .map_err(|_| Spent::Cost)?;
        self.cost.fetch_add(amount, Ordering::Relaxed);
        Ok(())
    }

    /// What so many buckets cost at most, in words.
    pub(crate) fn estimate(&self, buckets: u64, lists: u64, acls: u64, reads: u64) -> String {
        let bytes = if reads == 0 {
            0
        } else {
            self.bytes_left.load(Ordering::Relaxed)
        };
        let (lists, gets) = (buckets * lists, buckets * (acls + reads));
        let most = lists * self.prices.list + gets * self.prices.get + bytes * self.prices.transfer;
        let left = self.cost_left.load(Ordering::Relaxed);
        let limit = if left == u64::MAX {
            String::new()
        } else {
            format!("; {} may be spent", dollars(left))
        };
        format!(
            "{buckets} bucket(s) to look into: at most {lists} lists, {gets} other requests and \
             {bytes} bytes, {} at most{limit}",
            dollars(most)
        )
    }

    /// What was asked for so far, and what that costs, in words.
    pub(crate) fn bill(&self) -> String {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        format!(
            "looking into buckets took {} lists, {} other requests and {} bytes: {}",
            of(&self.lists),
            of(&self.gets),
            of(&self.bytes),
            dollars(of(&self.cost))
        )
    }

    /// Whether anything was paid for.
    pub(crate) fn is_touched(&self) -> bool {
        self.cost.load(Ordering::Relaxed) > 0
    }

    /// Bytes of content asked for so far.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Lists asked for so far.
    #[cfg(test)]
    pub(crate) fn lists(&self) -> u64 {
        self.lists.load(Ordering::Relaxed)
    }
}

/// Takes up to `wanted` out of a counter.
fn take(left: &AtomicU64, wanted: u64) -> u64 {
    let mut granted = 0;
    let change = |have: u64| {
        granted = wanted.min(have);
        Some(have - granted)
    };
    // The closure always gives a value, so the update cannot fail.
    let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    granted
}

fn dollars(amount: u64) -> String {
    format!("${:.6}", amount as f64 / DOLLAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_whole_and_as_published() {
        let prices = Prices::load();
        assert_eq!((prices.list, prices.get), (5_000_000, 400_000));
        assert_eq!((prices.byte(""), prices.byte("GLACIER_IR")), (90, 120));
        assert_eq!(prices.byte("STANDARD_IA"), 100);
    }

    #[test]
    fn bytes_are_granted_to_the_last_one_and_not_beyond() {
        let purse = Purse::new(1_000, None, &[]);
        assert_eq!(purse.range(600, ""), Ok(600));
        assert_eq!(purse.range(600, ""), Ok(400));
        assert_eq!(purse.range(1, ""), Err(Spent::Bytes));
        assert_eq!(purse.bytes(), 1_000);
    }

    #[test]
    fn a_cost_limit_cuts_ranges_and_refuses_lists() {
        // One list, and one range of 100 bytes: 5,000,000 + 400,000 + 100 * 90.
        let purse = Purse::new(1 << 30, Some(5.409e-6), &[]);
        assert_eq!(purse.list(), Ok(()));
        assert_eq!(purse.list(), Err(Spent::Cost));
        assert_eq!(purse.range(1 << 20, ""), Ok(100));
        assert_eq!(purse.range(1, ""), Err(Spent::Cost));
        assert!(
            purse
                .bill()
                .ends_with("1 lists, 1 other requests and 100 bytes: $0.000005")
        );
    }

    #[test]
    fn prices_of_ones_own_replace_those_of_the_table() {
        let own = ["list=0.0054", "transfer = $0"].map(|text| text.parse::<Price>().unwrap());
        let prices = Prices::of(&own);
        assert_eq!((prices.list, prices.get), (5_400_000, 400_000));
        assert_eq!((prices.byte(""), prices.byte("GLACIER_IR")), (0, 30));
        for wrong in [
            "list",
            "list=",
            "list=-1",
            "put=1",
            "get=NaN",
            "transfer=1e9",
        ] {
            assert!(wrong.parse::<Price>().is_err(), "{wrong}");
        }
        // Where transfer is free, a cost limit counts requests alone.
        let purse = Purse::new(1 << 40, Some(4e-7), &own);
        assert_eq!(purse.range(1 << 30, ""), Ok(1 << 30));
        assert_eq!(purse.range(1, ""), Err(Spent::Cost));
    }

    #[test]
    fn no_limit_is_no_limit() {
        let purse = Purse::new(u64::MAX, None, &[]);
        for _ in 0..1_000 {
            assert_eq!(purse.list(), Ok(()));
        }
        assert_eq!(purse.lists(), 1_000);
        assert!(purse.is_touched());
    }
}
