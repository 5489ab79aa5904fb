import { MARK, type WaitRecording } from '@geordi/waits/recording'
import { OpenWaits, type OpenWait, type Snapshot } from './open-waits.ts'

/** From when to when, in microseconds. */
export interface Window {
  readonly start: number
  readonly end: number
}

/** A stretch of the run in which nothing changed: one record's code ran, or none and the same waits were open. */
export interface Piece {
  readonly start: number
  readonly end: number
  /** The record whose code ran; 0 for none, -1 for the recorder. */
  readonly record: number
  /** Where none ran: what was waited for. */
  readonly waits: Snapshot
  /** Where none ran: the wait that ended next. */
  readonly next: OpenWait | undefined
}

const NOTHING: Snapshot = []

/** Cuts the window at each marker, and between them at each start and end of a wait where nothing ran. The pieces fill the window. */
export function cutTimeline (window: Window, { markers }: WaitRecording, waits: readonly OpenWait[]): Piece[] {
  const pieces: Piece[] = []
  const open = new OpenWaits(waits)
  let from = window.start
  let record = 0
  const fill = (end: number) => {
    if (end <= from) return
    if (record !== 0) {
      pieces.push({ start: from, end, record, waits: NOTHING, next: undefined })
    } else {
      while (from < end) {
        open.advance(from)
        const to = Math.min(end, open.nextChange)
        pieces.push({ start: from, end: to, record: 0, waits: open.snapshot, next: open.nextToEnd })
        from = to
      }
    }
    from = end
  }
  markers.time.forEach((time, at) => {
    fill(Math.min(time, window.end))
    record = markers.record[at] ?? 0
    if (record < 0) record = MARK.recorder
  })
  fill(window.end)
  return pieces
}
