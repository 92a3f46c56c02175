//! What `doctor` looks at in an OpenID provider: its description, its keys, and whether it can do what is asked of it.

use countersign_language::Method;
use countersign_service::adapters::clock::{Clock as _, SystemClock};
use countersign_service::adapters::openid::{Metadata, Provider, ProviderSettings};
use countersign_service::settings::Settings;
use reqwest::Client;
use std::collections::BTreeSet;

use super::doctor::Report;

/// Both providers, as far as they are configured. `wanted` are the methods the procedure asks for.
pub(crate) async fn providers(
    settings: &Settings,
    wanted: &BTreeSet<Method>,
    client: &Client,
    report: &mut Report,
) -> anyhow::Result<()> {
    if let Some(login) = &settings.company_login {
        let about = "company login";
        if let Some(described) = described(about, &login.provider, client, report).await? {
            let acr_values = login
                .acr_values
                .iter()
                .chain(login.proof_acr_values.values().flatten());
            acr(about, &described, acr_values, report)?;
            if wanted.contains(&Method::Ciba) {
                push(&described, report)?;
            }
        }
    }
    if let Some(login) = &settings.staff_login {
        drop(described("staff login", &login.provider, client, report).await?);
        if login.groups.is_empty() {
            report.warning(
                "staff login",
                "no group gives a role, so nobody can sign in there",
                "add a section `[groups.NAME]`",
            )?;
        }
        if settings
            .staff
            .iter()
            .all(|account| account.subject.is_some())
        {
            report.warning(
                "staff login",
                "nobody in this file can sign in while the provider is down",
                "keep one administrator without `subject`",
            )?;
        }
    }
    Ok(())
}

/// What a provider says about itself, if that can be used.
async fn described(
    about: &str,
    settings: &ProviderSettings,
    client: &Client,
    report: &mut Report,
) -> anyhow::Result<Option<std::sync::Arc<Metadata>>> {
    let now = SystemClock.now();
    let provider = match Provider::new(client.clone(), settings) {
        Ok(provider) => provider,
        Err(error) => {
            report.problem(about, &error.to_string(), "see its section in the file")?;
            return Ok(None);
        }
    };
    let described = match provider.metadata(now).await {
        Ok(described) => described,
        Err(error) => {
            report.problem(
                about,
                &format!("{}: {error}", settings.issuer),
                "is it up, and is `issuer` what it calls itself, character for character? It must answer `ISSUER/.well-known/openid-configuration`",
            )?;
            return Ok(None);
        }
    };
    match provider.keys(now).await {
        Ok(keys) if keys.is_empty() => report.problem(
            about,
            &format!("{} shows no key that can be used", settings.issuer),
            "let it sign ID tokens with RS256, PS256, ES256 or EdDSA",
        )?,
        Ok(keys) => report.ok(
            about,
            &format!(
                "{} describes itself; of its keys {} can be used",
                settings.issuer,
                keys.len()
            ),
        )?,
        Err(error) => report.problem(
            about,
            &format!("{}: {error}", settings.issuer),
            "no sign-in can be verified without its keys",
        )?,
    }
    if described.says_s256 == Some(false) {
        report.problem(
            about,
            "the provider does not take PKCE with S256",
            "switch it on there: a code that is stolen could be used without it",
        )?;
    }
    Ok(Some(described))
}

fn acr<'a>(
    about: &str,
    described: &Metadata,
    asked: impl Iterator<Item = &'a String>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let unknown: BTreeSet<&String> = asked
        .filter(|value| !described.acr_values.is_empty() && !described.acr_values.contains(value))
        .collect();
    for value in unknown {
        report.warning(
            about,
            &format!("the provider does not name the authentication context `{value}`"),
            "if it never says so in a token, no such proof can be made",
        )?;
    }
    Ok(())
}

fn push(described: &Metadata, report: &mut Report) -> anyhow::Result<()> {
    let about = "company login";
    if described.backchannel_authentication_endpoint.is_none() {
        return report.problem(
            about,
            "the procedure asks for pushes (`ciba`), and the provider has no CIBA endpoint",
            "switch CIBA on there, or take the proof out of the procedure",
        );
    }
    if described.says_poll == Some(false) {
        return report.problem(
            about,
            "the provider does not let the answer to a push be polled",
            "give this client the delivery mode `poll`",
        );
    }
    report.ok(about, "pushes can be asked for")
}
