import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importRecording, withRun, type CpuProfile } from '@geordi/profiler'

const URL = 'file:///srv/app/src/a.ts'
const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, callFrame: { functionName: '(root)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 }, hitCount: 0, children: [2] },
    { id: 2, callFrame: { functionName: 'load', scriptId: '7', url: URL, lineNumber: 0, columnNumber: 411 }, hitCount: 1, children: [] }
  ],
  startTime: 0,
  endTime: 1000,
  samples: [2],
  timeDeltas: [1000]
}

function originalOf (originals: unknown): unknown {
  const file = { ...PROFILE, geordi: { ...withRun(PROFILE, {}).geordi, originals } }
  return importRecording(JSON.stringify(file)).frames.find(({ name }) => name === 'load')?.source?.original
}

test('where a function was written is known though no file tells it', () => {
  assert.deepEqual(originalOf({ [URL]: [[1, 400, 9, 1], [1, 412, 12, 3]] }), { url: URL, line: 12, column: 3 })
})

test('what is no place, in a file that may be anybody\'s, is passed over', () => {
  for (const originals of [undefined, null, 7, [], { [URL]: 7 }, { [URL]: [7, null, [1, 412]] }, { [URL]: [[1, 412, 0, 3]] }, { [URL]: [[1, 412, 1.5, 3]] }, { [URL]: [[1, 412, '12', 3]] }, { [URL]: [[2, 412, 12, 3]] }]) {
    assert.equal(originalOf(originals), undefined)
  }
})
