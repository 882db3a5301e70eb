const USERINFO = /([a-z][a-z0-9+.-]*:\/\/)((?:(?![a-z][a-z0-9+.-]*:\/\/)\S)*)@/gi
const ENCODED = /(%3A%2F%2F)(?:(?!%40)[^&#\s])*%40/gi
const NAMED = /([?&][^=&#\s]*(?:pass|pwd|secret|token|auth|key)[^=&#\s]*=)[^&#\s"']*/gi

/**
 * A URL, or a text with URLs in it, without passwords and tokens. A password that wasn't encoded, with `/`, `?`
 * or `@` in it, is hidden as well.
 *
 * @example
 * redact('redis://me:hush@host') // 'redis://me:***@host'
 */
export const redact = (text: string): string =>
  text
    .replace(USERINFO, (_, scheme: string, user: string) => {
      const name = user.includes(':') ? user.slice(0, user.indexOf(':')) : undefined
      return `${scheme}${name === undefined ? '***' : `${name}:***`}@`
    })
    .replace(ENCODED, '$1***%40')
    .replace(NAMED, '$1***')
