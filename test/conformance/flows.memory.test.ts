import { test } from 'vitest'
import { memory } from '../../src/drivers/memory/index.ts'
import { faulty, type Plan } from '../../src/testing/faulty.ts'
import { flowsHold } from './flows/property.ts'

test('random flows come to what the oracle says, whatever happens to their workers', async () => {
  await flowsHold([memory('flows'), memory('flows')], 1000)
}, 120_000)

test('random flows come to the same when every command is sent twice and no hint arrives', async () => {
  const mishap: Plan = ({ verb }) => {
    if (verb === 'hint') return { fail: new Error('lost') }
    return verb === 'take' || verb === 'consume' ? undefined : { repeat: true }
  }
  const open = () => faulty(memory('flows-twice'), mishap)
  await flowsHold([open(), open()], 500)
}, 120_000)
