//! A JSON reader that remembers where everything stood.
//!
//! Policies are quoted back as evidence and refused with a line and a column, and a repeated
//! key must be seen to be judged: a general reader gives neither. It answers for text → tree;
//! what the tree means is for [`super`].

/// A stretch of the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The quoted text; empty when the span lies outside it.
    pub fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// A value and where it stood.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// What it is.
    pub node: Node,
    /// Where it stood.
    pub span: Span,
}

/// What a value can be. Numbers stay as written: a policy compares them, it never adds them.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// An object in its own order, repeated keys kept.
    Object(Vec<Member>),
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key, unescaped.
    pub key: String,
    /// Where the key stood.
    pub key_span: Span,
    /// Its value.
    pub value: Value,
}

/// Why a text is no JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What was wrong: lower case, no full stop.
    pub message: &'static str,
    /// The byte at which it was noticed.
    pub offset: usize,
}

/// Nesting beyond this is refused: no policy needs it, and recursion must end somewhere.
const MAX_DEPTH: u32 = 64;

/// Reads one value and nothing after it.
///
/// # Errors
/// The first [`Fault`] met.
pub fn read(text: &str) -> Result<Value, Fault> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
    };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    let value = reader.value()?;
    reader.skip_space();
    if reader.at < reader.bytes.len() {
        return Err(reader.fault("text after the end of the value"));
    }
    Ok(value)
}

/// The line and the column (in characters), both from 1, of a byte offset.
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    // Continuation bytes do not start a character.
    let column = before[start..]
        .iter()
        .filter(|byte| (**byte & 0xc0) != 0x80)
        .count()
        + 1;
    (line, column)
}

impl Value {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.node {
            Node::String(text) => Some(text),
            _ => None,
        }
    }

    /// The last member of this name, matched exactly: repeated keys read as in every common
    /// JSON reader.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.node {
            Node::Object(members) => members
                .iter()
                .rev()
                .find(|member| member.key == key)
                .map(|member| &member.value),
            _ => None,
        }
    }

    /// The same as a value of the general reader; of repeated keys the last.
    pub fn plain(&self) -> serde_json::Value {
        use serde_json::Value as Plain;
        match &self.node {
            Node::Null => Plain::Null,
            Node::Bool(flag) => Plain::Bool(*flag),
            Node::String(text) => Plain::String(text.clone()),
            Node::Number(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| Plain::String(text.clone()))
            }
            Node::List(items) => items.iter().map(Self::plain).collect(),
            Node::Object(members) => members
                .iter()
                .map(|member| (member.key.clone(), member.value.plain()))
                .collect(),
        }
    }

    /// The members, if it is an object.
    pub fn members(&self) -> Option<&[Member]> {
        match &self.node {
            Node::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The items of a list, or the value alone: AWS writes single values both ways.
    pub fn items(&self) -> &[Value] {
        match &self.node {
            Node::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: u32,
}

impl Reader<'_> {
    fn fault(&self, message: &'static str) -> Fault {
        Fault {
            message,
            offset: self.at,
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Value, Fault> {
        self.skip_space();
        let start = self.at;
        let node = match self.bytes.get(self.at) {
            None => return Err(self.fault("the text ends where a value is expected")),
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Node::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => self.word()?,
        };
        Ok(Value {
            node,
            span: Span {
                start,
                end: self.at,
            },
        })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Node, Fault>) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault("nested too deeply"));
        }
        self.at += 1;
        let node = read(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn object(&mut self) -> Result<Node, Fault> {
        let mut members = Vec::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Node::Object(members));
        }
        loop {
            self.skip_space();
            let start = self.at;
            if self.bytes.get(self.at) != Some(&b'"') {
                return Err(self.fault("a key in double quotes is expected"));
            }
            let key = self.string()?;
            let key_span = Span {
                start,
                end: self.at,
            };
            self.skip_space();
            if !self.take(b':') {
                return Err(self.fault("a colon is expected after the key"));
            }
            let value = self.value()?;
            members.push(Member {
                key,
                key_span,
                value,
            });
            self.skip_space();
            if self.take(b'}') {
                return Ok(Node::Object(members));
            }
            if !self.take(b',') {
                return Err(self.fault("a comma or a closing brace is expected"));
            }
        }
    }

    fn list(&mut self) -> Result<Node, Fault> {
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Node::List(items));
            }
            if !self.take(b',') {
                return Err(self.fault("a comma or a closing bracket is expected"));
            }
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(there);
        there
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut out = String::new();
        let mut run = self.at;
        loop {
            match self.bytes.get(self.at) {
                None => return Err(self.fault("the text ends inside a string")),
                Some(b'"') => {
                    out.push_str(&self.text[run..self.at]);
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(&self.text[run..self.at]);
                    out.push(self.escape()?);
                    run = self.at;
                }
                Some(0..=0x1f) => return Err(self.fault("a bare control character in a string")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let letter = self.bytes.get(self.at + 1).copied();
        let plain = match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.fault("an unknown escape in a string")),
        };
        self.at += 2;
        Ok(plain)
    }

    fn unicode(&mut self) -> Result<char, Fault> {
        let high = self.unit()?;
        if !(0xd800..0xe000).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.fault("no such character"));
        }
        // A lone half of a surrogate pair is kept as the replacement character, as most
        // readers do; it can match nothing that a request carries.
        if high < 0xdc00 && self.bytes.get(self.at..self.at + 2) == Some(b"\\u") {
            let resume = self.at;
            let low = self.unit()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(code).ok_or_else(|| self.fault("no such character"));
            }
            self.at = resume;
        }
        Ok('\u{fffd}')
    }

    /// Four hexadecimal digits after `\u`.
    fn unit(&mut self) -> Result<u32, Fault> {
        let digits = self.bytes.get(self.at + 2..self.at + 6);
        let Some(digits) = digits.filter(|four| four.iter().all(u8::is_ascii_hexdigit)) else {
            return Err(self.fault("four hexadecimal digits are expected"));
        };
        let code = digits.iter().fold(0, |code, digit| {
            code * 16 + char::from(*digit).to_digit(16).unwrap_or_default()
        });
        self.at += 6;
        Ok(code)
    }

    fn number(&mut self) -> Result<Node, Fault> {
        let start = self.at;
        self.take(b'-');
        let leading = self.at;
        let whole = self.digits();
        if whole == 0 || (whole > 1 && self.bytes[leading] == b'0') {
            return Err(self.fault("a malformed number"));
        }
        if self.take(b'.') && self.digits() == 0 {
            return Err(self.fault("a malformed number"));
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            if self.digits() == 0 {
                return Err(self.fault("a malformed number"));
            }
        }
        Ok(Node::Number(self.text[start..self.at].to_owned()))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self) -> Result<Node, Fault> {
        for (word, node) in [
            ("true", Node::Bool(true)),
            ("false", Node::Bool(false)),
            ("null", Node::Null),
        ] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(node);
            }
        }
        Err(self.fault("no JSON value starts here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_points_at_its_line_and_column() {
        let text = "{\n  \"Statement\": [\n    é]\n}";
        let fault = read(text).expect_err("a bare letter is no value");
        assert_eq!(position(text, fault.offset), (3, 5));
    }

    #[test]
    fn repeated_keys_are_all_kept_and_the_last_is_read() {
        let value = read(r#"{"a":1,"a":2}"#).expect("it is JSON");
        assert_eq!(value.members().map(<[Member]>::len), Some(2));
        assert_eq!(
            value.get("a").map(|v| &v.node),
            Some(&Node::Number("2".to_owned()))
        );
    }

    #[test]
    fn escapes_and_surrogates_are_undone() {
        let value = read(r#""a\u00e9\ud83d\ude00\ud83d\n""#).expect("it is JSON");
        assert_eq!(value.as_str(), Some("aé😀\u{fffd}\n"));
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        assert_eq!(
            read(&"[".repeat(100_000)).map_err(|f| f.message),
            Err("nested too deeply")
        );
    }

    #[test]
    fn what_general_readers_refuse_is_refused() {
        for text in [
            "",
            "{",
            "01",
            "1.",
            "[1,]",
            "{\"a\":1,}",
            "\"\\x\"",
            "\"\n\"",
            "nul",
            "1 2",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
