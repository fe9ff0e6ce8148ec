-- Where somebody stands in lists of people, beside their words and policies: whoever is found by one of these is put in order
-- from its index alone, and only the people of a page are read.
ALTER TABLE user_words ADD COLUMN name_key TEXT COLLATE {bytewise} NOT NULL DEFAULT '';
ALTER TABLE user_words ADD COLUMN logon_key TEXT COLLATE {bytewise} NOT NULL DEFAULT '';
UPDATE user_words SET (name_key, logon_key) = (SELECT users.name_key, users.logon_key FROM users WHERE users.id = user_words.user_id);
DROP INDEX user_words_by_word;
CREATE INDEX user_words_by_word ON user_words (word, user_id, name_key, logon_key);
ALTER TABLE policy_links ADD COLUMN name_key TEXT COLLATE {bytewise} NOT NULL DEFAULT '';
ALTER TABLE policy_links ADD COLUMN logon_key TEXT COLLATE {bytewise} NOT NULL DEFAULT '';
UPDATE policy_links SET (name_key, logon_key) = (SELECT users.name_key, users.logon_key FROM users WHERE users.id = policy_links.user_id);
DROP INDEX policy_links_of_policy;
CREATE INDEX policy_links_of_policy ON policy_links (policy_id, user_id, name_key, logon_key);
