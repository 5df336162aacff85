//! Regions that allow, as conditions people can read: the residual in normal form.

use std::sync::Arc;

use super::Axis;
use super::states::{NO_FIT, Region, Uncertain};
use crate::policy::condition::{Comparison, Operator, SetOperator, Test, escaped};
use crate::policy::context::{Context, Key};
use crate::policy::residual::{Clause, Residual, Term};
use crate::policy::tri::Tri;

/// A set of regions of one axis, as bits.
type Mask = u64;

/// The residual for the combinations that allow; `allowed` runs through the first axis fastest.
pub(super) fn residual(
    axes: &[Axis],
    uncertain: &Uncertain<'_>,
    context: &Context,
    allowed: &[bool],
) -> Residual {
    let words: Vec<Words> = axes
        .iter()
        .map(|axis| Words::new(axis, uncertain, context))
        .collect();
    let mut clauses = Vec::new();
    for cover in boxes(axes, allowed) {
        let mut alternatives: Vec<Vec<Term>> = vec![Vec::new()];
        for (words, mask) in words.iter().zip(cover) {
            let options = words.describe(mask);
            alternatives = alternatives
                .iter()
                .flat_map(|head| options.iter().map(move |tail| [&head[..], tail].concat()))
                .take(MAX_CLAUSES)
                .collect();
        }
        clauses.extend(alternatives.into_iter().map(|mut terms| {
            terms.sort();
            terms.dedup();
            Clause { terms }
        }));
    }
    clauses.sort();
    clauses.dedup();
    let imprecise = clauses.len() > MAX_CLAUSES;
    clauses.truncate(MAX_CLAUSES);
    Residual { clauses, imprecise }
}

const MAX_CLAUSES: usize = 64;

/// Covers the allowed combinations with boxes as large as they go, none of them idle.
fn boxes(axes: &[Axis], allowed: &[bool]) -> Vec<Vec<Mask>> {
    let sizes: Vec<usize> = axes.iter().map(|axis| axis.regions.len()).collect();
    let place = |mut cell: usize| -> Vec<usize> {
        let split = |size: &usize| {
            let at = cell % size;
            cell /= size;
            at
        };
        sizes.iter().map(split).collect()
    };
    let places: Vec<Vec<usize>> = (0..allowed.len()).map(place).collect();
    let holds = |cover: &[Mask], cell: usize| {
        places[cell]
            .iter()
            .zip(cover)
            .all(|(at, mask)| mask >> at & 1 == 1)
    };
    let inside =
        |cover: &[Mask]| (0..allowed.len()).all(|cell| allowed[cell] || !holds(cover, cell));
    let mut out: Vec<Vec<Mask>> = Vec::new();
    for cell in 0..allowed.len() {
        if !allowed[cell] || out.iter().any(|cover| holds(cover, cell)) {
            continue;
        }
        let mut cover: Vec<Mask> = places[cell].iter().map(|at| 1 << at).collect();
        for (axis, size) in sizes.iter().enumerate() {
            let whole: Mask = if *size == 64 {
                Mask::MAX
            } else {
                (1 << size) - 1
            };
            let own = cover[axis];
            cover[axis] = whole;
            if inside(&cover) {
                continue;
            }
            cover[axis] = own;
            for region in 0..*size {
                let before = cover[axis];
                cover[axis] |= 1 << region;
                if !inside(&cover) {
                    cover[axis] = before;
                }
            }
        }
        out.push(cover);
    }
    // A later box may have made an earlier one idle.
    let mut at = 0;
    while at < out.len() {
        let needed = (0..allowed.len()).any(|cell| {
            let others = out.iter().enumerate().filter(|(i, _)| *i != at);
            holds(&out[at], cell) && !others.map(|(_, o)| o).any(|other| holds(other, cell))
        });
        if needed {
            at += 1;
        } else {
            out.remove(at);
        }
    }
    out
}

/// The ways to speak of one axis: terms, and the regions in which each holds.
struct Words<'a> {
    axis: &'a Axis,
    /// All regions but "absent", which is always the first.
    present: Mask,
    /// The terms speak of several keys, or of other keys through variables: they say themselves
    /// what a missing key means.
    jointly: bool,
    terms: Vec<(Term, Mask)>,
    /// For each term the one that holds in exactly the other regions, if there is one.
    duals: Vec<Option<Term>>,
}

impl<'a> Words<'a> {
    fn new(axis: &'a Axis, uncertain: &Uncertain<'_>, context: &Context) -> Self {
        let whole: Mask = axis
            .regions
            .iter()
            .enumerate()
            .fold(0, |m, (at, _)| m | 1 << at);
        let mut words = Self {
            axis,
            present: whole & !1,
            jointly: false,
            terms: Vec::new(),
            duals: Vec::new(),
        };
        let as_variable = |test: &Test| test.variable_keys().any(|key| axis.keys.contains(key));
        if axis.keys.len() > 1 || uncertain.tests.iter().any(|test| as_variable(test)) {
            words.jointly = true;
            words.present = whole;
            let meets = |test: &&&Test| axis.keys.contains(&test.key) || as_variable(test);
            for test in uncertain.tests.iter().filter(meets) {
                let written = test.written.to_vec();
                words.add(
                    Term::new(test.key.as_str(), test.operator, written),
                    context,
                );
            }
            return words;
        }
        for value in axis.fitting.iter().filter(|value| ***value != *NO_FIT) {
            words.add(equals(axis.keys[0].as_str(), value), context);
        }
        for test in uncertain
            .tests
            .iter()
            .filter(|test| test.key == axis.keys[0])
        {
            for term in words.terms_of(test) {
                words.add(term, context);
            }
        }
        words
    }

    fn terms_of(&self, test: &Test) -> Vec<Term> {
        let key = self.axis.keys[0].as_str();
        let plain = Operator {
            if_exists: false,
            negated: false,
            ..test.operator
        };
        match (plain.comparison, self.axis.multivalued) {
            (Comparison::Null, _) => Vec::new(),
            (Comparison::Bool, false) => {
                let one = Operator {
                    set: SetOperator::None,
                    ..plain
                };
                ["true", "false"]
                    .map(|v| Term::new(key, one, vec![v.to_owned()]))
                    .into()
            }
            // Regions are told apart by whole tests, so a single value of several says too little.
            (_, false) => {
                let one = Operator {
                    set: SetOperator::None,
                    ..plain
                };
                vec![Term::new(key, one, test.written.to_vec())]
            }
            (_, true) => {
                let written = Operator {
                    if_exists: false,
                    ..test.operator
                };
                vec![Term::new(key, written, test.written.to_vec())]
            }
        }
    }

    /// Keeps a term if it is certain in every region and says something no other does.
    fn add(&mut self, term: Term, context: &Context) {
        let Some(mask) = self.mask(&term, context) else {
            return;
        };
        if mask == 0 || mask == self.present || self.terms.iter().any(|(_, m)| *m == mask) {
            return;
        }
        let other = Term {
            operator: term.operator.dual(),
            ..term.clone()
        };
        let exact = self.mask(&other, context) == Some(self.present & !mask);
        self.duals.push(exact.then_some(other));
        self.terms.push((term, mask));
    }

    /// The regions in which a term holds; `None` when that is not certain of each.
    fn mask(&self, term: &Term, context: &Context) -> Option<Mask> {
        let mut mask = 0;
        let mut probe = context.clone();
        let test = term.test();
        for (at, region) in self.axis.regions.iter().enumerate() {
            if self.present >> at & 1 == 0 {
                continue;
            }
            region.enter(&self.axis.keys, &mut probe);
            match test.holds(&probe) {
                Tri::Yes => mask |= 1 << at,
                Tri::No => {}
                Tri::Maybe => return None,
            }
        }
        Some(mask)
    }

    /// Alternatives that together hold exactly in these regions; each is a list of terms.
    fn describe(&self, mask: Mask) -> Vec<Vec<Term>> {
        if self.jointly {
            return self.describe_jointly(mask);
        }
        let key = self.axis.keys[0].as_str();
        let absent = mask & 1 == 1;
        let wanted = mask & self.present;
        if wanted == self.present {
            return vec![if absent {
                Vec::new()
            } else {
                vec![Term::null(key, false)]
            }];
        }
        if wanted == 0 {
            return vec![vec![Term::null(key, true)]];
        }
        let found = self
            .as_union(wanted)
            .or_else(|| self.as_exclusion(wanted).map(|terms| vec![terms]))
            .unwrap_or_else(|| self.one_by_one(wanted));
        let mut out = Vec::new();
        let mut absent_said = false;
        for terms in found {
            let (terms, said) = with_absence(key, terms, absent);
            absent_said |= said;
            out.push(terms);
        }
        if absent && !absent_said {
            out.push(vec![Term::null(key, true)]);
        }
        out
    }

    /// Regions of several keys at once, one after the other.
    fn describe_jointly(&self, mask: Mask) -> Vec<Vec<Term>> {
        if mask == self.present {
            return vec![Vec::new()];
        }
        self.one_by_one(mask)
    }

    /// The regions as "one of these values".
    fn as_union(&self, wanted: Mask) -> Option<Vec<Vec<Term>>> {
        let mut covered = 0;
        let mut terms: Vec<Term> = Vec::new();
        for (term, mask) in &self.terms {
            if mask & !wanted == 0 && mask & !covered != 0 {
                covered |= mask;
                terms.push(term.clone());
            }
        }
        let mergeable = |term: &Term| term.operator.set != SetOperator::All;
        (covered == wanted).then(|| {
            merged(terms, mergeable)
                .into_iter()
                .map(|t| vec![t])
                .collect()
        })
    }

    /// The regions as "none of these values".
    fn as_exclusion(&self, wanted: Mask) -> Option<Vec<Term>> {
        let unwanted = self.present & !wanted;
        let mut covered = 0;
        let mut terms: Vec<Term> = Vec::new();
        for ((_, mask), dual) in self.terms.iter().zip(&self.duals) {
            if let Some(dual) = dual
                && mask & !unwanted == 0
                && mask & !covered != 0
            {
                covered |= mask;
                terms.push(dual.clone());
            }
        }
        // "None of these" merges only where values join under the negation.
        let mergeable =
            |term: &Term| term.operator.negated && term.operator.set != SetOperator::Any;
        (covered == unwanted).then(|| merged(terms, mergeable))
    }

    /// The regions one after the other, each by the terms that set it apart.
    fn one_by_one(&self, wanted: Mask) -> Vec<Vec<Term>> {
        let mut out = Vec::new();
        let mut covered: Mask = 0;
        for (at, region) in self.axis.regions.iter().enumerate() {
            let bit: Mask = 1 << at;
            if wanted & bit == 0 || covered & bit != 0 {
                continue;
            }
            let mut here = self.present;
            let mut terms = Vec::new();
            for ((term, mask), dual) in self.terms.iter().zip(&self.duals) {
                let inside = mask & bit != 0;
                if !inside && !self.jointly && dual.is_none() {
                    continue;
                }
                let next = if inside { here & mask } else { here & !mask };
                if next != here && here & !wanted != 0 && next & !wanted != here & !wanted {
                    here = next;
                    match (inside, self.jointly) {
                        (true, _) => terms.push(term.clone()),
                        (false, false) => terms.extend(dual.clone()),
                        (false, true) => terms.extend(term.complement()),
                    }
                }
            }
            if here & !wanted == 0 {
                covered |= here;
            } else {
                covered |= bit;
                terms = self.by_value(region);
            }
            out.push(terms);
        }
        out
    }

    /// A region by the values that stand for it.
    fn by_value(&self, region: &Region) -> Vec<Term> {
        let set = if self.axis.multivalued {
            SetOperator::All
        } else {
            SetOperator::None
        };
        let comparison = Comparison::StringEquals;
        let operator = Operator {
            set,
            comparison,
            negated: false,
            if_exists: false,
        };
        let term = |(key, state): (&Key, &Option<Vec<Arc<str>>>)| match state {
            Some(values) => {
                let values = values.iter().map(|v| escaped(v)).collect();
                Term::new(key.as_str(), operator, values)
            }
            None => Term::null(key.as_str(), true),
        };
        self.axis.keys.iter().zip(&region.0).map(term).collect()
    }
}

fn equals(key: &str, value: &str) -> Term {
    let comparison = Comparison::StringEquals;
    let operator = Operator {
        set: SetOperator::None,
        comparison,
        negated: false,
        if_exists: false,
    };
    Term::new(key, operator, vec![escaped(value)])
}

/// Joins the values of terms with one operator, where the operator allows it.
fn merged(terms: Vec<Term>, mergeable: impl Fn(&Term) -> bool) -> Vec<Term> {
    let mut out: Vec<Term> = Vec::new();
    for term in terms {
        let joint = out
            .iter_mut()
            .find(|known| known.operator == term.operator && mergeable(known) && mergeable(&term));
        match joint {
            Some(known) => {
                let values = known.values.iter().chain(&term.values).cloned().collect();
                *known = Term::new(&known.key, known.operator, values);
            }
            None => out.push(term),
        }
    }
    out
}

/// Makes a list of terms say the right thing about a request without the key; also returns
/// whether it holds of one.
fn with_absence(key: &str, mut terms: Vec<Term>, absent: bool) -> (Vec<Term>, bool) {
    let nowhere = Context::closed();
    if absent {
        for term in &mut terms {
            let silent = term.holds(&nowhere) != Tri::Yes;
            if silent && term.operator.set == SetOperator::None {
                term.operator.if_exists = true;
            }
        }
        let all = terms.iter().all(|term| term.holds(&nowhere) == Tri::Yes);
        (terms, all)
    } else {
        if terms.iter().all(|term| term.holds(&nowhere) == Tri::Yes) {
            terms.push(Term::null(key, false));
        }
        (terms, false)
    }
}
