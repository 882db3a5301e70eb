/** @typedef {import('./types.ts').Verdict} Verdict */
/** @typedef {{ killed: number, stopped: number, settled: number, backlog: number, faults: string[], deaths: string[] }} Rest */

const SHOWN = 10

/**
 * Print the verdict.
 *
 * @param {Verdict & Rest & { settings: import('./types.ts').Settings }} all
 * @returns {boolean} whether nothing was lost, finished twice, stuck, or otherwise than planned
 */
export function report(all) {
  const { settings, accepted, chords, finishedOnce, skipped, runs } = all
  const bad = ['lost', 'twice', 'stuck', 'wrong', 'early', 'deaths']
  line('accepted', accepted, `of ${settings.jobs}; ${chords} chords`)
  line(
    'finished once',
    finishedOnce,
    skipped > 0 ? `and ${skipped} bodies skipped after a failed member` : '',
  )
  line('lost', all.lost.length)
  line('finished twice', all.twice.length)
  line('stuck', all.stuck.length)
  line('ended otherwise', all.wrong.length)
  line('run early', all.early.length)
  line('died unasked', all.deaths.length)
  line('kills', all.killed + all.stopped, `${all.killed} SIGKILL, ${all.stopped} SIGSTOP`)
  line('runs', runs, `${all.refused} late finishes refused, ${all.workerLost} jobs failed at the crash limit`)
  line(
    'settled',
    `${(all.settled / 1000).toFixed(1)} s`,
    `after the last kill, when ${all.backlog} jobs were left`,
  )
  if (all.faults.length > 0)
    line('faults told', all.faults.length, [...new Set(all.faults)].slice(0, 3).join('; '))
  for (const name of bad) {
    const items = /** @type {string[]} */ (/** @type {any} */ (all)[name])
    for (const item of items.slice(0, SHOWN)) console.log(`  ${name}: ${item}`)
    if (items.length > SHOWN) console.log(`  ${name}: and ${items.length - SHOWN} more`)
  }
  const good =
    accepted === settings.jobs &&
    finishedOnce + skipped === accepted &&
    bad.every((name) => /** @type {any} */ (all)[name].length === 0)
  console.log(good ? 'chaos: passed' : `chaos: FAILED, --seed ${settings.seed}`)
  return good
}

/** @param {string} name @param {number | string} value @param {string} [more] */
const line = (name, value, more = '') =>
  console.log(`${name.padEnd(16)}${String(value).padStart(8)}  ${more}`.trimEnd())
