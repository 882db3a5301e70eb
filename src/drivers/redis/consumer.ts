import { BackendError } from '../../errors.ts'
import type { ConsumeOptions, Delivery, StoreConsumer } from '../../port/index.ts'
import { scripts } from './lua/index.ts'
import { holdOf } from './outcome.ts'
import { createRounds, MOST, type Rounds } from './rounds.ts'
import { asBefore, type Shard } from './shard.ts'

/** One worker's subscription. */
export async function createConsumer(
  shard: Shard,
  options: ConsumeOptions,
  onRing?: () => boolean,
): Promise<StoreConsumer & Pick<Rounds, 'look' | 'leave'>> {
  const { worker, lease } = options
  const names = options.queues.map(({ name }) => name)
  const rounds = createRounds(shard, options, onRing)
  const stops = [
    await shard.bells.listen(`${shard.prefix}w:${worker}`, rounds.ring),
    shard.bells.onReturn(() => rounds.ring()),
  ]
  let closed = false
  await shard.run(scripts.renew, [worker, lease, names.length, ...names], asBefore)

  return {
    take: rounds.take,
    look: rounds.look,
    leave: rounds.leave,

    async claim(max) {
      const claimed: Delivery[] = []
      for (let page = MOST; claimed.length < max && page === MOST; ) {
        const taken = await rounds.claim(Math.min(max - claimed.length, MOST))
        for (const delivery of taken) claimed.push(delivery)
        page = taken.length
      }
      return claimed
    },

    finish: rounds.finish,

    async renew(progress) {
      const before = [...rounds.out]
      const args = [worker, lease, names.length, ...names]
      for (const { delivery, progress: body } of progress) args.push(delivery.job.id, holdOf(delivery), body)
      const [all, marked] = (await shard.run(scripts.renew, args, asBefore)) as [string[], string[]]
      const held = new Set<string>()
      for (let i = 0; i < all.length; i += 2) held.add(`${all[i + 1]} ${all[i]}`)
      const under = new Set(marked)
      const cancel: Delivery[] = []
      const lost: Delivery[] = []
      for (const [key, delivery] of before) {
        if (!rounds.out.has(key)) continue
        if (held.has(key)) {
          if (under.has(delivery.job.id)) cancel.push(delivery)
        } else {
          lost.push(delivery)
          rounds.drop(key)
        }
      }
      return { cancel, lost }
    },

    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      await rounds.quiet()
      rounds.stop()
      for (const stop of stops) stop()
      try {
        while ((await shard.run(scripts.quit, [worker, ...names], asBefore)) !== 1);
      } catch (error) {
        // With a closed backend the lease has to lapse by itself.
        if (!(error instanceof BackendError && error.code === 'BACKEND_CLOSED')) throw error
      }
    },
  }
}
