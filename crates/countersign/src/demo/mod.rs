//! `countersign demo`: a company in miniature, four stories, and a lobby from which anyone takes a part.
//!
//! The gate in it is the gate: everything goes through its public HTTP
//! interface, with registered passkeys. Only the clock is special, because a
//! story has no day to wait.

mod aftermath;
mod clock;
mod letters;
mod lobby;
mod panel;
mod people;
mod steps;
mod stories;
mod telling;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use self::telling::Teller;
use self::world::World;

/// `countersign demo`
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after the stories: exit 0 if all four ended as they must, 1 otherwise.
    #[arg(long)]
    exit: bool,
    /// First port to try; those in use are passed over, and 0 takes any.
    #[arg(long, value_name = "N", default_value_t = 4180)]
    port: u16,
    /// Keep the database in this new or empty folder; a temporary one if left out.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Plays the stories and, unless told to end then, stays until Ctrl-C.
///
/// # Errors
/// What kept the demo from starting.
pub(crate) fn run(options: &Demo) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime")?;
    runtime.block_on(play(options))
}

async fn play(options: &Demo) -> anyhow::Result<ExitCode> {
    let (world, door) = World::start(options.port, options.data.as_deref()).await?;
    let world = Arc::new(world);
    let teller = Teller::new();
    let interrupted = told_to_end();
    let told = async {
        let all_well = stories::tell(&world, &teller).await?;
        if !options.exit {
            for customer in [&world.signe, &world.tora] {
                world.attest_backups(customer).await?;
            }
            door.serve(&lobby::router(Arc::clone(&world)));
            stories::farewell(&world)?;
            std::future::pending::<()>().await;
        }
        anyhow::Ok(all_well)
    };
    let told = tokio::select! {
        told = told => told,
        () = interrupted => Ok(true),
    };
    world.end().await;
    Ok(if told? {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Ctrl-C, or what a supervisor sends instead.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut end) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = end.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // An error means that no Ctrl-C will ever come, and then nothing needs to be waited for.
    let _ = tokio::signal::ctrl_c().await;
}
