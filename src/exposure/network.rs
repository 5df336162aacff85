//! Addresses: cuts the address space where policies cut it, and counts what stays open.
//!
//! Each CIDR of a policy is an edge; between two edges every address is judged alike, so one
//! witness speaks for a whole region and the union of many small ranges is exact.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses that the policies at hand do not tell apart, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Region {
    V4(u32, u32),
    V6(u128, u128),
}

/// More addresses than this is no limit: one /8 of IPv4, one /32 of IPv6. Source: "The meaning
/// of public", Blocking public access to your Amazon S3 storage, S3 User Guide.
const WIDE_V4: u64 = 1 << 24;
const WIDE_V6: u128 = 1 << 96;

/// Ranges no request from the internet comes from. Source: RFC 6890. Through a VPC endpoint the
/// private ones arrive as `aws:VpcSourceIp`, never as `aws:SourceIp`.
const NOT_ROUTED: [(u32, u8); 11] = [
    (0x0000_0000, 8),
    (0x0a00_0000, 8),
    (0x6440_0000, 10),
    (0x7f00_0000, 8),
    (0xa9fe_0000, 16),
    (0xac10_0000, 12),
    (0xc000_0000, 24),
    (0xc0a8_0000, 16),
    (0xc612_0000, 15),
    (0xe000_0000, 4),
    (0xf000_0000, 4),
];

impl Region {
    /// One address of it.
    pub(super) fn witness(self) -> IpAddr {
        match self {
            Self::V4(first, _) => IpAddr::V4(Ipv4Addr::from(first)),
            Self::V6(first, _) => IpAddr::V6(Ipv6Addr::from(first)),
        }
    }
}

/// A CIDR block or a bare address, as first and last address.
pub(super) fn parse(text: &str) -> Option<Region> {
    let text = text.trim();
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
        None => (text, None),
    };
    match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => {
            let length = length.unwrap_or(32);
            let host = u32::MAX.checked_shr(length).unwrap_or(0);
            let first = u32::from(address) & !host;
            (length <= 32).then_some(Region::V4(first, first | host))
        }
        IpAddr::V6(address) => {
            let length = length.unwrap_or(128);
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            let first = u128::from(address) & !host;
            (length <= 128).then_some(Region::V6(first, first | host))
        }
    }
}

/// Cuts all routable addresses at the edges of these blocks. Values that are no addresses match
/// nothing and cut nothing.
pub(super) fn regions<'v>(values: impl IntoIterator<Item = &'v str>) -> Vec<Region> {
    let (mut v4, mut v6) = (BTreeSet::from([0_u64]), BTreeSet::from([0_u128]));
    let mut cut4 = |first: u32, last: u32| {
        v4.insert(u64::from(first));
        v4.insert(u64::from(last) + 1);
    };
    for (start, length) in NOT_ROUTED {
        cut4(start, start | (u32::MAX >> length));
    }
    for region in values.into_iter().filter_map(parse) {
        match region {
            Region::V4(first, last) => cut4(first, last),
            Region::V6(first, last) => {
                v6.insert(first);
                v6.extend(last.checked_add(1));
            }
        }
    }
    let v4: Vec<u64> = v4.into_iter().filter(|edge| *edge < 1 << 32).collect();
    let v6: Vec<u128> = v6.into_iter().collect();
    let ends4 = v4.iter().skip(1).copied().chain([1 << 32]);
    let ends6 = v6.iter().skip(1).map(|next| next - 1).chain([u128::MAX]);
    let narrow = |wide: u64| u32::try_from(wide).unwrap_or(u32::MAX);
    let mut regions: Vec<Region> = v4
        .iter()
        .zip(ends4)
        .map(|(first, next)| Region::V4(narrow(*first), narrow(next - 1)))
        .filter(|region| !is_unrouted(*region))
        .collect();
    regions.extend(
        v6.iter()
            .zip(ends6)
            .map(|(first, last)| Region::V6(*first, last)),
    );
    regions
}

fn is_unrouted(region: Region) -> bool {
    match region {
        Region::V4(first, _) => NOT_ROUTED
            .iter()
            .any(|(start, length)| first >= *start && first <= (start | (u32::MAX >> length))),
        Region::V6(..) => false,
    }
}

/// Whether so many addresses are no limit any more.
pub(super) fn is_wide(regions: &BTreeSet<Region>) -> bool {
    let (mut v4, mut v6) = (0_u64, 0_u128);
    for region in regions {
        match region {
            Region::V4(first, last) => v4 += u64::from(last - first) + 1,
            Region::V6(first, last) => v6 = v6.saturating_add((last - first).saturating_add(1)),
        }
    }
    v4 > WIDE_V4 || v6 > WIDE_V6
}

/// The blocks that make up these regions, as CIDR text.
pub(super) fn blocks(regions: &BTreeSet<Region>) -> BTreeSet<String> {
    let mut joined: Vec<Region> = Vec::new();
    for region in regions {
        match (joined.last_mut(), *region) {
            (Some(Region::V4(_, end)), Region::V4(first, last))
                if end.checked_add(1) == Some(first) =>
            {
                *end = last;
            }
            (Some(Region::V6(_, end)), Region::V6(first, last))
                if end.checked_add(1) == Some(first) =>
            {
                *end = last;
            }
            _ => joined.push(*region),
        }
    }
    joined.into_iter().flat_map(cidrs).collect()
}

fn cidrs(region: Region) -> Vec<String> {
    let (mut first, last, bits, v4) = match region {
        Region::V4(first, last) => (u128::from(first), u128::from(last), 32, true),
        Region::V6(first, last) => (first, last, 128, false),
    };
    let mut out = Vec::new();
    loop {
        let aligned = first.trailing_zeros().min(bits);
        let left = (last - first).saturating_add(1);
        let fits = if left == u128::MAX { 128 } else { left.ilog2() };
        let size = aligned.min(fits);
        let address = if v4 {
            IpAddr::V4(Ipv4Addr::from(u32::try_from(first).unwrap_or(u32::MAX)))
        } else {
            IpAddr::V6(Ipv6Addr::from(first))
        };
        out.push(format!("{address}/{}", bits - size));
        let step = 1_u128.checked_shl(size);
        match step.and_then(|step| first.checked_add(step)) {
            Some(next) if next <= last => first = next,
            _ => return out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> BTreeSet<Region> {
        values.iter().filter_map(|value| parse(value)).collect()
    }

    #[test]
    fn one_slash_eight_is_a_limit_and_two_are_none() {
        assert!(!is_wide(&of(&["11.0.0.0/8"])));
        assert!(is_wide(&of(&["11.0.0.0/8", "12.0.0.0/32"])));
        assert!(is_wide(&of(&["0.0.0.0/1"])));
        assert!(is_wide(&of(&["::/0"])));
        assert!(!is_wide(&of(&["2001:db8::/32"])));
    }

    #[test]
    fn private_addresses_are_nobodys_on_the_internet() {
        let all = regions(["10.1.0.0/16"]);
        let inside = |region: &Region| matches!(region, Region::V4(first, _) if first >> 24 == 10);
        assert!(!all.iter().any(inside));
    }

    #[test]
    fn regions_are_cut_at_every_edge() {
        let all = regions(["203.0.113.0/24", "203.0.113.128/25"]);
        let first = u32::from(Ipv4Addr::new(203, 0, 113, 0));
        assert!(all.contains(&Region::V4(first, first + 127)));
        assert!(all.contains(&Region::V4(first + 128, first + 255)));
    }

    #[test]
    fn blocks_are_written_back_as_few_as_possible() {
        assert_eq!(
            blocks(&of(&["203.0.113.0/25", "203.0.113.128/25"])),
            BTreeSet::from(["203.0.113.0/24".to_owned()])
        );
        assert_eq!(blocks(&of(&["::/0"])), BTreeSet::from(["::/0".to_owned()]));
        assert_eq!(
            blocks(&of(&["0.0.0.0/0"])),
            BTreeSet::from(["0.0.0.0/0".to_owned()])
        );
    }
}
