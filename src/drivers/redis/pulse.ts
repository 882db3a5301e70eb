import type { PulseConnect } from '../../port/index.ts'
import { createChorus } from '../sharded/spread.ts'
import { openCluster } from './cluster.ts'
import { createLink, directRoute } from './link.ts'
import { scripts } from './lua/index.ts'
import type { Settings } from './settings.ts'
import { asBefore } from './shard.ts'
import { prefixesOf } from './slot.ts'

/** The helper thread's own connection, which renews one worker's lease while the main loop is blocked. */
export const connect: PulseConnect = async (data, worker, lease) => {
  const settings = data as Settings
  const prefixes = prefixesOf(settings.namespace, settings.shards)
  const route = settings.kind === 'cluster' ? openCluster(settings, prefixes) : await directRoute(settings)
  const link = createLink(route, settings)
  // A shard that does not answer costs the others no beat.
  const beats = createChorus(prefixes.length, (i) =>
    link.run(scripts.beat, prefixes[i]!, [worker, lease], asBefore),
  )
  return {
    async beat() {
      await beats.ask(lease / 6)
    },
    close: () => link.close(),
  }
}
