import { createHash } from 'node:crypto'
import { agree } from './agree.ts'
import { cancel, retry, shift, watch } from './control.ts'
import { ends } from './ends.ts'
import { flows } from './flows.ts'
import { moves } from './moves.ts'
import { outbox, sent } from './outbox.ts'
import { commit, prelude } from './prelude.ts'
import { clock, counts, read, readJoins, scan, slots, workers } from './read.ts'
import { beat, quit, renew } from './renew.ts'
import { schedules } from './schedules.ts'
import { submit } from './submit.ts'
import { sweep } from './sweep.ts'
import { work } from './work.ts'

/** One of the library's functions, and the same as a script of its own. */
export interface Script {
  readonly name: string
  readonly text: string
  readonly sha: string
}

const parts = {
  submit,
  work,
  renew,
  beat,
  quit,
  sweep,
  outbox,
  sent,
  cancel,
  retry,
  shift,
  watch,
  read,
  readJoins,
  slots,
  scan,
  workers,
  counts,
  clock,
  agree,
  schedules,
}
type Name = keyof typeof parts
const names = Object.keys(parts) as Name[]

/** A full server refuses these, before they have written anything; what finishes jobs, reads or cleans up still runs. */
const adding: readonly Name[] = ['submit', 'retry']

const code = `${prelude}${flows}${ends}${moves}${commit}local scripts = {}\n${Object.values(parts).join('')}`
/** Part of every name, so that versions of this driver live side by side on one server. */
const version = sha1(code).slice(0, 12)

const register = (name: Name): string => `redis.register_function{
  function_name = 'millrace_${version}_${name}', flags = {${adding.includes(name) ? '' : "'allow-oom'"}},
  callback = function(keys, args) enter(keys[1]) return scripts.${name}(args) end}
`

/** All scripts as one library of functions: the server reads its text once, and not at each call. */
export const library = `#!lua name=millrace_${version}\n${code}${names.map(register).join('')}`

/** For servers that refuse the library, at about 15 µs more a call. */
function script(name: Name): Script {
  const flags = adding.includes(name) ? '' : ' flags=allow-oom'
  const text = `#!lua${flags}\n${code}enter(KEYS[1]) return scripts.${name}(ARGV)\n`
  return { name: `millrace_${version}_${name}`, text, sha: sha1(text) }
}

export const scripts = Object.fromEntries(names.map((name) => [name, script(name)])) as Readonly<
  Record<Name, Script>
>

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}
