import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The app's name, version and folder, from the package.json nearest to its entry. */
export function describeApp (entry: string): { app?: string, root: string } {
  let folder = dirname(realpathSync(entry))
  const start = folder
  for (;;) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string, version?: string }
      return { ...(name === undefined ? {} : { app: version === undefined ? name : `${name} ${version}` }), root: folder }
    } catch {
      // No package.json here, or none that can be read: one folder up.
    }
    const above = dirname(folder)
    if (above === folder) return { root: start }
    folder = above
  }
}
