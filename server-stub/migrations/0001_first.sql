-- The same statements for SQLite and PostgreSQL: TEXT and BIGINT only. Times are UTC milliseconds.
CREATE TABLE users (
    id TEXT PRIMARY KEY, logon TEXT NOT NULL UNIQUE, upn TEXT NOT NULL, cn TEXT NOT NULL, mail TEXT NOT NULL, phone TEXT NOT NULL,
    catalog_state TEXT NOT NULL, password TEXT NOT NULL, failed BIGINT NOT NULL, lock_state BIGINT NOT NULL, draw TEXT NOT NULL
);
CREATE TABLE policies (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE policy_links (
    user_id TEXT NOT NULL REFERENCES users (id), policy_id TEXT NOT NULL REFERENCES policies (id), priority BIGINT NOT NULL,
    PRIMARY KEY (user_id, policy_id)
);
CREATE TABLE questions (
    id TEXT PRIMARY KEY, policy_id TEXT NOT NULL REFERENCES policies (id), text TEXT NOT NULL, min_length BIGINT NOT NULL
);
CREATE TABLE answers (
    user_id TEXT NOT NULL REFERENCES users (id), question_id TEXT NOT NULL REFERENCES questions (id), hash TEXT NOT NULL,
    norm_version BIGINT NOT NULL, set_at BIGINT NOT NULL, PRIMARY KEY (user_id, question_id)
);
CREATE TABLE card_types (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE cards (
    serial TEXT PRIMARY KEY, card_type TEXT NOT NULL REFERENCES card_types (id), atr TEXT NOT NULL, label TEXT NOT NULL,
    state TEXT NOT NULL, user_id TEXT REFERENCES users (id), policy_id TEXT REFERENCES policies (id),
    admin_key TEXT NOT NULL, key_version BIGINT NOT NULL, sealed_key TEXT NOT NULL, revoke_reason TEXT NOT NULL, issued_at BIGINT NOT NULL
);
CREATE INDEX cards_of_user ON cards (user_id);
CREATE TABLE roles (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE operators (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, password TEXT NOT NULL, role_id TEXT REFERENCES roles (id), user_id TEXT REFERENCES users (id)
);
CREATE TABLE logins (token TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, csrf TEXT NOT NULL, expires BIGINT NOT NULL);
CREATE TABLE flows (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, card TEXT NOT NULL, user_id TEXT NOT NULL, operator TEXT NOT NULL, step TEXT NOT NULL,
    questions TEXT NOT NULL, wrong BIGINT NOT NULL, workstation TEXT NOT NULL, expires BIGINT NOT NULL
);
CREATE INDEX flows_of_card ON flows (card);
CREATE TABLE hits (bucket TEXT NOT NULL, at BIGINT NOT NULL);
CREATE INDEX hits_of_bucket ON hits (bucket, at);
CREATE TABLE events (
    seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, code BIGINT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, initiator TEXT NOT NULL,
    card TEXT NOT NULL, user_id TEXT NOT NULL, workstation TEXT NOT NULL, flow TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX events_of_card ON events (card);
CREATE INDEX events_of_user ON events (user_id);
CREATE TABLE chain (id BIGINT PRIMARY KEY, seq BIGINT NOT NULL, hash TEXT NOT NULL);
INSERT INTO chain (id, seq, hash) VALUES (1, 0, '');
-- "master": which master key the administration keys hang on.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
