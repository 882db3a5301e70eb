import { memory } from '../../src/drivers/memory/index.ts'
import { flowRules } from './flows-rules/suite.ts'

flowRules(memory, 18)
