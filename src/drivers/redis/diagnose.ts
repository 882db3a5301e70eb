import type { Diagnosis } from '../../port/index.ts'
import type { Link } from './link.ts'
import { scripts } from './lua/index.ts'
import type { Settings } from './settings.ts'
import { asBefore, type Shard } from './shard.ts'

/** What each server says of itself, and which of its settings would lose or slow work. */
export async function diagnose(link: Link, shard: Shard, settings: Settings): Promise<Diagnosis> {
  const sent = Date.now()
  const now = (await shard.run(scripts.clock, [], asBefore)) as number
  const here = (sent + Date.now()) / 2
  const infos = (await link.ask((client) => client.call('INFO'))).map((info) => fieldsOf(String(info)))
  const warnings = infos.flatMap(warningsOf)
  return {
    backend: `redis at ${settings.server}, namespace ${settings.namespace}`,
    versions: { redis: infos[0]?.get('redis_version') ?? 'unknown' },
    clockSkew: Math.round(now - here),
    warnings: [...new Set(warnings)],
  }
}

function warningsOf(info: ReadonlyMap<string, string>): string[] {
  const warnings: string[] = []
  const policy = info.get('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    warnings.push(
      `maxmemory-policy is ${policy}: when memory is short, Redis would delete jobs. Run: CONFIG SET maxmemory-policy noeviction`,
    )
  }
  if (info.get('aof_enabled') === '0') {
    warnings.push(
      'There is no append-only file: a crash of Redis loses what came after its last snapshot. Run: CONFIG SET appendonly yes',
    )
  }
  if (Number(info.get('redis_version')?.split('.')[0]) < 7) {
    warnings.push(`Redis is version ${info.get('redis_version')}; Millrace needs 7 or later.`)
  }
  return warnings
}

const fieldsOf = (info: string): Map<string, string> =>
  new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(':')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : []
    }),
  )
