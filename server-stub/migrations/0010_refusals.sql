-- What was refused as too often since the log last had it: one event a minute, not one a request.
CREATE TABLE refusals (
    bucket TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    refused BIGINT NOT NULL
);
