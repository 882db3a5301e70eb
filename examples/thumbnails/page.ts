import { html } from 'hono/html'
import { type AlbumStatus, isLive, type PhotoStatus, type PictureStatus } from './album.ts'
import type { AlbumEntry } from './files.ts'
import type { Problem } from './upload.ts'

type Html = ReturnType<typeof html>

/** An element of an album's page that changes while the album is made. */
export interface Part {
  readonly id: string
  readonly html: Html
}

export const homePage = (albums: readonly AlbumEntry[]): Html =>
  layout(
    'Photos in, thumbnails out',
    html`
    <h1>Photos in, thumbnails out</h1>
    <p class="lead">What you upload is kept, the work is queued, and the answer is a 202 in milliseconds.
      Workers then make three sizes of each photo and, when all are done, one contact sheet.</p>
    <form action="/photos" method="post" enctype="multipart/form-data">
      <label class="drop">
        <input type="file" name="photos" accept="image/*" multiple required>
        <strong>Choose photos</strong>
        <span>or drop them here</span>
      </label>
      <noscript><button>Make thumbnails</button></noscript>
      <div class="problems" role="alert"></div>
    </form>
    ${albums.length > 0 && html`<h2>Albums</h2><ul class="albums">${albums.map(albumLink)}</ul>`}`,
  )

export function albumPage(status: AlbumStatus): Html {
  const [summary, sheet, ...photos] = parts(status)
  return layout(
    'Album',
    html`
    ${!status.done && html`<noscript><meta http-equiv="refresh" content="2"></noscript>`}
    <div ${!status.done && html`data-follow="/albums/${status.id}/events"`}>
      ${summary!.html}
      <div class="photos">${photos.map((part) => part.html)}</div>
      ${sheet!.html}
    </div>`,
  )
}

export const parts = (status: AlbumStatus): Part[] => [
  { id: 'summary', html: summaryPart(status) },
  { id: 'sheet', html: sheetPart(status) },
  ...status.photos.map((photo, n) => ({ id: `photo-${n}`, html: photoPart(photo, `photo-${n}`) })),
]

export const problemPage = (title: string, problems: readonly Problem[] = []): Html =>
  layout(
    title,
    html`
    <h1>${title}</h1>
    <ul class="problems">${problems.map(({ file, message }) => html`<li>${file && `${file}: `}${message}</li>`)}</ul>
    <p><a href="/">Back to the start</a></p>`,
  )

function summaryPart({ done, ms, workers, photos, sheet }: AlbumStatus): Html {
  const pictures = [...photos.flatMap(({ thumbnails }) => thumbnails), sheet]
  const made = pictures.filter(({ state }) => state === 'succeeded').length
  const failed = photos.filter(({ thumbnails }) => thumbnails.some(({ error }) => error)).length
  const headline = done
    ? failed > 0
      ? `${count(photos.length - failed, 'photo')} done, ${failed} failed`
      : `${count(photos.length, 'photo')} done${ms === undefined ? '' : ` in ${seconds(ms)}`}`
    : `Making ${count(pictures.length, 'picture')}`
  const detail = done
    ? `${count(made, 'picture')}${failed > 0 ? '' : ': three sizes of each photo, and a contact sheet'}`
    : workers === 0
      ? 'Accepted and kept. No worker runs yet: start one with npx jiti worker.ts'
      : `${made} made so far, by ${count(workers, 'worker')}`
  return html`<header class="summary" id="summary">
    <h1>${headline}</h1>
    <p>${detail}</p>
    ${!done && html`<progress max="${pictures.length}" value="${made}" aria-label="Pictures made"></progress>`}
  </header>`
}

function photoPart({ name, thumbnails }: PhotoStatus, id: string): Html {
  const fault = thumbnails.find(({ error }) => error)
  const live = thumbnails.some(isLive)
  const percent = Math.round(thumbnails.reduce((sum, each) => sum + each.percent, 0) / thumbnails.length)
  const rescued = thumbnails.some(({ crashes }) => crashes > 0)
  return html`<article class="photo" id="${id}" data-state="${live ? 'live' : fault ? 'failed' : 'done'}">
    <div class="frame">${
      live
        ? html`<progress max="100" value="${percent}" aria-label="${name}"></progress>`
        : fault
          ? html`<p>${fault.error}</p>`
          : picture(thumbnails, name)
    }</div>
    <h2>${name}</h2>
    <ul class="sizes">${thumbnails.map(sizeItem)}</ul>
    ${rescued && html`<p class="rescued">A worker died at it. ${live ? 'Another takes over.' : 'Another made it.'}</p>`}
  </article>`
}

function picture(thumbnails: PhotoStatus['thumbnails'], name: string): Html {
  const large = thumbnails.at(-1)!
  const sources = thumbnails.map(({ url, width }) => `${url} ${width}w`).join(', ')
  return html`<img src="${large.url}" srcset="${sources}" sizes="(min-width: 40rem) 18rem, 100vw"
    width="${large.width}" height="${large.height}" alt="${name}">`
}

const sizeItem = ({ size, state, url, width, height, bytes }: PictureStatus & { size: number }): Html =>
  html`<li data-state="${state}">${
    url
      ? html`<a href="${url}">${width} × ${height}</a> <span>${kilobytes(bytes!)}</span>`
      : html`${size} px <span>${state}</span>`
  }</li>`

function sheetPart({ sheet, photos }: AlbumStatus): Html {
  const broken = photos.find(({ thumbnails }) => thumbnails.some(({ error }) => error))
  return html`<section class="sheet" id="sheet" data-state="${sheet.state}">
    <h2>Contact sheet</h2>
    ${
      sheet.url
        ? html`<a href="${sheet.url}"><img src="${sheet.url}" width="${sheet.width}" height="${sheet.height}"
            alt="All photos of this album on one sheet"></a>`
        : html`<p>${
            isLive(sheet)
              ? 'Comes when every photo is done.'
              : broken
                ? `Not made, because ${broken.name} failed.`
                : sheet.error
          }</p>`
    }
  </section>`
}

const albumLink = ({ id, created, photos, hasSheet }: AlbumEntry): Html => html`<li><a href="/albums/${id}">
  ${hasSheet ? html`<img src="/albums/${id}/contact-sheet.webp" alt="" loading="lazy">` : html`<i></i>`}
  <strong>${count(photos.length, 'photo')}</strong>
  <span>${photos.map(({ name }) => name).join(', ')}</span>
  <time datetime="${created.toISOString()}">${created.toLocaleTimeString()}</time>
</a></li>`

const layout = (title: string, body: Html): Html => html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title} · Thumbnails</title>
  <link rel="icon" href="/public/wheel.svg">
  <link rel="stylesheet" href="/public/style.css">
  <script type="module" src="/public/page.js"></script>
</head>
<body>
  <nav><a href="/"><img src="/public/wheel.svg" alt="" width="32" height="32"> Thumbnails</a></nav>
  <main>${body}</main>
  <footer>A Millrace example: the web process accepts, workers do, nothing accepted is lost.</footer>
</body>
</html>`

const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`
