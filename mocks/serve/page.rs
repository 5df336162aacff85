//! Pages: small ones, with tokens that mean nothing to anybody else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::failure::Failure;
use super::{Desk, Outcome};

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// The token of the next page; `None` on the last.
    pub(super) next: Option<String>,
}

impl Desk<'_> {
    /// The page of `all` that the token in the parameter `token` asks for, at most the number in
    /// the parameter `most`.
    pub(super) fn page<T>(&self, all: Vec<T>, token: &str, most: &str) -> Outcome<Page<T>> {
        let asked = self.call.number(most).unwrap_or(usize::MAX);
        let size = asked.clamp(1, self.responder.page);
        let from = match self.call.text(token) {
            Some(text) if !text.is_empty() => self.offset(&text)?,
            _ => 0,
        };
        Ok(self.cut(all, from, size))
    }

    /// The same for Organizations, whose lists may begin with an empty page and a token.
    /// Source: "ListAccounts", AWS Organizations API Reference.
    pub(super) fn page_with_holes<T>(&self, all: Vec<T>) -> Outcome<Page<T>> {
        let first = self
            .call
            .text("NextToken")
            .is_none_or(|token| token.is_empty());
        if first && all.len() > self.responder.page {
            return Ok(Page {
                items: Vec::new(),
                next: Some(self.token(0)),
            });
        }
        self.page(all, "NextToken", "MaxResults")
    }

    fn cut<T>(&self, all: Vec<T>, from: usize, size: usize) -> Page<T> {
        let total = all.len();
        let until = from.saturating_add(size).min(total);
        Page {
            items: all.into_iter().skip(from).take(size).collect(),
            next: (until < total).then(|| self.token(until)),
        }
    }

    fn token(&self, offset: usize) -> String {
        let operation = &self.call.operation;
        URL_SAFE_NO_PAD.encode(format!("palisade/{operation}/{offset}"))
    }

    fn offset(&self, token: &str) -> Outcome<usize> {
        let invalid = || {
            let code = match self.call.service.as_str() {
                "iam" | "sts" | "sns" | "cloudformation" => "ValidationError",
                "organizations" => "InvalidInputException",
                "s3" => "InvalidArgument",
                _ => "ValidationException",
            };
            Failure::new(400, code, "The provided pagination token is not valid")
        };
        let text = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        let text = String::from_utf8(text).map_err(|_| invalid())?;
        let rest = text.strip_prefix("palisade/").ok_or_else(invalid)?;
        let (operation, offset) = rest.rsplit_once('/').ok_or_else(invalid)?;
        if operation != self.call.operation {
            return Err(invalid());
        }
        offset.parse().map_err(|_| invalid())
    }
}
