import type { Redis, RedisOptions } from 'ioredis'
import { UsageError } from '../../errors.ts'

/** What this driver uses of ioredis. */
export type Client = Redis
export type ClientOptions = RedisOptions

export interface Library {
  readonly Redis: new (options: ClientOptions) => Client
}

/**
 * The client library, which whoever uses this driver installs.
 *
 * @throws UsageError DRIVER_MISSING
 */
export async function loadLibrary(): Promise<Library> {
  try {
    return (await import('ioredis')) as unknown as Library
  } catch (cause) {
    throw new UsageError(
      'DRIVER_MISSING',
      'The Redis backend needs the package ioredis, which is not installed. Run "npm install ioredis@6".',
      { cause },
    )
  }
}
