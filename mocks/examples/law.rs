//! Says what a collected snapshot file has otherwise than its world: `… --example law -- NAME FILE`.

use std::fs::File;
use std::io::{self, Write as _};

use palisade_mocks::{World, law};
use palisade_model::read_snapshot;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let world = World::load(&arguments.next().unwrap_or_default())?;
    let file = File::open(arguments.next().unwrap_or_default())?;
    for line in law::diff(world.snapshot(), &read_snapshot(io::BufReader::new(file))?) {
        writeln!(io::stdout(), "{line}")?;
    }
    Ok(())
}
