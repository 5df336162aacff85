//! What access points and multi-region access points open: a request must get past the access
//! point's policy and past the bucket's.
//!
//! Source: "Configuring IAM policies for using access points", S3 User Guide.

use std::collections::BTreeSet;

use super::audience::{Barrier, Capability, Path};
use super::bucket::{Facts, OneObject, Point, Rules, denials, quote};
use super::openings::Granted;
use super::outsider::{Place, places_of_access_point};
use super::reading::is_public;
use super::search::{Hit, Reach, Search, allows};
use super::view::{Unread, View};

impl Facts<'_> {
    pub(super) fn by_access_points(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        search: &Search<'_>,
        granted: &mut Vec<Granted>,
    ) {
        let Rules::Read(bucket_policy) = &self.policy else {
            return;
        };
        for point in &self.points {
            let id = point.arn.as_str();
            if matches!(point.policy, Rules::None) {
                continue;
            }
            let block = view.closes(
                &point.point.public_access_block,
                Unread::PointBlock(id.to_owned()),
                &Barrier::AccessPointBlock,
                |block| block.restrict_public_buckets,
            );
            let account_block = point.account_block.is_some_and(|fact| {
                view.closes(
                    fact,
                    Unread::AccountBlock,
                    &Barrier::AccountBlock,
                    |block| block.restrict_public_buckets,
                )
            });
            let restricted = block || account_block || self.restricts(view);
            let public = is_public(bucket_policy, false)
                || matches!(&point.policy, Rules::Read(policy) if is_public(policy, true));
            if restricted && public {
                continue;
            }
            if matches!(point.policy, Rules::Unread) && !view.is_open(&Unread::Point(id.to_owned()))
            {
                continue;
            }
            let places = places_of_access_point(&self.words, id, point.account, &point.point.vpc);
            if matches!(point.policy, Rules::Unread) && restricted {
                let operation = "s3:GetAccessPointPolicy";
                let through = self.through_bucket(capability, view, one, &places, search);
                granted.extend(
                    through
                        .into_iter()
                        .map(|(_, hits)| unread(operation, hits, true)),
                );
                continue;
            }
            self.by_access_point(capability, view, one, point, &places, search, granted);
        }
        if self.points_unread(view) {
            self.by_unseen_access_point(capability, view, one, search, granted);
        }
    }

    fn points_unread(&self, view: &View) -> bool {
        self.gaps.0.iter().any(|(what, _)| *what == Unread::Points) && view.is_open(&Unread::Points)
    }

    /// An access point that was not listed could let everybody through, if the bucket lets an
    /// access point of this account through.
    fn by_unseen_access_point(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        search: &Search<'_>,
        granted: &mut Vec<Granted>,
    ) {
        let partition = self.around.snapshot.partition;
        let arn = format!(
            "arn:{partition}:s3:{}:{}:accesspoint/palisade-unseen",
            self.bucket.region, self.account
        );
        let places = places_of_access_point(&self.words, &arn, self.account, "");
        let hits = self.through_bucket(capability, view, one, &places, search);
        let restricted = self.restricts(view);
        let way = |(_, hits)| unread("s3:ListAccessPoints", hits, restricted);
        granted.extend(hits.into_iter().map(way));
    }

    /// What the bucket's own policy lets through when asked by way of an access point.
    fn through_bucket(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        places: &[Place],
        search: &Search<'_>,
    ) -> Vec<(String, BTreeSet<Hit>)> {
        let Rules::Read(policy) = &self.policy else {
            return Vec::new();
        };
        let search = Search { places, ..*search };
        let objects = format!("{}/", self.arn);
        let requests = self.requests(capability, &self.arn, &objects, view, one);
        allows(policy, &requests, &search)
            .map(|(written, hits)| (quote(policy, written.index), hits))
            .collect()
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "both policies with their surroundings"
    )]
    fn by_access_point(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        point: &Point<'_>,
        places: &[Place],
        search: &Search<'_>,
        granted: &mut Vec<Granted>,
    ) {
        let through = self.through_bucket(capability, view, one, places, search);
        if through.iter().all(|(_, hits)| hits.is_empty()) {
            return;
        }
        let root = point.arn.as_str();
        let objects = format!("{root}/object/");
        let requests = self.requests(capability, root, &objects, view, one);
        let own: Vec<(String, BTreeSet<Hit>)> = match &point.policy {
            Rules::Read(policy) => {
                let mut denied = self.denials();
                denied.extend(denials(policy, |statement, quote| Barrier::Deny {
                    statement: statement.to_owned(),
                    quote: quote.to_owned(),
                }));
                let search = Search {
                    places,
                    denials: &denied,
                    ..*search
                };
                allows(policy, &requests, &search)
                    .map(|(written, hits)| (quote(policy, written.index), hits))
                    .collect()
            }
            // At its worst it lets through whatever the bucket does.
            Rules::Unread => vec![(
                String::new(),
                through.iter().flat_map(|(_, h)| h.clone()).collect(),
            )],
            Rules::None => Vec::new(),
        };
        for (point_quote, hits) in &own {
            for (bucket_quote, beyond) in &through {
                let both = both(hits, beyond);
                if !both.is_empty() {
                    granted.push(Granted {
                        path: Path::AccessPoint {
                            arn: root.to_owned(),
                            multi_region: point.point.multi_region,
                            quote: point_quote.clone(),
                            bucket_quote: bucket_quote.clone(),
                        },
                        hits: both,
                        caller_sets: BTreeSet::new(),
                    });
                }
            }
        }
    }
}

/// What may get through where nobody could look. Where public policies are restricted, one that
/// was not read can still name strangers.
fn unread(operation: &str, hits: BTreeSet<Hit>, restricted: bool) -> Granted {
    let named = |hit: Hit| Hit {
        reach: Reach::Stranger("unread grantee".to_owned()),
        ..hit
    };
    Granted {
        path: Path::Unread {
            operation: operation.to_owned(),
        },
        hits: match restricted {
            true => hits.into_iter().map(named).collect(),
            false => hits,
        },
        caller_sets: BTreeSet::new(),
    }
}

/// Requests that both an access point and its bucket let through.
fn both(point: &BTreeSet<Hit>, bucket: &BTreeSet<Hit>) -> BTreeSet<Hit> {
    point
        .iter()
        .filter_map(|hit| {
            let beyond = |other: &&Hit| other.reach == hit.reach && other.action == hit.action;
            let mut others = bucket.iter().filter(beyond);
            let other = others.next()?;
            let whole = other.pattern.is_none() || others.any(|other| other.pattern.is_none());
            let pattern = match &hit.pattern {
                None if !whole => other.pattern.clone(),
                own => own.clone(),
            };
            Some(Hit {
                pattern,
                ..hit.clone()
            })
        })
        .collect()
}
