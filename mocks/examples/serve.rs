//! Serves a world on 127.0.0.1: `cargo run -p palisade-mocks --features serve --example serve --
//! eight-minutes 5000`. The first line of the output is the endpoint.

use std::io::{self, Write as _};

use palisade_mocks::{Server, World};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments
        .next()
        .unwrap_or_else(|| "eight-minutes".to_owned());
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let server = Server::bind(World::load(&name)?, port)?;
    writeln!(io::stdout(), "http://{}", server.address())?;
    io::stdout().flush()?;
    server.run();
    Ok(())
}
