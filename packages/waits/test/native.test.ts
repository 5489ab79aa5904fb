import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OftenCalled } from '../src/often-called.ts'
import { RequestRecorder } from '../src/request-recorder.ts'

test('functions of native addons, of which V8 tells no frame, are called from the file whose time is their caller\'s', () => {
  const recorder = new RequestRecorder()
  recorder.start()
  try {
    const statement = new OftenCalled({ kind: 'sql', statement: 'select 1', driver: 'better-sqlite3' })
    const stack = recorder.countOften(statement, () => new Error('here').stack, undefined, [], () => 1)
    assert.match(String(stack).split('\n')[2]!, /\/waits\/dist\/src\/native\.js/)
  } finally {
    recorder.stop()
  }
})
