//! Reports on their way out: stdout, or files that appear whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::exit::Failure;

/// A format and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) format: Format,
    /// `None` is stdout.
    pub(crate) file: Option<PathBuf>,
}

/// The formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
}

/// Reads `FORMAT[=FILE]`, every one of them, and refuses two on stdout.
pub(crate) fn targets(texts: &[String]) -> anyhow::Result<Vec<Target>> {
    let help = "use table or json, with a file after `=`: `-f table -f json=report.json`";
    let mut targets = Vec::new();
    for text in texts {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (text.as_str(), None),
        };
        let format = match name {
            "table" => Format::Table,
            "json" => Format::Json,
            _ => return Err(Failure::usage(format!("there is no format `{name}`"), help)),
        };
        let file = match file {
            Some("") => return Err(Failure::usage(format!("`{text}` names no file"), help)),
            Some("-") | None => None,
            Some(file) => Some(PathBuf::from(file)),
        };
        targets.push(Target { format, file });
    }
    if targets
        .iter()
        .filter(|target| target.file.is_none())
        .count()
        > 1
    {
        return Err(Failure::usage("two formats cannot share stdout", help));
    }
    let files: Vec<&Path> = targets.iter().filter_map(|t| t.file.as_deref()).collect();
    for (at, file) in files.iter().enumerate() {
        if files[..at].contains(file) {
            let text = format!("two formats cannot share `{}`", file.display());
            return Err(Failure::usage(text, help));
        }
        writable(file)?;
    }
    Ok(targets)
}

/// Says before the work what would only fail after it: nobody reads an organization for an hour
/// to learn that the folder of the report is not there.
pub(crate) fn writable(path: &Path) -> anyhow::Result<()> {
    let tried = match fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // A device or pipe is opened once, when there is something to write.
        Ok(there) if !there.is_file() => Ok(()),
        _ => {
            let beside = beside(&fs::canonicalize(path).unwrap_or(path.to_owned()))?;
            fs::File::create(&beside).and_then(|_| fs::remove_file(&beside))
        }
    };
    tried.with_context(|| format!("cannot write `{}`", path.display()))
}

/// The neighbour that becomes the file once it is whole.
fn beside(path: &Path) -> anyhow::Result<PathBuf> {
    let name = path.file_name().context("a file needs a name")?;
    let name = name.to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.{}", std::process::id())))
}

/// Writes to stdout. A reader who went away ends the output, and nothing else.
pub(crate) fn stdout(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to stdout"),
    }
}

/// Writes a file by way of a neighbour, so that a reader sees the old one or the new one. A
/// device or pipe is written to as it is, and a link stays one.
pub(crate) fn file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        let written = (|| {
            let mut file = io::BufWriter::new(fs::OpenOptions::new().write(true).open(path)?);
            write(&mut file)?;
            file.flush()?;
            anyhow::Ok(())
        })();
        return written.with_context(|| format!("cannot write `{}`", path.display()));
    }
    let behind = fs::canonicalize(path);
    let path = behind.as_deref().unwrap_or(path);
    let beside = beside(path)?;
    let written = (|| {
        let mut file = io::BufWriter::new(fs::File::create(&beside)?);
        write(&mut file)?;
        file.flush()?;
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        fs::rename(&beside, path)?;
        anyhow::Ok(())
    })();
    if written.is_err() {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("cannot write `{}`", path.display()))
}
