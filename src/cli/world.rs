//! `palisade world`: the built-in estates.

use super::exit::Exit;
use super::output;
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade world list
  palisade world serve eight-minutes --port 4566")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Names and stories of the built-in worlds
    List,
    /// Answer AWS requests for a world, on this machine only
    #[cfg(feature = "aws")]
    Serve(Serve),
}

#[cfg(feature = "aws")]
#[derive(clap::Args)]
struct Serve {
    /// A built-in world by name, or a world.yaml
    #[arg(value_name = "NAME|PATH")]
    world: String,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 4566, env = "PALISADE_PORT")]
    port: u16,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    match &args.command {
        Command::List => {
            let mut text = String::new();
            for world in palisade_mocks::worlds() {
                let story = world.story.trim().replace('\n', " ");
                let entry = format!("{}\n  {story}", world.name);
                text.push_str(&palisade::report::table::fold(&entry, voice.width()));
                text.push('\n');
            }
            output::stdout(&text)?;
            voice.detail("analyse one with `palisade scan --world NAME`");
            Ok(Exit::Passed)
        }
        #[cfg(feature = "aws")]
        Command::Serve(serve) => serve_world(serve, voice),
    }
}

#[cfg(feature = "aws")]
fn serve_world(args: &Serve, voice: Voice) -> anyhow::Result<Exit> {
    use anyhow::Context as _;
    let world = super::source::open_world(&args.world)?;
    let server = palisade_mocks::serve::Server::bind(world, args.port)
        .with_context(|| format!("cannot listen on 127.0.0.1:{}", args.port))?;
    let url = format!("http://{}", server.address());
    output::stdout(&format!("{url}\n"))?;
    voice.note(&format!(
        "serving `{}`: AWS_ENDPOINT_URL={url}; Ctrl-C ends it",
        args.world
    ));
    server.run();
    Ok(Exit::Passed)
}
