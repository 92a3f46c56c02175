//! What is under `packaging/`: as hardened as it says, and whole.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../packaging")
        .join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(packaging(name)).unwrap()
}

/// Runs a tool of the system; `None` where there is none.
fn tool(name: &str, arguments: &[&str]) -> Option<(String, bool)> {
    let output = Command::new(name).args(arguments).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    Some((
        String::from_utf8_lossy(&text).into_owned(),
        output.status.success(),
    ))
}

#[test]
fn the_unit_is_hardened_and_its_socket_is_systemds() {
    let unit = read("systemd/countersign.service");
    for line in [
        "Type=notify",
        "User=countersign",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "MemoryDenyWriteExecute=yes",
        "RestartPreventExitStatus=2",
        "Requires=countersign.socket",
    ] {
        assert!(unit.lines().any(|found| found == line), "no `{line}`");
    }
    let socket = read("systemd/countersign.socket");
    assert!(
        socket.contains("ListenStream=127.0.0.1:4180"),
        "loopback alone"
    );

    let file = packaging("systemd/countersign.service");
    let file = file.to_str().unwrap();
    // systemd's own judgement, where it is at hand: 0 is best, 10 is worst.
    if let Some((text, well)) = tool(
        "systemd-analyze",
        &[
            "security",
            "--offline=true",
            "--threshold=15",
            "--no-pager",
            file,
        ],
    ) {
        assert!(well, "{text}");
    }
    if let Some((text, _)) = tool("systemd-analyze", &["verify", "--no-pager", file]) {
        let wrong: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("countersign"))
            // It is not installed here.
            .filter(|line| !line.contains("/usr/bin/countersign is not executable"))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn the_container_runs_as_nobody_with_nothing_else_in_it() {
    let file = read("docker/Dockerfile");
    let stages: Vec<&str> = file.split("\nFROM ").skip(1).collect();
    assert_eq!(stages.len(), 2);
    let last = stages[1];
    assert!(last.starts_with("gcr.io/distroless/"), "{last}");
    assert!(
        last.contains("\nUSER 65532:65532\n"),
        "a number, so that a cluster can see it is not root"
    );
    assert!(!last.contains("\nRUN "), "there is no shell to run it");
    assert!(!file.contains("\nADD "), "nothing from elsewhere");
    assert!(file.contains("--locked"));
    assert!(last.contains("\nSTOPSIGNAL SIGTERM\n"));
    // Nothing of a folder one works in goes into an image but what it is built from.
    let ignored = read("docker/Dockerfile.dockerignore");
    assert!(ignored.starts_with("**\n"));
}

/// The package is really made, and looked into, where Debian's tools are.
#[test]
fn the_debian_package_has_what_it_needs() {
    if tool("dpkg-deb", &["--version"]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // What is in the program is not looked at, and a whole one takes minutes to pack.
    let program = folder.path().join("program");
    std::fs::write(&program, "#!/bin/sh\n").unwrap();
    let out = folder.path().join("out");
    let script = packaging("debian/build.sh");
    let (text, well) = tool(
        "sh",
        &[
            script.to_str().unwrap(),
            program.to_str().unwrap(),
            out.to_str().unwrap(),
        ],
    )
    .expect("a shell");
    assert!(well, "{text}");
    let package = std::fs::read_dir(&out)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let package = package.to_str().unwrap();
    let (info, _) = tool("dpkg-deb", &["--info", package]).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(info.contains(&format!("Version: {version}")), "{info}");
    assert!(info.contains("Depends: adduser"), "{info}");
    let (contents, _) = tool("dpkg-deb", &["--contents", package]).unwrap();
    for (mode, file) in [
        ("-rwxr-xr-x", "./usr/bin/countersign"),
        ("-rw-r--r--", "./usr/lib/systemd/system/countersign.service"),
        ("-rw-r--r--", "./usr/lib/systemd/system/countersign.socket"),
        (
            "-rw-r--r--",
            "./usr/share/countersign/procedures/hosting.procedure",
        ),
    ] {
        let line = contents.lines().find(|line| line.ends_with(file));
        let line = line.expect(file);
        assert!(
            line.starts_with(mode) && line.contains("root/root"),
            "{line}"
        );
    }
    // cargo-deb is told the same.
    let manifest =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    for file in [
        "countersign.service",
        "countersign.socket",
        "operations.md",
        "*.procedure",
    ] {
        assert!(manifest.contains(file), "{file}");
    }
}

/// Without the chart's own tool at hand: every value that is used is there, every one that is there is used, blocks are
/// closed, and what keeps a gate safe and up is in it.
#[test]
fn the_chart_is_whole() {
    let templates: Vec<(String, String)> =
        std::fs::read_dir(packaging("helm/countersign/templates"))
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name, std::fs::read_to_string(path).unwrap())
            })
            .collect();
    let mut used = BTreeSet::new();
    for (name, text) in &templates {
        let opened = text.matches("{{- if ").count();
        assert_eq!(opened, text.matches("{{- end }}").count(), "{name}");
        assert!(!text.contains('\t'), "{name}: YAML has no tabs");
        for at in text.split(".Values.").skip(1) {
            let end = at.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
            used.insert(at.split_at(end.unwrap_or(at.len())).0.to_owned());
        }
    }
    let mut there = BTreeSet::new();
    let mut section = String::new();
    let values = read("helm/countersign/values.yaml");
    for line in values
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
    {
        let (key, value) = line.split_once(':').unwrap();
        let (depth, key) = (key.len() - key.trim_start().len(), key.trim());
        match depth {
            0 if value.trim().is_empty() => key.clone_into(&mut section),
            0 => {
                section.clear();
                there.insert(key.to_owned());
            }
            2 => {
                there.insert(format!("{section}.{key}"));
            }
            // Handed on whole.
            _ => {}
        }
    }
    for value in &used {
        let known = there.contains(value)
            || there
                .iter()
                .any(|one| one.starts_with(&format!("{value}.")));
        assert!(known, "`{value}` is used, and values.yaml does not have it");
    }
    for value in &there {
        let whole = value
            .split_once('.')
            .is_some_and(|(section, _)| used.contains(section));
        assert!(
            used.contains(value) || whole,
            "`{value}` is in values.yaml, and nothing uses it"
        );
    }
    let deployment = &templates
        .iter()
        .find(|(name, _)| name == "deployment.yaml")
        .unwrap()
        .1;
    for needed in [
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "drop: [\"ALL\"]",
        "type: RuntimeDefault",
        "automountServiceAccountToken: false",
        "path: /readyz",
        "path: /healthz",
        "maxUnavailable: 0",
        "type: Recreate",
    ] {
        assert!(deployment.contains(needed), "no `{needed}`");
    }
    assert!(
        templates
            .iter()
            .any(|(_, text)| text.contains("kind: PodDisruptionBudget"))
    );
}
