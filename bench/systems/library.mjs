import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * Millrace as a user of the repository at `folder` imports it. This folder is a package of its own, so the
 * name would not be found from here.
 *
 * @param {URL | string} folder
 * @returns {Promise<typeof import('millrace')>}
 */
export const library = (folder) =>
  import(pathToFileURL(createRequire(new URL('package.json', folder)).resolve('millrace')).href)
