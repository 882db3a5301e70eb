import { appConformance, seamConformance } from 'millrace/testing'
import { describe, test } from 'vitest'
import { beforeRedis } from './stores.ts'

const open = await beforeRedis()

seamConformance({ describe, test, open })
appConformance({ describe, test, open })
