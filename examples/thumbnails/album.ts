import type { App, FlowStep, State } from 'millrace'
import type { Album } from './files.ts'
import { sizes } from './tasks.ts'

/** An album as it stands now: for the page, and as JSON for programs. */
export interface AlbumStatus {
  readonly id: string
  readonly created: Date
  /** Nothing will change any more. */
  readonly done: boolean
  /** From the upload to the end of the last job, once done. */
  readonly ms?: number
  /** Alive, in all processes. */
  readonly workers: number
  readonly photos: readonly PhotoStatus[]
  readonly sheet: PictureStatus
}

export interface PhotoStatus {
  readonly name: string
  readonly thumbnails: readonly (PictureStatus & { readonly size: number })[]
}

/** A picture to be made, and the job that makes it. */
export interface PictureStatus {
  readonly job: string
  readonly state: State | 'unknown'
  readonly percent: number
  /** Why there will be none. */
  readonly error?: string
  /** Workers that died at it. */
  readonly crashes: number
  /** Once made. */
  readonly url?: string
  readonly width?: number
  readonly height?: number
  readonly bytes?: number
}

const LIVE: readonly string[] = ['pending', 'scheduled', 'waiting', 'active', 'retrying']
export const isLive = ({ state }: PictureStatus): boolean => LIVE.includes(state)

/** The steps of a flow come in the order in which `upload.ts` declared them. */
export async function statusOf(app: App, { id, created, photos }: Album): Promise<AlbumStatus> {
  const [steps, workers] = await Promise.all([app.flow(id).steps(), app.workers()])
  const pictures = photos.map(({ key, name }, n) => ({
    name,
    thumbnails: sizes.map((size, i) => ({
      size,
      ...toPicture(steps[n * sizes.length + i], `/albums/${key}/${size}.webp`),
    })),
  }))
  const sheet = toPicture(steps.at(-1), `/albums/${id}/contact-sheet.webp`)
  const done = ![sheet, ...pictures.flatMap(({ thumbnails }) => thumbnails)].some(isLive)
  const last = Math.max(...steps.map(({ job }) => job?.ended?.getTime() ?? 0))
  return {
    id,
    created,
    done,
    ...(done && last > 0 && { ms: last - created.getTime() }),
    workers: workers.length,
    photos: pictures,
    sheet,
  }
}

function toPicture(step: FlowStep | undefined, url: string): PictureStatus {
  if (!step) return { job: '', state: 'unknown', percent: 0, crashes: 0, error: 'its record is gone' }
  const { id, state, job } = step
  return {
    job: id,
    state,
    percent: state === 'succeeded' ? 100 : (job?.progress?.percent ?? 0),
    crashes: job?.crashes ?? 0,
    ...(job?.error && { error: job.error.message }),
    ...(state === 'succeeded' && { url, ...(job?.result as object) }),
  }
}

/** The album now, and again whenever it has changed, until nothing can change any more. */
export async function* follow(app: App, album: Album, signal: AbortSignal): AsyncGenerator<AlbumStatus> {
  const followed = new Set<string>()
  let changed = false
  let wake = () => {}
  const change = () => {
    changed = true
    wake()
  }
  signal.addEventListener('abort', change)

  async function followJob(id: string): Promise<void> {
    followed.add(id)
    try {
      for await (const _ of app.job(id).progress) change()
    } finally {
      followed.delete(id)
      change()
    }
  }

  while (!signal.aborted) {
    changed = false
    const status = await statusOf(app, album)
    yield status
    if (status.done) return
    for (const picture of [...status.photos.flatMap(({ thumbnails }) => thumbnails), status.sheet]) {
      const { job, state } = picture
      if (isLive(picture) && state !== 'pending' && !followed.has(job)) followJob(job).catch(() => {})
    }
    await new Promise<void>((resolve) => {
      wake = resolve
      if (changed || signal.aborted) resolve()
    })
  }
}
