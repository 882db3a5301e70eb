import { open as millrace } from './millrace.mjs'

/**
 * The backend that stands behind a broker, without it.
 *
 * @param {import('../types.ts').Place} place
 */
export const open = (place) => millrace({ ...place, url: place.results ?? place.url })
