import { syncBuiltinESMExports } from 'node:module'
import { patchFs } from './builtins/fs.ts'
import { patchHttp } from './builtins/http.ts'
import { patchJson } from './builtins/json.ts'
import { patchNet } from './builtins/net.ts'
import { patchThreads } from './builtins/threads.ts'
import { patchThreadPool } from './builtins/thread-pool.ts'
import { patchTimers } from './builtins/timers.ts'
import { patchFastify } from './libraries/fastify.ts'
import { patchLibraries, patchModules } from './libraries/load.ts'
import { RequestRecorder } from './request-recorder.ts'

let [named, done] = [false, false]

/**
 * Puts the patches into this process that a recording needs: Node's own modules now, libraries when they are loaded. To be called in
 * the replay process before the app loads: what the app has taken out of a module before then (`const { readFile } = require('fs')`) is not
 * seen. Without a recording the patches pass everything through. Calling it again does nothing.
 *
 * @param recordsWaits Without, nothing is patched but what gives JSON frames of its own in the profile.
 */
export function instrument (recordsWaits = true): void {
  if (!named) patchJson()
  named = true
  if (!recordsWaits || done) return
  done = true
  patchTimers()
  patchFs()
  patchThreadPool()
  patchThreads()
  patchNet()
  patchHttp()
  patchFastify()
  patchLibraries()
  patchModules(process.argv[1])
  syncBuiltinESMExports()
  warmUp()
}

/** The first calls of a function cost some ten times the later ones: the app's request shall not pay for that. */
function warmUp (): void {
  const recorder = new RequestRecorder()
  recorder.start()
  for (let turn = 0; turn < 300; turn++) {
    recorder.run(() => {
      const record = recorder.record(true)
      const wait = recorder.open(record, { kind: 'timer', values: [turn, 'text'] })
      recorder.call(record, () => Promise.resolve(1).then(() => {}), undefined, [])
      Promise.resolve(1).then(() => {})
      recorder.close(wait, false)
    }, undefined, [])
  }
  recorder.stop()
}
