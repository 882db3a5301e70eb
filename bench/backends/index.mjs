import { amqp, amqpSqlite } from './amqp.mjs'
import { memory } from './memory.mjs'
import { redis } from './redis.mjs'
import { sqlite } from './sqlite.mjs'

/** What can be measured. A new one is a module here, and its raw limits in `systems/`. */
export const backends = /** @type {Record<string, import('../types.ts').BackendKind>} */ ({
  memory,
  sqlite,
  redis,
  amqp,
  'amqp-sqlite': amqpSqlite,
})
