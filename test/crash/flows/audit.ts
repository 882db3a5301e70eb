import { createRequire } from 'node:module'
import type { DatabaseSyncInstance } from '@photostructure/sqlite'

/** What has been written to a file, counted by the file itself, whoever wrote it. */
export interface Audit extends Disposable {
  /** Ids of the flow's jobs, one for each time that one was queued. */
  born(flow: string): string[]
  /** The same for each time that one came to its final end. */
  ended(flow: string): string[]
  /** Jobs, flows or joins that left a final state, or came to a second one. */
  faults(): string[]
  /** Joins of the flow that were decided, one for each time. */
  decided(flow: string): string[]
}

/** States from 4 on are final ones. See the schema. */
const TRIGGERS = `
  CREATE TABLE audit (what TEXT NOT NULL, flow TEXT, id TEXT NOT NULL);
  CREATE INDEX audit_flow ON audit (flow, what);
  CREATE TRIGGER audit_born AFTER INSERT ON jobs BEGIN
    INSERT INTO audit VALUES ('born', new.flow, new.id);
  END;
  CREATE TRIGGER audit_ended AFTER UPDATE OF state ON jobs WHEN old.state < 4 AND new.state >= 4 BEGIN
    INSERT INTO audit VALUES ('ended', new.flow, new.id);
  END;
  CREATE TRIGGER audit_left AFTER UPDATE OF state ON jobs WHEN old.state >= 4 BEGIN
    INSERT INTO audit VALUES ('fault', new.flow, new.id);
  END;
  CREATE TRIGGER audit_gone AFTER DELETE ON jobs BEGIN
    INSERT INTO audit VALUES ('fault', old.flow, old.id);
  END;
  CREATE TRIGGER audit_decided AFTER UPDATE OF state ON joins WHEN old.state = 0 AND new.state <> 0 BEGIN
    INSERT INTO audit VALUES ('decided', new.flow, new.id);
  END;
  CREATE TRIGGER audit_decided_again AFTER UPDATE OF state ON joins WHEN old.state <> 0 BEGIN
    INSERT INTO audit VALUES ('fault', new.flow, new.id);
  END;`

/** Let the file at this path, which exists, count from now on. */
export function audit(path: string): Audit {
  const { DatabaseSync } = createRequire(import.meta.url)('@photostructure/sqlite') as {
    DatabaseSync: new (path: string) => DatabaseSyncInstance
  }
  const db = new DatabaseSync(path)
  db.exec('PRAGMA busy_timeout = 10000')
  db.exec(TRIGGERS)
  const select = db.prepare('SELECT id FROM audit WHERE flow = ? AND what = ? ORDER BY rowid')
  const ids = (flow: string, what: string) => (select.all(flow, what) as { id: string }[]).map(({ id }) => id)
  const faults = db.prepare("SELECT id FROM audit WHERE what = 'fault'")
  return {
    born: (flow) => ids(flow, 'born'),
    ended: (flow) => ids(flow, 'ended'),
    decided: (flow) => ids(flow, 'decided'),
    faults: () => (faults.all() as { id: string }[]).map(({ id }) => id),
    [Symbol.dispose]: () => db.close(),
  }
}
