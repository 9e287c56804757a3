//! The contract of `meshwatt serve` with whoever starts it.

use std::net::TcpListener;
use std::process::Stdio;
use tests::{Meshwatt, serve_command};

/// Protects programs that start Meshwatt: the one line on stdout, the open API, and an orderly end.
#[test]
fn serve_tells_where_it_listens_and_ends_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve(directory.path());
    let ready = program.ready();
    assert_eq!(ready["ready"], true, "{ready}");
    for enabled in ["http", "ocpp", "mqtt"] {
        assert!(program.port(enabled) > 0, "{ready}");
    }
    for disabled in ["https", "ocpps", "mqtts", "files"] {
        assert!(ready[disabled].is_null() && ready.get(disabled).is_some(), "{ready}");
    }
    assert!(program.api().is_sound(), "{}", program.api().get("health").text);
    let health = program.api().get("health").ok();
    assert_eq!(health["status"], "degraded", "a building without a meter is told so: {health}");
    assert!(program.api().get("openapi.json").ok()["paths"].is_object(), "the API describes itself");
    let status = program.stop();
    assert!(status.success(), "SIGTERM drains and exits 0, not {status}");
}

/// Protects the token from other people on the same computer.
#[cfg(unix)]
#[test]
fn the_token_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve(directory.path());
    let mode = std::fs::metadata(directory.path().join("api.token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let stranger = tests::Api::new(program.api().address(), "guessed");
    assert_eq!(stranger.get("chargers").status, 401);
}

/// Protects whoever starts it twice: each taken port is named together with the option that changes it.
#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for option in ["--http", "--ocpp", "--mqtt"] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = serve_command(directory.path());
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut replaced = std::process::Command::new(command.get_program());
        let mut value_follows = false;
        for argument in arguments {
            replaced.arg(if value_follows { address.clone().into() } else { argument.clone() });
            value_follows = argument == option;
        }
        command = replaced;
        let output = command.stdin(Stdio::null()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{option} {address} is taken");
        assert!(errors.contains(&address) && errors.contains("taken") && errors.contains(option), "{errors}");
        assert!(output.stdout.is_empty(), "nothing is ready");
    }
}
