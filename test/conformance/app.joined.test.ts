import { describe, test } from 'vitest'
import { appConformance } from '../../src/testing/contract/index.ts'
import { carried } from '../joined/carried.ts'

const open = carried()

describe('a broker before SQLite', () => {
  appConformance({ describe, test, open })
})
