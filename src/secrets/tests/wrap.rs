//! Ways in which files hold one value: `@` is where it stands.

/// Text around a value.
pub(crate) const AROUND: [&str; 38] = [
    "TOKEN=@\n",
    "export API_TOKEN=\"@\"\n",
    "export API_TOKEN='@'; ./run\n",
    "{\"token\": \"@\"}\n",
    "{\"token\":\"@\",\"next\":1}",
    "  token: @\n  next: 1\n",
    "token: '@'\n",
    "[auth]\ntoken = @\n",
    "<token>@</token>\n",
    "<add key=\"token\" value=\"@\" />\n",
    "curl -H 'Authorization: Bearer @' https://api.corp.test/v1\n",
    "curl -H \"X-Api-Key: @\" https://api.corp.test/v1\n",
    "GET /v1?access_token=@&page=2 HTTP/1.1\n",
    "GET /v1?q=%22@%22 HTTP/1.1\n",
    "GET /v1?next=token%3D@%26page HTTP/1.1\n",
    "tool login --token @ --quiet\n",
    "tool login --token=@\r\n",
    "client = Client(\"@\")  # set up\n",
    "os.environ['TOKEN'] = '@'\n",
    "    \"os.environ['TOKEN'] = '@'\\n\",\n",
    "    \"TOKEN = \\\"@\\\"\\n\",\n",
    "\"text\": \"first line\\n@\\nlast line\"\n",
    "\"text\": \"first\\tvalue\\t@\\t1\"\n",
    "{\"body\":\"{\\\"token\\\":\\\"@\\\"}\"}",
    "{\"body\":\"{\\\"body\\\":\\\"{\\\\\\\"token\\\\\\\":\\\\\\\"@\\\\\\\"}\\\"}\"}",
    "| prod | `@` |\n",
    "The value is @, please rotate.\n",
    "Use (@) for now\n",
    "$env:TOKEN = \"@\"\r\n",
    "setenv TOKEN @\n",
    "ENV TOKEN @\n",
    "user,token,role\njane,@,admin\n",
    "INSERT INTO t VALUES (1, '@', NULL);\n",
    "2026-11-01T10:00:00Z ERROR auth failed token=@ user=jane\n",
    "\u{1b}[32m@\u{1b}[0m\n",
    "const t = `@`;",
    "=> \"@\"",
    "@",
];

/// Puts a value into its surroundings, and tells where it stands.
pub(crate) fn wrap(template: &str, value: &str) -> (String, usize) {
    let at = template
        .find('@')
        .expect("a template has a place for the value");
    (template.replacen('@', value, 1), at)
}
