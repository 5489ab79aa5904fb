import type { FrameKind } from '@geordi/profile'

/** How a report looks. Data only: the pages read it, and nothing else in this package names a colour or a size of text. */
export interface Theme {
  /** Points. */
  readonly page: { readonly margin: number, readonly width: number, readonly height: number }
  readonly ink: string
  readonly muted: string
  readonly rule: string
  readonly paper: string
  /** Behind notes and marked rows. */
  readonly shade: string
  /** Sizes of text in points; none is below 6. */
  readonly text: {
    readonly title: number, readonly heading: number, readonly body: number, readonly small: number, readonly label: number
  }
  /** Fill by share of total time, from 0 to 1: it only becomes darker, so that it reads in grey and for the colour-blind. */
  readonly heat: readonly string[]
  /** The two colours of text on a fill; the one with more contrast is taken. */
  readonly onFill: readonly [dark: string, light: string]
  readonly line: { readonly light: string, readonly dark: string }
  readonly critical: string
  /** Parts of the wall time, wherever they are shown: in the bar, as boxes of waits, along the time. */
  readonly bar: Readonly<Record<BarPart, string>>
}

/** Kinds of waits that have a colour in common: more of them than these nobody could tell apart. */
export type WaitGroup = 'database' | 'cache' | 'network' | 'file' | 'elsewhere' | 'pool' | 'lock' | 'timer'

/** What the bar of the wall time is made of. */
export type BarPart = Exclude<FrameKind, 'root'> | WaitGroup | 'recording' | 'unsampled'

export const theme: Theme = {
  // A4
  page: { margin: 42, width: 595.28, height: 841.89 },
  ink: '#15191f',
  muted: '#535c68',
  rule: '#cfd5dc',
  paper: '#ffffff',
  shade: '#f3f5f7',
  text: { title: 17, heading: 10.5, body: 8, small: 7, label: 6.5 },
  heat: ['#f6f4ef', '#fae4b6', '#fbcf85', '#f5a94f', '#e67c30', '#c94f22', '#9c2f1b', '#701a17'],
  // Black and white: whatever the fill, one of them has a contrast of 4.58 or more.
  onFill: ['#000000', '#ffffff'],
  line: { light: '#a39a90', dark: '#4a2a1e' },
  // Blue against the fills' orange: the pair that every kind of colour blindness keeps apart.
  critical: '#1f3fa8',
  // Neighbours differ in lightness, so that the bar reads in grey.
  bar: {
    app: '#b5431d',
    dependency: '#f2b65c',
    node: '#2c7480',
    native: '#a6d3c6',
    program: '#7d8894',
    gc: '#5b4690',
    database: '#4c9ef0',
    cache: '#d7a2ce',
    network: '#0fb37c',
    file: '#cdf27c',
    elsewhere: '#8f2fee',
    pool: '#962c61',
    lock: '#2c293d',
    timer: '#68c5f3',
    recording: '#395035',
    idle: '#d8dfe7',
    unsampled: '#ffffff'
  }
}
