//! Kinds of hosts: TLS with an authority of one's own, and the master that Sentinels name, through a fail-over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use solent::layers::redis::{Host, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{ChannelLayer, Delivery, MailboxOptions};

use crate::layer_suite::{channel, event, group, next, within};
use crate::redis_server::{RedisServer, free_port};
use crate::waiting::{PATIENCE, eventually, eventually_async};

fn layers(host: &Host) -> [Arc<dyn ChannelLayer>; 2] {
    let mut settings = RedisSettings::of(host.clone());
    settings.connect_time = Duration::from_secs(2);
    settings.response_time = Duration::from_secs(1);
    [
        Arc::new(RedisPubSubChannelLayer::new(settings.clone()).expect("settings")),
        Arc::new(RedisChannelLayer::new(settings).expect("settings")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rediss_trusts_the_given_authority_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = names.signed_by(&key, &authority).expect("a certificate");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let port = free_port().to_string();
    let (certificate, key) = (write("cert.pem", &certificate.pem()), write("key.pem", &key.serialize_pem()));
    let ca = write("ca.pem", &authority.pem());
    let options = ["--tls-port", &port, "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let more = ["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"];
    let _server = RedisServer::with(&[&options[..], &more[..]].concat());
    let host = Host::parse(&format!("rediss://localhost:{port}")).expect("a host");
    for stranger in layers(&host) {
        assert!(within(stranger.start()).await.is_err(), "an unknown authority was trusted");
    }
    for layer in layers(&host.root_certificate(authority.pem())) {
        layer.start().await.expect("connected");
        let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
        layer.group_add(&group("room"), &mailbox).await.expect("joined");
        layer.group_send(&group("room"), event(&json!({"n": 1}))).await.expect("sent");
        assert_eq!(next(&mut mailbox).await, event(&json!({"n": 1})));
    }
}

/// Whatever the way to it, a host's database is the one that its URL names. Pub/sub knows no databases.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unix_sockets_and_database_numbers_are_part_of_a_hosts_url() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("redis.sock");
    let server = RedisServer::with(&["--unixsocket", path.to_str().expect("text")]);
    let tcp = format!("redis://127.0.0.1:{}/3", server.port());
    for url in [format!("unix://{}?db=3", path.display()), tcp] {
        for layer in layers(&Host::parse(&url).expect("a host")) {
            layer.start().await.expect("connected");
            let mut mailbox =
                layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
            layer.group_add(&group("room"), &mailbox).await.expect("joined");
            layer.group_send(&group("room"), event(&json!({"n": 1}))).await.expect("sent");
            assert_eq!(next(&mut mailbox).await, event(&json!({"n": 1})));
            if layer.describe().starts_with("redis at") {
                layer.send(&channel("waits"), event(&json!({"n": 2}))).await.expect("sent");
                assert_eq!(server.keys(), Vec::<String>::new(), "database 0 is another's");
                let space: String = server.run(&["INFO", "keyspace"]);
                assert!(space.contains("db3:keys=2"), "{space}");
                layer.flush().await.expect("flushed");
            }
            drop(mailbox);
        }
    }
}

/// A Sentinel is a Redis server in another mode; its settings live in a file that it rewrites.
fn sentinel(master: u16) -> RedisServer {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let text = format!(
        "sentinel monitor solent 127.0.0.1 {master} 1\nsentinel down-after-milliseconds solent 500\n\
         sentinel failover-timeout solent 2000\n"
    );
    std::fs::write(file.path(), text).expect("written");
    RedisServer::sentinel(file)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fail_over_is_followed() {
    let mut master = RedisServer::start();
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    eventually("the replica is in step", || {
        replica.run::<String>(&["INFO", "replication"]).contains("master_link_status:up")
    })
    .await;
    let sentinel = sentinel(master.port());
    eventually("the Sentinel knows the replica", || {
        sentinel.run::<String>(&["INFO", "sentinel"]).contains("status=ok") && {
            sentinel.run::<String>(&["INFO", "sentinel"]).contains("slaves=1")
        }
    })
    .await;
    let host = Host::default().sentinel("solent", [sentinel.url()]).expect("a host");
    assert_eq!(host.to_string(), "master solent of 1 Sentinels");
    let layers = layers(&host);
    let mut mailboxes = Vec::new();
    for layer in &layers {
        layer.start().await.expect("connected");
        let mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
        layer.group_add(&group("room"), &mailbox).await.expect("joined");
        mailboxes.push(mailbox);
    }
    master.kill();
    eventually_async("the Sentinel has promoted the replica and names it", 3 * PATIENCE, async || {
        let named: Vec<String> = sentinel.run(&["SENTINEL", "get-master-addr-by-name", "solent"]);
        named[1] == replica.port().to_string()
            && replica.run::<String>(&["INFO", "replication"]).contains("role:master")
    })
    .await;
    let over = Instant::now();
    // A Sentinel also disconnects clients while it promotes, so that a send may still fail for a moment.
    for (layer, mailbox) in layers.iter().zip(&mut mailboxes) {
        let marker = event(&json!({"type": "marker"}));
        within(async {
            loop {
                let _ = layer.group_send(&group("room"), marker.clone()).await;
                let heard = tokio::time::timeout(Duration::from_millis(100), mailbox.recv()).await;
                if heard == Ok(Delivery::Event(marker.clone())) {
                    break;
                }
            }
        })
        .await;
        assert!(over.elapsed() < Duration::from_secs(2), "messages flow again after {:?}", over.elapsed());
        eventually("ready again", || layer.is_ready()).await;
        assert!(
            replica.run::<String>(&["CLIENT", "LIST"]).contains("cmd="),
            "nobody is connected to the new master"
        );
    }
}
