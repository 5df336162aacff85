//! What a snapshot read from a world shares with one that was collected: an empty list is a
//! list, lists are sorted, and the credential report says what the users say.

use std::collections::BTreeMap;

use palisade_model::listing::{ArnFrom, LISTINGS, Listing, RoleFrom, Shape};
use palisade_model::{
    Account, Arn, CredentialReport, GapKind, KeyStatus, Observed, Region, RegionState, ReportRow,
    Resource, Snapshot, Time, User, Why,
};
use serde_json::Value;

/// Tags that a world does not speak of were read, and there are none.
fn tags(fact: &mut Observed<BTreeMap<String, String>>) {
    let silent = fact
        .gap()
        .is_some_and(|gap| gap.kind == GapKind::NotCollected && gap.message.is_empty());
    if silent || fact.is_absent() {
        *fact = Observed::Value(BTreeMap::new());
    }
}

/// An absent list is an empty one: a service that lists nothing has answered.
fn list<T: Default>(fact: &mut Observed<T>) {
    if fact.is_absent() {
        *fact = Observed::Value(T::default());
    }
}

fn sorted<T: Ord>(fact: &mut Observed<Vec<T>>) {
    list(fact);
    if let Some(items) = fact.value_mut() {
        items.sort();
    }
}

pub(in crate::world) fn settle(snapshot: &mut Snapshot) {
    let now = snapshot.taken_at;
    let partition = snapshot.partition;
    for (id, account) in &mut snapshot.accounts {
        settle_account(account, now);
        list(&mut account.regions);
        for region in account.regions.value_mut().into_iter().flatten() {
            if region.1.state == RegionState::Enabled {
                settle_region(region.1);
            }
        }
        settle_resources(account, (partition.as_str(), id));
    }
    if let Some(organization) = snapshot.organization.value_mut() {
        list(&mut organization.units);
        list(&mut organization.accounts);
        let members = organization.accounts.value_mut().into_iter().flatten();
        for (_, member) in members {
            member.joined.get_or_insert(Time(now.0 - 365 * 86_400));
        }
        list(&mut organization.policies);
        list(&mut organization.attachments);
        list(&mut organization.delegated_administrators);
        sorted(&mut organization.enabled_policy_types);
        sorted(&mut organization.trusted_services);
        sorted(&mut organization.root_access_features);
        for services in organization
            .delegated_administrators
            .value_mut()
            .into_iter()
            .flatten()
        {
            services.1.sort();
        }
    }
}

fn settle_account(account: &mut Account, now: Time) {
    let iam = &mut account.iam;
    list(&mut iam.users);
    list(&mut iam.groups);
    list(&mut iam.roles);
    list(&mut iam.policies);
    list(&mut iam.saml_providers);
    list(&mut iam.oidc_providers);
    for user in iam
        .users
        .value_mut()
        .into_iter()
        .flat_map(BTreeMap::values_mut)
    {
        list(&mut user.access_keys);
        sorted(&mut user.mfa_devices);
    }
    for provider in iam
        .oidc_providers
        .value_mut()
        .into_iter()
        .flat_map(BTreeMap::values_mut)
    {
        sorted(&mut provider.client_ids);
    }
    if iam.credential_report.is_absent()
        && let Some(users) = iam.users.value()
    {
        iam.credential_report = Observed::Value(report(users, &iam.root, now));
    }
    list(&mut account.s3.buckets);
    list(&mut account.s3.access_points);
    for bucket in account
        .s3
        .buckets
        .value_mut()
        .into_iter()
        .flat_map(BTreeMap::values_mut)
    {
        list(&mut bucket.tags);
        list(&mut bucket.objects);
        if let Some(listing) = bucket.objects.value_mut() {
            listing.complete |= listing.objects.is_empty() && listing.seen == 0;
        }
    }
    list(&mut account.trails);
}

fn settle_region(region: &mut Region) {
    list(&mut region.functions);
    for function in region
        .functions
        .value_mut()
        .into_iter()
        .flat_map(BTreeMap::values_mut)
    {
        sorted(&mut function.urls);
        sorted(&mut function.aliases);
        sorted(&mut function.event_sources);
        function.environment.sort();
        tags(&mut function.tags);
    }
    list(&mut region.guardduty);
    list(&mut region.config);
    if let Some(config) = region.config.value_mut() {
        list(&mut config.delivery_channels);
    }
    if let Some(hub) = region.security_hub.value_mut() {
        sorted(&mut hub.standards);
    }
    list(&mut region.analyzers);
    list(&mut region.buses);
    for bus in region
        .buses
        .value_mut()
        .into_iter()
        .flat_map(BTreeMap::values_mut)
    {
        list(&mut bus.rules);
        for rule in bus
            .rules
            .value_mut()
            .into_iter()
            .flat_map(BTreeMap::values_mut)
        {
            sorted(&mut rule.targets);
        }
    }
    list(&mut region.topics);
    for topic in region
        .topics
        .value_mut()
        .into_iter()
        .flat_map(BTreeMap::values_mut)
    {
        sorted(&mut topic.subscriptions);
    }
    list(&mut region.alarms);
    sorted(&mut region.metric_filters);
}

/// Fills in the kinds and the attributes that listings read: what a world does not say was read,
/// and there was nothing.
fn settle_resources(account: &mut Account, scope: (&str, &str)) {
    let mut profiles = BTreeMap::new();
    for role in account
        .iam
        .roles
        .value()
        .into_iter()
        .flat_map(BTreeMap::values)
    {
        if let Some(profile) = role.instance_profiles.first() {
            profiles.insert(role.arn.clone(), profile.arn.to_string());
        }
    }
    let account_resources = &mut account.resources;
    for row in LISTINGS.iter().filter(|row| row.global) {
        let kind = account_resources.entry(row.kind.to_owned()).or_default();
        settle_kind(row, kind, scope, "", &profiles);
    }
    for (name, region) in account.regions.value_mut().into_iter().flatten() {
        if region.state != RegionState::Enabled {
            continue;
        }
        for row in LISTINGS.iter().filter(|row| !row.global) {
            let offered = row.list.service.regions;
            let missing = !offered.is_empty() && !offered.contains(&name.as_str());
            let kind = region.resources.entry(row.kind.to_owned()).or_default();
            if missing && kind.is_absent() {
                *kind = Observed::not_applicable(Why::NotOffered, "");
                continue;
            }
            settle_kind(row, kind, scope, name, &profiles);
        }
    }
}

fn settle_kind(
    row: &Listing,
    kind: &mut Observed<BTreeMap<String, Resource>>,
    (partition, account): (&str, &str),
    region: &str,
    profiles: &BTreeMap<Arn, String>,
) {
    list(kind);
    for (name, resource) in kind.value_mut().into_iter().flatten() {
        if let ArnFrom::Template(template) = row.arn {
            let (parent, own) = name.split_once('/').unwrap_or(("", name));
            let own = if row.under.is_some() { own } else { name };
            resource.arn = Arn::new(
                template
                    .replace("{partition}", partition)
                    .replace("{region}", region)
                    .replace("{account}", account)
                    .replace("{parent}", parent)
                    .replace("{name}", own),
            );
        }
        if row.policy.is_none() && resource.policy.is_absent() {
            resource.policy = Observed::not_applicable(Why::Kind, "");
        }
        match row.tags {
            Some(_) => tags(&mut resource.tags),
            None if resource.tags.is_absent() => resource.tags = Resource::unread_tags(),
            None => {}
        }
        if row.attributes.iter().any(|known| known.name == "tag_keys") {
            name_tags(resource);
        }
        for attribute in row.attributes {
            let fact = resource
                .attributes
                .entry(attribute.name.to_owned())
                .or_default();
            if !fact.is_absent() {
                continue;
            }
            if attribute.shape == Shape::Present {
                *fact = Observed::Value(false.into());
            }
            if let RoleFrom::Profile(at) = row.role
                && at == attribute.at
                && let Some(profile) = resource.role.value().and_then(|role| profiles.get(role))
            {
                *fact = Observed::Value(profile.as_str().into());
            }
        }
    }
}

/// Tags and the attribute that lists their keys say the same.
fn name_tags(resource: &mut Resource) {
    let Some(held) = resource.tags.value_mut() else {
        return;
    };
    let keys = resource
        .attributes
        .get("tag_keys")
        .and_then(Observed::value);
    for key in keys.and_then(Value::as_array).into_iter().flatten() {
        held.entry(key.as_str().unwrap_or_default().to_owned())
            .or_default();
    }
    if !held.is_empty() {
        let keys = Observed::Value(held.keys().cloned().collect());
        resource.attributes.insert("tag_keys".to_owned(), keys);
    }
}

/// The credential report that IAM would make of these users.
fn report(
    users: &BTreeMap<String, User>,
    root: &Observed<palisade_model::RootUser>,
    now: Time,
) -> CredentialReport {
    let mut rows = BTreeMap::new();
    if let Some(root) = root.value() {
        let row = ReportRow {
            mfa: root.mfa,
            key_1_active: root.access_keys,
            ..ReportRow::default()
        };
        rows.insert("<root_account>".to_owned(), row);
    }
    for (name, user) in users {
        let keys = user
            .access_keys
            .value()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let active = |nth: usize| {
            keys.get(nth)
                .is_some_and(|key| key.status == KeyStatus::Active)
        };
        let made = |nth: usize| keys.get(nth).and_then(|key| key.created);
        let row = ReportRow {
            password: Some(user.login_profile.value().is_some()),
            mfa: user
                .mfa_devices
                .value()
                .is_some_and(|devices| !devices.is_empty()),
            key_1_active: active(0),
            key_1_rotated: made(0),
            key_2_active: active(1),
            key_2_rotated: made(1),
            ..ReportRow::default()
        };
        rows.insert(name.clone(), row);
    }
    CredentialReport {
        generated: now,
        rows,
    }
}
