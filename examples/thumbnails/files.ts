import { randomUUID } from 'node:crypto'
import { access, mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'

/**
 * Where photos and what is made of them lie: `<album>/<n>/original`, `<album>/<n>/320.webp`,
 * `<album>/contact-sheet.webp`. Jobs carry keys, never pictures.
 */
const folder = resolve(process.env.THUMBNAILS_FOLDER ?? 'thumbnails-data')

/** `<album>/<n>`. A key comes out of a job, so it is checked like any input: it can't leave the folder. */
export const Key = z.string().regex(/^[0-9a-f-]{36}\/\d{1,3}$/, 'expected the key of a photo')
export const AlbumId = z.guid()

/** What was uploaded, as the page needs to know it. */
export const Album = z.object({
  id: AlbumId,
  created: z.coerce.date(),
  photos: z.array(z.object({ key: Key, name: z.string() })),
})
export type Album = z.infer<typeof Album>

export const originalOf = (key: string): string => join(folder, key, 'original')
export const thumbnailOf = (key: string, size: number): string => join(folder, key, `${size}.webp`)
export const sheetOf = (album: string): string => join(folder, album, 'contact-sheet.webp')
const albumOf = (id: string): string => join(folder, id, 'album.json')

/**
 * Write a file whole or not at all. A job may run twice, even at the same time when a lease was lost:
 * whoever comes last puts the same picture in the same place, and no reader sees half of one.
 */
export async function keep(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${randomUUID()}`
  const file = await open(draft, 'wx')
  try {
    await file.writeFile(content)
    // The job is durable once it is accepted: so must be what it will read.
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

export const keepAlbum = (album: Album): Promise<void> => keep(albumOf(album.id), JSON.stringify(album))

export async function readAlbum(id: string): Promise<Album | undefined> {
  if (!AlbumId.safeParse(id).success) return undefined
  const text = await readFile(albumOf(id), 'utf8').catch(absent)
  return text === undefined ? undefined : Album.parse(JSON.parse(text))
}

export interface AlbumEntry extends Album {
  readonly hasSheet: boolean
}

/** The newest first. */
export async function readAlbums(most: number): Promise<AlbumEntry[]> {
  const names = (await readdir(folder).catch(absent)) ?? []
  const albums = await Promise.all(names.map(readAlbum))
  const newest = albums
    .filter((album) => album !== undefined)
    .sort((a, b) => b.created.getTime() - a.created.getTime())
    .slice(0, most)
  return Promise.all(
    newest.map(async (album) => ({
      ...album,
      hasSheet: await access(sheetOf(album.id)).then(
        () => true,
        () => false,
      ),
    })),
  )
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
