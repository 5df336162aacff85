//! The binary as a process, far from any configuration: nothing of the machine's AWS reaches it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// The binary with these arguments, in a folder without settings.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command
        .args(arguments)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("AWS_") || name.starts_with("PALISADE_") {
            command.env_remove(name);
        }
    }
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .env("AWS_REGION", "us-east-1")
        .env("NO_COLOR", "1");
    command
}

/// What the binary said to these arguments.
pub fn palisade(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// How it ended.
pub fn code(output: &Output) -> i32 {
    output.status.code().expect("the process was not killed")
}

/// What it wrote.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the binary said to these arguments and this input.
pub fn fed(arguments: &[&str], input: &[u8]) -> Output {
    feed(command(arguments), input)
}

/// What a command said to this input.
pub fn feed(mut command: Command, input: &[u8]) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("it was piped");
    stdin.write_all(input).expect("it reads what it is given");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}
