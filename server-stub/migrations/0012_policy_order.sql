-- The order of policies: of several that a user is under, the first holds. It was a number of each link, and always 1.
ALTER TABLE policies ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
UPDATE policies SET position = (SELECT COUNT(*) FROM policies AS before WHERE before.name <= policies.name);
ALTER TABLE policy_links DROP COLUMN priority;
