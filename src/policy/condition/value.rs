//! The values conditions compare: numbers, dates, addresses, binary.
//!
//! Source: "IAM JSON policy elements: Condition operators", IAM User Guide.

use std::net::IpAddr;

use base64::Engine as _;

/// A decimal number, exact to twelve places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number(i128);

const PLACES: u32 = 12;

impl Number {
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.as_bytes().first()? {
            b'-' => (true, &mantissa[1..]),
            b'+' => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty())
        {
            return None;
        }
        let mut value: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            value = value
                .checked_mul(10)?
                .checked_add(i128::from(digit - b'0'))?;
        }
        let scale = exponent
            .checked_add(i32::try_from(PLACES).ok()?)?
            .checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let value = match u32::try_from(scale) {
            Ok(up) if value != 0 => value.checked_mul(10_i128.checked_pow(up)?)?,
            Ok(_) => 0,
            // Beyond twelve places it is cut, not rounded.
            Err(_) => value / 10_i128.checked_pow(scale.unsigned_abs())?,
        };
        Some(Self(if negative { -value } else { value }))
    }

    /// Its value as a multiple of the smallest step.
    pub(crate) fn scaled(self) -> i128 {
        self.0
    }

    /// A neighbour, so near that no written value lies between.
    pub(crate) fn nudged(self, up: bool) -> String {
        let step = if up { 1 } else { -1 };
        Self(self.0.saturating_add(step)).text()
    }

    pub(crate) fn text(self) -> String {
        let unit = 10_i128.pow(PLACES);
        let (sign, value) = if self.0 < 0 {
            ("-", -self.0)
        } else {
            ("", self.0)
        };
        let fraction = value % unit;
        if fraction == 0 {
            return format!("{sign}{}", value / unit);
        }
        let fraction = format!("{fraction:012}");
        format!("{sign}{}.{}", value / unit, fraction.trim_end_matches('0'))
    }
}

/// A moment, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(i128);

impl Moment {
    /// Reads an ISO 8601 date in one of the W3C profiles, or seconds since 1970.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        // Four digits alone are a year in the W3C profile, and no sensible epoch.
        if text.len() != 4
            && let Some(seconds) = Number::read(text)
        {
            let nanos = seconds.0.checked_div(10_i128.pow(PLACES - 9))?;
            return Some(Self(nanos));
        }
        let bytes = text.as_bytes();
        let (date, rest) = match bytes.iter().position(|b| matches!(b, b'T' | b't' | b' ')) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let mut fields = date.splitn(3, '-');
        let year = field(fields.next()?, 4)?;
        let month = fields.next().map_or(Some(1), |m| field(m, 2))?;
        let day = fields.next().map_or(Some(1), |d| field(d, 2))?;
        let date = jiff::civil::Date::new(
            i16::try_from(year).ok()?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
        )
        .ok()?;
        let days = i128::from((date - jiff::civil::date(1970, 1, 1)).get_days());
        let day_nanos = match rest {
            Some(time) => time_nanos(time)?,
            None => 0,
        };
        Some(Self(days * 86_400 * 1_000_000_000 + day_nanos))
    }

    /// Nanoseconds since 1970.
    pub(crate) fn nanos(self) -> i128 {
        self.0
    }

    pub(crate) fn nudged(self, up: bool) -> String {
        let step = if up { 1 } else { -1 };
        let nanos = self.0.saturating_add(step * 1_000_000_000);
        Number(nanos.saturating_mul(10_i128.pow(PLACES - 9))).text()
    }
}

fn field(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// `hh:mm[:ss[.fraction]]` and a zone: `Z`, `±hh:mm`, `±hhmm`, or none for UTC.
fn time_nanos(text: &str) -> Option<i128> {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone_at);
    let mut fields = clock.splitn(3, ':');
    let hours = field(fields.next()?, 2)?;
    let minutes = fields.next().map_or(Some(0), |m| field(m, 2))?;
    let seconds = fields.next().unwrap_or("0");
    let seconds = Number::read(seconds)?;
    if hours > 24 || minutes > 59 || seconds.0 < 0 || seconds >= Number(61 * 10_i128.pow(PLACES)) {
        return None;
    }
    let offset_minutes = match zone.as_bytes().first() {
        None | Some(b'Z' | b'z') => 0,
        Some(sign) => {
            let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
            let hours = field(digits.get(..2)?, 2)?;
            let minutes = if digits.len() > 2 {
                field(digits.get(2..)?, 2)?
            } else {
                0
            };
            let total = hours * 60 + minutes;
            if *sign == b'-' { -total } else { total }
        }
    };
    let minutes = i128::from(hours * 60 + minutes - offset_minutes);
    Some(minutes * 60 * 1_000_000_000 + seconds.0 / 10_i128.pow(PLACES - 9))
}

/// A block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Block {
    /// The first address, host bits cleared, as a number.
    base: u128,
    prefix: u8,
    v6: bool,
}

impl Block {
    /// Reads `address` or `address/prefix`; a bare address is itself alone.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (bits, v6) = numeric(address)?;
        let width = if v6 { 128 } else { 32 };
        let prefix = match prefix {
            Some(p) if !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()) => p.parse().ok()?,
            Some(_) => return None,
            None => width,
        };
        if prefix > width {
            return None;
        }
        let mut block = Self {
            base: bits,
            prefix,
            v6,
        };
        block.base = bits & block.mask();
        Some(block)
    }

    fn width(self) -> u8 {
        if self.v6 { 128 } else { 32 }
    }

    fn mask(self) -> u128 {
        let host = u32::from(self.width() - self.prefix);
        u128::MAX.checked_shl(host).unwrap_or(0)
    }

    pub(crate) fn contains(self, other: Self) -> bool {
        self.v6 == other.v6 && self.prefix <= other.prefix && other.base & self.mask() == self.base
    }

    /// Whether it is the address itself alone.
    pub(crate) fn is_wider_than(self, v4: u8, v6: u8) -> bool {
        self.prefix < if self.v6 { v6 } else { v4 }
    }

    /// The address before the block, its ends, and the one after.
    pub(crate) fn edges(self) -> Vec<String> {
        let all = if self.v6 {
            u128::MAX
        } else {
            u128::from(u32::MAX)
        };
        let last = self.base | (all & !self.mask());
        let mut out = vec![self.base, last];
        out.extend(self.base.checked_sub(1));
        out.extend(last.checked_add(1).filter(|next| *next <= all));
        out.into_iter().map(|bits| address(bits, self.v6)).collect()
    }
}

fn address(bits: u128, v6: bool) -> String {
    match u32::try_from(bits) {
        Ok(v4) if !v6 => std::net::Ipv4Addr::from(v4).to_string(),
        _ => std::net::Ipv6Addr::from(bits).to_string(),
    }
}

fn numeric(text: &str) -> Option<(u128, bool)> {
    match text.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => Some((u128::from(u32::from(v4)), false)),
        IpAddr::V6(v6) => Some((u128::from(v6), true)),
    }
}

/// What base64 text stands for.
pub(crate) fn binary(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD
        .decode(text.trim())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let n = |text| Number::read(text);
        assert_eq!(n("3600"), n("3600.000"));
        assert_eq!(n("1e3"), n("1000"));
        assert!(n("-0.5") < n("0.25"));
        assert!(n("9007199254740993") > n("9007199254740992"));
        for bad in ["", "abc", "1.2.3", "--1", ".", "0x10", "1e", "1e999999999"] {
            assert_eq!(n(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates_compare_across_forms() {
        let d = |text| Moment::read(text).expect(text);
        assert_eq!(d("2026-01-01"), d("2026-01-01T00:00:00Z"));
        assert_eq!(d("2026"), d("2026-01-01"));
        assert_eq!(d("2026-01-01T00:00Z"), d("1767225600"));
        assert_eq!(
            d("2026-01-01T02:00:00+02:00"),
            d("2026-01-01T00:00:00.000Z")
        );
        assert!(d("2026-06-30T23:59:59Z") < d("2026-07-01"));
        for bad in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-01-01T25:00:00Z",
            "2026-1-1",
        ] {
            assert_eq!(Moment::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_compare_as_numbers() {
        let b = |text| Block::read(text).expect(text);
        assert!(b("0.0.0.0/0").contains(b("3.190.42.172")));
        assert!(!b("0.0.0.0/0").contains(b("::1")));
        assert!(b("2001:db8::/32").contains(b("2001:0db8:0:0::1")));
        assert!(b("203.0.113.7/24").contains(b("203.0.113.200")));
        assert!(b("::/0").contains(b("ffff::")));
        assert_eq!(Block::read("10.0.0.0/33"), None);
        assert_eq!(Block::read("10.0.0"), None);
    }
}
