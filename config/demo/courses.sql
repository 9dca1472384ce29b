-- The course chat site's tables, under the names that Django would give them, for SQLite and PostgreSQL alike.
-- Tables that are there already, Django's own among them, stay as they are.

CREATE TABLE IF NOT EXISTS courses_course (
    id integer NOT NULL PRIMARY KEY,
    title varchar(200) NOT NULL,
    slug varchar(200) NOT NULL UNIQUE,
    overview text NOT NULL
);

CREATE TABLE IF NOT EXISTS courses_course_students (
    course_id integer NOT NULL REFERENCES courses_course (id),
    user_id integer NOT NULL REFERENCES auth_user (id),
    PRIMARY KEY (course_id, user_id)
);

CREATE INDEX IF NOT EXISTS courses_course_students_user_id ON courses_course_students (user_id);
