/** The schema's steps, in order. A step that was released is never changed: a later one corrects it. */
export const migrations: readonly string[] = [
  `CREATE TABLE audit_events (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     kind TEXT NOT NULL,
     actor_kind TEXT NOT NULL,
     actor_name TEXT NOT NULL,
     cause TEXT NOT NULL,
     application TEXT,
     environment TEXT,
     service TEXT,
     repository TEXT,
     commit_sha TEXT,
     images TEXT,
     message TEXT NOT NULL,
     duration_ms REAL,
     detail TEXT
   ) STRICT;
   CREATE INDEX audit_events_by_application ON audit_events (application, id);
   CREATE INDEX audit_events_by_kind ON audit_events (kind, id);
   CREATE INDEX audit_events_by_time ON audit_events (at);`,
];
