import { createHash } from 'node:crypto'
import { cancel, retry, shift, watch } from './control.ts'
import { ends } from './ends.ts'
import { flows } from './flows.ts'
import { moves } from './moves.ts'
import { commit, prelude } from './prelude.ts'
import { clock, counts, read, readJoins, scan, slots, workers } from './read.ts'
import { beat, quit, renew } from './renew.ts'
import { submit } from './submit.ts'
import { sweep } from './sweep.ts'
import { work } from './work.ts'

/** A script as it is sent. */
export interface Script {
  readonly name: string
  readonly text: string
  readonly sha: string
}

/**
 * A script with all that it builds on. A full server refuses what adds jobs, before it has written anything;
 * what finishes them, reads or cleans up may still run.
 */
function script(name: string, body: string, flags = ' flags=allow-oom'): Script {
  const text = `#!lua${flags}\n${prelude}${flows}${ends}${moves}${commit}${body}`
  return { name, text, sha: createHash('sha1').update(text).digest('hex') }
}

export const scripts = {
  submit: script('submit', submit, ''),
  work: script('work', work),
  renew: script('renew', renew),
  beat: script('beat', beat),
  quit: script('quit', quit),
  sweep: script('sweep', sweep),
  cancel: script('cancel', cancel),
  retry: script('retry', retry, ''),
  shift: script('shift', shift),
  watch: script('watch', watch),
  read: script('read', read),
  readJoins: script('readJoins', readJoins),
  slots: script('slots', slots),
  scan: script('scan', scan),
  workers: script('workers', workers),
  counts: script('counts', counts),
  clock: script('clock', clock),
} as const
