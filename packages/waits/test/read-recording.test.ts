import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordWaits } from '@geordi/waits'
import { readRecording, type WaitRecording } from '@geordi/waits/recording'
import fc from 'fast-check'

/** As JSON brings it. */
async function recorded (): Promise<WaitRecording> {
  const recorder = recordWaits()
  await recorder.run(async () => {
    for (let time = 0; time < 3; time++) await new Promise(resolve => { setTimeout(resolve, 1) })
  })
  return JSON.parse(JSON.stringify(recorder.stop())) as WaitRecording
}

test('takes what was recorded, through JSON, after another recording whose promises are settled in it', async () => {
  const recording = await recorded()
  assert.ok(recording.waits.operation.length >= 1, 'it has waits')
  assert.deepEqual(readRecording(recording), recording)
})

test('refuses another version, and says what to do', async () => {
  const recording = { ...await recorded(), version: 2 }
  assert.throws(() => readRecording(recording), { name: 'WaitsError', code: 'GEORDI_WAITS_RECORDING_INVALID', message: /version is 2.*update/ })
})

test('refuses what refers to what is not there', async () => {
  const { records, markers, waits, ...rest } = await recorded()
  const broken: Array<[part: string, recording: object]> = [
    ['records', { ...rest, records: { ...records, stack: records.stack.map(() => 1e6) }, markers, waits }],
    ['records', { ...rest, records: { ...records, parent: records.parent.map(() => records.parent.length) }, markers, waits }],
    ['records', { ...rest, records: { ...records, flags: [] }, markers, waits }],
    ['markers', { ...rest, records, markers: { ...markers, record: markers.record.map(() => -2) }, waits }],
    ['waits', { ...rest, records, markers, waits: { ...waits, operation: waits.operation.map(() => 99) } }],
    ['waits', { ...rest, records, markers, waits: { ...waits, start: waits.start.map(() => null) } }],
    ['waits', { ...rest, records, markers, waits: { ...waits, end: waits.start.map(start => start - 1) } }],
    ['operations', { ...rest, records, markers, waits: { ...waits, operations: [{ kind: 'constructor', target: '', statement: '', driver: '', sync: false }] } }],
    ['places', { ...rest, places: [[1e6, 1, 1]], records, markers, waits }]
  ]
  for (const [part, recording] of broken) {
    assert.throws(() => readRecording(recording), { code: 'GEORDI_WAITS_RECORDING_INVALID', message: new RegExp(`its ${part} `) })
  }
})

test('refuses anything else with its own error', () => {
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (value, part) => {
    for (const one of [value, { version: 1, recorder: part, functions: value, records: part, waits: value }]) {
      assert.throws(() => readRecording(one), { code: 'GEORDI_WAITS_RECORDING_INVALID' })
    }
  }))
})
