import { describe, test } from 'vitest'
import { memory } from '../../src/drivers/memory/index.ts'
import { appConformance } from '../../src/testing/contract/index.ts'

appConformance({ describe, test, open: memory })
