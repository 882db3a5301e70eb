import { describe, test } from 'vitest'
import { joined } from '../../src/drivers/joined/index.ts'
import { memory } from '../../src/drivers/memory/index.ts'
import { seamConformance } from '../../src/testing/conformance/index.ts'
import { type FakeBroker, fakeBroker } from '../joined/broker.ts'

const brokers = new Map<string, FakeBroker>()

seamConformance({
  describe,
  test,
  open(namespace) {
    const broker = brokers.get(namespace) ?? fakeBroker()
    brokers.set(namespace, broker)
    return joined(broker.connect(), memory(`joined-${namespace}`))
  },
})
