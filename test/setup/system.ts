import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * The path of a system command that a test needs: the one on the PATH, else it is installed with apt-get
 * (as root on Debian or Ubuntu), else an error says what to do.
 *
 * @example
 * const faketime = ensure('faketime', 'faketime')
 */
export function ensure(command: string, debianPackage: string): string {
  const found = which(command)
  if (found) return found
  const fix = `Install it with: sudo apt-get install -y ${debianPackage}`
  const apt = which('apt-get')
  if (!apt || process.getuid?.() !== 0) throw new Error(`The tests need "${command}". ${fix}`)
  try {
    install(apt, debianPackage)
  } catch (cause) {
    throw new Error(`The tests need "${command}", and apt-get could not install it. ${fix}`, { cause })
  }
  const installed = which(command)
  if (!installed) throw new Error(`Debian's package "${debianPackage}" holds no command "${command}".`)
  return installed
}

/** Where on the PATH a command is, if it is. */
export function which(command: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, command)).find(isExecutable)
}

function install(apt: string, debianPackage: string): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // Another install on the same machine holds the lock: wait for it.
  const wait = ['-o', 'DPkg::Lock::Timeout=120']
  execFileSync(apt, ['update', '-qq', ...wait], { env, stdio: 'pipe' })
  execFileSync(apt, ['install', '-y', '-qq', '--no-install-recommends', ...wait, debianPackage], {
    env,
    stdio: 'pipe',
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
