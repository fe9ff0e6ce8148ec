-- Who is under a policy, so that they are listed and counted without reading everybody's links.
CREATE INDEX policy_links_of_policy ON policy_links (policy_id, user_id);
