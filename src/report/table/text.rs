//! Words into lines: folding, names people use, colour.

use palisade_checks::Severity;

use super::super::escape::plain;
use super::{Style, line};

/// Appends `text`, folded so that it stays within `width` behind `indent`.
pub(super) fn wrapped(out: &mut String, text: &str, indent: &str, width: usize) {
    let room = width.saturating_sub(indent.chars().count()).max(20);
    for line in fold(&plain(text), room).lines() {
        line!(out, "{indent}{line}");
    }
}

/// Likewise behind a word, which stands before the first line only.
pub(super) fn hanging(out: &mut String, text: &str, word: &str, width: usize) {
    let mut lines = String::new();
    let indent = " ".repeat(word.chars().count());
    wrapped(&mut lines, text, &indent, width);
    out.push_str(word);
    out.push_str(lines.strip_prefix(&indent).unwrap_or(&lines));
}

/// Folds each line of `text` between words; what is longer than a line is cut where names have
/// joints, or anywhere. Lines that go on keep the indent of the line they belong to.
pub fn fold(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let indent = line
            .chars()
            .take_while(|c| *c == ' ')
            .count()
            .min(width / 2);
        let mut current = " ".repeat(indent);
        let mut used = indent;
        for word in line
            .split_whitespace()
            .flat_map(|word| pieces(word, width - indent))
        {
            let length = word.chars().count();
            let gap = usize::from(used > indent);
            if used > indent && used + gap + length > width {
                lines.push(std::mem::replace(&mut current, " ".repeat(indent)));
                used = indent;
            }
            if used > indent {
                current.push(' ');
                used += 1;
            }
            current.push_str(&word);
            used += length;
        }
        lines.push(current);
    }
    lines.join("\n")
}

/// Cuts a word into pieces of at most `width` characters, behind a joint where there is one.
pub(super) fn pieces(word: &str, width: usize) -> Vec<String> {
    let mut rest: Vec<char> = word.chars().collect();
    let mut pieces = Vec::new();
    while rest.len() > width {
        let joint = rest[..width]
            .iter()
            .rposition(|c| matches!(c, '/' | ':' | '-' | '.' | '_' | ','));
        let at = joint
            .filter(|at| *at > width / 3)
            .map_or(width, |at| at + 1);
        pieces.push(rest.drain(..at).collect());
    }
    pieces.push(rest.into_iter().collect());
    pieces
}

/// A fact with its ARNs cut to the parts people use, and without the kinds before them.
pub(super) fn short(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("arn:") {
        let head = &rest[..at];
        let kind = head.rfind([' ', '(']).map_or(0, |space| space + 1);
        out.push_str(if head.ends_with(':') {
            &head[..kind]
        } else {
            head
        });
        let tail = &rest[at..];
        let end = tail.find([',', ')', ' ']).unwrap_or(tail.len());
        out.push_str(name_of(&tail[..end]));
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

/// The part of an ARN that people use; anything else as it is.
pub(super) fn name_of(text: &str) -> &str {
    let mut parts = text.splitn(6, ':');
    match (parts.next(), parts.nth(4)) {
        (Some("arn"), Some(resource)) if !resource.is_empty() => resource,
        _ => text,
    }
}

pub(super) fn color_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;31",
        Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low | Severity::Info => "36",
    }
}

pub(super) fn paint(text: &str, code: &str, style: Style) -> String {
    if style.color {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
