import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ensure } from '../setup/system.ts'
import { counted, crew, freePort, fresh } from './crew.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string) => join(folder, name)
const openssl = (...words: string[]) =>
  execFileSync(ensure('openssl', 'openssl'), words, { cwd: folder, stdio: 'pipe' })

/** An authority of the test's own, and what it signs. */
function authority(name: string): void {
  const subject = ['-subj', `/CN=${name}`]
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    ...subject,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
  )
}

function sign(name: string, by: string, days: string): void {
  writeFileSync(file('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost')
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
  )
  const signer = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-extfile', 'names']
  openssl('x509', '-req', '-in', `${name}.csr`, ...signer, '-days', days, '-out', `${name}.pem`)
}

authority('ours')
authority('theirs')
sign('server', 'ours', '2')
sign('client', 'ours', '2')
sign('stranger', 'theirs', '2')
const port = await freePort()
const { app, work } = await crew(
  `listeners.ssl.1 = 0.0.0.0:${port}`,
  `ssl_options.cacertfile = ${file('ours.pem')}`,
  `ssl_options.certfile = ${file('server.pem')}`,
  `ssl_options.keyfile = ${file('server.key')}`,
  'ssl_options.verify = verify_peer',
  'ssl_options.fail_if_no_peer_cert = true',
)
const url = (ca: string, own: string, host = '127.0.0.1') =>
  `amqps://${host}:${port}?cacertfile=${file(ca)}.pem&certfile=${file(own)}.pem&keyfile=${file(own)}.key`

test('over TLS, each side with a certificate, jobs run', async () => {
  const namespace = fresh()
  const { runs, count } = counted()
  const here = app(namespace, url('ours', 'client'))
  work(here, [count])
  await (await here.enqueue(count.with(1))).result()
  const { backend } = await here.diagnose()
  expect(backend).toContain(`amqp: 127.0.0.1:${port}`)
  expect(runs.size).toBe(1)
})

test.each([
  ["a server's certificate of an unknown authority", url('theirs', 'client')],
  ['a certificate for another name', url('ours', 'client', '127.0.0.2')],
  ['a certificate that the server does not accept', url('ours', 'stranger')],
])('%s is refused with a coded error within five seconds', async (_, wrong) => {
  const { count } = counted()
  const began = Date.now()
  await expect(app(fresh(), wrong).enqueue(count.with(1))).rejects.toMatchObject({
    name: 'BackendError',
    code: 'BACKEND_AUTH',
    retryable: false,
  })
  expect(Date.now() - began).toBeLessThan(5_000)
})
