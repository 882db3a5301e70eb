import { startActor } from './actors.mjs'

/** @typedef {import('../types.ts').BackendKind} BackendKind */
/** @typedef {import('../types.ts').Case} Case */
/** @typedef {import('../types.ts').Settings} Settings */

/**
 * Measure a case for all systems that can take part, in turn, as often as there are rounds, so that a
 * machine that grows slower or faster meanwhile does so for all. Every measurement has a new place and new
 * processes.
 *
 * @param {Case} item @param {BackendKind} kind @param {Readonly<Record<string, string>>} systems @param {Settings} settings
 * @returns {Promise<Map<string, Record<string, number[]>>>}
 */
export async function rounds(item, kind, systems, settings) {
  /** @type {Map<string, Record<string, number[]>>} */
  const results = new Map()
  const names = Object.keys(systems)
  for (let round = 0; round < settings.rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = /** @type {string} */ (names[(round + turn) % names.length])
      const figures = await once(item, kind, /** @type {string} */ (systems[name]), settings)
      if (!figures) continue
      const samples = results.get(name) ?? {}
      for (const key of Object.keys(item.figures)) {
        const all = samples[key] ?? []
        if (figures[key] !== undefined) all.push(figures[key])
        samples[key] = all
      }
      results.set(name, samples)
    }
  }
  return new Map(names.flatMap((name) => (results.has(name) ? [[name, results.get(name) ?? {}]] : [])))
}

/**
 * One measurement; `undefined` when the system doesn't know what the case needs.
 *
 * @param {Case} item @param {BackendKind} kind @param {string} system @param {Settings} settings
 */
async function once(item, kind, system, settings) {
  const place = await kind.create(settings)
  const producer = await startActor(system, place)
  const worker = kind.processes ? await startActor(system, place) : producer
  try {
    if (!item.needs.every((command) => producer.knows(command))) return undefined
    return await item.measure({
      producer,
      worker,
      size: async () => (kind.size ? kind.size(place) : worker.ask('heap')),
      count: (jobs, least = 100) => Math.max(least, Math.round(jobs * kind.pace * settings.scale)),
    })
  } finally {
    await worker.stop()
    if (producer !== worker) await producer.stop()
    await kind.remove(place)
  }
}
