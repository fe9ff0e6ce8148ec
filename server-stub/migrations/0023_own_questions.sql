-- Questions that users have written themselves, with the hash of the answer: only an operator asks them.
CREATE TABLE own_questions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    text TEXT NOT NULL,
    hash TEXT NOT NULL,
    norm_version BIGINT NOT NULL,
    set_at BIGINT NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX own_questions_by_user ON own_questions (user_id);
