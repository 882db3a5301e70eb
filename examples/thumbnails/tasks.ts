import { readFile } from 'node:fs/promises'
import { chain, Discard, type Flow, group, task } from 'millrace'
import sharp, { type Sharp } from 'sharp'
import { z } from 'zod'
import { type Album, Key, keep, originalOf, sheetOf, thumbnailOf } from './files.ts'

/** The longest side of each thumbnail, in pixels. A smaller photo keeps its size. */
export const sizes = [160, 320, 640] as const

/** A job is one thread's work; a worker's `concurrency` says how many run at once. */
sharp.concurrency(1)

const Picture = z.object({ width: z.number(), height: z.number(), bytes: z.number() })
const Thumbnail = Picture.extend({ key: Key, size: z.literal(sizes) })

type Picture = z.infer<typeof Picture>

export const thumbnail = task(
  'photo.thumbnail',
  {
    input: z.object({ key: Key, size: z.literal(sizes) }),
    output: Thumbnail,
    retry: { attempts: 3, from: '500ms' },
    timeout: '30s',
  },
  async ({ key, size }, { progress, signal }) => {
    progress(0, 'reading')
    const original = await readFile(originalOf(key), { signal })
    progress(30, 'resizing')
    const { data, info } = await decoded(original, (image) =>
      image.autoOrient().resize(size, size, { fit: 'inside', withoutEnlargement: true }),
    )
    progress(90, 'writing')
    await keep(thumbnailOf(key, size), data)
    return { key, size, width: info.width, height: info.height, bytes: data.length }
  },
)

const CELL = 320
const GAP = 24

/** All photos of an upload on one sheet. It follows the thumbnails in a flow, and gets the list of theirs. */
export const contactSheet = task(
  'album.contact-sheet',
  { input: z.array(z.array(Thumbnail)), output: Picture, timeout: '1m' },
  async (photos, { flow, progress }) => {
    const rows = Math.max(1, Math.round(Math.sqrt(photos.length / 1.6)))
    const columns = Math.ceil(photos.length / rows)
    const step = CELL + GAP
    const placed = photos.map((thumbnails, i) => {
      const { key, size, width, height } = thumbnails.find(({ size }) => size === CELL)!
      return {
        input: thumbnailOf(key, size),
        left: GAP + (i % columns) * step + Math.floor((CELL - width) / 2),
        top: GAP + Math.floor(i / columns) * step + Math.floor((CELL - height) / 2),
      }
    })
    progress(20, `${photos.length} photos`)
    const paper = { width: columns * step + GAP, height: rows * step + GAP, channels: 3 as const }
    const { data, info } = await sharp({ create: { ...paper, background: '#16282d' } })
      .composite(placed)
      .webp({ quality: 85 })
      .toBuffer({ resolveWithObject: true })
    await keep(sheetOf(flow!), data)
    return { width: info.width, height: info.height, bytes: data.length }
  },
)

/** All thumbnails of all photos at once, and when the last is there, the contact sheet: a chord. */
export const pictures = ({ photos }: Album): Flow<Picture> =>
  chain(
    group(photos.map(({ key }) => group(sizes.map((size) => thumbnail.with({ key, size }))))),
    contactSheet,
  )

/** To try again would not help what can't be decoded: give up now, and say why. */
async function decoded(original: Buffer, change: (image: Sharp) => Sharp) {
  try {
    const image = sharp(original, { limitInputPixels: 100_000_000 })
    return await change(image).webp({ quality: 80, effort: 6 }).toBuffer({ resolveWithObject: true })
  } catch (error) {
    throw new Discard(`not a picture that can be read (${(error as Error).message.replace(/[:\s]+$/, '')})`)
  }
}
