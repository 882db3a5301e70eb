import { BackendError } from '../../errors.ts'

/**
 * What an error of the client or the server means to a caller, and what to do about it.
 *
 * @param server - host and port, for messages; never with a password
 */
export function translate(error: unknown, server: string): BackendError {
  if (error instanceof BackendError) return error
  const message = messageOf(error)
  const say = (code: ConstructorParameters<typeof BackendError>[0], text: string, retryable = false) =>
    new BackendError(code, text, { cause: bare(error), retryable })
  if (
    /(^|because |error: )(WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH)|without any password configured/.test(
      message,
    )
  ) {
    return say(
      'BACKEND_AUTH',
      `Redis at ${server} refused the user name or the password. Check those in the URL, as in redis://user:password@host.`,
    )
  }
  if (/NOPERM/.test(message)) {
    return say(
      'BACKEND_AUTH',
      `Redis at ${server} does not let this user do what Millrace does (${firstLine(message)}). ` +
        'Grant it the keys and channels of its namespace, and scripts: ACL SETUSER <user> ~{millrace* &{millrace* +@all -@dangerous +info.',
    )
  }
  if (/^OOM|\bOOM /.test(message)) {
    return say(
      'BACKEND_FULL',
      `Redis at ${server} is out of memory (maxmemory). Nothing was stored. Free some memory, or raise the limit.`,
      true,
    )
  }
  if (/^READONLY/.test(message)) {
    return say(
      'BACKEND_READ_ONLY',
      `Redis at ${server} is a replica, which can't be written. Connect to the master.`,
      true,
    )
  }
  if (/^MISCONF/.test(message)) {
    return say(
      'BACKEND_READ_ONLY',
      `Redis at ${server} can't write to its disk and refuses changes. Look at its log.`,
      true,
    )
  }
  if (/certificate|self[- ]signed|ERR_TLS|SSL|TLS/i.test(`${message} ${codeOf(error)}`)) {
    return say('BACKEND_AUTH', `The TLS connection to Redis at ${server} was refused: ${firstLine(message)}.`)
  }
  if (/unknown command|Unexpected symbol near|#!lua/.test(message)) {
    return say('BACKEND_VERSION', `Expected Redis 7 or later at ${server}: ${firstLine(message)}.`)
  }
  if (/invalid reply: null/.test(message)) {
    return say(
      'BACKEND_UNAVAILABLE',
      `The Sentinels at ${server} know no master of this name: "redis+sentinel://host:26379/<name>/0".`,
      true,
    )
  }
  if (isAllSentinels(error)) return unavailable(server, error)
  if (/^NOREPLICAS/.test(message)) {
    return say(
      'BACKEND_UNAVAILABLE',
      `Redis at ${server} has too few replicas to take writes (min-replicas-to-write). Nothing was stored.`,
      true,
    )
  }
  if (/^(MOVED|ASK|CROSSSLOT) /.test(message)) {
    return say(
      'BACKEND_ERROR',
      `Redis at ${server} is a node of a Cluster. Connect to it with redis+cluster://${server}, or with "nodes".`,
    )
  }
  if (/cluster support disabled/.test(message)) {
    return say(
      'BACKEND_ERROR',
      `Redis at ${server} is no node of a Cluster. Connect to it with redis://${server}.`,
    )
  }
  if (isBroken(error)) return unavailable(server, error)
  return say('BACKEND_ERROR', `Redis at ${server} failed: ${firstLine(message)}`)
}

/** Whether the answer is missing: the call may or may not have been carried out. */
export function isBroken(error: unknown): boolean {
  const message = messageOf(error)
  return (
    /max retries per request|Connection is closed|connection close|Command timed out|Stream isn't writeable|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|socket/i.test(
      `${message} ${codeOf(error)}`,
    ) || /^(LOADING|MASTERDOWN|BUSY |CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED)/.test(message)
  )
}

/** Whether the server has answered that it did not carry it out, for now. */
export const isRefused = (error: unknown): boolean =>
  /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|READONLY|LOADING|MASTERDOWN|NOREPLICAS|BUSY) /.test(messageOf(error))

export const isReadOnly = (error: unknown): boolean => /^READONLY /.test(messageOf(error))

export const isAllSentinels = (error: unknown): boolean => /^All sentinels/.test(messageOf(error))

/** Whether what was not carried out may be, a little later. */
export const isPassing = (error: unknown): boolean =>
  isBroken(error) ||
  (error instanceof BackendError && (error.code === 'BACKEND_UNAVAILABLE' || error.code === 'BACKEND_CLOSED'))

export const unavailable = (server: string, cause?: unknown): BackendError =>
  new BackendError(
    'BACKEND_UNAVAILABLE',
    `Redis at ${server} can't be reached${cause instanceof Error && cause.message && !/max retries/.test(cause.message) ? ` (${firstLine(cause.message)})` : ''}. Is it running?`,
    { cause: bare(cause), retryable: true },
  )

/** The client's errors carry the command that failed, and with it passwords and whole jobs: not for logs. */
function bare(error: unknown): unknown {
  if (!(error instanceof Error) || !('command' in error)) return error
  const copy = new Error(error.message)
  copy.name = error.name
  return copy
}

export const closed = (server: string): BackendError =>
  new BackendError('BACKEND_CLOSED', `The backend of Redis at ${server} is closed. Connect again.`)

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')
const firstLine = (message: string): string => message.split('\n')[0]!.slice(0, 300)
