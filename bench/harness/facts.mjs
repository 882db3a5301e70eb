import { closeSync, fdatasyncSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { now } from './clock.mjs'
import { percentiles } from './statistics.mjs'

/**
 * What figures depend on beside the code.
 *
 * @param {import('../types.ts').Settings} settings
 * @returns {Record<string, string>}
 */
export function machine(settings) {
  const { p50, p99 } = syncs(settings.folder)
  return {
    CPU: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    system: `${type()} ${release()}`,
    Node: process.version,
    disk: `${fileSystem(settings.folder)}, write and fdatasync of 4 kB: p50 ${micros(p50)}, p99 ${micros(p99)}`,
    'load before': `${loadavg()[0]?.toFixed(1)}`,
  }
}

/** @param {number} ms */
const micros = (ms) => `${Math.round(ms * 1000)} µs`

/** How long the disk takes to keep 4 kB. @param {string} folder */
function syncs(folder) {
  const file = join(folder, `millrace-bench-${process.pid}.sync`)
  const page = Buffer.alloc(4096, 1)
  const fd = openSync(file, 'w')
  try {
    return percentiles(
      Array.from({ length: 300 }, () => {
        const began = now()
        writeSync(fd, page)
        fdatasyncSync(fd)
        return now() - began
      }),
    )
  } finally {
    closeSync(fd)
    unlinkSync(file)
  }
}

const FILE_SYSTEMS = /** @type {Record<number, string>} */ ({
  61267: 'ext4',
  16914836: 'tmpfs (memory: a sync costs nothing)',
  2435016766: 'btrfs',
  1481003842: 'xfs',
  2035054128: 'overlay',
  801189825: 'zfs',
})

/** @param {string} folder */
const fileSystem = (folder) => {
  const { type } = statfsSync(folder)
  return FILE_SYSTEMS[type] ?? `file system 0x${type.toString(16)}`
}
