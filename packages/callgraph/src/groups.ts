import { classify, fileUrlOf, frameLocation, type Frame, type Profile, type Run } from '@geordi/profile'
import { isFunction } from './function-times.ts'
import { waitFrames, type WaitFrame } from './wait-frames.ts'

/** Frames that stand for all functions of a file or a package. */
export interface Groups {
  readonly frames: readonly Frame[]
  /** For each of the profile's frames the index of its group. */
  readonly groupOf: Int32Array
}

/** Puts functions together. V8's markers remain as they are, native code is one group, and so are all waits of a kind for one target. */
export function groupsOf (profile: Profile, granularity: 'file' | 'package'): Groups {
  const { frames, run } = profile
  const waits = waitFrames(profile)
  const ids = new Map<string, number>()
  const groups: Frame[] = []
  const groupOf = Int32Array.from(frames, (frame, index) => {
    const wait = waits.get(index)
    const { key, group } = wait !== undefined ? waitGroup(frame, wait) : granularity === 'file' ? fileOf(frame, run) : packageOf(frame, run)
    let id = ids.get(key)
    if (id === undefined) ids.set(key, id = groups.push(group) - 1)
    return id
  })
  return { frames: groups, groupOf }
}

interface Group {
  readonly key: string
  readonly group: Frame
}

function fileOf (frame: Frame, run: Run): Group {
  const { url, source } = frame
  if (isPlaceless(frame, run)) return placeless(frame, run)
  const place = source?.original?.url ?? url
  const group: Frame = { name: '', url: place, line: 0, column: 0, ...source?.package !== undefined && { source: { package: source.package } } }
  const { text } = frameLocation(group, run)
  return { key: place, group: { ...group, name: text.split('/').at(-1) as string } }
}

function packageOf (frame: Frame, run: Run): Group {
  if (isPlaceless(frame, run)) return placeless(frame, run)
  const kind = classify(frame, run)
  if (kind === 'node') return groupAt(kind, 'Node.js', 'node:internal')
  if (kind === 'app') return groupAt(kind, run.process?.app ?? 'application', fileUrlOf(`${run.process?.root ?? ''}/`))
  const { packageName, packageVersion } = frameLocation(frame, run)
  // Scripts outside of the application's folder that are no package's.
  if (packageName === undefined) return groupAt(kind, 'other scripts', 'file:///')
  const known = frame.source?.package
  const { key, group } = groupAt(`${packageName}@${packageVersion}`, packageName, packageFolder(frame, packageName))
  return { key, group: { ...group, ...known !== undefined && { source: { package: known } } } }
}

/** Where its package.json is, which tells the version. */
function packageFolder ({ url, source }: Frame, name: string): string {
  if (source?.package?.folder !== undefined) return fileUrlOf(`${source.package.folder}/`)
  const place = source?.original?.url ?? url
  const folder = `node_modules/${name}/`
  const end = place.lastIndexOf(folder)
  return end < 0 ? place : place.slice(0, end + folder.length)
}

function groupAt (key: string, name: string, url: string): Group {
  return { key, group: { name, url, line: 0, column: 0 } }
}

function waitGroup (frame: Frame, { kind, target }: WaitFrame): Group {
  return { key: `wait ${kind} ${target}`, group: frame }
}

function isPlaceless (frame: Frame, run: Run): boolean {
  const kind = classify(frame, run)
  return kind === 'native' || !isFunction(kind)
}

function placeless (frame: Frame, run: Run): Group {
  if (classify(frame, run) === 'native') return { key: 'native', group: { name: 'native code', url: '', line: 0, column: 0 } }
  return { key: `marker ${frame.name}`, group: frame }
}
