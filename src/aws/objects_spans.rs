//! Which stretches of an object are worth reading, and which are left out.

use palisade_model::ObjectEntry;
use palisade_secrets::names::{KeyClass, ReadMode};

/// The most bytes of one object, whatever its kind asks for.
const MOST: u64 = 16 << 20;

/// First byte, and one past the last, of a stretch that is read in one go.
pub(crate) type Span = (u64, u64);

/// How many bytes of an object are worth reading.
pub(crate) fn cap(class: &KeyClass, per_object: u64) -> u64 {
    let whole = matches!(class.read, ReadMode::Full | ReadMode::Peek);
    let cap = if whole {
        class.cap
    } else {
        class.cap.min(per_object)
    };
    cap.min(MOST)
}

/// Which stretches are read: the front, or both ends.
pub(crate) fn spans(class: &KeyClass, entry: &ObjectEntry, per_object: u64) -> Vec<Span> {
    let cap = cap(class, per_object);
    if entry.size <= cap {
        return vec![(0, entry.size)];
    }
    if class.read == ReadMode::HeadTail {
        // UTF-16 keeps its step when both parts begin at even places.
        let half = (cap / 2) & !1;
        return vec![(0, half), ((entry.size - half) & !1, entry.size)];
    }
    vec![(0, cap)]
}

/// The stretch that is not read.
pub(crate) fn left_out(class: &KeyClass, entry: &ObjectEntry, per_object: u64) -> Option<Span> {
    let spans = spans(class, entry, per_object);
    match spans.as_slice() {
        [(_, end)] => (*end < entry.size).then_some((*end, entry.size)),
        [(_, end), (begin, _)] => Some((*end, *begin)),
        _ => None,
    }
}
