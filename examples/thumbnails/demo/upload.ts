import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const photosFolder = fileURLToPath(new URL('../photos', import.meta.url))

export const albums: readonly (readonly string[])[] = [
  ['chelsea.png', 'coffee.png'],
  ['astronaut.png', 'rocket.jpg', 'hubble_deep_field.jpg'],
  ['brick.png', 'gravel.png'],
]

/** What was sent, and how soon it was accepted. */
export interface Upload {
  /** The album's, and the flow's. */
  readonly id: string
  readonly names: readonly string[]
  /** When it was sent, in milliseconds since 1970. */
  readonly sent: number
  /** From then to the 202, the way of the photos included. */
  readonly ms: number
  /** What of that Millrace took to accept the work, as the server says. */
  readonly enqueueMs: number
}

/** POST photos as a browser does. */
export async function upload(server: string, names: readonly string[]): Promise<Upload> {
  const form = new FormData()
  for (const name of names) form.append('photos', new Blob([await readFile(join(photosFolder, name))]), name)
  const sent = Date.now()
  const began = performance.now()
  const response = await fetch(`${server}/photos`, { method: 'POST', body: form })
  const ms = performance.now() - began
  if (response.status !== 202)
    throw new Error(`Expected 202, got ${response.status}: ${await response.text()}`)
  const { id } = (await response.json()) as { id: string }
  const enqueueMs = Number(/enqueue;dur=([\d.]+)/.exec(response.headers.get('server-timing') ?? '')?.[1])
  return { id, names, sent, ms, enqueueMs }
}
