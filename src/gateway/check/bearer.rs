//! Tokens: that there are some where a route takes them, and that their keys are keys.

use super::Checked;
use crate::gateway::document::Span;
use crate::gateway::problem::Problem;
use crate::gateway::settings::{BearerUsers, Bearing, JwtTable};

impl Checked<'_> {
    pub(super) fn bearer(&mut self) {
        let settings = self.settings;
        let Some(bearer) = &settings.auth.bearer else { return };
        // What could not be read has been reported.
        let names = |key| self.document.has(&bearer.span, key);
        if !names("signed") && !names("jwt") {
            let problem = Problem::new(bearer.span.clone(), "bearer tokens of no kind");
            self.report(problem.expecting("signed = {} or jwt = { keys = [ … ] }"));
        }
        if let Some(signed) = &bearer.signed
            && settings.secret_key.is_none()
            && !self.document.has(&(0..0), "secret_key")
        {
            let problem = Problem::new(signed.span.clone(), "signed tokens without a secret key");
            self.report(problem.expecting("secret_key = \"${SOLENT_SECRET_KEY}\""));
        }
        if let Some(jwt) = &bearer.jwt {
            self.jwt(jwt);
        }
        if let Some(users) = bearer.users.as_ref().filter(|users| users.value == BearerUsers::Database) {
            self.needs_users(&users.span, "tokens of users");
        }
    }

    fn jwt(&mut self, jwt: &JwtTable) {
        if jwt.keys.is_empty() {
            let problem = Problem::new(jwt.span.clone(), "JWTs without a key that verifies them");
            self.report(
                problem
                    .expecting("keys = [{ algorithm = \"RS256\", verifying_key = \"file:login.pub.pem\" }]"),
            );
        }
        for key in &jwt.keys {
            if let Err(error) = key.key() {
                let problem = Problem::new(key.verifying_key.span.clone(), "this is no such key");
                self.report(problem.expecting(error.to_string().trim_start_matches("expected ")));
            }
        }
    }

    /// A route's `bearer`.
    pub(super) fn bearing(&mut self, route: &Span, bearing: Bearing) {
        if bearing == Bearing::Off || self.document.has_in("auth", "bearer") {
            return;
        }
        let problem = Problem::new(
            self.document.place_of(route, "bearer"),
            "a route for bearer tokens, of which the file says nothing",
        );
        self.report(problem.expecting("a table [auth.bearer] with signed = {} or jwt = { keys = [ … ] }"));
    }
}
