import { join } from 'node:path'
import sharp from 'sharp'
import type { AlbumStatus, PictureStatus } from '../album.ts'
import { photosFolder } from './upload.ts'

/** Ask the server for every picture of an album, and see that it is the right one. Returns what is wrong. */
export async function faultsOf(server: string, album: string): Promise<string[]> {
  const response = await fetch(`${server}/albums/${album}`)
  const { photos, sheet } = (await response.json()) as AlbumStatus
  const faults = await Promise.all([
    faultOf(server, 'the contact sheet', sheet, (size) => size.width === sheet.width),
    ...photos.flatMap(({ name, thumbnails }) =>
      thumbnails.map(async ({ size, ...picture }) => {
        const original = await sharp(join(photosFolder, name)).metadata()
        return faultOf(server, `${name} at ${size}`, picture, fits(original, size))
      }),
    ),
  ])
  return faults.filter((fault) => fault !== undefined)
}

interface Size {
  readonly width: number
  readonly height: number
}

async function faultOf(
  server: string,
  name: string,
  { state, url, error }: PictureStatus,
  isRight: (size: Size) => boolean,
): Promise<string | undefined> {
  if (!url) return `${name} is ${state}${error ? `: ${error}` : ''}`
  const response = await fetch(server + url)
  if (!response.ok) return `${name} is missing: ${url} answered ${response.status}`
  // Decodes all of it: a picture cut short would fail here.
  const { info } = await sharp(await response.arrayBuffer(), { failOn: 'truncated' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return isRight(info) ? undefined : `${name} is ${info.width} × ${info.height}`
}

/** The longest side as asked, unless the photo is smaller; the other in proportion. */
const fits = (original: Size, size: number) => {
  const scale = Math.min(1, size / Math.max(original.width, original.height))
  return ({ width, height }: Size): boolean =>
    width === Math.round(original.width * scale) && height === Math.round(original.height * scale)
}
