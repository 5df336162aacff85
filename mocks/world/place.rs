//! Where in a YAML text a path of keys stands: for messages, so the nearest line is enough.

/// The line, counted from one, of the deepest key of `path` that can be found by indentation,
/// and how many keys were found. Keys inside braces lie on the line of what holds them.
pub(super) fn line_of(text: &str, path: &[String]) -> (usize, usize) {
    let lines: Vec<&str> = text.lines().collect();
    let mut from = 0;
    let mut until = lines.len();
    let mut deeper_than: Option<usize> = None;
    let mut found = (1, 0);
    for (depth, key) in path.iter().enumerate() {
        let hit = match key.parse::<usize>() {
            Ok(index) if !has_key(&lines[from..until], key) => {
                item(&lines, from, until, deeper_than, index)
            }
            _ => (from..until).find(|line| {
                key_of(lines[*line]).is_some_and(|(indent, name)| {
                    name == key && deeper_than.is_none_or(|outer| indent > outer)
                })
            }),
        };
        let Some(line) = hit else {
            // A world may leave these two out: their facts stand one level higher.
            if key == "iam" || key == "s3" {
                continue;
            }
            break;
        };
        found = (line + 1, depth + 1);
        let indent = indent_of(lines[line]);
        until = (line + 1..until)
            .find(|next| !blank(lines[*next]) && indent_of(lines[*next]) <= indent)
            .unwrap_or(until);
        from = line + 1;
        deeper_than = Some(indent);
    }
    found
}

fn has_key(lines: &[&str], key: &str) -> bool {
    lines
        .iter()
        .any(|line| key_of(line).is_some_and(|(_, name)| name == key))
}

/// The line of the `index`-th dash of the first list in the range.
fn item(
    lines: &[&str],
    from: usize,
    until: usize,
    outer: Option<usize>,
    index: usize,
) -> Option<usize> {
    let dashes = |line: &usize| lines[*line].trim_start().starts_with("- ");
    let first = (from..until).find(dashes)?;
    let indent = indent_of(lines[first]);
    if outer.is_some_and(|outer| indent < outer) {
        return None;
    }
    (first..until)
        .filter(|line| dashes(line) && indent_of(lines[*line]) == indent)
        .nth(index)
}

fn blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The indentation and the name of the key that a line begins with.
fn key_of(line: &str) -> Option<(usize, &str)> {
    let mut rest = line.trim_start();
    while let Some(inner) = rest.strip_prefix("- ") {
        rest = inner.trim_start();
    }
    if rest.starts_with('#') {
        return None;
    }
    let indent = line.len() - rest.len();
    if let Some(quote @ ('"' | '\'')) = rest.chars().next() {
        let (name, after) = rest[1..].split_once(quote)?;
        return after
            .trim_start()
            .starts_with(':')
            .then_some((indent, name));
    }
    let end = rest
        .find(": ")
        .or_else(|| rest.strip_suffix(':').map(str::len))?;
    Some((indent, &rest[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "a:\n  # b: no\n  \"b\":\n    - x: 1\n    - c: 2\n      d: 3\nz:\n  d: { e: 1 }\n";

    fn line(path: &[&str]) -> (usize, usize) {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        line_of(TEXT, &path)
    }

    #[test]
    fn a_path_leads_to_its_line() {
        assert_eq!(line(&["a", "b"]), (3, 2));
        assert_eq!(line(&["a", "b", "1", "d"]), (6, 4));
        assert_eq!(line(&["z", "d", "e"]), (8, 2));
        assert_eq!(line(&["q"]), (1, 0));
    }
}
