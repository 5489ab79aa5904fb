import { Session, type Profiler } from 'node:inspector'
import type { CpuProfile } from './cpu-profile.ts'
import type { EngineDriver } from './cpu-profiler.ts'

/** The same profiler through the DevTools protocol, with nothing to compile. */
export function openInspector (): EngineDriver {
  let session: Session | undefined
  return {
    start (interval) {
      session = new Session()
      session.connect()
      post(session, 'Profiler.enable')
      post(session, 'Profiler.setSamplingInterval', { interval })
      post(session, 'Profiler.start')
    },
    next () {
      const { profile } = post<Profiler.StopReturnType>(session!, 'Profiler.stop')
      post(session!, 'Profiler.start')
      return profile as CpuProfile
    },
    stop () {
      const { profile } = post<Profiler.StopReturnType>(session!, 'Profiler.stop')
      session!.disconnect()
      session = undefined
      return profile as CpuProfile
    }
  }
}

/** A session on the own thread answers before `post` returns. */
function post<Result> (session: Session, method: string, params: object = {}): Result {
  let answer: { error: Error | null, result?: unknown } | undefined
  session.post(method, params, (error, result) => { answer = { error, result } })
  if (answer === undefined) throw new Error(`node:inspector did not answer ${method} at once`)
  if (answer.error !== null) throw Object.assign(new Error(answer.error.message), { cause: answer.error })
  return answer.result as Result
}
