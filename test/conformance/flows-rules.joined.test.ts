import { carried } from '../joined/carried.ts'
import { flowRules } from './flows-rules/suite.ts'

flowRules(carried(), 2)
