//! The site as an application: its routes, and what stands around them.

mod accounts;
mod blocking_consumer;
mod consumer;
mod courses;
mod demo;
mod settings;
mod wire;

use solent::auth::{
    Auth, AuthSettings, Database, DatabaseOptions, DatabaseSessions, DatabaseUsers, Passwords, SecretKeys,
};
use solent::consumer::{blocking, consumer};
use solent::http::{BoxedHttp, CsrfLayer, StaticFiles, Templates, TemplatesLayer, get, post, with_state};
use solent::middleware::{
    AllowedHosts, AllowedHostsLayer, AuthStack, LocalOnlyLayer, LoginRequiredLayer, PermissionLayer,
    SecurityHeadersLayer, SessionLayer, allowed_hosts_origin_validator, auth_stack, never_cache,
};
use solent::routing::{BoxedApplication, ProtocolTypeRouter, UrlRouter, ViewRouter, include, path, re_path};
use tower::Layer;

use self::blocking_consumer::BlockingChatConsumer;
use self::consumer::ChatConsumer;

pub use self::settings::{Handlers, Settings};

/// Where anonymous visitors are led.
const LOGIN_URL: &str = "/accounts/login/";

/// What the pages may load: everything comes from the site itself, and nothing stands inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The site with its database open.
#[derive(Debug, Clone)]
pub struct Site {
    settings: Settings,
    database: Database,
    keys: SecretKeys,
    auth: Auth,
    has_demo_accounts: bool,
}

impl Site {
    /// Opens the database, creates what is missing, and refuses what would not be safe.
    pub async fn open(settings: Settings) -> solent::Result<Self> {
        settings.check_key()?;
        let database = Database::connect(&settings.database, DatabaseOptions::default()).await?;
        database.migrate().await?;
        demo::create_tables(&database).await?;
        let keys = SecretKeys::new(settings.secret_key.as_str());
        let auth = Auth::new(DatabaseUsers::new(database.clone()), keys.clone(), auth_settings(&settings));
        if settings.debug {
            demo::fill_if_new(&database, auth.passwords()).await?;
        }
        let has_demo_accounts = demo::is_present(&database).await?;
        if has_demo_accounts {
            settings.check_demo()?;
        }
        Ok(Self { settings, database, keys, auth, has_demo_accounts })
    }

    /// The whole application.
    pub fn application(&self) -> solent::Result<ProtocolTypeRouter> {
        Ok(ProtocolTypeRouter::new().http(self.http()?).websocket(self.websocket()?))
    }

    fn hosts(&self) -> AllowedHosts {
        AllowedHosts::new(&self.settings.allowed_hosts)
    }

    /// Cookies, session and user, for views and sockets alike.
    fn stack(&self) -> AuthStack {
        let sessions = DatabaseSessions::new(self.database.clone(), self.keys.clone());
        auth_stack(SessionLayer::new(sessions), self.auth.clone())
    }

    fn http(&self) -> solent::Result<BoxedHttp> {
        let pages = TemplatesLayer::new(Templates::folder(&self.settings.templates));
        let headers = SecurityHeadersLayer::new().content_security_policy(POLICY)?;
        let site = self.stack().layer(CsrfLayer::new().layer(pages.layer(self.views()?)));
        // Files are the same for everybody: no session is looked up for them.
        let files = StaticFiles::folder(self.settings.templates.join("static"));
        let inner = ViewRouter::new([include("static/", files), include("", site)])?;
        let inner = AllowedHostsLayer::new(self.hosts()).layer(inner);
        let inner = if self.has_demo_accounts {
            BoxedHttp::new(LocalOnlyLayer::new(BECAUSE).layer(inner))
        } else {
            BoxedHttp::new(inner)
        };
        // The outer pages are for what is refused before anything is known of the user.
        Ok(BoxedHttp::new(headers.layer(pages.layer(inner))))
    }

    fn views(&self) -> solent::Result<ViewRouter> {
        let database = &self.database;
        let login_required = LoginRequiredLayer::new(LOGIN_URL);
        let enrolled = PermissionLayer::new(courses::enrolled(database));
        Ok(ViewRouter::new([
            path("", get(courses::start)),
            path("accounts/login/", get(accounts::login_page).post(accounts::log_in)).name("login"),
            path("accounts/logout/", post(accounts::log_out)).name("logout"),
            path("accounts/password_change/", get(accounts::password_page).post(accounts::new_password))
                .name("password_change")
                .layer(login_required.clone()),
            path("courses/", get(with_state(database.clone(), courses::list)))
                .name("courses:list")
                .layer(login_required.clone()),
            path("courses/<int:course_id>/", get(with_state(database.clone(), courses::detail)))
                .name("courses:detail")
                .layer(enrolled.clone())
                .layer(login_required.clone()),
            path("chat/room/<int:course_id>/", get(with_state(database.clone(), courses::room)))
                .name("chat:room")
                .layer(never_cache())
                .layer(enrolled)
                .layer(login_required),
        ])?)
    }

    fn websocket(&self) -> solent::Result<BoxedApplication> {
        let enrolled = PermissionLayer::new(courses::enrolled(&self.database));
        let room = match self.settings.handlers {
            Handlers::Async => BoxedApplication::new(consumer::<ChatConsumer>()),
            Handlers::Blocking => BoxedApplication::new(blocking::consumer::<BlockingChatConsumer>()),
        };
        let sockets = UrlRouter::new([
            re_path(r"^ws/chat/room/(?P<course_id>\d+)/$", enrolled.layer(room)).name("chat:socket")
        ])?;
        let origins = allowed_hosts_origin_validator(&self.hosts());
        let inner = origins.layer(self.stack().layer(sockets));
        Ok(if self.has_demo_accounts {
            BoxedApplication::new(LocalOnlyLayer::new(BECAUSE).layer(inner))
        } else {
            BoxedApplication::new(inner)
        })
    }
}

const BECAUSE: &str = "it has demo accounts, whose passwords everyone knows";

fn auth_settings(settings: &Settings) -> AuthSettings {
    let mut auth = AuthSettings::default();
    if let Some(hasher) = settings.hasher {
        auth.passwords = Passwords::new(hasher);
    }
    auth
}
