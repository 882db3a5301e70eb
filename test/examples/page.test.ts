import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { start, stopAll } from '../../examples/thumbnails/demo/processes.ts'
import { root } from '../package/manifest.ts'
import { ensure } from '../setup/system.ts'

const photo = (name: string) => join(root, 'examples/thumbnails/photos', name)

let folder: string
let server: string
let browser: BrowserContext

beforeAll(async () => {
  const executablePath = ensure('chromium', 'chromium')
  folder = await mkdtemp(join(tmpdir(), 'millrace-page-'))
  const env = {
    MILLRACE_URL: `sqlite:${join(folder, 'millrace.db')}`,
    THUMBNAILS_FOLDER: join(folder, 'photos'),
    PORT: '0',
  }
  browser = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  server = (await start('server.ts', env)).name
  workers = () => Promise.all([start('worker.ts', env), start('worker.ts', env)])
  await writeFile(join(folder, 'note.txt'), 'not a picture')
  await writeFile(join(folder, 'torn.png'), (await readFile(photo('chelsea.png'))).subarray(0, 5000))
}, 240_000)

let workers: () => Promise<unknown>

afterAll(async () => {
  await browser?.close()
  await stopAll()
  await rm(folder, { recursive: true, force: true })
})

describe('the page of examples/thumbnails', { timeout: 30_000 }, () => {
  let page: Page
  let errors: string[]

  beforeEach(async () => {
    page = await browser.newPage()
    errors = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 415/.test(message.text())) errors.push(message.text())
    })
    await page.goto(server)
  })

  afterEach(async () => {
    await page.close()
    expect(errors).toEqual([])
  })

  test('an upload shows at once what waits, then progress as it comes, then the pictures', async () => {
    await page.setInputFiles('input[type=file]', [photo('chelsea.png'), photo('rocket.jpg')])
    await page.waitForURL('**/albums/*')
    await page.getByText('No worker runs yet').waitFor()
    expect(await page.locator('.photo[data-state=live]').count()).toBe(2)
    expect(await page.locator('.sizes li[data-state=waiting]').count()).toBe(6)

    const seen = watchProgress(page)
    await workers()
    await page.getByRole('heading', { name: /^2 photos done in [\d.]+ s$/ }).waitFor()
    expect(Math.max(...(await seen))).toBeGreaterThan(0)
    for (const name of ['chelsea.png', 'rocket.jpg', 'All photos of this album on one sheet']) {
      await expect.poll(() => widthOf(page, name)).toBeGreaterThan(0)
    }
    expect(await page.locator('.sizes a').allTextContents()).toEqual([
      '160 × 106',
      '320 × 213',
      '451 × 300',
      '160 × 107',
      '320 × 214',
      '640 × 427',
    ])
    if (process.env.MILLRACE_SCREENSHOT) {
      await page.screenshot({ path: process.env.MILLRACE_SCREENSHOT, fullPage: true, animations: 'disabled' })
    }
  })

  test('what is no picture is refused with its name, and nothing is queued', async () => {
    await page.setInputFiles('input[type=file]', [photo('coffee.png'), join(folder, 'note.txt')])
    const alert = page.getByRole('alert')
    await alert.getByText('note.txt: not a JPEG, PNG, WebP, GIF or AVIF picture').waitFor()
    expect(page.url()).toBe(`${server}/`)
  })

  test('a picture that turns out torn fails with its reason beside the others', async () => {
    await page.setInputFiles('input[type=file]', [photo('coffee.png'), join(folder, 'torn.png')])
    await page.getByRole('heading', { name: '1 photo done, 1 failed' }).waitFor()
    await page.locator('.photo[data-state=failed]').getByText('not a picture that can be read').waitFor()
    await page.getByText('Not made, because torn.png failed.').waitFor()
  })

  test('it can be read on a phone, in the dark and without JavaScript', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    await page.emulateMedia({ colorScheme: 'dark' })
    const width = await page.evaluate('document.documentElement.scrollWidth')
    expect(width).toBe(360)
    expect(await page.evaluate('getComputedStyle(document.documentElement).backgroundColor')).toBe(
      'rgb(15, 25, 28)',
    )
    const form = new FormData()
    form.append('photos', new Blob([await readFile(photo('coffee.png'))]), 'coffee.png')
    const response = await fetch(`${server}/photos`, {
      method: 'POST',
      body: form,
      headers: { accept: 'text/html' },
    })
    expect(response.redirected).toBe(true)
    expect(await response.text()).toContain('<h2>coffee.png</h2>')
  })
})

describe('the API of examples/thumbnails', () => {
  const post = async (files: Record<string, Uint8Array>, field = 'photos') => {
    const form = new FormData()
    for (const [name, content] of Object.entries(files)) form.append(field, new Blob([content]), name)
    const response = await fetch(`${server}/photos`, { method: 'POST', body: form })
    return { response, answer: (await response.json()) as Record<string, unknown> }
  }
  const png = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

  test('an upload is answered with 202 and the address of its status', async () => {
    const { response, answer } = await post({ 'coffee.png': await readFile(photo('coffee.png')) })
    expect(response.status).toBe(202)
    expect(response.headers.get('location')).toBe(answer.status)
    const status = await (await fetch(server + answer.status)).json()
    expect(status).toMatchObject({ id: answer.id, photos: [{ name: 'coffee.png' }] })
  })

  test.each([
    ['a name that leads out of the folder', { '../../etc/passwd.png': png }, 400],
    ['a name with a folder of Windows', { 'a\\b.png': png }, 400],
    ['nothing', {}, 400],
    ['a photo that is too large', { 'large.png': Buffer.concat([png, Buffer.alloc(15_000_000)]) }, 413],
    ['what is no picture', { 'page.png': Buffer.from('<script>') }, 415],
  ])('%s is refused, saying why', async (_, files, status) => {
    const { response, answer } = await post(files)
    expect(response.status).toBe(status)
    expect(answer).toMatchObject({ error: 'not accepted', problems: [{ message: expect.any(String) }] })
  })

  test('a request that is no form, and an album that is not there, get an answer too', async () => {
    expect((await fetch(`${server}/photos`, { method: 'POST', body: 'x' })).status).toBe(400)
    expect((await fetch(`${server}/albums/..%2f..%2fserver.ts`)).status).toBe(404)
    expect((await fetch(`${server}/albums/00000000-0000-4000-8000-000000000000`)).status).toBe(404)
  })
})

/** The summary's progress each time that it is drawn anew, until it is gone. */
async function watchProgress(page: Page): Promise<number[]> {
  const values = await page.evaluate(`new Promise((resolve) => {
    const seen = []
    new MutationObserver((_, observer) => {
      const bar = document.querySelector('#summary progress')
      if (bar) return seen.push(bar.value)
      observer.disconnect()
      resolve(seen)
    }).observe(document.querySelector('[data-follow]'), { childList: true, subtree: true })
  })`)
  return values as number[]
}

const widthOf = (page: Page, alt: string): Promise<number> =>
  page.getByAltText(alt).evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth)
