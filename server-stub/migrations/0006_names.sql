-- Names as they are compared: NFKC, case folded, trimmed (src/names.rs). Empty until the server has filled them at its start.
-- Not unique: names that were told apart before may be one now.
ALTER TABLE users ADD COLUMN logon_key TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN upn_key TEXT NOT NULL DEFAULT '';
-- What a search looks through: name, logon names and mail address.
ALTER TABLE users ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
ALTER TABLE operators ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
CREATE INDEX users_by_logon ON users (logon_key);
CREATE INDEX users_by_upn ON users (upn_key);
CREATE INDEX operators_by_name ON operators (name_key);
