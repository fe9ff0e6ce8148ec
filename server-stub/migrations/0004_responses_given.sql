-- What became of each challenge that was answered, by the SHA-256 of the challenge. "settled_at": 0 while nobody has told.
CREATE TABLE responses (
    card TEXT NOT NULL, challenge TEXT NOT NULL, outcome TEXT NOT NULL, tries_left BIGINT, settled_at BIGINT NOT NULL,
    PRIMARY KEY (card, challenge)
);
-- To whom the response was given, and how often. "actor": id of an operator, else of a user; "by_name": who that is in the log.
CREATE TABLE givings (
    card TEXT NOT NULL, challenge TEXT NOT NULL, channel TEXT NOT NULL, actor TEXT NOT NULL, by_name TEXT NOT NULL,
    given_at BIGINT NOT NULL, again_at BIGINT NOT NULL, times BIGINT NOT NULL, PRIMARY KEY (card, challenge, channel, actor)
);
-- Reports of workstations that are in the log, so that one that is sent again is not told twice.
CREATE TABLE reports (fingerprint TEXT PRIMARY KEY, at BIGINT NOT NULL);
-- SHA-256 of the challenge that a session has answered last, or empty.
ALTER TABLE flows ADD COLUMN challenge TEXT NOT NULL DEFAULT '';
