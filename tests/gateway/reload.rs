//! The file is read again, and no connection notices.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::binary::{Folder, Site, solent};
use super::raw::{PATIENCE, Raw};
use super::visitor::get;

use crate::waiting::{Pace, eventually_async};

const SOCKETS: usize = 1_000;

const SITE: &str = r#"
debug = false
allowed_hosts = ["127.0.0.1"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]

[channel_layers.default]
backend = "memory"

[[http]]
path = "old/"
respond = { body = "old" }

[[websocket]]
path = "ws/room/"
consumer = "relay"
group = "room"

[[websocket]]
path = "ws/echo/"
consumer = "echo"
"#;

const MORE: &str = r#"
[[http]]
path = "new/"
respond = { body = "new" }

[[websocket]]
path = "ws/new/"
consumer = "listen"
group = "room"
"#;

/// Starts the site; what it says of itself goes to a file.
fn start(folder: &Folder) -> Site {
    let log = File::create(folder.path("log")).unwrap();
    Site::start_unheard(solent().arg("--config").arg(folder.config()).stderr(log))
}

fn log(folder: &Folder) -> String {
    std::fs::read_to_string(folder.path("log")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_thousand_sockets_with_traffic_none_is_dropped_and_a_bad_file_is_refused() {
    rlimit::increase_nofile_limit(4096).unwrap();
    let folder = Folder::with(SITE);
    let site = start(&folder);
    let (stop, echoes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = Vec::new();
    for number in 0..SOCKETS {
        let mut socket = Raw::websocket(site.address, "/ws/echo/").await;
        let (stop, echoes) = (Arc::clone(&stop), Arc::clone(&echoes));
        clients.push(tokio::spawn(async move {
            let mut said = 0;
            let mut pace = Pace::every(Duration::from_millis(300));
            // Each goes on to the end, and once more after all reloads.
            loop {
                let last = stop.load(Ordering::SeqCst);
                let text = format!("{number}-{said}");
                socket.send_text(&text).await;
                assert_eq!(socket.text().await, text, "socket {number} was dropped");
                echoes.fetch_add(1, Ordering::SeqCst);
                said += 1;
                if last {
                    return said;
                }
                // Traffic, not a flood: what is tested is the reload.
                pace.next().await;
            }
        }));
    }
    let mut member = Raw::websocket(site.address, "/ws/room/").await;
    assert_eq!(get(site.address, "/new/", "").await.0.status, 404);

    folder.write("solent.toml", &format!("{SITE}{MORE}"));
    let before = echoes.load(Ordering::SeqCst);
    site.signal("HUP");
    eventually_async("the new route is live", 3 * PATIENCE, async || {
        get(site.address, "/new/", "").await.0.status == 200
    })
    .await;
    let mut listener = Raw::websocket(site.address, "/ws/new/").await;

    // A file that is wrong changes nothing, and says why.
    folder.write("solent.toml", &format!("{SITE}{MORE}").replace("path = \"new/\"", "pathh = \"new/\""));
    site.signal("HUP");
    eventually_async("the bad file is refused", 3 * PATIENCE, async || log(&folder).contains("is refused"))
        .await;
    let told = log(&folder);
    assert!(told.contains("unknown key \"pathh\"") && told.contains("= nearest: path"), "{told}");
    assert_eq!(
        (get(site.address, "/new/", "").await.0.status, get(site.address, "/old/", "").await.0.status),
        (200, 200)
    );

    // A socket from before the reloads and one from between them share their group.
    member.send_text("1").await;
    assert_eq!(member.frame().await.json()["message"], 1);
    assert_eq!(listener.frame().await.json()["message"], 1);

    stop.store(true, Ordering::SeqCst);
    let mut total = 0;
    for client in clients {
        total += client.await.expect("no socket was dropped");
    }
    assert!(
        total - before >= SOCKETS,
        "there was traffic during the reloads: {before} before, {total} in all"
    );
    assert_eq!(site.stop(), Some(0));
}

#[tokio::test]
async fn what_takes_effect_at_a_start_only_is_told() {
    let folder = Folder::with(SITE);
    let site = start(&folder);
    folder.write("solent.toml", &format!("{SITE}\n[limits]\nheader_time = \"9s\"\n"));
    site.signal("HUP");
    eventually_async("it is told", 3 * PATIENCE, async || {
        log(&folder).contains("changes of limits take effect at the next start")
    })
    .await;
    assert_eq!(get(site.address, "/old/", "").await.0.status, 200);
}

#[tokio::test]
async fn l1_with_debug_on_a_changed_file_is_read_by_itself() {
    let site_file = SITE.replace("debug = false", "debug = true");
    let folder = Folder::with(&site_file);
    let site = start(&folder);
    folder.write("solent.toml", &format!("{site_file}{MORE}"));
    eventually_async("the new route is live", 3 * PATIENCE, async || {
        get(site.address, "/new/", "").await.0.status == 200
    })
    .await;
}
