//! Control ids of foreign frameworks: those that were looked up, and no others.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::load_checks;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Controls {
    checked: String,
    frameworks: BTreeMap<String, BTreeMap<String, String>>,
}

#[test]
fn checks_name_only_controls_that_were_looked_up() {
    let text = include_str!("../../checks/data/controls.yaml");
    let controls: Controls = serde_yaml_ng::from_str(text).expect("the table is well formed");
    assert!(controls.checked.as_str() >= "2026-11-22");
    let (mut strange, mut named) = (Vec::new(), BTreeSet::new());
    for check in load_checks().expect("the catalogue loads") {
        for (framework, ids) in &check.maps {
            let known = controls.frameworks.get(framework);
            for id in ids {
                named.insert((framework.clone(), id.clone()));
                if !known.is_some_and(|known| known.contains_key(id)) {
                    strange.push(format!("{}: {framework} {id}", check.id));
                }
            }
        }
    }
    assert_eq!(strange, Vec::<String>::new());
    let idle = controls.frameworks.iter().flat_map(|(framework, ids)| {
        let ids = ids.keys().map(|id| (framework.clone(), id.clone()));
        ids.filter(|pair| !named.contains(pair)).collect::<Vec<_>>()
    });
    assert_eq!(idle.collect::<Vec<_>>(), [], "no check names them");
}
