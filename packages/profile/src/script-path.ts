import { isBuiltin } from 'node:module'

/** What the URL of a script tells. */
export interface ScriptPath {
  /** `node` for Node's internals, `other` for what has no file: evaluated code, web addresses, bundlers' names. */
  readonly scheme: 'file' | 'node' | 'wasm' | 'other'
  /** Decoded, with forward slashes: from the package's folder if there is one, else from the root if inside, else absolute. */
  readonly path: string
  readonly package?: ScriptPackage
  /** False only for a file outside of the given root and workspace. */
  readonly inside: boolean
}

/** Absolute folders that hold the application's own code. */
export interface OwnFolders {
  readonly root?: string
  readonly workspace?: string
}

/** The npm package that a script belongs to. */
export interface ScriptPackage {
  /** With its scope: `@fastify/cookie`. */
  readonly name: string
  /** Where the path tells it: in pnpm's store and Yarn's cache. */
  readonly version?: string
}

/** Node below 16 told its own scripts without `node:`, as `internal/timers.js` or `fs.js`. */
const OLD_NODE_SCRIPT = /^(internal\/[\w./-]+|[\w/]+)\.js$/

/** The innermost package folder, the way Node's own lookup would say it. */
const PACKAGE = /^(.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)(?:\/(.*))?$/s

/** Yarn's Plug'n'Play runtime, which has no package folder of its own. */
const YARN_RUNTIME = /(?:^|\/)\.pnp\.(?:c?js|loader\.mjs)$/

/** webpack's names for modules: `webpack://shop/./src/a.ts`, also with loaders before the file, `webpack-internal:///./a.js`. */
const WEBPACK = /^webpack(?:-internal)?:\/\/[^/]*\/(?:.*!)?(?:\.\/)*/s

/**
 * Takes a script's URL apart. Never throws: a URL comes from the program that was profiled.
 *
 * @param own Where the application is; a file in neither folder is not inside.
 */
export function scriptPath (url: string, own: OwnFolders = {}): ScriptPath {
  const node = url.startsWith('node:') ? url : oldNodeScript(url)
  if (node !== undefined) return { scheme: 'node', path: node, inside: true }
  if (url.startsWith('wasm:')) return { scheme: 'wasm', path: url, inside: true }
  const isFile = url.startsWith('file:')
  const full = isFile ? filePath(url) : decode(url.replace(/[?#].*$/s, '').replace(WEBPACK, ''))
  const within = isFile ? pathBelow(full, own.root) ?? pathBelow(full, own.workspace) : undefined
  const inside = !isFile || own.root === undefined || within !== undefined
  // From the root on, so that an application that is itself installed in a node_modules folder isn't its own dependency.
  const path = within ?? full
  const scheme = isFile ? 'file' : 'other'
  if (YARN_RUNTIME.test(path)) return { scheme, path: '.pnp.cjs', inside, package: { name: 'yarn' } }
  if (!isFile && url.startsWith('webpack') && path.startsWith('webpack/')) return { scheme, path: path.slice(8), inside, package: { name: 'webpack' } }
  const found = PACKAGE.exec(path)
  if (found === null) return { scheme, path, inside }
  const name = found[2] as string
  const version = versionFrom(found[1] ?? '', name)
  return { scheme, path: found[3] ?? '', inside, package: version === undefined ? { name } : { name, version } }
}

function oldNodeScript (url: string): string | undefined {
  const name = OLD_NODE_SCRIPT.exec(url)?.[1]
  return name !== undefined && (name.startsWith('internal/') || isBuiltin(name)) ? `node:${name}` : undefined
}

/**
 * pnpm: `.pnpm/@scope+name@1.2.3_peers/node_modules/@scope/name`;
 * Yarn: `.yarn/cache/@scope-name-npm-1.2.3-0123456789-abc.zip/node_modules/@scope/name`.
 */
function versionFrom (above: string, name: string): string | undefined {
  const holder = above.split('/').at(-2) ?? ''
  for (const start of [`${name.replace('/', '+')}@`, `${name.replace('/', '-')}-npm-`]) {
    if (holder.startsWith(start)) return /^\d+\.\d+\.\d+(?:-(?:alpha|beta|rc|next|canary)[\w.]*)?/.exec(holder.slice(start.length))?.[0]
  }
  return undefined
}

/** The path of a `file:` URL, with forward slashes. `fileURLToPath` throws for hosts, encoded slashes and NULs, and depends on the platform that reads the profile. */
export function filePath (url: string): string {
  const path = decode(url.replace(/^file:(?:\/\/[^/]*)?/, '').replace(/[?#].*$/s, ''))
  return /^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path
}

/** The `file:` URL of an absolute path with forward slashes. Never throws, whatever the path is made of. */
export function fileUrlOf (path: string): string {
  return `file://${encodeURI(path.replace(/\p{Surrogate}/gu, '\uFFFD')).replace(/[?#]/g, encodeURIComponent)}`
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function pathBelow (path: string, root: string | undefined): string | undefined {
  if (root === undefined) return undefined
  const folder = root.replaceAll('\\', '/').replace(/\/*$/, '/')
  return path.startsWith(folder) ? path.slice(folder.length) : undefined
}
