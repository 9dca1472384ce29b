-- The demo's courses and who is in them. The accounts alice, bob and carol must be there before. Only for debugging.

INSERT INTO courses_course (id, title, slug, overview) VALUES (
    1, 'Rust for Django developers', 'rust-for-django-developers',
    'Ownership, traits and async for people who think in models, views and consumers. We build a chat together and look at every allocation it makes.'
) ON CONFLICT DO NOTHING;

INSERT INTO courses_course (id, title, slug, overview) VALUES (
    2, 'Networks from the wire up', 'networks-from-the-wire-up',
    'Frames, packets, streams and messages: what really travels when two programs talk, byte by byte.'
) ON CONFLICT DO NOTHING;

INSERT INTO courses_course_students (course_id, user_id)
    SELECT 1, id FROM auth_user WHERE username IN ('alice', 'bob') ON CONFLICT DO NOTHING;

INSERT INTO courses_course_students (course_id, user_id)
    SELECT 2, id FROM auth_user WHERE username = 'carol' ON CONFLICT DO NOTHING;
