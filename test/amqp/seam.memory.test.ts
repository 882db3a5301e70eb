import { afterAll, describe, test } from 'vitest'
import { open } from '../../src/drivers/amqp/index.ts'
import { joined } from '../../src/drivers/joined/index.ts'
import { memory } from '../../src/drivers/memory/index.ts'
import { seamConformance } from '../../src/testing/conformance/index.ts'
import { anyRabbit } from '../setup/rabbitmq.ts'

const rabbit = await anyRabbit()
afterAll(() => rabbit[Symbol.asyncDispose]())

seamConformance({
  describe,
  test,
  open: async (namespace) =>
    joined(await open(`${rabbit.url}?namespace=${namespace}`), memory(`amqp-${namespace}`)),
})
