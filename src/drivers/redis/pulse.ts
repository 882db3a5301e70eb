import type { PulseConnect } from '../../port/index.ts'
import { createLink } from './link.ts'
import { scripts } from './lua/index.ts'
import { prefixOf } from './shard.ts'
import type { Settings } from './url.ts'

/** The helper thread's own connection, which renews one worker's lease while the main loop is blocked. */
export const connect: PulseConnect = async (data, worker, lease) => {
  const settings = data as Settings
  const link = await createLink(settings)
  const prefix = prefixOf(settings.namespace, 0)
  return {
    async beat() {
      await link.run(scripts.beat, prefix, [worker, lease])
    },
    close: () => link.close(),
  }
}
