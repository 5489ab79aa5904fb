import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Run } from '../model.ts'
import { scriptPath } from '../script-path.ts'
import { pathOf, type ReadFile } from './files.ts'

export interface NpmPackage {
  readonly name: string
  readonly version?: string
  readonly folder?: string
}

/** Where Geordi's own packages are in an installation. */
const OWN_SCOPE = '@geordi/'

/** Finds the npm packages of one run's scripts. Each package.json is read once. */
export class Packages {
  readonly #readFile: ReadFile
  readonly #byUrl = new Map<string, Promise<NpmPackage | undefined>>()
  readonly #byFolder = new Map<string, Promise<NpmPackage | undefined>>()

  constructor (readFile: ReadFile) {
    this.#readFile = readFile
  }

  /**
   * The package of a script in a node_modules folder, with the version; one of Geordi's wherever it is, if the application
   * isn't it itself: who profiles their code isn't interested in the profiler's.
   */
  packageOf (url: string, run: Run): Promise<NpmPackage | undefined> {
    let known = this.#byUrl.get(url)
    if (known === undefined) this.#byUrl.set(url, known = this.#find(url, run))
    return known
  }

  async #find (url: string, run: Run): Promise<NpmPackage | undefined> {
    const script = scriptPath(url, run.process)
    const path = pathOf(url)
    if (script.package === undefined) {
      if (path === undefined || run.process?.root === undefined || isBelow(path, run.process.root)) return undefined
      const found = await this.#nearest(dirname(path))
      return found?.name.startsWith(OWN_SCOPE) ? found : undefined
    }
    const { name, version } = script.package
    if (version !== undefined || path === undefined) return script.package
    // Where the package's folder is a link (npm link, a preserved symlink), the file that it leads to is the package's.
    const folder = path.replaceAll('\\', '/').slice(0, script.path === '' ? undefined : -script.path.length)
    const real = await realpath(folder).catch(() => folder)
    const found = await this.#read(real)
    return found?.version === undefined ? { name } : { name, version: found.version }
  }

  async #nearest (folder: string): Promise<NpmPackage | undefined> {
    for (let at = folder; ; at = dirname(at)) {
      const found = await this.#read(at)
      if (found !== undefined) return { ...found, folder: at }
      if (dirname(at) === at) return undefined
    }
  }

  #read (folder: string): Promise<NpmPackage | undefined> {
    let known = this.#byFolder.get(folder)
    if (known === undefined) this.#byFolder.set(folder, known = this.#parse(join(folder, 'package.json')))
    return known
  }

  async #parse (file: string): Promise<NpmPackage | undefined> {
    try {
      const { name, version } = JSON.parse(await this.#readFile(file))
      if (typeof name !== 'string') return undefined
      return typeof version === 'string' ? { name, version } : { name }
    } catch {
      // None here, or none that can be read; a build writes some without a name.
      return undefined
    }
  }
}

function isBelow (path: string, folder: string): boolean {
  return path.startsWith(join(folder, '/'))
}
