//! Servers behind that speak TLS: verified by the public authorities, or by those that the file names.

use super::binary::{Folder, Site, stderr_of};
use super::raw::{Raw, handshake};
use super::visitor::get;

/// A site that speaks TLS, as the server behind; its certificate is `localhost`'s.
fn behind() -> (Folder, Site) {
    let folder = Folder::with(
        r#"
debug = true
allowed_hosts = ["*"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]
tls = { cert = "cert.pem", key = "key.pem" }

[[http]]
path = "page/"
respond = { body = "from behind" }

[[websocket]]
path = "ws/echo/"
consumer = "echo"
"#,
    );
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    folder.write("cert.pem", &made.cert.pem());
    folder.write("key.pem", &made.signing_key.serialize_pem());
    let site = folder.start();
    (folder, site)
}

/// A site in front of it, by one of its addresses, with a `[proxy]` table.
fn front(upstream: &str, proxy: &str, certificate: &str) -> (Folder, Site) {
    let folder = Folder::with(&format!(
        r#"
debug = true
allowed_hosts = ["127.0.0.1"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]

[proxy]
{proxy}

[[http]]
path = ""
proxy = "{upstream}"

[[websocket]]
path = "ws/echo/"
consumer = "proxy"
upstream = "{upstream}"
"#
    ));
    folder.write("ca.pem", certificate);
    let site = folder.start();
    (folder, site)
}

#[tokio::test]
async fn a_server_behind_https_is_believed_by_the_authority_that_the_file_names() {
    let (files, behind) = behind();
    let certificate = std::fs::read_to_string(files.path("cert.pem")).unwrap();
    let by_name = format!("https://localhost:{}", behind.address.port());
    let (_folder, site) = front(&by_name, r#"ca = "ca.pem""#, &certificate);
    // Twice, so that a connection is used again.
    for _ in 0..2 {
        let (head, page) = get(site.address, "/page/", "").await;
        assert_eq!((head.status, page.as_str()), (200, "from behind"));
    }
    let mut socket = Raw::websocket(site.address, "/ws/echo/").await;
    socket.send_text("through TLS").await;
    assert_eq!(socket.text().await, "through TLS");
}

#[tokio::test]
async fn a_server_behind_https_that_nobody_vouches_for_gets_no_request() {
    let (files, behind) = behind();
    let certificate = std::fs::read_to_string(files.path("cert.pem")).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let port = behind.address.port();
    for (what, upstream, proxy, certificate) in [
        ("the public authorities", format!("https://localhost:{port}"), "", &certificate),
        ("another authority", format!("https://localhost:{port}"), r#"ca = "ca.pem""#, &other),
        ("another name", format!("https://127.0.0.1:{port}"), r#"ca = "ca.pem""#, &certificate),
    ] {
        let (_folder, site) = front(&upstream, proxy, certificate);
        assert_eq!(get(site.address, "/page/", "").await.0.status, 502, "{what}");
        let mut raw = Raw::connect(site.address).await;
        raw.send(handshake("/ws/echo/", "")).await;
        assert_eq!(raw.head().await.status, 502, "{what}");
    }
}

#[test]
fn an_authority_that_cannot_be_read_is_an_error_at_its_place() {
    let folder = Folder::with("debug = true\n[proxy]\nca = \"ca.pem\"\n");
    let told = |folder: &Folder| stderr_of(&folder.run(&["check"]));
    let missing = told(&folder);
    assert!(
        missing.contains("solent.toml:3:6: there is no file ") && missing.contains("ca.pem"),
        "{missing}"
    );
    for (content, what) in [
        ("", "expected at least one certificate, found none"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "nothing can be verified by"),
    ] {
        folder.write("ca.pem", content);
        let told = told(&folder);
        assert!(told.contains("solent.toml:3:6: ") && told.contains(what), "{told}");
    }
}
