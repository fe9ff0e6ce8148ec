-- What agents on workstations are to do. "again": not taken before this time; "flow": the unlock session that does it.
CREATE TABLE tasks (
    id TEXT PRIMARY KEY, card TEXT NOT NULL REFERENCES cards (serial), operator TEXT NOT NULL, comment TEXT NOT NULL,
    workstation TEXT NOT NULL, state TEXT NOT NULL, ordered_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, again BIGINT NOT NULL,
    flow TEXT NOT NULL
);
CREATE INDEX tasks_of_card ON tasks (card);
-- When the last try of a user's answers was counted; its outcome is lost when a server dies while it compares.
ALTER TABLE users ADD COLUMN last_try_at BIGINT NOT NULL DEFAULT 0;
