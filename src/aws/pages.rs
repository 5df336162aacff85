//! Lists that come in pages: all of them, or a gap. No page may come twice, and no row may lack
//! what every row says.

use std::collections::BTreeSet;
use std::future::Future;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use palisade_model::{Gap, GapKind, Observed};

use crate::engine::Place;
use crate::rows::Row;

impl Place {
    /// Reads every page: `send` asks with a token, `take` splits an answer into items and the
    /// next token. One unread page leaves the whole list unread.
    pub(crate) async fn pages<P, T: Row, E, F>(
        &self,
        operation: &str,
        send: impl Fn(Option<String>) -> F,
        take: impl Fn(P) -> (Vec<T>, Option<String>),
    ) -> Observed<Vec<T>>
    where
        F: Future<Output = Result<P, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let mut all = Vec::new();
        let mut turns = Turns::default();
        let mut token = None;
        loop {
            let answer = self.ask(operation, || send(token.clone())).await;
            let (items, next) = match answer {
                Observed::Value(page) => take(page),
                other => return other.map(|_| Vec::new()),
            };
            let next = match turns.turn(operation, items.len(), next) {
                Ok(next) => next,
                Err(gap) => return gap.into(),
            };
            if !items.iter().all(Row::is_whole) {
                return half_a_row(operation).into();
            }
            all.extend(items);
            match next {
                None => return Observed::Value(all),
                next => token = next,
            }
        }
    }
}

/// A list with a row that lacks what every such row says.
pub(crate) fn half_a_row(operation: &str) -> Gap {
    Gap {
        message: "a row lacks what this operation always tells".to_owned(),
        ..Gap::new(operation, GapKind::Unparsable)
    }
}

/// Pages without an item in a row before a list counts as one that never ends.
const EMPTY_PAGES: u32 = 200;

/// Stands for the token of an answer that says it is cut and does not say where it goes on.
pub(crate) const NOWHERE: &str = "\0";

/// The tokens a list has given: none may come twice, or its pages go round for ever.
#[derive(Default)]
pub(crate) struct Turns {
    given: BTreeSet<String>,
    empty: u32,
}

impl Turns {
    /// The token of the next page, after one of that many items.
    pub(crate) fn turn(
        &mut self,
        operation: &str,
        items: usize,
        next: Option<String>,
    ) -> Result<Option<String>, Gap> {
        let Some(next) = next.filter(|next| !next.is_empty()) else {
            return Ok(None);
        };
        self.empty = if items == 0 { self.empty + 1 } else { 0 };
        let message = if next == NOWHERE {
            "there is more, and no token leads to it".to_owned()
        } else if !self.given.insert(next.clone()) {
            "the same page was offered again".to_owned()
        } else if self.empty > EMPTY_PAGES {
            format!("{EMPTY_PAGES} pages in a row hold nothing")
        } else {
            return Ok(Some(next));
        };
        Err(Gap {
            message,
            ..Gap::new(operation, GapKind::Unparsable)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_go_round_or_never_fill_come_to_an_end() {
        let turn = |turns: &mut Turns, items, token: &str| {
            turns.turn("iam:ListAccessKeys", items, Some(token.to_owned()))
        };
        let mut round = Turns::default();
        for token in ["a", "b", "c"] {
            assert_eq!(turn(&mut round, 1, token), Ok(Some(token.to_owned())));
        }
        assert!(turn(&mut round, 1, "a").is_err(), "a page came twice");
        assert!(turn(&mut Turns::default(), 1, NOWHERE).is_err());
        assert_eq!(turn(&mut Turns::default(), 1, ""), Ok(None));
        let mut hollow = Turns::default();
        let ends = (0..1_000).find(|at| turn(&mut hollow, 0, &at.to_string()).is_err());
        assert!(ends.is_some_and(|at| at >= EMPTY_PAGES));
    }
}
