//! The matrix of services, and what guards them, for five accounts and for five hundred.

use std::collections::BTreeSet;
use std::time::Instant;

use palisade::alarm::Alarms;
use palisade::alarm::state::{Row, Service, matrix};
use palisade::check::security::Security;
use palisade::policy::Engine;
use palisade_model::{Account, OrgAccount, Partition, Region, Snapshot};

use super::estate::{HOME, MEMBER, organization, world};

/// The organization of a world, its member copied until there are that many accounts, and each of
/// them active in seventeen regions.
fn crowd(name: &str, accounts: usize) -> Snapshot {
    let mut snapshot = world(name);
    for account in snapshot.accounts.values_mut() {
        let regions = account.regions.value_mut().expect("regions");
        let home = serde_json::to_string(&regions[HOME]).expect("JSON");
        regions.clear();
        for region in Partition::Aws.regions() {
            let copy: Region = serde_json::from_str(&home.replace(HOME, region)).expect("a region");
            regions.insert((*region).to_owned(), copy);
        }
    }
    let member = serde_json::to_string(&snapshot.accounts[MEMBER]).expect("JSON");
    let parent = {
        let listed = organization(&mut snapshot)
            .accounts
            .value()
            .expect("accounts");
        listed[MEMBER].parent.clone()
    };
    for index in 0..accounts.saturating_sub(snapshot.accounts.len()) {
        let id = format!("{:012}", 600_000_000_000 + index as u64 * 7919);
        let copy: Account = serde_json::from_str(&member.replace(MEMBER, &id)).expect("an account");
        snapshot.accounts.insert(id.clone(), copy);
        let entry = OrgAccount {
            name: format!("team-{index}"),
            status: "ACTIVE".to_owned(),
            parent: parent.clone(),
            ..OrgAccount::default()
        };
        let listed = organization(&mut snapshot).accounts.value_mut();
        listed.expect("accounts").insert(id, entry);
    }
    snapshot
}

fn rows(snapshot: &Snapshot) -> (usize, Vec<Row>) {
    let matrix = matrix(snapshot, &BTreeSet::new());
    (matrix.cells.len(), matrix.rows())
}

#[test]
fn five_hundred_accounts_need_no_more_rows_than_five() {
    for name in ["security-half", "security-dark", "security-lit"] {
        let (few, many) = (crowd(name, 5), crowd(name, 60));
        let ((small, five), (large, sixty)) = (rows(&few), rows(&many));
        let global = Service::ALL
            .into_iter()
            .filter(|one| one.is_global())
            .count();
        let regional = Service::ALL.len() - global;
        let regions = Partition::Aws.regions().len();
        assert_eq!(small, 5 * (global + regional * regions), "{name}");
        assert_eq!(large, 60 * (global + regional * regions), "{name}");
        assert_eq!(five.len(), sixty.len(), "{name}");
        // No place is lost, and none stands twice.
        let places = |rows: &[Row]| -> usize {
            rows.iter()
                .flat_map(|row| row.places.values())
                .map(Vec::len)
                .sum()
        };
        assert_eq!(places(&sixty), 60 * (1 + regions), "{name}");
    }
}

/// Prints what `docs/security-services.md` says of speed:
/// `cargo test --release --test palisade -- --ignored --nocapture crowd`
#[test]
#[ignore = "prints how long it takes and judges nothing; benches do not reach these worlds"]
fn how_long_five_hundred_accounts_take() {
    for name in ["security-half", "security-lit"] {
        let snapshot = crowd(name, 502);
        let begun = Instant::now();
        let (cells, rows) = rows(&snapshot);
        println!(
            "{name}: {cells} cells in {} rows: {:?}",
            rows.len(),
            begun.elapsed()
        );
        let begun = Instant::now();
        let engine = Engine::new(&snapshot);
        let alarms = Alarms::new(&snapshot, &engine);
        let security = Security::new(&alarms);
        println!("{name}: engine {:?}", begun.elapsed());
        let begun = Instant::now();
        let covered = security.coverage().len();
        println!("{name}: {covered} answers on SCPs: {:?}", begun.elapsed());
        let begun = Instant::now();
        let heard = security.heard().len();
        println!("{name}: {heard} events heard or not: {:?}", begun.elapsed());
    }
}
