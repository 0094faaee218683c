//! `meridian keys`.

pub(crate) mod arguments;
mod measure;
mod offline;
mod show;

use std::path::Path;

use anyhow::Context;
use zone_compiler::rdata::from_hex;

use super::registry::{location, now, poke_server, runtime};
use super::run::load;
use super::{Global, output};
use crate::app::open_vault;
use crate::keys::files;
use crate::keys::machine;
use crate::keys::offline::{ahead, made as made_form};
use crate::keys::parent;
use crate::keys::private_file::write_new;
use crate::keys::seal::Secret;
use crate::keys::token::KeyName;
use crate::keys::vault::{self, Vault, VaultError};
use crate::registry::command::keys::load as load_keys;
use crate::registry::command::keys::made_signatures;
use crate::registry::command::keys::{Extent, KeysAdd, KeysPolicy, KeysStep, ZoneKeys};
use crate::registry::signing::{Goal, KeyId, KeyRole, KeyState, OFFLINE, PolicyChange};
use crate::registry::types::AnyName;
use crate::registry::{Actor, Command, Database, Outcome, Request, command::KeysCommand};
use arguments::{Form, ImportArgs, KeysArgs, ZoneArgs};

/// Runs one of the commands on keys.
pub(super) fn run(command: &KeysArgs, global: &Global) -> anyhow::Result<()> {
    if let KeysArgs::Init = command {
        return init(global);
    }
    runtime()?.block_on(Box::pin(obey(command, global)))
}

fn init(global: &Global) -> anyhow::Result<()> {
    let path = load(global)?.keys.secret_file;
    let path = path.context("keys.secret-file is not set; name the file there first")?;
    Secret::create(&path)?;
    if global.json {
        return output::json(&serde_json::json!({ "secret-file": path }));
    }
    output::line(format_args!("secret made: {}", path.display()));
    Ok(())
}

async fn obey(command: &KeysArgs, global: &Global) -> anyhow::Result<()> {
    match command {
        KeysArgs::Init => Ok(()),
        KeysArgs::Policy { zone, change } => {
            let mut zone = Zone::open(zone, global).await?;
            zone.policy(change.change()).await
        }
        KeysArgs::Generate { zone, role, store } => {
            let mut zone = Zone::open(zone, global).await?;
            zone.generate(*role, store.as_deref()).await
        }
        KeysArgs::List(zone) => {
            let mut zone = Zone::open(zone, global).await?;
            show::list(&zone.keys().await?, global)
        }
        KeysArgs::Status(zone) => {
            let mut zone = Zone::open(zone, global).await?;
            zone.status().await
        }
        KeysArgs::Rollover { zone, role } => {
            let mut zone = Zone::open(zone, global).await?;
            zone.rollover(*role).await
        }
        KeysArgs::Import {
            zone,
            source,
            role,
            in_use,
            replace,
        } => {
            let mut zone = Zone::open(zone, global).await?;
            let add = zone.read_key(source, *role)?;
            zone.import(add, *in_use, *replace).await
        }
        KeysArgs::Export {
            zone,
            key_tag,
            form,
            out,
        } => {
            let mut zone = Zone::open(zone, global).await?;
            zone.export(*key_tag, *form, out.as_deref()).await
        }
        KeysArgs::DsSeen(zone) => {
            let mut zone = Zone::open(zone, global).await?;
            zone.ds_seen().await
        }
        KeysArgs::Offline(command) => offline::run(command, global).await,
        KeysArgs::Measure(args) => {
            let vault = open_vault(&load(global)?)?;
            measure::run(args, &vault.unwrap_or_default(), global)
        }
    }
}

/// A zone whose keys are looked at or changed.
struct Zone<'g> {
    global: &'g Global,
    database: Database,
    apex: AnyName,
}

impl<'g> Zone<'g> {
    async fn open(args: &ZoneArgs, global: &'g Global) -> anyhow::Result<Self> {
        let apex = args.zone.parse()?;
        let database = Database::open(&location(&args.database, global)?).await?;
        Ok(Self {
            global,
            database,
            apex,
        })
    }

    fn vault(&self) -> anyhow::Result<Vault> {
        let vault = open_vault(&load(self.global)?)?;
        let vault = vault.ok_or(VaultError::NoSecret)?;
        std::sync::Arc::into_inner(vault).context("the vault is shared")
    }

    async fn keys(&mut self) -> anyhow::Result<ZoneKeys> {
        let keys = load_keys(&mut self.database, &self.apex).await?;
        keys.with_context(|| {
            format!(
                "zone {} is not signed; `meridian keys policy --zone {}` begins it",
                self.apex, self.apex
            )
        })
    }

    /// Writes one change; gives its event.
    async fn submit(&mut self, command: KeysCommand) -> anyhow::Result<i64> {
        let who = std::env::var("USER").unwrap_or_else(|_| "cli".to_owned());
        let request = Request {
            actor: Actor::operator(who),
            at: now(),
            lab: false,
            command: Command::Keys(command),
        };
        let outcome = Box::pin(self.database.execute(&request)).await?;
        poke_server(self.global);
        Ok(outcome.event().unwrap_or_default())
    }

    async fn change(&mut self, command: KeysCommand) -> anyhow::Result<()> {
        let event = self.submit(command).await?;
        if self.global.json {
            return output::json(&Outcome::Changed {
                event,
                notes: Vec::new(),
            });
        }
        output::line(format_args!("event {event}"));
        Ok(())
    }

    async fn policy(&mut self, change: PolicyChange) -> anyhow::Result<()> {
        if let Some(text) = &change.parent_servers {
            parent::servers(text)?;
        }
        let elsewhere = |store: &&String| !store.is_empty() && *store != OFFLINE;
        let stores = [&change.store, &change.ksk_store].into_iter().flatten();
        for store in stores.filter(elsewhere) {
            self.vault()?.check_store(store)?;
        }
        let apex = self.apex.clone();
        let policy = KeysPolicy { apex, change };
        self.change(KeysCommand::Policy(Box::new(policy))).await
    }

    async fn status(&mut self) -> anyhow::Result<()> {
        let keys = self.keys().await?;
        let step = machine::advance(&keys.timeline, &keys.policy, now());
        let made = made_signatures(&mut self.database, &self.apex).await?;
        let ahead = ahead(&keys, &step, &made_form(made), now());
        show::status(&keys, &step, ahead, self.global)
    }

    async fn generate(&mut self, role: Option<KeyRole>, store: Option<&str>) -> anyhow::Result<()> {
        let vault = self.vault()?;
        if load_keys(&mut self.database, &self.apex).await?.is_none() {
            self.policy(PolicyChange::default()).await?;
        }
        let keys = self.keys().await?;
        let wanted = match role {
            Some(role) => vec![machine::NewKey {
                role,
                algorithm: keys.policy.algorithm,
                retires: Vec::new(),
            }],
            None => machine::advance(&keys.timeline, &keys.policy, now()).wants,
        };
        anyhow::ensure!(
            !wanted.is_empty(),
            "the zone has every key that its policy asks for; name a --role to make another"
        );
        for new in wanted {
            if store.is_none() && keys.policy.store_of(new.role) == OFFLINE {
                output::note(format_args!(
                    "the {} is to be offline; take it in by `meridian keys import --public`",
                    new.role
                ));
                continue;
            }
            let store = store.unwrap_or_else(|| keys.policy.store_of(new.role));
            self.add(&vault, &new, store).await?;
        }
        Ok(())
    }

    async fn add(
        &mut self,
        vault: &Vault,
        new: &machine::NewKey,
        store: &str,
    ) -> anyhow::Result<()> {
        let keys = self.keys().await?;
        let add = vault
            .make_or_take(&mut self.database, &keys, new, store)
            .await?;
        let key_tag = add.dnskey.key_tag();
        let event = self.submit(KeysCommand::Add(Box::new(add))).await?;
        show::made(new.role, key_tag, event, self.global)
    }

    /// The keys of a role that a new one replaces, from a state of rest.
    fn replaced(&self, keys: &ZoneKeys, role: KeyRole) -> anyhow::Result<Vec<KeyId>> {
        let is_at_rest = keys.timeline.keys.iter().all(KeyState::is_settled);
        anyhow::ensure!(
            is_at_rest,
            "a rollover of {} is unfinished; `meridian keys status --zone {}` shows what it waits for",
            self.apex,
            self.apex
        );
        let of_role = keys.timeline.keys.iter().filter(|key| key.role == role);
        let retires: Vec<_> = of_role
            .filter(|key| key.goal == Goal::Present)
            .map(|key| key.id)
            .collect();
        anyhow::ensure!(!retires.is_empty(), "zone {} has no {role}", self.apex);
        Ok(retires)
    }

    async fn rollover(&mut self, role: KeyRole) -> anyhow::Result<()> {
        let vault = self.vault()?;
        let keys = self.keys().await?;
        let retires = self.replaced(&keys, role)?;
        anyhow::ensure!(
            keys.policy.store_of(role) != OFFLINE,
            "the {role} of {} is offline; make another there and take it in by \
             `meridian keys import --public FILE --role {role} --replace`",
            self.apex
        );
        let new = machine::NewKey {
            role,
            algorithm: keys.policy.algorithm,
            retires,
        };
        self.add(&vault, &new, keys.policy.store_of(role)).await
    }

    fn read_key(&self, source: &ImportArgs, role: KeyRole) -> anyhow::Result<KeysAdd> {
        if let Some(file) = &source.public {
            anyhow::ensure!(
                role == KeyRole::Ksk,
                "only a ksk can be offline: other keys sign all the time"
            );
            let dnskey = files::read_public(file);
            let dnskey = dnskey.with_context(|| format!("cannot read {}", file.display()))?;
            return Ok(vault::offline(&self.apex, role, dnskey));
        }
        let vault = self.vault()?;
        if let Some(file) = &source.file {
            let read = files::read(file).with_context(|| format!("{}", file.display()));
            let (key, private) = read?;
            return Ok(vault.take_in(&self.apex, role, &key, &private)?);
        }
        let name = match (&source.token_label, &source.token_id) {
            (Some(label), _) => KeyName::Label(label.clone()),
            (_, id) => {
                let id = id.as_deref().and_then(from_hex);
                KeyName::Id(id.context("--token-id is not in hexadecimal")?)
            }
        };
        let token = load(self.global)?.keys.token;
        let label = token
            .context("no token is configured; set keys.token")?
            .label;
        Ok(vault.take_in_of_token(&self.apex, role, &label, &name)?)
    }

    async fn import(
        &mut self,
        mut add: KeysAdd,
        in_use: bool,
        replace: bool,
    ) -> anyhow::Result<()> {
        let keys = self.keys().await;
        let wanted = keys.as_ref().ok().and_then(|keys| {
            // What the policy asks for takes the place of what it does not any more, though
            // the other keys of an algorithm's rollover may be on their way already.
            let wants = machine::advance(&keys.timeline, &keys.policy, now()).wants;
            let algorithm = add.dnskey.algorithm();
            let mut fits = wants.into_iter();
            fits.find(|new| new.role == add.role && new.algorithm == algorithm)
        });
        add.retires = match wanted {
            Some(new) if !in_use => new.retires,
            _ if replace => self.replaced(&keys?, add.role)?,
            _ => Vec::new(),
        };
        add.in_use = in_use;
        let (role, key_tag) = (add.role, add.dnskey.key_tag());
        let event = self.submit(KeysCommand::Add(Box::new(add))).await?;
        show::made(role, key_tag, event, self.global)
    }

    async fn export(
        &mut self,
        key_tag: Option<u16>,
        form: Form,
        out: Option<&Path>,
    ) -> anyhow::Result<()> {
        let keys = self.keys().await?;
        if form != Form::Pkcs8 {
            return show::records(&keys, key_tag, form, self.global);
        }
        let key_tag = key_tag.context("name the key by --key-tag")?;
        let key = keys.keys.iter().find(|key| key.key_tag == key_tag);
        let key = key.with_context(|| format!("no key {key_tag} in zone {}", self.apex))?;
        let private = self.vault()?;
        let private = private.private(&mut self.database, &self.apex, key).await?;
        let out = out.context("name a file by --out")?;
        write_new(out, files::pem(&private).as_bytes())
            .with_context(|| format!("cannot write {}", out.display()))?;
        output::line(format_args!(
            "private key {key_tag} written to {} in the clear; keep it safe",
            out.display()
        ));
        Ok(())
    }

    async fn ds_seen(&mut self) -> anyhow::Result<()> {
        let mut keys = self.keys().await?;
        let published = |key: &&KeyState| key.ds.state.is_published();
        let present: Vec<_> = keys
            .timeline
            .keys
            .iter()
            .filter(published)
            .map(|key| key.id)
            .collect();
        anyhow::ensure!(
            keys.timeline.confirm_ds(&present, now()),
            "nothing is waited for at the parent of {}",
            self.apex
        );
        let step = KeysStep {
            apex: self.apex.clone(),
            revision: keys.revision,
            timeline: keys.timeline,
            remove: Vec::new(),
            extent: Extent::Nothing,
        };
        self.change(KeysCommand::Step(Box::new(step))).await
    }
}
