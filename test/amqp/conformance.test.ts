import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { amqp } from 'millrace/amqp'
import { sqlite } from 'millrace/sqlite'
import { appConformance, seamConformance } from 'millrace/testing'
import { afterAll, describe, test } from 'vitest'
import { anyRabbit } from '../setup/rabbitmq.ts'

const rabbit = await anyRabbit()
const folder = mkdtempSync(join(tmpdir(), 'millrace-amqp-'))
afterAll(async () => {
  await rabbit[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const open = (namespace: string) =>
  amqp({
    url: `${rabbit.url}?namespace=${namespace}`,
    results: sqlite({ path: join(folder, `${namespace}.db`), durability: 'normal' }),
  })

seamConformance({ describe, test, open })
appConformance({ describe, test, open })
