//! Courses and who is in them.

use serde_json::json;
use solent::Result;
use solent::auth::{Database, Permission, QueryPermission, Row};
use solent::http::{HttpError, Render, Request, RequestExt, Response, redirect};

const MINE: &str = "SELECT c.id, c.title, c.overview FROM courses_course c \
     JOIN courses_course_students s ON s.course_id = c.id WHERE s.user_id = :user_id ORDER BY c.title";
const ONE: &str = "SELECT id, title, slug, overview FROM courses_course WHERE id = :course_id";
const ENROLLED: &str =
    "SELECT 1 FROM courses_course_students WHERE course_id = :course_id AND user_id = :user_id";

/// Whether a user may use what belongs to the course of the route. A course that is not there has no members.
pub fn enrolled(database: &Database) -> impl Permission {
    QueryPermission::new("enrolled", database.clone(), ENROLLED)
}

pub async fn start(request: Request) -> Result<Response> {
    Ok(redirect(&request.reverse("courses:list", &[])?)?)
}

pub async fn list(database: Database, request: Request) -> Result<Response> {
    let user_id = request.user().id().into();
    let courses = database.rows(MINE, &[("user_id", user_id)]).await?;
    request.render("courses/list.html", json!({ "courses": courses }))
}

pub async fn detail(database: Database, request: Request) -> Result<Response> {
    let course = course(&database, request.kwargs().get("course_id")?).await?;
    request.render("courses/detail.html", json!({ "course": course }))
}

pub async fn room(database: Database, request: Request) -> Result<Response> {
    let course = course(&database, request.kwargs().get("course_id")?).await?;
    request.render("chat/room.html", json!({ "course": course }))
}

async fn course(database: &Database, course_id: i64) -> Result<Row> {
    let found = database.row(ONE, &[("course_id", course_id.into())]).await?;
    Ok(found.ok_or_else(HttpError::not_found)?)
}
