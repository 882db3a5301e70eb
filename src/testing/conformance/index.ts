import assert from 'node:assert/strict'
import type { Millis } from '../../port/index.ts'
import { cancel } from './cancel.ts'
import { cancelFlow } from './cancel-flow.ts'
import { clock } from './clock.ts'
import { done } from './done.ts'
import { emptyJoins } from './empty.ts'
import { events } from './events.ts'
import { expiry } from './expiry.ts'
import { failures } from './failures.ts'
import { fence } from './fence.ts'
import { finish } from './finish.ts'
import { handles } from './handles.ts'
import { joins } from './joins.ts'
import { leases } from './leases.ts'
import { list } from './list.ts'
import { nesting } from './nesting.ts'
import { order } from './order.ts'
import { pulse } from './pulse.ts'
import { races } from './races.ts'
import { records } from './records.ts'
import { renew } from './renew.ts'
import { retention } from './retention.ts'
import { retry } from './retry.ts'
import { scale } from './scale.ts'
import { schedules } from './schedules.ts'
import { type Open, openStage, type Subject } from './stage.ts'
import { submit } from './submit.ts'
import { suspects } from './suspects.ts'
import { sweep } from './sweep.ts'
import { take } from './take.ts'
import { unique } from './unique.ts'

/** The contract of the seam by subject. */
const subjects: Readonly<Record<string, Subject>> = {
  submit,
  unique,
  take,
  order,
  finish,
  fence,
  leases,
  suspects,
  renew,
  sweep,
  clock,
  expiry,
  cancel,
  'cancel of flows': cancelFlow,
  retry,
  joins,
  'joins of size 0': emptyJoins,
  nesting,
  failures,
  'steps done before': done,
  scale,
  retention,
  events,
  records,
  list,
  schedules,
  pulse,
  races,
  handles,
}

type Declare = (title: string, run: () => Promise<void>) => unknown

/** What {@link seamConformance} needs to run over a backend. */
export interface SeamSuite {
  /** The test runner's own function, such as Vitest's or node:test's `test`. */
  readonly test: Declare & { readonly skip?: Declare }
  /** The test runner's own function that groups tests; without it, titles stand alone. */
  readonly describe?: (title: string, run: () => void) => unknown
  /**
   * Opens a handle on a namespace. A new namespace is empty; a second handle on the same one works on the
   * same jobs, as another process would. The suite closes what it opened.
   */
  readonly open: Open
  /** Sentences that can't hold on this backend: title to reason. The reason shows in the skipped test. */
  readonly except?: Readonly<Record<string, string>>
  /** Subjects that this configuration refuses by design: subject to the error's code, with which each sentence rejects. */
  readonly refuses?: Readonly<Record<string, string>>
  /**
   * Whether a queue is one line, from which jobs are taken in order; `false` where it is several, each in order by
   * itself. Sentences on order itself are then to be named in `except`. True unless set.
   */
  readonly ordered?: boolean
  /** How long a single wait may last before its test fails; 10 s unless set. */
  readonly patience?: Millis
}

/**
 * The contract of the seam as tests: what every backend must do. Declares a few hundred tests with the
 * runner that is passed in; time is moved with `control.shiftClock`, never slept.
 *
 * @throws Error when `except` names a sentence that isn't in the contract
 * @example
 * import { describe, test } from 'vitest'
 * import { seamConformance } from 'millrace/testing'
 * seamConformance({ describe, test, open: (namespace) => myBackend({ namespace }) })
 */
export function seamConformance(suite: SeamSuite): void {
  const group = suite.describe ?? ((_, run) => run())
  const except = suite.except ?? {}
  const titles = new Set(Object.values(subjects).flatMap((sentences) => Object.keys(sentences)))
  const unknown = Object.keys(except).filter((title) => !titles.has(title))
  if (unknown.length > 0) throw new Error(`Expected \`except\` to name sentences, got: ${unknown.join('; ')}`)

  for (const [subject, sentences] of Object.entries(subjects)) {
    group(subject, () => {
      for (const [title, show] of Object.entries(sentences)) {
        const run = async () => {
          await using stage = await openStage(suite.open, suite.patience ?? 10_000, suite.ordered)
          const code = suite.refuses?.[subject]
          if (code === undefined) await show(stage)
          else await assert.rejects(show(stage), { code })
        }
        const reason = except[title]
        if (reason === undefined) suite.test(title, run)
        else suite.test.skip?.(`${title} (${reason})`, run)
      }
    })
  }
}
