-- The order of a policy's questions, from 1: in it they are listed and asked. It was that of their texts.
ALTER TABLE questions ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
UPDATE questions SET position = (SELECT COUNT(*) FROM questions AS before WHERE before.policy_id = questions.policy_id
    AND (before.text < questions.text OR (before.text = questions.text AND before.id <= questions.id)));
