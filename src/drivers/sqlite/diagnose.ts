import { statfsSync } from 'node:fs'
import type { Diagnosis } from '../../port/index.ts'
import type { Connection } from './connection.ts'
import type { Ground } from './ground.ts'
import { SCHEMA_VERSION } from './schema.ts'

/** File systems on which locks or shared memory don't reach the other machine's processes. */
const networks = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x65735543, 'FUSE'],
  [0x65735546, 'FUSE'],
])

const LITTLE_SPACE = 100 * 1024 * 1024

/** What this file's backend says of itself. */
export function diagnose(
  { file, path, library, version }: Connection,
  durability: 'full' | 'normal',
  { clock, look }: Ground,
): Diagnosis {
  const warnings: string[] = []
  if (durability === 'normal') {
    warnings.push(
      'With durability "normal" a power cut may lose the last jobs that were accepted. Leave it out to sync every commit.',
    )
  }
  const { type, bavail, bsize } = statfsSync(path)
  const network = networks.get(type)
  if (network) {
    warnings.push(
      `"${file}" lies on ${network}, a network or user-space file system, where SQLite's locks may not hold. Move it to a local disk.`,
    )
  }
  if (bavail * bsize < LITTLE_SPACE) {
    warnings.push(`Less than 100 MB are free on the disk of "${file}". Free some space.`)
  }
  if (clock.correction !== 0) {
    warnings.push(
      `This process's clock is ${Math.round(Math.abs(clock.correction) / 1000)} s ${clock.correction < 0 ? 'ahead of' : 'behind'} ` +
        "the file system's, which jobs go by. Set the clock.",
    )
  }
  return {
    backend: `sqlite:${file}`,
    versions: { sqlite: version, library, schema: String(SCHEMA_VERSION) },
    clockSkew: look().now - Date.now(),
    warnings,
  }
}
