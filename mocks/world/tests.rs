//! What a world may write, what it becomes, and how a fault in one reads.

use palisade_model::{GapKind, Observed};

use super::*;

fn world(text: &str) -> Result<World, WorldError> {
    let whole = format!("story: a test\ntaken_at: 2026-11-01T00:00:00Z\n{text}");
    World::parse(Path::new("test/world.yaml"), &whole)
}

fn message(text: &str) -> String {
    world(text).unwrap_err().to_string()
}

#[test]
fn every_story_world_reads() {
    let stories = worlds();
    assert!(!stories.is_empty());
    for story in stories {
        let world = World::load(story.name).unwrap_or_else(|error| panic!("{error}"));
        assert!(!world.snapshot().accounts.is_empty(), "{}", story.name);
        assert_eq!(world.story(), story.story);
    }
}

#[test]
fn every_world_on_disk_reads() {
    let mut folders = vec![world_folder()];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                let read = World::load(&path.to_string_lossy());
                read.unwrap_or_else(|error| panic!("{error}"));
                count += 1;
            }
        }
    }
    assert!(count > 0);
}

#[test]
fn names_become_what_aws_calls_them() {
    let world = world(
        "accounts:
  '111122223333':
    users:
      build: { path: /ci/, attached: [aws:ReadOnlyAccess, Ship], access_keys: 2, console: true }
    policies:
      Ship: { allow: iam:PassRole, on: '*', when: { Bool: { a: 'true' } } }
    roles:
      run: { path: /fn/, trust: { service: lambda.amazonaws.com } }
    regions:
      eu-west-1:
        functions: { tidy: { role: run } }
",
    )
    .unwrap();
    let account = &world.snapshot().accounts["111122223333"];
    let user = &account.iam.users.value().unwrap()["build"];
    assert_eq!(user.arn.as_str(), "arn:aws:iam::111122223333:user/ci/build");
    assert_eq!(
        user.attached
            .iter()
            .map(|arn| arn.as_str())
            .collect::<Vec<_>>(),
        [
            "arn:aws:iam::111122223333:policy/Ship",
            "arn:aws:iam::aws:policy/ReadOnlyAccess"
        ]
    );
    assert!(
        user.id.starts_with("AIDA") && user.id.len() == 21,
        "{}",
        user.id
    );
    assert_eq!(user.access_keys.value().unwrap().len(), 2);
    let policies = account.iam.policies.value().unwrap();
    assert_eq!(
        policies["arn:aws:iam::111122223333:policy/Ship"]
            .document()
            .unwrap()
            .as_str(),
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"Bool":{"a":"true"}}}]}"#
    );
    assert!(policies.contains_key("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    let role = &account.iam.roles.value().unwrap()["run"];
    assert!(
        role.trust
            .as_str()
            .contains(r#""Service":"lambda.amazonaws.com""#)
    );
    let region = &account.regions.value().unwrap()["eu-west-1"];
    let function = &region.functions.value().unwrap()["tidy"];
    assert_eq!(function.role, role.arn);
    let report = account.iam.credential_report.value().unwrap();
    assert_eq!(report.rows["build"].password, Some(true));
}

#[test]
fn content_is_put_together_when_the_world_is_read() {
    let world = world(
        "accounts:
  '111122223333':
    users: { sync: { access_keys: 1 } }
    buckets:
      b:
        objects:
          - key: .env
            content: ['id=${key-id:sync}', \"\\nsecret=${secret:sync}\\n\"]
            matches: [{ key: sync }]
          - { key: other, content: 'x' }
",
    )
    .unwrap();
    let account = &world.snapshot().accounts["111122223333"];
    let id = &account.iam.users.value().unwrap()["sync"]
        .access_keys
        .value()
        .unwrap()[0]
        .id;
    let bytes = world.content("111122223333", "b", ".env").unwrap();
    assert!(String::from_utf8_lossy(bytes).starts_with(&format!("id={id}\nsecret=")));
    let listing = account.s3.buckets.value().unwrap()["b"]
        .objects
        .value()
        .unwrap();
    assert_eq!((listing.seen, listing.complete), (2, true));
    let found = &listing.objects[0].matches.value().unwrap()[0];
    assert_eq!(found.key_id.as_ref(), Some(id));
    assert!(found.paired);
    assert_eq!(
        &bytes[found.start as usize - 7..found.start as usize],
        b"secret="
    );
    assert_eq!(listing.objects[0].size, bytes.len() as u64);
    assert!(matches!(
        listing.objects[1].matches,
        Observed::NotApplicable(_)
    ));
}

#[test]
fn gaps_stand_where_their_paths_lead() {
    let world = world(
        "accounts:
  '111122223333':
    users: { a: { access_keys: 1 }, b: {} }
  '444455556666':
    $gap: sts:AssumeRole
gaps:
  - accounts.111122223333.users.*.access_keys: { operation: iam:ListAccessKeys, kind: throttled }
  - /accounts/111122223333/buckets: s3:ListBuckets
",
    )
    .unwrap();
    let account = &world.snapshot().accounts["111122223333"];
    for user in account.iam.users.value().unwrap().values() {
        assert_eq!(user.access_keys.gap().unwrap().kind, GapKind::Throttled);
    }
    assert_eq!(account.s3.buckets.gap().unwrap().kind, GapKind::Denied);
    let closed = &world.snapshot().accounts["444455556666"];
    assert_eq!(closed.iam.users.gap().unwrap().kind, GapKind::NotReached);
}

#[test]
fn an_organization_is_told_by_names() {
    let world = world(
        "accounts: { '111122223333': {}, '444455556666': {} }
organization:
  management_account: '111122223333'
  units: { Workloads: root, Prod: Workloads }
  accounts: { '444455556666': { name: shop, parent: Prod } }
  policies: { NoLeaving: { deny: organizations:LeaveOrganization } }
  attachments: { Workloads: NoLeaving, '444455556666': ['!FullAWSAccess', NoLeaving] }
",
    )
    .unwrap();
    let organization = world.snapshot().organization.value().unwrap();
    let chain = organization.chain("444455556666").unwrap();
    assert_eq!(chain.len(), 4);
    let attachments = organization.attachments.value().unwrap();
    assert_eq!(attachments[chain[1]].len(), 2);
    assert_eq!(attachments["444455556666"].len(), 1);
    assert_eq!(attachments["111122223333"], ["p-FullAWSAccess"]);
}

#[test]
fn a_fault_names_its_file_its_line_and_a_way_out() {
    let text =
        message("accounts:\n  '111122223333':\n    users:\n      build:\n        acces_keys: 1\n");
    assert!(
        text.starts_with("test/world.yaml:7: at `accounts.111122223333.iam.users.build"),
        "{text}"
    );
    assert!(text.contains("unknown field `acces_keys`"), "{text}");
    let text = message("accounts:\n  111122223333: {}\n");
    assert!(text.contains("put it in quotes"), "{text}");
    let text = message(
        "accounts:\n  '111122223333':\n    users:\n      a:\n        attached: [aws:Nonesuch]\n",
    );
    assert!(
        text.starts_with("test/world.yaml:7:") && text.contains("`Nonesuch`"),
        "{text}"
    );
    let text =
        message("accounts: { '111122223333': {} }\ngaps: [accounts.1.users: iam:ListUsers]\n");
    assert!(text.contains("leads nowhere"), "{text}");
    let text = message("accounts: [\n");
    assert!(text.contains("is not valid YAML"), "{text}");
    let bare = World::parse(Path::new("w.yaml"), "story: x\naccounts: {}\n").unwrap_err();
    assert!(bare.to_string().contains("`taken_at`: missing"), "{bare}");
    let error = World::load("nonesuch").unwrap_err().to_string();
    assert!(error.contains("`eight-minutes`"), "{error}");
}

#[test]
fn an_extending_world_changes_only_what_it_names() {
    let folder = std::env::temp_dir().join(format!("palisade-worlds-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("base")).unwrap();
    std::fs::write(
        folder.join("base/world.yaml"),
        "story: base\ntaken_at: 2026-11-01T00:00:00Z\naccounts:\n  '111122223333':\n    users: { a: { console: true, inline: { p: { allow: s3:Get, on: '*' } } }, b: {} }\n",
    )
    .unwrap();
    let flip = "story: flip\nextends: base\naccounts:\n  '111122223333':\n    users: { a: { mfa: true, inline: { p: { deny: s3:Put } } }, b: null }\n";
    let world = World::parse(&folder.join("flip.yaml"), flip).unwrap();
    let users = world.snapshot().accounts["111122223333"]
        .iam
        .users
        .value()
        .unwrap();
    assert_eq!(users.len(), 1);
    assert!(users["a"].login_profile.value().is_some());
    assert_eq!(users["a"].mfa_devices.value().unwrap().len(), 1);
    assert!(!users["a"].inline["p"].as_str().contains("Allow"));
    let circle = World::parse(&folder.join("x.yaml"), "story: x\nextends: x\n");
    assert!(circle.is_err());
    std::fs::remove_dir_all(folder).unwrap();
}
