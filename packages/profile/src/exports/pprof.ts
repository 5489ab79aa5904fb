import { gzipSync } from 'node:zlib'
import { Profile as PprofProfile, StringTable, type FunctionInput, type LocationInput } from 'pprof-format'
import { functionName } from '../frame-label.ts'
import type { Frame, Profile } from '../model.ts'
import { filePath } from '../script-path.ts'
import { uniqueLabels } from './labels.ts'
import { stackOf, stackTimes } from './stack-times.ts'

/**
 * The profile as pprof's protobuf, compressed with gzip, as `go tool pprof` and its kin read it: the values are samples and
 * nanoseconds of `cpu`. Idle time is left out. A function's name has its place with it, because pprof adds up what has one name.
 * https://github.com/google/pprof/blob/main/proto/profile.proto
 */
export function exportPprof (profile: Profile): Uint8Array {
  const { frames, samples, run } = profile
  const strings = new StringTable()
  const text = (words: string) => strings.dedup(words)
  const labels = uniqueLabels(profile)
  const functions: FunctionInput[] = frames.map((frame, at) => ({
    id: at + 1,
    name: text(labels[at] as string),
    systemName: text(functionName(frame)),
    filename: text(fileOf(frame)),
    startLine: (frame.source?.original ?? frame).line
  }))
  const locations: LocationInput[] = functions.map(({ id, startLine }) => ({
    id: id as number, line: [{ functionId: id as number, line: startLine as number }]
  }))
  const duration = samples.duration.reduce((sum, time) => sum + time, 0)
  const cpu = { type: text('cpu'), unit: text('nanoseconds') }
  const encoded = new PprofProfile({
    sampleType: [{ type: text('samples'), unit: text('count') }, cpu],
    sample: stackTimes(profile).map(({ node, samples, time }) => ({
      locationId: stackOf(profile, node).map(frame => frame + 1), value: [samples, Math.round(time * 1000)]
    })),
    function: functions,
    location: locations,
    timeNanos: BigInt(Math.round(run.request?.capturedAt ?? 0)) * 1_000_000n,
    durationNanos: Math.round(duration * 1000),
    ...run.profiler !== undefined && { periodType: cpu, period: run.profiler.interval * 1000 },
    defaultSampleType: cpu.type,
    comment: [text(run.request === undefined ? run.title ?? 'Geordi' : `${run.request.method} ${run.request.url}`)],
    stringTable: strings
  }).encode()
  return gzipSync(encoded)
}

/** An absolute path, so that `pprof -list` finds the source; `node:fs` and the like as they are. */
function fileOf ({ url, source }: Frame): string {
  const place = source?.original?.url ?? url
  return place.startsWith('file:') ? filePath(place) : place
}
