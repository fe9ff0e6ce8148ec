-- What is over is found by its time.
CREATE INDEX reports_by_time ON reports (at);
