//! node-q, a client for Node.js: `tests/interop/clients/node_q_client.js`.

use std::path::Path;
use std::process::Command;

use hopen_async_std::ListenOptions;
use hopen_tls::{Server, ServerMode, Settings};

use crate::certificates::Certificates;
use crate::gateway::Gateway;
use crate::program::{Outcome, run};
use crate::python;
use crate::serving::Serving;

#[test]
fn node_q_is_understood() {
    let serving = Serving::start(&[]);
    succeeds(&[&serving.address]);
    succeeds(&[&Gateway::before(&serving, "").address()]);
}

#[test]
fn node_q_logs_in_with_the_right_password_only() {
    let serving = Serving::start(&["--user", "ann:secret:x"]);
    succeeds(&[&serving.address, "ann:secret:x"]);
    let gateway = Gateway::before(&serving, ":ann:secret:x");
    succeeds(&[&gateway.address(), "ann:secret:x"]);
}

#[test]
fn node_q_subscribes_to_a_feed() {
    let serving = Serving::start(&["--feed"]);
    succeeds(&[&serving.address, "--feed"]);
    succeeds(&[&Gateway::before(&serving, "").address(), "--feed"]);
}

#[test]
fn node_q_is_answered_by_tls() {
    let certificates = Certificates::new();
    let arguments = certificates.arguments("tls");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let serving = Serving::start(&arguments);
    // The certificate is for this name.
    let address = format!("localhost:{}", serving.port());
    succeeds(&[&address, "--tls", &certificates.path("ca.pem")]);

    let plain = Serving::start(&[]);
    let mut listen = ListenOptions::try_from("localhost:0W").expect("it is one");
    listen.mode = ServerMode::Tls;
    let mut settings = Settings::default();
    settings.certificate_file = Some(certificates.path("leaf.pem").into());
    settings.key_file = Some(certificates.path("leaf-key.pem").into());
    listen.tls = Some(Server::new(&settings).expect("they belong together"));
    let gateway = Gateway::listening(listen, &plain, "");
    let address = format!("localhost:{}", gateway.port);
    succeeds(&[&address, "--tls", &certificates.path("ca.pem")]);
}

/// Runs the client, if there is one, and fails where a check of its does.
#[track_caller]
fn succeeds(arguments: &[&str]) {
    let Some(modules) = std::env::var_os(MODULES) else {
        // `.ci/run` counts these lines.
        python::tell(&format!("skipped: {MODULES} names no folder with node-q\n"));
        return;
    };
    let script = "../../tests/interop/clients/node_q_client.js";
    let mut node = Command::new("node");
    node.arg("--no-deprecation")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
        .args(arguments)
        .env("NODE_PATH", modules);
    let Outcome { code, stdout, .. } = run(&mut node, "");
    assert_eq!(code, Some(0), "{stdout}");
}

/// The environment variable that names the folder of modules which `npm ci` makes of
/// `tests/interop/package-lock.json`.
const MODULES: &str = "HOPEN_INTEROP_NODE";
