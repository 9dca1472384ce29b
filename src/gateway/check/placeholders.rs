//! Texts with placeholders, such as groups' names, and conditions that ask a server behind.

use super::Checked;
use super::patterns::Captures;
use crate::gateway::group_template::GroupTemplate;
use crate::gateway::path_template::PathTemplate;
use crate::gateway::placeholders::{Mistake, Piece};
use crate::gateway::problem::Problem;
use crate::gateway::reader::{nearest, one_of};
use crate::gateway::setting::Placed;
use crate::gateway::settings::{Allow, AllowHttp};

impl Checked<'_> {
    /// A group's name and what is put into it.
    pub(super) fn group(&mut self, group: &Placed<String>, captured: &Captures, has_users: bool) {
        match GroupTemplate::parse(group) {
            Ok(template) => self.pieces(group, template.pieces(), captured, has_users, "a group"),
            Err(mistake) => {
                self.mistake(group, mistake, "a name such as \"chat_{course_id}\" or \"user_{user.id}\"");
            }
        }
    }

    /// A route's further condition.
    pub(super) fn allow(&mut self, allow: &Allow, captured: &Captures, has_users: bool) {
        if let Some(sql) = &allow.sql {
            self.sql(sql, captured);
        }
        if let Some(http) = &allow.http {
            self.allow_http(http, captured, has_users);
        }
        let is_empty = allow.sql.is_none() && allow.http.is_none();
        // What could not be read has been reported.
        if is_empty && !["sql", "http"].iter().any(|key| self.document.has(&allow.span, key)) {
            let problem = Problem::new(allow.span.clone(), "a condition that asks nobody");
            self.report(
                problem.expecting("allow.sql = \"SELECT …\" or allow.http = { upstream = …, path = … }"),
            );
        }
    }

    fn allow_http(&mut self, http: &AllowHttp, captured: &Captures, has_users: bool) {
        match PathTemplate::parse(&http.path) {
            Ok(template) => self.pieces(&http.path, template.pieces(), captured, has_users, "a path"),
            Err(mistake) => self.mistake(&http.path, mistake, "a path such as \"/may-chat/{course_id}/\""),
        }
    }

    fn mistake(&mut self, text: &Placed<String>, mistake: Mistake, expected: &str) {
        let span = self.document.place_in(&text.span, text, mistake.at, 1);
        self.report(Problem::new(span, mistake.what).expecting(expected));
    }

    fn pieces(
        &mut self,
        text: &Placed<String>,
        pieces: &[Piece],
        captured: &Captures,
        has_users: bool,
        what: &str,
    ) {
        for piece in pieces {
            if let Piece::Capture(name) = piece
                && !captured.contains(name)
            {
                let known: Vec<&str> = captured.iter().chain(["user.id", "user.username"]).collect();
                let problem = Problem::new(text.span.clone(), format!("the route captures no {name:?}"))
                    .expecting(one_of(&known))
                    .nearest(nearest(name, &known));
                self.report(problem);
            }
        }
        if pieces.iter().any(Piece::needs_user) && !has_users {
            let problem =
                Problem::new(text.span.clone(), format!("{what} of a user, open to visitors who are nobody"));
            self.report(problem.expecting("login_required = true, or bearer = \"required\", beside it"));
        }
    }
}
