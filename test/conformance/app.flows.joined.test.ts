import { carried } from '../joined/carried.ts'
import { randomFlows } from './app/tests.ts'

randomFlows(carried(), 100)
