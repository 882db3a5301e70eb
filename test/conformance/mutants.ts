import type {
  Backend,
  Consumer,
  Delivery,
  Job,
  Join,
  Outcome,
  Records,
  Submission,
} from '../../src/port/index.ts'

/** A backend that breaks one rule, and a sentence of the contract that must notice. */
export interface Mutant {
  readonly broken: string
  readonly noticed: string
  /** Whether the random flows notice it too. */
  readonly flows?: boolean
  /** Wraps every handle of one namespace; what it returns is called for each. */
  readonly mutate: () => (backend: Backend) => Backend
}

/** Every mutant by what it does wrong. */
export const mutants: readonly Mutant[] = [
  {
    broken: 'no fence: a finish is taken for the newest delivery of its job',
    noticed: 'a worker that lost its job can write nothing while another runs it',
    flows: true,
    mutate() {
      const newest = new Map<string, Delivery>()
      const current = (outcome: Outcome) => ({
        ...outcome,
        delivery: newest.get(outcome.delivery.job.id) ?? outcome.delivery,
      })
      return consuming((inner) => ({
        async take(max, signal) {
          const taken = await inner.take(max, signal)
          for (const delivery of taken) newest.set(delivery.job.id, delivery)
          return taken
        },
        finish: (outcomes) => inner.finish(outcomes.map(current)),
      }))
    },
  },
  {
    broken: 'the last write to a slot wins',
    noticed: 'the first write to a slot wins, and a second one counts for nothing',
    mutate() {
      const fillers = new Map<string, { ok: boolean; by: string }>()
      return (backend) => {
        const watched = consuming((inner) => ({
          finish(outcomes) {
            for (const { delivery, end } of outcomes) {
              const { id, reports } = delivery.job
              if (!reports || end.kind !== 'final') continue
              fillers.set(`${reports.join} ${reports.index}`, { ok: end.state === 'succeeded', by: id })
            }
            return inner.finish(outcomes)
          },
        }))(backend)
        return reading(watched, (records) => ({
          slots: async (join, from, limit) =>
            (await records.slots(join, from, limit)).map((arrival) => ({
              ...arrival,
              ...fillers.get(`${join} ${arrival.index}`),
            })),
        }))
      }
    },
  },
  {
    broken: 'a join releases twice',
    noticed: 'members that end in one batch of outcomes release once',
    flows: true,
    mutate() {
      const joins = new Map<string, Join>()
      return (backend) => {
        const watched: Backend = {
          ...backend,
          submit(batch) {
            for (const join of batch.flatMap((submission) => submission.joins ?? [])) joins.set(join.id, join)
            return backend.submit(batch)
          },
        }
        return consuming((inner) => ({
          async finish(outcomes) {
            const applied = await inner.finish(outcomes)
            for (const { id, release } of joins.values()) {
              const [record] = await backend.records.joins([id])
              if (record?.state !== 'succeeded' || !release) continue
              joins.delete(id)
              for (const job of release.jobs) {
                const { flow, reports, ...alone } = job
                await backend.submit([{ jobs: [{ ...alone, id: `${job.id}+` }] }])
              }
            }
            return applied
          },
        }))(watched)
      }
    },
  },
  {
    broken: 'cancel is ignored',
    noticed: 'a waiting job is cancelled at once and never handed out',
    flows: true,
    mutate: () => (backend) => ({
      ...backend,
      control: { ...backend.control, cancel: async (ids) => ids.map(() => 'cancelled' as const) },
    }),
  },
  {
    broken: 'it keeps nothing of what has ended',
    noticed: 'a final outcome ends the job in its state, with its result',
    flows: true,
    mutate: () => (backend) =>
      reading(backend, (records) => ({
        get: async (ids) =>
          (await records.get(ids)).map((record) => (record?.ended === undefined ? record : undefined)),
      })),
  },
  {
    broken: 'results are lost',
    noticed: 'a final outcome ends the job in its state, with its result',
    flows: true,
    mutate: () =>
      ending((outcome) =>
        outcome.end.kind === 'final' ? { ...outcome, end: { ...outcome.end, result: '1null' } } : outcome,
      ),
  },
  {
    broken: 'every finish is called applied',
    noticed: 'a finish that is sent twice is applied once',
    flows: true,
    mutate: () =>
      consuming((inner) => ({
        finish: async (outcomes) => (await inner.finish(outcomes)).map(() => 'applied' as const),
      })),
  },
  {
    broken: 'a hand-back spends an attempt',
    noticed: 'a job that is handed back has spent nothing',
    flows: true,
    mutate: () =>
      ending((outcome) =>
        outcome.end.kind === 'back'
          ? { ...outcome, end: { kind: 'again', delay: 0, counts: true } }
          : outcome,
      ),
  },
  {
    broken: 'a hand-back goes to the end of the line',
    noticed: 'a job that is handed back goes to the front of its line',
    mutate: () =>
      ending((outcome) =>
        outcome.end.kind === 'back'
          ? { ...outcome, end: { kind: 'again', delay: 0, counts: false } }
          : outcome,
      ),
  },
  {
    broken: 'a take waits until it is full',
    noticed: 'a take waits for the first job and never for the rest',
    mutate: () =>
      consuming((inner) => ({
        async take(max, signal) {
          const taken: Delivery[] = []
          while (taken.length < max && !signal.aborted) {
            taken.push(...(await inner.take(max - taken.length, signal)))
          }
          return taken
        },
      })),
  },
  {
    broken: 'a take takes more than it was asked for',
    noticed: 'a take gets at most as many jobs as it asked for',
    flows: true,
    mutate: () => consuming((inner) => ({ take: (max, signal) => inner.take(max + 2, signal) })),
  },
  {
    broken: 'the token does not rise',
    noticed: 'the token rises with every take and is never reset',
    flows: true,
    mutate: () => handing((delivery) => ({ ...delivery, token: 1 })),
  },
  {
    broken: 'suspects are not told from others',
    noticed: 'a lost worker’s jobs run elsewhere after its lease, and the loss is counted apart',
    flows: true,
    mutate: () => handing((delivery) => ({ ...delivery, crashes: 0 })),
  },
  {
    broken: 'renewals do not reach it',
    noticed: 'a worker that renews keeps all it holds, for as long as it renews',
    mutate: () => consuming(() => ({ renew: async () => ({ cancel: [], lost: [] }) })),
  },
  {
    broken: 'no worker is ever lost',
    noticed: 'a lost worker’s jobs run elsewhere after its lease, and the loss is counted apart',
    flows: true,
    mutate() {
      const consumers = new Set<Consumer>()
      return (backend) => {
        const watched = consuming((inner) => {
          consumers.add(inner)
          return {}
        })(backend)
        const sweep = async (limit: number) => {
          for (const consumer of consumers) await consumer.renew([])
          return backend.sweep(limit)
        }
        return { ...watched, sweep }
      }
    },
  },
  {
    broken: 'a duplicate is called accepted',
    noticed: 'an id that exists is a duplicate, and the first one stays as it was',
    flows: true,
    mutate: () => (backend) => ({
      ...backend,
      submit: async (batch) =>
        (await backend.submit(batch)).map((receipt) => ({ ...receipt, status: 'accepted' })),
    }),
  },
  {
    broken: 'hints never come',
    noticed: 'who asked for a job by id is told of every change of it',
    mutate: () => (backend) => ({
      ...backend,
      async *events(filter, signal) {
        for await (const event of backend.events(filter, signal)) if (event.id === undefined) yield event
      },
    }),
  },
  {
    broken: 'what is due reads as scheduled until a sweep has seen to it',
    noticed: 'a job that is due reads as waiting, before a take or a sweep has seen to it',
    mutate() {
      let seen = true
      return (backend) => ({
        ...reading(backend, (records) => ({
          get: async (ids) =>
            (await records.get(ids)).map((record) =>
              !seen && record?.kind === 'job' && record.state === 'waiting' && record.due > record.created
                ? { ...record, state: 'scheduled' }
                : record,
            ),
        })),
        sweep(limit) {
          seen = true
          return backend.sweep(limit)
        },
        control: {
          ...backend.control,
          shiftClock(offset) {
            seen = false
            return backend.control.shiftClock(offset)
          },
        },
      })
    },
  },
  {
    broken: 'the list has no second page',
    noticed: 'jobs are listed newest first, in pages, each once',
    mutate: () => (backend) =>
      reading(backend, (records) => ({
        list: async (filter, limit) => ({ jobs: (await records.list(filter, limit)).jobs }),
      })),
  },
  without('priority', 'jobs are taken by priority, 9 first, and first in, first out within one', (job) => ({
    ...job,
    priority: 0,
  })),
  without(
    'due',
    'a delayed job is scheduled until it is due by the backend’s clock',
    ({ due, ...job }) => job,
  ),
  without(
    'expiresIn',
    'a job that has not started in time reads as expired from that time on',
    ({ expiresIn, ...job }) => job,
  ),
  without('keep 0', 'keep 0 leaves no record of the end, however it came', (job) => ({
    ...job,
    keep: { succeeded: 1e9, failed: 1e9 },
  })),
  without('failFast', 'with failFast the first failure decides, and the others run on for readers only'),
  without(
    'cancelSiblings',
    'with cancelSiblings the first failure cancels the waiting and tells the running',
  ),
  without('otherwise', 'the job for the bad case is queued once, and what becomes of it changes nothing'),
  without('besides', 'a job beside what follows is queued once all is well, and changes nothing of it'),
]

/** Drops a field of every job, or of every join. */
function without(field: string, noticed: string, drop?: (job: Job) => Job): Mutant {
  const joins = (submission: Submission): Submission => ({
    ...submission,
    ...(submission.joins && { joins: submission.joins.map((join) => ({ ...join, [field]: undefined })) }),
  })
  const jobs = (submission: Submission): Submission => ({ ...submission, jobs: submission.jobs.map(drop!) })
  return {
    broken: `${field} is ignored`,
    noticed,
    mutate: () => (backend) => ({
      ...backend,
      submit: (batch) => backend.submit(batch.map(drop ? jobs : joins)),
    }),
  }
}

const consuming = (change: (inner: Consumer) => Partial<Consumer>) => (backend: Backend) => ({
  ...backend,
  async consume(options: Parameters<Backend['consume']>[0]): Promise<Consumer> {
    const inner = await backend.consume(options)
    return { ...inner, ...change(inner) }
  },
})

const ending = (change: (outcome: Outcome) => Outcome) =>
  consuming((inner) => ({ finish: (outcomes) => inner.finish(outcomes.map(change)) }))

/** Deliveries look different outside; inside they stay what they were. */
function handing(change: (delivery: Delivery) => Delivery) {
  const real = new WeakMap<Delivery, Delivery>()
  const back = <T extends { readonly delivery: Delivery }>(it: T): T => ({
    ...it,
    delivery: real.get(it.delivery) ?? it.delivery,
  })
  return consuming((inner) => ({
    take: async (max, signal) =>
      (await inner.take(max, signal)).map((delivery) => {
        const shown = change(delivery)
        real.set(shown, delivery)
        return shown
      }),
    finish: (outcomes) => inner.finish(outcomes.map(back)),
    renew: (progress) => inner.renew(progress.map(back)),
  }))
}

const reading = (backend: Backend, change: (records: Records) => Partial<Records>): Backend => ({
  ...backend,
  records: { ...backend.records, ...change(backend.records) },
})
