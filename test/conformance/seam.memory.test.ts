import { describe, test } from 'vitest'
import { memory } from '../../src/drivers/memory/index.ts'
import { seamConformance } from '../../src/testing/conformance/index.ts'

seamConformance({ describe, test, open: memory, patience: Number(process.env.PATIENCE ?? 10_000) })
