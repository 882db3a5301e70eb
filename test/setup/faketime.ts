import { ensure } from './system.ts'

/** The crash tests run a worker whose clock is an hour off. */
export function setup(): void {
  ensure('faketime', 'faketime')
}
