//! `meridian keys request`, `sign-request` and `install-response`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use serde_json::json;
use zone_compiler::sign::SigningKey;

use super::super::registry::now;
use super::super::run::load;
use super::super::{Global, output};
use super::Zone;
use super::arguments::OfflineArgs;
use crate::keys::files;
use crate::keys::machine::NewKey;
use crate::keys::offline::request::{Request, Response};
use crate::keys::offline::{PlannedSets, plan};
use crate::keys::token::{KeyName, Token};
use crate::registry::Timestamp;
use crate::registry::command::KeysCommand;
use crate::registry::command::keys::{ZoneKeys, reserved_keys};
use crate::registry::signing::KEYS_MAX;
use crate::registry::types::DnskeyData;

/// Largest request or response that is read.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A key that the plan needs and nobody has made yet.
#[derive(Debug)]
struct Needed(NewKey);

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a {} has to be made ahead; make another request",
            self.0.role
        )
    }
}

impl std::error::Error for Needed {}

/// Runs one of the commands on offline keys.
pub(super) async fn run(command: &OfflineArgs, global: &Global) -> anyhow::Result<()> {
    match command {
        OfflineArgs::Request {
            zone,
            period_seconds,
            out,
        } => {
            let mut zone = Zone::open(zone, global).await?;
            zone.request(*period_seconds, out).await
        }
        OfflineArgs::SignRequest {
            request,
            ksk,
            token_label,
            out,
        } => sign(request, ksk, token_label, out, global),
        OfflineArgs::InstallResponse { zone, response } => {
            let mut zone = Zone::open(zone, global).await?;
            zone.install_response(response).await
        }
    }
}

impl Zone<'_> {
    async fn request(&mut self, seconds: u32, out: &Path) -> anyhow::Result<()> {
        let keys = self.keys().await?;
        let from = now();
        let until = Timestamp(from.0 + i64::from(seconds) * 1_000_000);
        let planned = self.plan_with_reserve(&keys, from, until).await?;
        anyhow::ensure!(
            !planned.is_empty(),
            "no key of {} is offline; `meridian keys import --public FILE --role ksk` takes one",
            self.apex
        );
        let request = Request::new(&self.apex, &keys.policy, planned, from, until);
        write(out, &serde_json::to_string_pretty(&request)?)?;
        show(&request, out, self.global)
    }

    /// The plan; keys that will be used in it are made now.
    async fn plan_with_reserve(
        &mut self,
        keys: &ZoneKeys,
        from: Timestamp,
        until: Timestamp,
    ) -> anyhow::Result<Vec<PlannedSets>> {
        for _ in 0..=KEYS_MAX {
            match self.plan(keys, from, until).await? {
                Ok(planned) => return Ok(planned),
                Err(Needed(new)) => {
                    let new = NewKey {
                        retires: Vec::new(),
                        ..new
                    };
                    let store = keys.policy.store_of(new.role);
                    let add = self.vault()?.make(&self.apex, &new, store)?;
                    self.submit(KeysCommand::Reserve(Box::new(add))).await?;
                }
            }
        }
        anyhow::bail!("the period needs more than {KEYS_MAX} keys made ahead; shorten it")
    }

    async fn plan(
        &mut self,
        keys: &ZoneKeys,
        from: Timestamp,
        until: Timestamp,
    ) -> anyhow::Result<Result<Vec<PlannedSets>, Needed>> {
        let mut reserved = reserved_keys(&mut self.database, &self.apex).await?;
        Ok(plan(
            keys,
            from,
            until,
            |new| -> Result<DnskeyData, Needed> {
                let fits = reserved.iter().position(|key| {
                    key.role == new.role && key.dnskey.algorithm() == new.algorithm
                });
                match fits {
                    Some(index) => Ok(reserved.remove(index).dnskey),
                    None => Err(Needed(new.clone())),
                }
            },
        ))
    }

    async fn install_response(&mut self, file: &Path) -> anyhow::Result<()> {
        let response = Response::parse(&read(file)?)
            .with_context(|| format!("cannot use {}", file.display()))?;
        let keys = self.keys().await?;
        let (from, until) = (now(), Timestamp(response.until.saturating_mul(1_000_000)));
        let planned = self.plan(&keys, from, until).await??;
        let count = response.signatures.len();
        let checked = response
            .check(&keys, &planned, from)
            .with_context(|| format!("cannot use {}", file.display()))?;
        let left_out = count - checked.signatures.len();
        if left_out > 0 {
            output::note(format_args!(
                "{left_out} signatures over key sets whose turn is over were left out"
            ));
        }
        self.change(KeysCommand::Signatures(Box::new(checked)))
            .await
    }
}

/// Signs a request.
fn sign(
    request: &Path,
    ksk: &[PathBuf],
    token_labels: &[String],
    out: &Path,
    global: &Global,
) -> anyhow::Result<()> {
    let text = read(request)?;
    let parsed = Request::parse(&text).with_context(|| format!("{}", request.display()))?;
    let mut keys: Vec<Arc<dyn SigningKey>> = Vec::new();
    for file in ksk {
        let (key, _) = files::read(file).with_context(|| format!("{}", file.display()))?;
        keys.push(Arc::new(key));
    }
    if !token_labels.is_empty() {
        let token = load(global)?.keys.token;
        let token = Token::new(token.context("no token is configured; set keys.token")?);
        for label in token_labels {
            keys.push(Arc::new(token.find(&KeyName::Label(label.clone()))?));
        }
    }
    let keys: Vec<&dyn SigningKey> = keys.iter().map(|key| &**key).collect();
    let response = parsed.sign(&keys)?;
    write(out, &serde_json::to_string_pretty(&response)?)?;
    show(&parsed, out, global)
}

/// What is asked for, for people who compare it on both machines.
fn show(request: &Request, out: &Path, global: &Global) -> anyhow::Result<()> {
    let digest = request.digest();
    if global.json {
        return output::json(&json!({
            "zone": request.zone, "sets": request.sets.len(), "until": request.until,
            "request": digest, "file": out,
        }));
    }
    for sets in &request.sets {
        let tags =
            |keys: &[DnskeyData]| -> Vec<_> { keys.iter().map(DnskeyData::key_tag).collect() };
        let times = sets.windows.first().zip(sets.windows.last());
        let (from, until) =
            times.map_or((0, 0), |(first, last)| (first.inception, last.expiration));
        output::line(format_args!(
            "keys {:?}, DS of {:?}, signed by {:?} from {from} to {until} in {} parts",
            tags(&sets.dnskey),
            tags(&sets.parent),
            tags(&sets.signers),
            sets.windows.len()
        ));
    }
    output::line(format_args!("request {digest}"));
    output::line(format_args!("written to {}", out.display()));
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    use std::io::Read as _;
    let place = || format!("cannot read {}", path.display());
    let file = std::fs::File::open(path).with_context(place)?;
    let mut text = String::new();
    let mut file = file.take(FILE_BYTES_MAX);
    file.read_to_string(&mut text).with_context(place)?;
    Ok(text)
}

/// Neither file is secret, and neither may take the place of another.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let place = || format!("cannot write {}", path.display());
    let mut file = std::fs::File::create_new(path).with_context(place)?;
    file.write_all(text.as_bytes()).with_context(place)?;
    file.sync_all().with_context(place)
}
