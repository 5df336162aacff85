//! From flags to a snapshot.

use std::fs::File;
use std::io::BufReader;

use anyhow::Context as _;
use palisade_mocks::World;
use palisade_model::{Observed, Snapshot, read_snapshot};

use super::args::Source;
use super::exit::{Exit, Failure};
use super::input;
use crate::ui::Voice;

/// A snapshot, and what to call it in a report.
pub(crate) struct Loaded {
    pub(crate) snapshot: Snapshot,
    pub(crate) label: String,
}

/// Reads the estate the flags name.
pub(crate) fn load(source: &Source, voice: Voice) -> anyhow::Result<Loaded> {
    if let Some(name) = &source.world {
        return world(name, source, voice);
    }
    let offline = source.snapshot.is_some() || !source.gaad.is_empty();
    if offline && source.live.prove_public {
        return Err(Failure::usage(
            "nothing can be proven from a file",
            "`--prove-public` asks the buckets themselves: scan AWS, or a world",
        ));
    }
    if let Some(file) = &source.snapshot {
        let label = format!("snapshot {}", file.display());
        let help = "write one with `palisade collect -o FILE`";
        let open = File::open(file).map_err(|error| {
            Failure::caused(
                Exit::CouldNotRun,
                error,
                format!("cannot open `{}`", file.display()),
                help,
            )
        })?;
        let snapshot = read_snapshot(BufReader::new(open)).map_err(|error| {
            Failure::caused(
                Exit::CouldNotRun,
                error,
                format!("cannot read `{}`", file.display()),
                help,
            )
        })?;
        return Ok(Loaded { snapshot, label });
    }
    if !source.gaad.is_empty() {
        let mut documents = Vec::new();
        for file in &source.gaad {
            let text =
                input::text(file).with_context(|| format!("cannot read `{}`", file.display()))?;
            documents.push((file.display().to_string(), text));
        }
        let mut snapshot = palisade_model::read_gaad(&documents).map_err(|error| {
            Failure::caused(
                Exit::CouldNotRun,
                error,
                "the authorization details cannot be used",
                "write them with `aws iam get-account-authorization-details > FILE`",
            )
        })?;
        if source.no_organization {
            snapshot.organization = Observed::Absent;
        }
        return Ok(Loaded {
            snapshot,
            label: match source.gaad.len() {
                1 => source.gaad[0].display().to_string(),
                files => format!("{files} files"),
            },
        });
    }
    live(source, voice)
}

/// The world a name or path stands for.
pub(crate) fn open_world(name: &str) -> anyhow::Result<World> {
    World::load(name).map_err(|error| {
        Failure::caused(
            Exit::CouldNotRun,
            error,
            format!("cannot use the world `{name}`"),
            "`palisade world list` names the built-in ones; a path must lead to a world.yaml",
        )
    })
}

#[cfg(not(feature = "aws"))]
fn world(name: &str, _: &Source, _: Voice) -> anyhow::Result<Loaded> {
    let world = open_world(name)?;
    Ok(Loaded {
        snapshot: world.snapshot().clone(),
        label: format!("world {name}"),
    })
}

#[cfg(feature = "aws")]
fn world(name: &str, source: &Source, voice: Voice) -> anyhow::Result<Loaded> {
    let world = open_world(name)?;
    let snapshot = super::collect::from_world(world, source, voice)?;
    Ok(Loaded {
        snapshot,
        label: format!("world {name}"),
    })
}

#[cfg(not(feature = "aws"))]
fn live(_: &Source, _: Voice) -> anyhow::Result<Loaded> {
    Err(super::without_collectors())
}

#[cfg(feature = "aws")]
fn live(source: &Source, voice: Voice) -> anyhow::Result<Loaded> {
    let snapshot = super::collect::live(&source.live, voice)?;
    Ok(Loaded {
        snapshot,
        label: "AWS".to_owned(),
    })
}
