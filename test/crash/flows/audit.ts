import type { FlowHandle } from 'millrace'
import { loadLibrary } from '../../../src/drivers/sqlite/library.ts'
import { isFinal, nodesOf } from './tree.ts'

/** What has been written for flows. */
export interface Audit extends Disposable {
  /** Ids of the flow's jobs, one for each time that one was queued. */
  born(flow: FlowHandle): Promise<string[]>
  /** The same for each time that one came to its final end. */
  ended(flow: FlowHandle): Promise<string[]>
  /** Joins of the flow that were decided, one for each time. */
  decided(flow: FlowHandle): Promise<string[]>
  /** Jobs and joins that left a final state, or were forgotten before their time. */
  faults(): string[]
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

/** Let an SQLite file at this path, which exists, count from now on, whoever writes to it. */
export function fileAudit(path: string): Audit {
  const db = loadLibrary().open(path)
  db.exec('PRAGMA busy_timeout = 10000')
  db.exec(TRIGGERS)
  const select = db.prepare('SELECT id FROM audit WHERE flow = ? AND what = ? ORDER BY rowid')
  const ids = (what: string) => async (flow: FlowHandle) =>
    (select.all(flow.id, what) as { id: string }[]).map(({ id }) => id)
  const faults = db.prepare("SELECT id FROM audit WHERE what = 'fault'")
  return {
    born: ids('born'),
    ended: ids('ended'),
    decided: ids('decided'),
    faults: () => (faults.all() as { id: string }[]).map(({ id }) => id),
    [Symbol.dispose]: () => db.close(),
  }
}

/** As much as the records tell, on any backend: an id has one, however often it was written. */
export function recordAudit(): Audit {
  const jobs = async (flow: FlowHandle) => [...nodesOf((await flow.tree())!)].filter(({ job }) => job)
  return {
    born: async (flow) => (await jobs(flow)).map(({ id }) => id),
    ended: async (flow) => (await jobs(flow)).filter(({ state }) => isFinal(state)).map(({ id }) => id),
    decided: async () => [],
    faults: () => [],
    [Symbol.dispose]() {},
  }
}
