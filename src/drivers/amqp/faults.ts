import { BackendError } from '../../errors.ts'
import type { Settings } from './url.ts'

/** What RabbitMQ itself said, in its last pair of quotes: `… with message "PRECONDITION_FAILED - …"`. */
const said = (message: string): string => /with message "(.*)"$/s.exec(message)?.[1] ?? message

/** Every error of the client, the server or the network, as one that says who must act. */
export function translate(error: unknown, settings: Settings): BackendError {
  if (error instanceof BackendError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  const code = (cause as { code?: unknown }).code
  const { server, username, vhost } = settings
  const words = said(cause.message)
  if (/ACCESS[-_]REFUSED/.test(words)) {
    const what = /Handshake/.test(cause.message)
      ? `refused the user "${username}" or its password`
      : `refused what the user "${username}" asked for: ${words}`
    return new BackendError('BACKEND_AUTH', `RabbitMQ at ${server} ${what}.`, { cause })
  }
  // The client says no more of a server that hangs up when the virtual host is asked for.
  if (/NOT[-_]ALLOWED|Expected ConnectionOpenOk/.test(words)) {
    return new BackendError(
      'BACKEND_AUTH',
      `RabbitMQ at ${server} has no virtual host "${vhost}", or the user "${username}" may not use it.`,
      { cause },
    )
  }
  if (typeof code === 'string' && /CERT|SSL|TLS|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED/.test(code)) {
    return new BackendError(
      'BACKEND_AUTH',
      `No secure connection to RabbitMQ at ${server}: ${cause.message.split('\n')[0]} (${code}). Name the authority that signed ` +
        'its certificate with ?cacertfile=, and check host and port.',
      { cause },
    )
  }
  if (/PRECONDITION[-_]FAILED/.test(words)) {
    return new BackendError(
      'BACKEND_ERROR',
      `RabbitMQ at ${server} has a queue or exchange of that name with other settings: ${words.replace(/^PRECONDITION[-_]FAILED - /, '')}. ` +
        'Delete it, once it is empty, or use another namespace.',
      { cause },
    )
  }
  return new BackendError('BACKEND_UNAVAILABLE', `RabbitMQ at ${server} can't be reached: ${words}.`, {
    cause,
    retryable: true,
  })
}

export const closed = (settings: Settings): BackendError =>
  new BackendError('BACKEND_CLOSED', `The connection to RabbitMQ at ${settings.server} is closed.`)
