import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { type Context, Hono } from 'hono'
import { accepts } from 'hono/accepts'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { streamSSE } from 'hono/streaming'
import { connect } from 'millrace'
import { follow, statusOf } from './album.ts'
import { readAlbum, readAlbums, sheetOf, thumbnailOf } from './files.ts'
import { albumPage, homePage, parts, problemPage } from './page.ts'
import { pictures } from './tasks.ts'
import { keepUpload, MOST_UPLOAD, Refused } from './upload.ts'

const app = connect()
const web = new Hono()

web.use(
  secureHeaders({
    contentSecurityPolicy: { defaultSrc: ["'self'"], formAction: ["'self'"], frameAncestors: ["'none'"] },
  }),
)

web.get('/', async (c) => c.html(homePage(await readAlbums(12))))

const limit = bodyLimit({
  maxSize: MOST_UPLOAD,
  onError: () => {
    throw new Refused(413, [{ message: `more than ${MOST_UPLOAD / 1e6} MB in all` }])
  },
})

web.post('/photos', limit, async (c) => {
  const form = await c.req.formData().catch(() => {
    throw new Refused(400, [{ message: 'expected a multipart form with files named "photos"' }])
  })
  const album = await keepUpload(form)
  const { id } = album
  const began = performance.now()
  await app.enqueue(pictures(album), { id, keep: '30d' })
  c.header('server-timing', `enqueue;dur=${(performance.now() - began).toFixed(1)}`)
  const status = `/albums/${id}`
  return wantsPage(c) ? c.redirect(status, 303) : c.json({ id, status }, 202, { location: status })
})

/** What has become of an upload: a page for people, JSON for programs. */
web.get('/albums/:id', async (c) => {
  const album = await readAlbum(c.req.param('id'))
  if (!album) return c.notFound()
  const status = await statusOf(app, album)
  c.header('vary', 'accept')
  return wantsPage(c) ? c.html(albumPage(status)) : c.json(status)
})

/** The parts of the page, each once and then whenever it has changed. */
web.get('/albums/:id/events', async (c) => {
  const album = await readAlbum(c.req.param('id'))
  if (!album) return c.notFound()
  // Or a proxy may hold the events back.
  c.header('x-accel-buffering', 'no')
  return streamSSE(c, async (stream) => {
    const gone = new AbortController()
    stream.onAbort(() => gone.abort())
    const heart = setInterval(() => void stream.write(': still here\n\n'), 15_000)
    const sent = new Map<string, string>()
    try {
      for await (const status of follow(app, album, gone.signal)) {
        for (const { id, html } of parts(status)) {
          const data = String(html)
          if (sent.get(id) !== data) await stream.writeSSE({ event: 'part', data })
          sent.set(id, data)
        }
      }
      await stream.writeSSE({ event: 'done', data: 'all' })
    } finally {
      clearInterval(heart)
    }
  })
})

web.get('/albums/:id/contact-sheet.webp', async (c) => {
  const album = await readAlbum(c.req.param('id'))
  return album ? sendPicture(c, sheetOf(album.id)) : c.notFound()
})

web.get('/albums/:id/:n{[0-9]+}/:file{[0-9]+\\.webp}', async (c) => {
  const { id, n, file } = c.req.param()
  const photo = (await readAlbum(id))?.photos[Number(n)]
  return photo ? sendPicture(c, thumbnailOf(photo.key, Number.parseInt(file, 10))) : c.notFound()
})

web.use('/public/*', serveStatic({ root: fileURLToPath(new URL('.', import.meta.url)) }))

/** Whether this process can do its work, for a load balancer. */
web.get('/ready', async (c) => {
  const health = await app.health()
  return c.json(health, health.ready ? 200 : 503)
})

web.notFound((c) =>
  wantsPage(c) ? c.html(problemPage('There is nothing here'), 404) : c.json({ error: 'not found' }, 404),
)

web.onError((error, c) => {
  if (error instanceof Refused) {
    const { status, problems } = error
    return wantsPage(c)
      ? c.html(problemPage('Not accepted', problems), status)
      : c.json({ error: 'not accepted', problems }, status)
  }
  console.error(error)
  return wantsPage(c)
    ? c.html(problemPage('That did not work; try again in a moment'), 503)
    : c.json({ error: 'unavailable' }, 503)
})

const wantsPage = (c: Context): boolean =>
  accepts(c, {
    header: 'Accept',
    supports: ['text/html', 'application/json'],
    default: 'application/json',
  }) === 'text/html'

/** A picture never changes under its name. */
async function sendPicture(c: Context, path: string): Promise<Response> {
  const picture = await readFile(path).catch(() => undefined)
  if (!picture) return c.notFound() as Response
  return c.body(picture, 200, {
    'content-type': 'image/webp',
    'cache-control': 'public, max-age=31536000, immutable',
  })
}

// Opens the backend, so that the first upload doesn't wait for it.
await app.health()
const server = serve(
  { fetch: web.fetch, hostname: process.env.HOST ?? '127.0.0.1', port: Number(process.env.PORT ?? 3000) },
  ({ address, port }: AddressInfo) => console.log(`http://${address}:${port}`),
)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close()
    // Streams to browsers would keep it open.
    if ('closeAllConnections' in server) server.closeAllConnections()
    void app.close()
  })
}
