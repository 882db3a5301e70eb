import { describe, test } from 'vitest'
import { memory } from '../../src/drivers/memory/index.ts'
import { seamConformance } from '../../src/testing/conformance/index.ts'
import { faulty, type Verb } from '../../src/testing/faulty.ts'

seamConformance({ describe, test, open: memory })

describe('with every command sent twice', () => {
  const commands: readonly Verb[] = ['submit', 'finish', 'sweep', 'renew', 'cancel', 'retry']
  seamConformance({
    describe,
    test,
    open: (namespace) =>
      faulty(memory(`twice-${namespace}`), ({ verb }) =>
        commands.includes(verb) ? { repeat: true } : undefined,
      ),
  })
})
