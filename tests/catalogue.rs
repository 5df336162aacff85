//! The catalogue: ids, proofs, reads and wording.

use palisade::check;

#[test]
fn every_check_has_exactly_one_answer() {
    assert_eq!(check::mismatches(), Vec::<String>::new());
}

#[test]
fn every_check_loads() {
    palisade_checks::load_checks().unwrap();
}
