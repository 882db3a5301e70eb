import { randomFlows } from '../conformance/app/tests.ts'
import { flowRules } from '../conformance/flows-rules/suite.ts'
import { beforeRedis, withoutPulse } from './stores.ts'

const open = withoutPulse(await beforeRedis())

flowRules(open, 1)
randomFlows(open, 24)
