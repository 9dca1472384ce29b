//! Open sockets follow their user: out of the session, out of the account, out of the course.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use solent::layers::{ChannelLayer, Delivery, GroupName, MailboxOptions, MemoryChannelLayer};

use crate::raw::Raw;
use crate::site::{CONNECTING, MAY_ACCEPT, Plan, Site, Watch, set_password};

/// So often that a test need not wait.
const OFTEN: Duration = Duration::from_millis(20);

/// So seldom that a test never sees it.
const NEVER: Duration = Duration::from_secs(3600);

fn plan(interval: Duration) -> Plan {
    Plan { interval, ..Plan::default() }
}

async fn open(site: &Site, path: &str, cookie: &str) -> Raw {
    let mut socket = site.socket(path, cookie).await;
    socket.text().await;
    socket
}

/// Whether a socket still answers.
async fn lives(socket: &mut Raw) {
    socket.send_text("?").await;
    socket.text().await;
}

/// Two processes on one database, which hear of each other over one layer, or over two that meet in Redis.
async fn a_logout_is_heard_in_both_processes(one: Arc<dyn ChannelLayer>, other: Arc<dyn ChannelLayer>) {
    let here = Site::with(Plan { layer: Some(one), ..plan(NEVER) }).await;
    let there = Site::on(here.database.clone(), Plan { layer: Some(other), ..plan(NEVER) }).await;
    let (alice, again, carol) =
        (here.alice().await, here.alice().await, here.login("carol", "singer-3").await);
    let mut sockets = [
        open(&here, "/ws/whoami/", &alice).await,
        open(&here, "/ws/whoami/", &alice).await,
        open(&there, "/ws/whoami/", &alice).await,
    ];
    let mut others = [open(&here, "/ws/whoami/", &again).await, open(&there, "/ws/whoami/", &carol).await];
    here.post("/logout/", &alice, "").await;
    for socket in &mut sockets {
        assert_eq!(socket.frame().await.close_code(), 4401);
    }
    for socket in &mut others {
        lives(socket).await;
    }
}

#[tokio::test]
async fn a_logout_closes_the_sessions_sockets_at_once_in_every_process() {
    let layer: Arc<dyn ChannelLayer> = Arc::new(MemoryChannelLayer::new());
    a_logout_is_heard_in_both_processes(Arc::clone(&layer), layer).await;
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_logout_closes_them_over_either_layer_on_redis() {
    use solent::layers::redis::{Host, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
    let redis = crate::redis_server::RedisServer::start();
    let mut settings = RedisSettings::default();
    settings.hosts = vec![Host::parse(&redis.url()).unwrap()];
    let pubsub = || Arc::new(RedisPubSubChannelLayer::new(settings.clone()).unwrap());
    a_logout_is_heard_in_both_processes(pubsub(), pubsub()).await;
    let core = || Arc::new(RedisChannelLayer::new(settings.clone()).unwrap());
    a_logout_is_heard_in_both_processes(core(), core()).await;
}

#[tokio::test]
async fn what_processes_tell_each_other_holds_no_sessions_key() {
    let layer: Arc<dyn ChannelLayer> = Arc::new(MemoryChannelLayer::new());
    let site = Site::with(Plan { layer: Some(Arc::clone(&layer)), ..plan(NEVER) }).await;
    let mut ear = layer.new_channel("specific", MailboxOptions::default()).await.unwrap();
    layer.group_add(&GroupName::new("solent.sessions").unwrap(), &ear).await.unwrap();
    let alice = site.alice().await;
    site.post("/logout/", &alice, "").await;
    let Delivery::Event(event) = ear.recv().await else { panic!("expected an event") };
    let told = String::from_utf8(event.json().unwrap().to_vec()).unwrap();
    assert!(told.contains("solent.sessions.ended"), "{told}");
    assert!(!told.contains(alice.strip_prefix("sessionid=").unwrap()), "{told}");
}

#[tokio::test]
async fn without_a_channel_layer_one_process_still_follows() {
    let site = Site::with(Plan { layer: None, ..plan(NEVER) }).await;
    let alice = site.alice().await;
    let mut socket = open(&site, "/ws/whoami/", &alice).await;
    site.post("/logout/", &alice, "").await;
    assert_eq!(socket.frame().await.close_code(), 4401);
}

#[tokio::test]
async fn a_consumer_that_logs_out_closes_its_own_socket() {
    let site = Site::with(plan(NEVER)).await;
    let alice = site.alice().await;
    let mut socket = site.socket("/ws/logout/", &alice).await;
    socket.send_text("out").await;
    assert_eq!(socket.frame().await.close_code(), 4401);
    assert_eq!(site.get("/whoami/", &alice).await.1, "nobody");
}

#[tokio::test]
async fn a_login_in_a_consumer_is_followed_too() {
    let site = Site::with(plan(NEVER)).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(crate::raw::handshake("/ws/login/?username=alice&password=wonderland-1", "")).await;
    let cookie = crate::site::cookie_of(&raw.head().await);
    assert_eq!(raw.text().await, "alice");
    site.post("/logout/", &cookie, "").await;
    assert_eq!(raw.frame().await.close_code(), 4401);
}

#[tokio::test]
async fn a_session_that_ends_while_its_socket_opens_closes_it() {
    let site = Site::with(plan(NEVER)).await;
    let alice = site.alice().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(crate::raw::handshake("/ws/slow/", &crate::site::cookie_line(&alice))).await;
    CONNECTING.notified().await;
    site.post("/logout/", &alice, "").await;
    MAY_ACCEPT.notify_one();
    assert_eq!(raw.head().await.status, 101);
    assert_eq!(raw.frame().await.close_code(), 4401);
}

#[tokio::test]
async fn what_django_changes_is_noticed_within_the_interval() {
    let changes = [
        "DELETE FROM django_session",
        "UPDATE django_session SET expire_date = '2020-01-01 00:00:00'",
        "UPDATE auth_user SET is_active = 0 WHERE username = 'alice'",
        "DELETE FROM auth_user WHERE username = 'alice'",
    ];
    for change in changes {
        let site = Site::with(plan(OFTEN)).await;
        let mut socket = open(&site, "/ws/whoami/", &site.alice().await).await;
        site.database.execute(change, &[]).await.unwrap();
        assert_eq!(socket.frame().await.close_code(), 4401, "{change}");
    }
    let site = Site::with(plan(OFTEN)).await;
    let mut socket = open(&site, "/ws/whoami/", &site.alice().await).await;
    set_password(&site, "alice", "new").await;
    assert_eq!(socket.frame().await.close_code(), 4401);
}

#[tokio::test]
async fn a_password_changed_here_closes_the_users_sockets_at_once() {
    let site = Site::with(plan(NEVER)).await;
    let (alice, carol) = (site.alice().await, site.login("carol", "singer-3").await);
    let mut hers = open(&site, "/ws/whoami/", &alice).await;
    let mut other = open(&site, "/ws/whoami/", &carol).await;
    let user = site.auth.authenticate("alice", "wonderland-1").await.unwrap().unwrap();
    let mut scope = solent::Scope::new(solent::Protocol::HTTP, "/");
    site.auth.change_password(&mut scope, &user, "new-password").await.unwrap();
    assert_eq!(hers.frame().await.close_code(), 4401);
    lives(&mut other).await;
    assert_eq!(site.get("/whoami/", &alice).await.1, "nobody");
    assert!(site.auth.authenticate("alice", "new-password").await.unwrap().is_some());
}

#[tokio::test]
async fn what_becomes_of_a_user_in_one_process_is_known_at_once_in_every_other() {
    let layer: Arc<dyn ChannelLayer> = Arc::new(MemoryChannelLayer::new());
    let here = Site::with(Plan { layer: Some(Arc::clone(&layer)), ..plan(NEVER) }).await;
    let there = Site::on(here.database.clone(), Plan { layer: Some(layer), ..plan(NEVER) }).await;
    let carol = here.login("carol", "singer-3").await;
    let mut other = open(&there, "/ws/whoami/", &carol).await;
    let user = here.auth.authenticate("alice", "wonderland-1").await.unwrap().unwrap();

    let mut hers = open(&there, "/ws/whoami/", &here.alice().await).await;
    here.auth.close_sockets(here.running.env(), &user).await;
    assert_eq!(hers.frame().await.close_code(), 4401);

    let mut hers = open(&there, "/ws/whoami/", &here.alice().await).await;
    let mut scope = solent::Scope::new(solent::Protocol::HTTP, "/");
    scope.env = here.running.env().clone();
    here.auth.change_password(&mut scope, &user, "new-password").await.unwrap();
    assert_eq!(hers.frame().await.close_code(), 4401);
    lives(&mut other).await;
}

#[tokio::test]
async fn tables_that_are_away_close_nobody() {
    for table in ["enrolled", "auth_user"] {
        let watch = Arc::new(Watch::default());
        let site = Site::with(Plan { watched: Some(Arc::clone(&watch)), ..plan(OFTEN) }).await;
        let mut course = open(&site, "/ws/course/1/", &site.alice().await).await;
        site.database.execute(&format!("ALTER TABLE {table} RENAME TO away"), &[]).await.unwrap();
        watch.comparisons(3).await;
        lives(&mut course).await;
        site.database.execute(&format!("ALTER TABLE away RENAME TO {table}"), &[]).await.unwrap();
        site.database.execute("DELETE FROM enrolled", &[]).await.unwrap();
        assert_eq!(course.frame().await.close_code(), 4403, "{table}");
    }
}

#[tokio::test]
async fn a_withdrawn_permission_closes_the_routes_sockets_alone() {
    let site = Site::with(plan(OFTEN)).await;
    let alice = site.alice().await;
    let mut course = open(&site, "/ws/course/1/", &alice).await;
    let mut elsewhere = open(&site, "/ws/whoami/", &alice).await;
    site.database.execute("DELETE FROM enrolled", &[]).await.unwrap();
    assert_eq!(course.frame().await.close_code(), 4403);
    lives(&mut elsewhere).await;
}

#[tokio::test]
async fn a_store_that_is_away_closes_nobody() {
    let watch = Arc::new(Watch::default());
    let site = Site::with(Plan { watched: Some(Arc::clone(&watch)), ..plan(OFTEN) }).await;
    let alice = site.alice().await;
    let mut socket = open(&site, "/ws/whoami/", &alice).await;
    watch.is_away.store(true, Ordering::SeqCst);
    watch.comparisons(3).await;
    lives(&mut socket).await;
    let (head, _) = site.get("/whoami/", &alice).await;
    assert_eq!(head.status, 503);
    assert_eq!(site.handshake("/ws/whoami/", &alice).await.status, 503);

    watch.is_away.store(false, Ordering::SeqCst);
    assert_eq!(site.get("/whoami/", &alice).await.1, "alice");
    watch.comparisons(2).await;
    lives(&mut socket).await;
    site.database.execute("DELETE FROM django_session", &[]).await.unwrap();
    assert_eq!(socket.frame().await.close_code(), 4401);
}

#[tokio::test]
async fn many_sockets_are_compared_with_one_question() {
    let watch = Arc::new(Watch::default());
    let site =
        Site::with(Plan { watched: Some(Arc::clone(&watch)), ..plan(Duration::from_millis(200)) }).await;
    let mut sockets = Vec::new();
    for _ in 0..40 {
        sockets.push(open(&site, "/ws/course/1/", &site.alice().await).await);
    }
    watch.comparisons(2).await;
    let compared = watch.compared.lock().unwrap().clone();
    assert_eq!(compared.last(), Some(&40), "{compared:?}");
    for socket in &mut sockets {
        lives(socket).await;
    }
}

#[tokio::test]
async fn a_closed_socket_is_forgotten() {
    let watch = Arc::new(Watch::default());
    let site = Site::with(Plan { watched: Some(Arc::clone(&watch)), ..plan(OFTEN) }).await;
    let alice = site.alice().await;
    let mut stays = open(&site, "/ws/whoami/", &alice).await;
    let mut leaves = open(&site, "/ws/whoami/", &site.alice().await).await;
    leaves.send(crate::raw::close(1000, "")).await;
    leaves.frame().await;
    assert!(leaves.ended().await);
    let only_one = || watch.compared.lock().unwrap().last() == Some(&1);
    crate::waiting::eventually("only one socket is followed", only_one).await;
    lives(&mut stays).await;
}
