import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Album, keep, keepAlbum, originalOf } from './files.ts'

const MOST_PHOTOS = 24
const MOST_BYTES = 15_000_000
/** Bytes of a whole request. */
export const MOST_UPLOAD = 100_000_000

export interface Problem {
  /** Its name as given. */
  readonly file?: string
  readonly message: string
}

/** An upload that is not taken, whole: nothing of it is kept. */
export class Refused extends Error {
  readonly status: 400 | 413 | 415
  readonly problems: readonly Problem[]
  constructor(status: Refused['status'], problems: readonly Problem[]) {
    super(problems.map(({ file, message }) => (file ? `${file}: ${message}` : message)).join('; '))
    this.status = status
    this.problems = problems
  }
}

const Photo = z
  .file('expected a file')
  .refine(({ name }) => /^[^/\\\p{Cc}]{1,200}$/u.test(name) && !/^\.+$/.test(name), {
    error: 'its name must be a plain file name, without folders, of at most 200 characters',
    abort: true,
  })
  .refine(({ size }) => size <= MOST_BYTES, {
    error: `larger than ${MOST_BYTES / 1e6} MB`,
    params: { status: 413 },
    abort: true,
  })
  .refine(isPicture, { error: 'not a JPEG, PNG, WebP, GIF or AVIF picture', params: { status: 415 } })

const Photos = z
  .array(Photo)
  .min(1, 'choose at least one photo')
  .max(MOST_PHOTOS, `at most ${MOST_PHOTOS} photos at a time`)

/**
 * Put the photos of an upload where the workers find them.
 *
 * @throws Refused
 */
export async function keepUpload(form: FormData): Promise<Album> {
  const files = await check(form.getAll('photos'))
  const id = randomUUID()
  const photos = files.map(({ name }, n) => ({ key: `${id}/${n}`, name }))
  const album = { id, created: new Date(), photos }
  await Promise.all([
    keepAlbum(album),
    ...files.map(async (file, n) => keep(originalOf(photos[n]!.key), Buffer.from(await file.arrayBuffer()))),
  ])
  return album
}

async function check(values: readonly unknown[]): Promise<File[]> {
  // A form that is sent without choosing holds one file that has neither name nor content.
  const files = values.filter((value) => !(value instanceof File && value.name === '' && value.size === 0))
  const { data, error } = await Photos.safeParseAsync(files)
  if (data) return data
  const problems = error.issues.map(({ path, message }) => {
    const file = files[Number(path[0])]
    return { ...(file instanceof File && { file: file.name }), message }
  })
  const status = error.issues.map((issue) => (issue.code === 'custom' && issue.params?.status) || 400)
  throw new Refused(Math.max(...status) as Refused['status'], problems)
}

/** By its first bytes: the type that a browser states is only a guess from the name. */
async function isPicture(file: File): Promise<boolean> {
  const head = Buffer.from(await file.slice(0, 12).arrayBuffer()).toString('latin1')
  const starts = ['\xff\xd8\xff', '\x89PNG\r\n', 'GIF87a', 'GIF89a']
  return starts.some((start) => head.startsWith(start)) || /^(RIFF.{4}WEBP|.{4}ftypavi[fs])/s.test(head)
}
