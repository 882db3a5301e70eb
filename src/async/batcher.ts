export interface BatchOptions {
  /** Items in one call at the most. */
  readonly max: number
  /** Calls under way at once at the most; what comes meanwhile waits and travels together. */
  readonly concurrent: number
}

/**
 * Let the calls of one tick travel together: under load a round trip, or a commit, is shared by all who
 * wait for it; alone, a call leaves at the end of its own microtasks.
 *
 * @param run - one answer for each item, in order; when it rejects, every call of the batch does
 */
export function batcher<I, O>(
  run: (items: I[]) => Promise<O[]>,
  options: BatchOptions,
): (item: I) => Promise<O> {
  const collect = collector(run, options)
  return (item) => new Promise((resolve, reject) => collect(item, resolve, reject))
}

/** The same for who has a promise of its own to settle. */
export function collector<I, O>(
  run: (items: I[]) => Promise<O[]>,
  options: BatchOptions,
): (item: I, resolve: Call<O>['resolve'], reject: Call<O>['reject']) => void {
  let items: I[] = []
  let calls: Call<O>[] = []
  let flying = 0
  let armed = false

  function arm() {
    if (armed) return
    armed = true
    process.nextTick(depart)
  }

  function depart() {
    armed = false
    while (items.length > 0 && flying < options.concurrent) {
      const batch = items.length > options.max ? items.splice(0, options.max) : items
      const waiting = batch === items ? calls : calls.splice(0, options.max)
      if (batch === items) {
        items = []
        calls = []
      }
      flying++
      void fly(batch, waiting)
    }
  }

  async function fly(batch: I[], waiting: Call<O>[]) {
    try {
      const answers = await run(batch)
      for (let i = 0; i < waiting.length; i++) waiting[i]!.resolve(answers[i]!)
    } catch (error) {
      for (const call of waiting) call.reject(error)
    }
    flying--
    if (items.length > 0) arm()
  }

  return (item, resolve, reject) => {
    items.push(item)
    calls.push({ resolve, reject })
    if (flying < options.concurrent) arm()
  }
}

interface Call<O> {
  readonly resolve: (value: O) => void
  readonly reject: (error: unknown) => void
}
