-- Which of the policies that a user is under holds: 1 for that one, 0 for the others. Whoever sees the users of some policies only
-- finds them by it.
ALTER TABLE policy_links ADD COLUMN holds BIGINT NOT NULL DEFAULT 0;
UPDATE policy_links SET holds = 1 WHERE policy_id = (
    SELECT other.policy_id FROM policy_links AS other JOIN policies AS ordered ON ordered.id = other.policy_id
    WHERE other.user_id = policy_links.user_id ORDER BY ordered.position, ordered.id LIMIT 1
);
DROP INDEX policy_links_of_policy;
CREATE INDEX policy_links_of_policy ON policy_links (policy_id, holds, user_id, name_key, logon_key);
-- Cards that were issued under no policy: their users' holds, if they have one. Asked for so that SQLite does not take the index of
-- policies, where those in stock are too.
CREATE INDEX cards_without_policy ON cards (user_id, serial) WHERE COALESCE(policy_id, '') = '';
-- What the log says of a card and of nobody.
CREATE INDEX events_of_card_alone ON events (card, seq) WHERE user_id = '';
