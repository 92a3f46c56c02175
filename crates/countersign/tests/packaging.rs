//! What is under `packaging/`: as hardened as it says, and whole.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

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

/// What the chart makes of sensible values is YAML, and its documents fit one another. Left out where no reader of YAML is
/// at hand.
#[test]
fn what_the_chart_makes_fits_together() {
    let Some(values) = yaml(&read("helm/countersign/values.yaml")) else {
        return;
    };
    let values = &values[0];
    let with = |changes: &[(&str, Value)]| {
        let mut values = values.clone();
        for (pointer, value) in changes {
            *values.pointer_mut(pointer).expect(pointer) = value.clone();
        }
        values
    };
    let sqlite = [("/postgres/enabled", json!(false)), ("/replicas", json!(1))];
    for (name, values) in [
        ("as it is", with(&[])),
        ("SQLite", with(&sqlite)),
        (
            "SQLite on a disk of some class",
            with(&[&sqlite[..], &[("/sqlite/storageClass", json!("fast"))]].concat()),
        ),
        ("no metrics", with(&[("/metrics/enabled", json!(false))])),
        (
            "somewhere",
            with(&[
                ("/nodeSelector", json!({ "disk": "fast" })),
                (
                    "/tolerations",
                    json!([{ "key": "gate", "operator": "Exists" }]),
                ),
            ]),
        ),
    ] {
        let documents = rendered(&values).expect(name);
        fits(name, &values, &documents);
    }
    let refused = rendered(&with(&[("/postgres/enabled", json!(false))]));
    assert!(refused.unwrap_err().contains("set replicas to 1"));
}

/// Whether the documents name one another rightly.
fn fits(name: &str, values: &Value, documents: &[Value]) {
    let of = |kind: &str| -> Vec<&Value> {
        let found = documents.iter().filter(|one| one["kind"] == kind);
        found.collect()
    };
    let postgres = values["postgres"]["enabled"] == true;
    let deployment = of("Deployment")[0];
    let pod = &deployment["spec"]["template"];
    let labels = &pod["metadata"]["labels"];
    let container = &pod["spec"]["containers"][0];
    assert_eq!(deployment["spec"]["replicas"], values["replicas"], "{name}");
    assert_eq!(
        deployment["spec"]["selector"]["matchLabels"], *labels,
        "{name}"
    );
    let strategy = if postgres {
        "RollingUpdate"
    } else {
        "Recreate"
    };
    assert_eq!(deployment["spec"]["strategy"]["type"], strategy, "{name}");
    let service = &of("Service")[0]["spec"];
    assert_eq!(service["selector"], *labels, "{name}");
    let ports = container["ports"].as_array().unwrap();
    let port = |wanted: &Value| ports.iter().any(|port| port["name"] == *wanted);
    assert!(port(&service["ports"][0]["targetPort"]), "{name}");
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert!(
            port(&container[probe]["httpGet"]["port"]),
            "{name}: {probe}"
        );
    }
    assert_eq!(
        port(&json!("metrics")),
        values["metrics"]["enabled"] == true,
        "{name}"
    );
    assert_eq!(container["env"].is_array(), postgres, "{name}");
    assert_eq!(container["resources"], values["resources"], "{name}");
    assert_eq!(
        pod["spec"]["nodeSelector"], values["nodeSelector"],
        "{name}"
    );
    assert_eq!(pod["spec"]["tolerations"], values["tolerations"], "{name}");
    // Every mount has its volume, and the configuration is where the program is told to look.
    let volumes = pod["spec"]["volumes"].as_array().unwrap();
    let mounts = container["volumeMounts"].as_array().unwrap();
    assert_eq!(mounts.len(), volumes.len(), "{name}");
    for mount in mounts {
        assert!(
            volumes.iter().any(|volume| volume["name"] == mount["name"]),
            "{name}: {mount}"
        );
    }
    let config = container["args"][2].as_str().unwrap();
    assert!(
        config.starts_with(mounts[0]["mountPath"].as_str().unwrap()),
        "{name}"
    );
    assert_eq!(
        volumes[0]["secret"]["secretName"], values["configSecret"],
        "{name}"
    );
    let claims = of("PersistentVolumeClaim");
    if postgres {
        assert!(
            claims.is_empty() && volumes[1]["emptyDir"].is_object(),
            "{name}"
        );
    } else {
        let claim = &volumes[1]["persistentVolumeClaim"]["claimName"];
        assert_eq!(claims[0]["metadata"]["name"], *claim, "{name}");
        let class = claims[0]["spec"].get("storageClassName");
        let wanted = &values["sqlite"]["storageClass"];
        assert_eq!(class, Some(wanted).filter(|class| **class != ""), "{name}");
    }
    // One gate alone cannot keep another up.
    let budgets = of("PodDisruptionBudget");
    assert_eq!(
        budgets.len(),
        usize::from(values["replicas"] != 1),
        "{name}"
    );
    for budget in budgets {
        assert_eq!(budget["spec"]["selector"]["matchLabels"], *labels, "{name}");
        let least = budget["spec"]["minAvailable"].as_u64();
        assert!(
            least < values["replicas"].as_u64(),
            "{name}: nothing could ever be replaced"
        );
    }
}

/// The documents that the templates make of these values; or what the chart says against them.
fn rendered(values: &Value) -> Result<Vec<Value>, String> {
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(packaging("helm/countersign/templates")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "yaml") {
            let text = render(&std::fs::read_to_string(&path).unwrap(), values)?;
            let read = yaml(&text).expect("a reader of YAML");
            documents.extend(read.into_iter().filter(|document| !document.is_null()));
        }
    }
    Ok(documents)
}

/// As much of the templates' language as the chart uses: conditions on lines of their own, and values within lines.
fn render(template: &str, values: &Value) -> Result<String, String> {
    let mut text = String::new();
    // Of every condition that is open: whether it holds.
    let mut open: Vec<bool> = Vec::new();
    for line in template.lines() {
        let directive = line
            .strip_prefix("{{- ")
            .and_then(|line| line.strip_suffix(" }}"));
        let shown = open.iter().all(|holds| *holds);
        match directive {
            Some("end") => drop(open.pop().expect("something to end")),
            Some("else") => {
                let holds = open.last_mut().expect("something else");
                *holds = !*holds;
            }
            Some(directive) => {
                if let Some(condition) = directive.strip_prefix("if ") {
                    open.push(is_true(&value_of(condition, values)));
                } else if shown {
                    return Err(directive.to_owned());
                }
            }
            None if shown => writeln!(text, "{}", filled(line, values)).unwrap(),
            None => {}
        }
    }
    assert!(open.is_empty(), "a condition that does not end");
    Ok(text)
}

fn filled(line: &str, values: &Value) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{ ") {
        let (expression, after) = after.split_once(" }}").expect("a closed expression");
        text.push_str(before);
        if let Some(whole) = expression.strip_prefix("toYaml ") {
            let (whole, indent) = whole.split_once(" | indent ").expect("an indent");
            // JSON is YAML.
            let spaces = " ".repeat(indent.parse().unwrap());
            write!(text, "{spaces}{}", value_of(whole, values)).unwrap();
        } else {
            let value = value_of(expression, values);
            assert!(!value.is_null(), "`{expression}` has no value");
            text.push_str(
                &value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            );
        }
        rest = after;
    }
    text + rest
}

/// `.Values.a.b`, `.Release.Name`, `not X`, `and X Y`, `gt (int X) 1`, with parentheses.
fn value_of(expression: &str, values: &Value) -> Value {
    let words = parted(expression);
    let at = |n: usize| value_of(words.get(n).copied().unwrap_or_default(), values);
    match words.first().copied().unwrap_or_default() {
        "not" => json!(!is_true(&at(1))),
        "and" => json!(
            words
                .iter()
                .skip(1)
                .all(|word| is_true(&value_of(word, values)))
        ),
        "gt" => json!(at(1).as_i64() > at(2).as_i64()),
        "int" => at(1),
        ".Release.Name" => json!("desk"),
        word => match word.strip_prefix(".Values.") {
            Some(path) => {
                let pointer = format!("/{}", path.replace('.', "/"));
                values.pointer(&pointer).cloned().unwrap_or(Value::Null)
            }
            None => serde_json::from_str(word).expect(word),
        },
    }
}

/// Words of an expression, what is in parentheses as one.
fn parted(expression: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    let words = expression.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ' ' && depth == 0
    });
    words
        .map(|word| {
            let inner = word
                .strip_prefix('(')
                .and_then(|word| word.strip_suffix(')'));
            inner.unwrap_or(word)
        })
        .collect()
}

/// As the templates see it: nothing, `false`, 0 and "" are false.
fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != json!(0) && *value != json!("")
}

/// The documents of a text, by Python's reader; `None` where there is none.
fn yaml(text: &str) -> Option<Vec<Value>> {
    const READ: &str =
        "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))";
    tool("python3", &["-c", "import yaml"]).filter(|(_, well)| *well)?;
    let mut reader = Command::new("python3")
        .args(["-c", READ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    reader.stdin.take()?.write_all(text.as_bytes()).unwrap();
    let read = reader.wait_with_output().unwrap();
    assert!(read.status.success(), "this is no YAML:\n{text}");
    Some(serde_json::from_slice(&read.stdout).unwrap())
}
