//! `config/production.toml` has every key with its default, and starts.
//!
//! With `SOLENT_TEST_WRITE=1` the file is written anew from the code's schema; what has changed is to be read in the diff.

use solent::gateway::{Inside, Key, Settings};

use super::binary::{Folder, Site, project, solent, stderr_of};
use super::redis::RedisServer;

const FILE: &str = "config/production.toml";

const HEAD: &str = r##"# Every key of a Solent site, with its default. A key that is commented out holds the value that it shows; those without a
# default show an example. What is not commented out is a site in front of a Django that was there before: it is started
# with its environment set.
#
#   SOLENT_SECRET_KEY       Django's SECRET_KEY
#   SOLENT_HOST             the name of the site, such as example.com
#   SOLENT_DATABASE_URL     Django's database: postgres://user:password@host/name, or sqlite: and a path
#   SOLENT_REDIS_URL        the Redis of Django's CHANNEL_LAYERS
#   SOLENT_UPSTREAM         where Django answers: http://host:port, or unix: and a path
#
# ${NAME} and ${NAME:-default} are taken from the environment, in strings only; $${ stands for ${ itself. A secret may also
# come from a file: "file:/run/secrets/key". Relative paths are relative to this file's folder. Times: "500ms", "10s",
# "1h30m". Sizes: "64KiB", "1MB". `solent check` tells everything that is wrong; `solent config show` what is in force.
"##;

/// The routes at the end of the file.
const ROUTES: &str = r#"
# ---- this site's routes

[[http]]
path = ""                                          # everything goes to the site that is there already
proxy = "${SOLENT_UPSTREAM:-http://127.0.0.1:9000}"

[[websocket]]
path = "ws/notifications/"                         # group_send("user_7", …) in Django reaches user 7
consumer = "listen"
group = "user_{user.id}"
login_required = true
"#;

/// What the file sets.
const SET: [(&str, &str); 6] = [
    ("secret_key", r#""${SOLENT_SECRET_KEY}""#),
    ("allowed_hosts", r#"["${SOLENT_HOST}"]"#),
    ("server.bind", r#"["${SOLENT_BIND:-127.0.0.1:8000}"]"#),
    ("database.url", r#""${SOLENT_DATABASE_URL}""#),
    ("channel_layers.default.backend", r#""redis-pubsub""#),
    ("channel_layers.default.hosts", r#"["${SOLENT_REDIS_URL:-redis://127.0.0.1:6379/0}"]"#),
];

/// Examples for keys that have no default.
const EXAMPLES: [(&str, &str); 57] = [
    ("allowed_origins", r#"["https://example.com"]"#),
    ("content_security_policy", r#""default-src 'self'""#),
    ("server.tls.cert", r#""/etc/ssl/example.com/fullchain.pem""#),
    ("server.tls.key", r#""/etc/ssl/example.com/privkey.pem""#),
    ("database.demo.data", r#""demo/data.sql""#),
    ("channel_layers.default.sentinel.master", r#""solent""#),
    ("channel_layers.default.sentinel.hosts", r#"["redis://127.0.0.1:26379"]"#),
    ("cache.page_time", r#""10m""#),
    ("session.backend", r#""db""#),
    ("session.cookie_secure", "true"),
    ("session.cookie_domain", r#""example.com""#),
    ("session.cache.url", r#""redis://127.0.0.1:6379/1""#),
    ("auth.bearer.users", r#""database""#),
    ("auth.bearer.jwt.keys.algorithm", r#""RS256""#),
    ("auth.bearer.jwt.keys.verifying_key", r#""file:/etc/solent/login.pub.pem""#),
    ("auth.bearer.jwt.keys.id", r#""2026-11""#),
    ("auth.bearer.jwt.audience", r#""chat""#),
    ("auth.bearer.jwt.issuer", r#""https://login.example.com""#),
    ("templates.dir", r#""../templates""#),
    ("static.dir", r#""../static""#),
    ("limits.connections", "10000"),
    ("limits.connections_per_address", "100"),
    ("proxy.ca", r#""/etc/ssl/own-ca.pem""#),
    ("proxy.health_path", r#""/healthz""#),
    ("log.otlp", r#""http://127.0.0.1:4318""#),
    ("admin.bind", r#""127.0.0.1:9100""#),
    ("http.path", r#""courses/<int:course_id>/""#),
    ("http.re_path", r"'^courses/(?P<course_id>\d+)/$'"),
    ("http.name", r#""courses:detail""#),
    ("http.template", r#""courses/detail.html""#),
    ("http.redirect.url", r#""/courses/""#),
    ("http.redirect.name", r#""courses:list""#),
    ("http.static", r#""../files""#),
    ("http.proxy", r#""http://127.0.0.1:9000""#),
    ("http.logout.next", r#""/""#),
    ("http.events.groups", r#"["user_{user.id}"]"#),
    ("http.cache", r#""60s""#),
    ("http.allow.sql", r#""SELECT 1 FROM staff WHERE user_id = :user_id""#),
    ("http.allow.http.upstream", r#""http://127.0.0.1:9000""#),
    ("http.allow.http.path", r#""/may-read/{course_id}/""#),
    ("http.query.NAME.sql", r#""SELECT id, title FROM courses_course WHERE id = :course_id""#),
    ("http.query.NAME.otherwise", "404"),
    ("websocket.path", r#""ws/room/<int:room>/""#),
    ("websocket.re_path", r"'^ws/room/(?P<room>\d+)/$'"),
    ("websocket.name", r#""chat:socket""#),
    ("websocket.consumer", r#""chat""#),
    ("websocket.channel", r#""rooms""#),
    ("websocket.group", r#""room_{room}""#),
    ("websocket.upstream", r#""http://127.0.0.1:9000""#),
    ("websocket.max_message_size", r#""64KiB""#),
    ("websocket.rate.connection", r#""20/s""#),
    ("websocket.rate.user", r#""50/s""#),
    ("websocket.connections_per_user", "10"),
    ("websocket.connections_per_address", "100"),
    ("websocket.allow.sql", r#""SELECT 1 FROM members WHERE user_id = :user_id AND room_id = :room""#),
    ("websocket.allow.http.upstream", r#""http://127.0.0.1:9000""#),
    ("websocket.allow.http.path", r#""/may-chat/{room}/""#),
];

/// The reference in the making.
#[derive(Default)]
struct File(String);

impl File {
    fn prose(&mut self, text: &str) {
        let mut line = String::new();
        for word in text.split_whitespace() {
            if line.chars().count() + word.chars().count() > 116 {
                self.0.push_str(&format!("#{line}\n"));
                line.clear();
            }
            line.push(' ');
            line.push_str(word);
        }
        self.0.push_str(&format!("#{line}\n"));
    }

    /// A key: as it is set, or commented out with its default or an example.
    fn key(&mut self, place: &str, written: &str, key: &Key) {
        self.0.push('\n');
        self.prose(key.doc);
        let find = |table: &[(&str, &'static str)]| {
            table.iter().find(|(name, _)| *name == place).map(|(_, value)| *value)
        };
        match (find(&SET), &key.default, find(&EXAMPLES)) {
            (Some(value), _, _) => {
                if let Some(default) = key.default.as_ref().filter(|default| *default != "[]") {
                    self.prose(&format!("Default: {default}"));
                }
                self.0.push_str(&format!("{written} = {value}\n"));
            }
            (None, Some(default), None) => self.0.push_str(&format!("#{written} = {default}\n")),
            (None, None, Some(example)) => self.0.push_str(&format!("#{written} = {example}\n")),
            (None, Some(_), Some(_)) => panic!("{place} has a default and an example"),
            (None, None, None) => panic!("{place} has no default: it needs an example in this test"),
        }
    }

    /// The keys of a table, those of tables inside of it dotted.
    fn keys(&mut self, place: &str, written: &str, keys: &[Key]) {
        for key in keys {
            let (place, written) = (format!("{place}.{}", key.name), format!("{written}{}", key.name));
            match &key.inside {
                Inside::Value => self.key(&place, &written, key),
                Inside::Section(inner) => {
                    self.0.push('\n');
                    self.prose(key.doc);
                    self.keys(&place, &format!("{written}."), inner);
                }
                Inside::List(inner) => self.tables(&place, &written, key, inner),
                Inside::Named(inner) => {
                    self.0.push('\n');
                    self.prose(key.doc);
                    self.keys(&format!("{place}.NAME"), &format!("{written}.NAME."), inner);
                }
                other => panic!("{place} is of a kind that this test does not know: {other:?}"),
            }
        }
    }

    /// A list of tables inside of a table: what each key of theirs is for, and one of them.
    fn tables(&mut self, place: &str, written: &str, key: &Key, inner: &[Key]) {
        self.0.push('\n');
        self.prose(key.doc);
        let mut pairs = Vec::new();
        for key in inner {
            self.prose(&format!("`{}`: {}", key.name, key.doc));
            let place = format!("{place}.{}", key.name);
            let example = EXAMPLES.iter().find(|(name, _)| *name == place);
            let (_, example) = example.unwrap_or_else(|| panic!("{place} needs an example in this test"));
            pairs.push(format!("{} = {example}", key.name));
        }
        self.0.push_str(&format!("#{written} = [{{ {} }}]\n", pairs.join(", ")));
    }

    fn heading(&mut self, key: &Key, heading: &str) {
        self.0.push_str("\n# ----\n");
        self.prose(key.doc);
        self.0.push_str(&format!("\n{heading}\n"));
    }
}

fn rendered() -> String {
    let mut file = File(HEAD.to_owned());
    let reference = Settings::reference();
    for key in reference.iter().filter(|key| matches!(key.inside, Inside::Value)) {
        file.key(key.name, key.name, key);
    }
    for key in &reference {
        let name = key.name;
        match &key.inside {
            Inside::Section(keys) => {
                file.heading(key, &format!("[{name}]"));
                file.keys(name, "", keys);
            }
            Inside::Named(keys) => {
                file.heading(key, &format!("[{name}.default]"));
                file.keys(&format!("{name}.default"), "", keys);
            }
            Inside::List(keys) => {
                file.heading(key, &format!("#[[{name}]]"));
                file.keys(name, "", keys);
            }
            _ => {}
        }
    }
    file.0 + ROUTES
}

/// Other crates cannot name every field of `Limits`, nor can the gateway; so what a limit prints as is compared with the keys.
#[test]
fn l2_every_limit_is_a_key_of_the_file() {
    let limits = format!("{:#?}", solent::Limits::default());
    // The fields of the struct itself stand one step in.
    let fields = limits
        .lines()
        .filter_map(|line| line.strip_prefix("    ").filter(|rest| !rest.starts_with([' ', '}', ')'])));
    let mut fields: Vec<&str> = fields.filter_map(|line| Some(line.split_once(':')?.0)).collect();
    let reference = Settings::reference();
    let table = reference.iter().find(|key| key.name == "limits").unwrap();
    let Inside::Section(keys) = &table.inside else { panic!("[limits] is no table") };
    let mut keys: Vec<&str> = keys.iter().map(|key| key.name).collect();
    fields.sort_unstable();
    keys.sort_unstable();
    assert_eq!(fields, keys);
}

#[test]
fn production_has_every_key_with_its_default_as_the_code_has_them() {
    let rendered = rendered();
    if std::env::var_os("SOLENT_TEST_WRITE").is_some() {
        std::fs::write(project().join(FILE), &rendered).unwrap();
    }
    let file = std::fs::read_to_string(project().join(FILE)).unwrap();
    for (at, (file, code)) in file.lines().zip(rendered.lines()).enumerate() {
        assert_eq!(file, code, "line {} of {FILE}; SOLENT_TEST_WRITE=1 writes it anew", at + 1);
    }
    assert_eq!(file.lines().count(), rendered.lines().count());
    let used =
        |name: &str| name.rsplit('.').next().is_some_and(|key| rendered.contains(&format!("{key} = ")));
    assert!(EXAMPLES.iter().chain(&SET).all(|(name, _)| used(name)));
}

#[test]
fn production_checks_and_starts_with_its_environment_set() {
    let redis = RedisServer::start();
    let folder = Folder::with("");
    let production = || {
        let mut command = solent();
        command
            .env("SOLENT_SECRET_KEY", "a key that nobody knows, of more than 32 bytes")
            .env("SOLENT_HOST", "example.com")
            .env("SOLENT_BIND", "127.0.0.1:0")
            .env("SOLENT_DATABASE_URL", format!("sqlite:{}", folder.path("site.db").display()))
            .env("SOLENT_REDIS_URL", redis.url())
            .args(["--config", FILE]);
        command
    };
    let checked = production().arg("check").output().unwrap();
    assert!(checked.status.success(), "{}", stderr_of(&checked));
    let site = Site::start(&mut production());
    assert!(site.banner.contains("server at http://127.0.0.1:"), "{}", site.banner);
    assert_eq!(site.stop(), Some(0));
    let without = solent().args(["check", "--config", FILE]).output().unwrap();
    assert!(stderr_of(&without).contains("SOLENT_SECRET_KEY is not set"), "{}", stderr_of(&without));
}
