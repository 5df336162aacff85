//! Zips that are too large to be read whole: the table of contents first, then the members whose
//! names speak of credentials, each by its own ranges and out of the object's one budget.

use palisade_model::{ObjectMatch, Observed};
use palisade_secrets::zip_directory::{LARGEST, TAIL, contents, directory};

use crate::objects_read::Reading;

/// What closes a zip behind its last member.
const END: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// Whether objects of this name are zips, whatever else they are called.
pub(crate) fn is_zip(key: &str) -> bool {
    const ENDINGS: [&str; 8] = [
        ".zip", ".jar", ".war", ".ear", ".whl", ".nupkg", ".apk", ".ipa",
    ];
    let key = key.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| key.ends_with(ending))
}

impl Reading<'_> {
    /// Reads the telling members within `most` bytes, and says how many bytes that took. `None`
    /// when it has no table of contents that can be used: it is read from its front, then.
    pub(crate) async fn members(
        &mut self,
        most: u64,
    ) -> Result<Option<u64>, Observed<Vec<ObjectMatch>>> {
        let size = self.entry.size;
        let from = size.saturating_sub(TAIL);
        let Some(tail) = self.fetch((from, size)).await? else {
            return Ok(None);
        };
        let Some(at) = directory(&tail, size).filter(|at| at.1 - at.0 <= LARGEST.min(most / 2))
        else {
            return Ok(None);
        };
        let mut used = size - from;
        let table = if at.0 >= from {
            tail[(at.0 - from) as usize..(at.1 - from) as usize].to_vec()
        } else {
            used += at.1 - at.0;
            match self.fetch(at).await {
                Ok(Some(table)) => table,
                Ok(None) | Err(_) => return Ok(None),
            }
        };
        let contents = contents(&table, at);
        for member in &contents.telling {
            let length = member.at.1 - member.at.0;
            if used + length > most {
                let text = format!("{}: larger than what is read of one object", member.name);
                self.entry.unsearched.push(text);
                continue;
            }
            used += length;
            if let Err(outcome) = self.span(member.at, END).await {
                self.leave(member.at.0, &outcome);
            }
        }
        Ok(Some(used))
    }
}
