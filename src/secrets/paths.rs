//! Local files and folders through the engine, JSON Lines out.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::engine::{Engine, Limits};
use crate::found::Match;

/// One line of output.
#[derive(Serialize)]
struct Line<'a> {
    /// The path as given, joined with what was found below it; `-` for standard input.
    path: &'a str,
    /// The same under the name it has for objects: one reader serves files and buckets.
    key: &'a str,
    #[serde(flatten)]
    found: &'a Match,
}

/// Something that was not looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The path, and behind `!` the member of an archive.
    pub path: String,
    /// Lower case, no full stop.
    pub why: String,
    /// A file that could not be read at all, rather than a part left closed.
    pub unreadable: bool,
}

/// What a run amounts to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub files: u64,
    pub bytes: u64,
    pub matches: u64,
    /// Files that could not be read.
    pub unreadable: u64,
    /// Parts left closed.
    pub closed: u64,
}

/// Matches of one file that are sorted together; beyond them lines go out as they come.
const SORTED: usize = 4096;

/// Scans files, folders (all of them below, in the order of their names) and, for `-`,
/// standard input. Writes one JSON object a match; what could not be read goes to `problem`
/// and the rest goes on. Errs only when `out` does. Symbolic links below a folder are not
/// followed, devices and pipes there are not opened; a path that is given is.
pub fn scan_paths(
    engine: &Engine,
    paths: &[PathBuf],
    limits: &Limits,
    out: &mut dyn Write,
    problem: &mut dyn FnMut(Problem),
) -> io::Result<Summary> {
    let mut run = Run {
        engine,
        limits,
        out,
        problem,
        summary: Summary::default(),
    };
    for path in paths {
        if path.as_os_str() == "-" {
            run.stream(&mut io::stdin().lock(), "-")?;
        } else {
            run.path(path, true)?;
        }
    }
    run.out.flush()?;
    Ok(run.summary)
}

struct Run<'a> {
    engine: &'a Engine,
    limits: &'a Limits,
    out: &'a mut dyn Write,
    problem: &'a mut dyn FnMut(Problem),
    summary: Summary,
}

impl Run<'_> {
    fn path(&mut self, path: &Path, given: bool) -> io::Result<()> {
        let kind = if given {
            fs::metadata(path)
        } else {
            fs::symlink_metadata(path)
        };
        let shown = path.to_string_lossy();
        let kind = match kind {
            Ok(kind) => kind.file_type(),
            Err(error) => return self.unreadable(&shown, &error),
        };
        if kind.is_dir() {
            return self.folder(path);
        }
        if kind.is_symlink() {
            self.closed(&shown, "a symbolic link is not followed");
            return Ok(());
        }
        if !kind.is_file() && !given {
            self.closed(&shown, "neither a file nor a folder");
            return Ok(());
        }
        match File::open(path) {
            Ok(mut file) => self.stream(&mut file, &shown),
            Err(error) => self.unreadable(&shown, &error),
        }
    }

    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let listed = fs::read_dir(folder).and_then(|entries| {
            entries
                .map(|entry| entry.map(|e| e.path()))
                .collect::<io::Result<Vec<_>>>()
        });
        match listed {
            Ok(mut below) => {
                below.sort();
                below.iter().try_for_each(|path| self.path(path, false))
            }
            Err(error) => self.unreadable(&folder.to_string_lossy(), &error),
        }
    }

    fn stream(&mut self, stream: &mut dyn Read, path: &str) -> io::Result<()> {
        self.summary.files += 1;
        let mut held: Vec<Match> = Vec::new();
        let mut failed: Option<io::Error> = None;
        let out = &mut *self.out;
        let mut write = |held: &mut Vec<Match>| {
            held.sort_by(|a, b| {
                (&a.inner, a.start, a.end, &a.rule).cmp(&(&b.inner, b.start, b.end, &b.rule))
            });
            for found in held.drain(..) {
                if failed.is_none() {
                    failed = line(out, path, &found).err();
                }
            }
        };
        let outcome = self
            .engine
            .scan_into(stream, path, self.limits, &mut |found| {
                held.push(found);
                if held.len() >= SORTED {
                    write(&mut held);
                }
            });
        write(&mut held);
        if let Some(error) = failed {
            return Err(error);
        }
        match outcome {
            Ok(outcome) => {
                self.summary.bytes += outcome.bytes;
                self.summary.matches += outcome.matches;
                for unread in outcome.unread {
                    let at = unread
                        .inner
                        .map_or_else(|| path.to_owned(), |i| format!("{path}!{i}"));
                    self.closed(&at, &unread.why);
                }
                Ok(())
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn unreadable(&mut self, path: &str, error: &io::Error) -> io::Result<()> {
        self.summary.unreadable += 1;
        let why = match error.kind() {
            io::ErrorKind::NotFound => "no such file".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        (self.problem)(Problem {
            path: path.to_owned(),
            why,
            unreadable: true,
        });
        Ok(())
    }

    fn closed(&mut self, path: &str, why: &str) {
        self.summary.closed += 1;
        let problem = Problem {
            path: path.to_owned(),
            why: why.to_owned(),
            unreadable: false,
        };
        (self.problem)(problem);
    }
}

fn line(out: &mut dyn Write, path: &str, found: &Match) -> io::Result<()> {
    serde_json::to_writer(
        &mut *out,
        &Line {
            path,
            key: path,
            found,
        },
    )
    .map_err(io::Error::from)?;
    out.write_all(b"\n")
}
