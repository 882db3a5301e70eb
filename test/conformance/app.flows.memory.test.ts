import { memory } from '../../src/drivers/memory/index.ts'
import { randomFlows } from './app/tests.ts'

randomFlows(memory, 500)
