-- What policies, roles and card types are called, as it is compared (0006_names.sql). Empty until the server has filled it at its
-- start. Not unique: names that were told apart before may be one now.
ALTER TABLE policies ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE card_types ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
CREATE INDEX policies_by_name ON policies (name_key);
CREATE INDEX roles_by_name ON roles (name_key);
CREATE INDEX card_types_by_name ON card_types (name_key);
-- Who has changed a policy last, by name: told to whom it was changed under the hands. Empty where nobody knows.
ALTER TABLE policies ADD COLUMN changed_by TEXT NOT NULL DEFAULT '';
