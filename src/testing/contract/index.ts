import assert from 'node:assert/strict'
import type { Millis } from '../../port/index.ts'
import type { Open } from '../conformance/stage.ts'
import { cancels } from './cancels.ts'
import { chains } from './chains.ts'
import { chords } from './chords.ts'
import { closing } from './closing.ts'
import { enqueue } from './enqueue.ts'
import { failures } from './failures.ts'
import { flowCancels } from './flow-cancels.ts'
import { flowLosses } from './flow-losses.ts'
import { flowRetries } from './flow-retries.ts'
import { flowValues } from './flow-values.ts'
import { groups } from './groups.ts'
import { handlers } from './handlers.ts'
import { input } from './input.ts'
import { inspect } from './inspect.ts'
import { later } from './later.ts'
import { losses } from './losses.ts'
import { middleware } from './middleware.ts'
import { options } from './options.ts'
import { progress } from './progress.ts'
import { results } from './results.ts'
import { retries } from './retries.ts'
import { schedules } from './schedules.ts'
import { openStage, type Subject } from './stage.ts'
import { stops } from './stops.ts'
import { throws } from './throws.ts'
import { timeouts } from './timeouts.ts'
import { unique } from './unique.ts'
import { workers } from './workers.ts'

/** The contract of the public API by subject. */
const subjects: Readonly<Record<string, Subject>> = {
  enqueue,
  input,
  options,
  results,
  retries,
  later,
  timeouts,
  throws,
  cancels,
  progress,
  middleware,
  workers,
  stops,
  losses,
  inspect,
  closing,
  chains,
  groups,
  chords,
  'losses within flows': flowLosses,
  handlers,
  'cancels of flows': flowCancels,
  'retries of flows': flowRetries,
  'flows as values': flowValues,
  failures,
  unique,
  schedules,
}

type Declare = (title: string, run: () => Promise<void>) => unknown

/** What {@link appConformance} needs to run over a backend. */
export interface AppSuite {
  /** The test runner's own function, such as Vitest's or node:test's `test`. */
  readonly test: Declare & { readonly skip?: Declare }
  /** The test runner's own function that groups tests; without it, titles stand alone. */
  readonly describe?: (title: string, run: () => void) => unknown
  /**
   * Opens a handle on a namespace. A new namespace is empty; every app of a test gets a handle of its own on
   * the same one, as if it were another process. The suite closes what it opened.
   */
  readonly open: Open
  /** Sentences that can't hold on this backend: title to reason. The reason shows in the skipped test. */
  readonly except?: Readonly<Record<string, string>>
  /** Subjects that this configuration refuses by design: subject to the error's code, with which each sentence rejects. */
  readonly refuses?: Readonly<Record<string, string>>
  /** How long a single wait may last before its test fails; 10 s unless set. */
  readonly patience?: Millis
}

/**
 * The contract of the public API as tests: what everybody who calls `enqueue`, runs a worker or awaits a flow
 * may rely on, whatever the backend. Declares a few hundred tests with the runner that is passed in; time is
 * moved with `control.shiftClock`, never slept.
 *
 * @throws Error when `except` names a sentence that isn't in the contract
 * @example
 * import { describe, test } from 'vitest'
 * import { appConformance } from 'millrace/testing'
 * appConformance({ describe, test, open: (namespace) => myBackend({ namespace }) })
 */
export function appConformance(suite: AppSuite): void {
  const group = suite.describe ?? ((_, run) => run())
  const except = suite.except ?? {}
  const titles = new Set(Object.values(subjects).flatMap((sentences) => Object.keys(sentences)))
  const unknown = Object.keys(except).filter((title) => !titles.has(title))
  if (unknown.length > 0) throw new Error(`Expected \`except\` to name sentences, got: ${unknown.join('; ')}`)

  for (const [subject, sentences] of Object.entries(subjects)) {
    group(subject, () => {
      for (const [title, show] of Object.entries(sentences)) {
        const run = async () => {
          await using stage = await openStage(suite.open, suite.patience ?? 10_000)
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
