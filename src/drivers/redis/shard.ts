import type { Bells } from './bells.ts'
import type { Argument, Link } from './link.ts'
import type { Script } from './lua/index.ts'

/** A part of a namespace whose keys lie together: every verb works on one. */
export interface Shard {
  /** What its keys and channels begin with. */
  readonly prefix: string
  readonly bells: Bells
  run(
    script: Script,
    args: readonly Argument[],
    again?: (args: readonly Argument[]) => readonly Argument[],
  ): Promise<unknown>
}

/** To send a call again as it was: for those that are safe to repeat. */
export const asBefore = (args: readonly Argument[]): readonly Argument[] => args

export const createShard = (link: Link, bells: Bells, prefix: string): Shard => ({
  prefix,
  bells,
  run: (script, args, again) => link.run(script, prefix, args, again),
})
