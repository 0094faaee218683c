//! `meridian registry apply`: commands from standard input, one JSON object a line.
//!
//! A line of output for each, as it is durable: its number, then what came of it.
//! What was not acknowledged may or may not be done when the process is killed;
//! what was acknowledged is.

use std::io::BufRead as _;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::super::{Global, output};
use super::arguments::ApplyArgs;
use super::objects::{actor, as_json, request};
use super::{location, poke_server};
use crate::clock::unix_microseconds;
use crate::inquiry::Inquiry;
use crate::registry::command::domain::AskServers as _;
use crate::registry::{Command, CommandError, Outcome, Request, Standby, Writer};

/// Longest line: a command with thirteen of everything is far below.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Lines that were read and wait.
const LINES_MAX: usize = 64;

#[derive(Serialize)]
struct Line {
    line: u64,
    #[serde(flatten)]
    outcome: serde_json::Value,
}

pub(super) async fn run(args: &ApplyArgs, global: &Global) -> anyhow::Result<()> {
    let location = location(&args.acting.database, global)?;
    let standby = if args.standby {
        Standby::Wait
    } else {
        Standby::Refuse
    };
    let holder = format!("meridian registry apply, process {}", std::process::id());
    let (writer, mut task) = Writer::start(&location, &holder, standby).await?;
    let actor = actor(&args.acting)?;
    let inquiry = Arc::new(Inquiry::new(location, unix_microseconds));
    let most = usize::from(args.parallel);
    let mut lines = lines();
    let mut jobs = JoinSet::new();
    let (mut number, mut failed, mut is_open) = (0_u64, 0_u64, true);
    while is_open || !jobs.is_empty() {
        tokio::select! {
            text = lines.recv(), if is_open && jobs.len() < most => {
                let Some(text) = text else {
                    is_open = false;
                    continue;
                };
                number += 1;
                let command = parse(&text?).with_context(|| format!("line {number}"))?;
                let (writer, line) = (writer.clone(), number);
                let request = request(actor.clone(), &args.acting, command);
                let inquiry = Arc::clone(&inquiry);
                jobs.spawn(async move { (line, submit(&writer, &inquiry, request).await) });
            }
            Some(done) = jobs.join_next(), if !jobs.is_empty() => failed += tell(done?)?,
            // Deposed: whoever reads these lines must hear it from the process's end.
            ended = &mut task => {
                while let Some(done) = jobs.join_next().await {
                    tell(done?)?;
                }
                ended??;
                anyhow::bail!("the writer has ended");
            }
        }
    }
    drop(writer);
    task.await??;
    // Until now the server looked by itself; the last change need not wait for that.
    poke_server(global);
    anyhow::ensure!(failed == 0, "{failed} of {number} commands were not done");
    Ok(())
}

/// Hands a command in, once the name servers were asked that it gives to a domain.
async fn submit(
    writer: &Writer,
    inquiry: &Inquiry,
    request: Request,
) -> Result<Outcome, CommandError> {
    if let Some(said) = inquiry.before(&request).await? {
        writer.submit(said).await?;
    }
    writer.submit(request).await
}

/// Standard input, read by a thread of its own: a read there cannot be given up.
fn lines() -> mpsc::Receiver<std::io::Result<String>> {
    let (sender, receiver) = mpsc::channel(LINES_MAX);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn parse(text: &str) -> anyhow::Result<Command> {
    anyhow::ensure!(
        text.len() <= LINE_BYTES_MAX,
        "longer than {LINE_BYTES_MAX} octets"
    );
    Ok(serde_json::from_str(text)?)
}

fn tell(
    (line, outcome): (
        u64,
        Result<crate::registry::Outcome, crate::registry::CommandError>,
    ),
) -> anyhow::Result<u64> {
    let failed = u64::from(outcome.is_err());
    let outcome = as_json(&outcome);
    output::json(&Line { line, outcome })?;
    Ok(failed)
}
