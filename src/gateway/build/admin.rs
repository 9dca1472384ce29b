//! The admin listener of a deployment, and what it asks to know whether the site is ready.

use super::Users;
use super::proxies::Proxies;
use crate::gateway::settings::Settings;
use crate::server::Server;

/// Adds the admin listener, where the file asks for one.
pub(crate) fn with_admin(server: Server, settings: &Settings, users: &Users) -> Server {
    let Some(bind) = &settings.admin.bind else { return server };
    let mut server = server.admin(bind.0.clone());
    if let Some(database) = users.database.clone() {
        server = server.ready_check("database", move || {
            let database = database.clone();
            async move { Ok(database.rows("SELECT 1 AS one", &[]).await.map(drop)?) }
        });
    }
    for (name, proxy) in Proxies::of(settings).iter() {
        let proxy = proxy.clone();
        server = server.ready_check(format!("upstream {name}"), move || {
            let proxy = proxy.clone();
            async move { proxy.check().await }
        });
    }
    server
}
