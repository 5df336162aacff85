//! The tamper actions as a table: for each group what SCPs do, how many could do it, and who
//! would hear it, over all accounts.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::security::tampering::{TamperAnswer, Tampering};

/// One group, counted in pairs of account and action.
#[derive(Default)]
struct Sum<'t> {
    pairs: usize,
    denied: usize,
    holes: usize,
    open: usize,
    beyond: usize,
    undecided: usize,
    heard: usize,
    broken: usize,
    silent: usize,
    unsure: usize,
    could: BTreeSet<&'t str>,
    unread: bool,
}

/// The lines of the table; none where nothing counts. At most 78 columns wide.
pub(super) fn lines(tampering: &Tampering) -> Vec<String> {
    let mut sums: BTreeMap<&str, Sum<'_>> = BTreeMap::new();
    for row in &tampering.rows {
        for answer in row.answers.iter().filter(|answer| answer.counts) {
            let sum = sums.entry(row.group).or_default();
            sum.take(answer, !row.action.is_empty());
            let holders = answer.could.and_then(|place| tampering.holders.get(place));
            let holders = holders.into_iter().flatten();
            sum.could.extend(holders.map(|arn| arn.as_str()));
        }
    }
    if sums.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        format!("{:31}{:32}{}", "", "SCPs", "alarm"),
        format!(
            "{:17}{:>6}{:>8}{:>7}{:>6}{:>5}{:>4}{:>7}{:>7}{:>7}{:>4}",
            "group", "pairs", "denied", "holes", "open", "n/a", "?", "could", "heard", "not", "?"
        ),
    ];
    lines.extend(sums.iter().map(|(group, sum)| sum.line(group)));
    lines.extend(exempted(tampering));
    lines
}

impl Sum<'_> {
    fn take(&mut self, answer: &TamperAnswer, is_action: bool) {
        let many = answer.accounts.len();
        self.unread |= !answer.unread.is_empty();
        self.pairs += many;
        if is_action {
            let column = match answer.scp {
                "denied" | "denied with exceptions" => &mut self.denied,
                "bypassable" | "conditional" | "partial" => &mut self.holes,
                "open" => &mut self.open,
                "unknown" => &mut self.undecided,
                _ => &mut self.beyond,
            };
            *column += many;
        } else {
            self.beyond += many;
        }
        let column = match answer.alarm {
            "alarmed" => &mut self.heard,
            "broken" => &mut self.broken,
            "not alarmed" => &mut self.silent,
            "unknown" => &mut self.unsure,
            _ => return,
        };
        *column += many;
    }

    fn line(&self, group: &str) -> String {
        let mark = if self.unread { "+?" } else { "" };
        format!(
            "{group:17}{:>6}{:>8}{:>7}{:>6}{:>5}{:>4}{:>7}{:>7}{:>7}{:>4}",
            self.pairs,
            self.denied,
            self.holes,
            self.open,
            self.beyond,
            self.undecided,
            format!("{}{mark}", self.could.len()),
            self.heard,
            self.broken + self.silent,
            self.unsure
        )
    }
}

/// Whom the denies let through, by the end of the ARN.
fn exempted(tampering: &Tampering) -> Vec<String> {
    const NAMED: usize = 5;
    let mut accounts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let answers = tampering.rows.iter().flat_map(|row| &row.answers);
    for arn in answers.flat_map(|answer| &answer.exempt) {
        accounts
            .entry(arn.resource())
            .or_default()
            .insert(arn.account());
    }
    let mut lines: Vec<String> = accounts
        .iter()
        .take(NAMED)
        .map(|(name, accounts)| match accounts.len() {
            1 => format!("SCPs let {name} through"),
            many => format!("SCPs let {name} through in {many} accounts"),
        })
        .collect();
    if let Some(more) = accounts.len().checked_sub(NAMED).filter(|more| *more > 0) {
        lines.push(format!("… and {more} more principals"));
    }
    lines
}
