-- Lists of people: by name as it is compared, in an order that is the same on both engines.
ALTER TABLE users ADD COLUMN name_key TEXT COLLATE {bytewise} NOT NULL DEFAULT '';
CREATE INDEX users_by_name ON users (name_key, id);
CREATE INDEX users_locked ON users (name_key, id) WHERE lock_state <> 0;
CREATE INDEX users_disabled ON users (name_key, id) WHERE catalog_state <> 'active';
-- The own part of name@domain, as it is compared.
ALTER TABLE users ADD COLUMN upn_own TEXT NOT NULL DEFAULT '';
CREATE INDEX users_by_upn_own ON users (upn_own);
-- The words of names, so that a search reads what it finds and not everybody: each word of each, found by its beginning.
CREATE TABLE user_words (
    user_id TEXT NOT NULL REFERENCES users (id), word TEXT COLLATE {bytewise} NOT NULL, PRIMARY KEY (user_id, word)
);
CREATE INDEX user_words_by_word ON user_words (word, user_id);
-- Cards: serial and label, as they are compared, and their words.
ALTER TABLE cards ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
CREATE INDEX cards_unfilled ON cards (serial) WHERE search_key = '';
CREATE TABLE card_words (
    card TEXT NOT NULL REFERENCES cards (serial), word TEXT COLLATE {bytewise} NOT NULL, PRIMARY KEY (card, word)
);
CREATE INDEX card_words_by_word ON card_words (word, card);
CREATE INDEX cards_by_state ON cards (state, serial);
CREATE INDEX cards_by_type ON cards (card_type, serial);
CREATE INDEX cards_by_policy ON cards (policy_id, serial);
-- The log, by what it is filtered by, in its order.
DROP INDEX events_of_card;
DROP INDEX events_of_user;
CREATE INDEX events_of_card ON events (card, seq);
CREATE INDEX events_of_user ON events (user_id, seq);
CREATE INDEX events_by_name ON events (name, seq);
CREATE INDEX events_by_initiator ON events (initiator, seq);
CREATE INDEX events_by_time ON events (at, seq);
CREATE INDEX events_of_trouble ON events (kind, seq) WHERE kind <> 'I';
-- What is asked for a session, and for a user.
CREATE INDEX tasks_of_flow ON tasks (flow);
CREATE INDEX flows_of_user ON flows (user_id);
