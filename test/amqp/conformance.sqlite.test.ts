import { appConformance, seamConformance } from 'millrace/testing'
import { describe, test } from 'vitest'
import { beforeSQLite } from './stores.ts'

const open = await beforeSQLite()

seamConformance({ describe, test, open })
appConformance({ describe, test, open })
