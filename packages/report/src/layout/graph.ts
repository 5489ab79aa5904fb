/** A graph to be laid out: sizes only, all in points. A box's id is its index. */
export interface SizedGraph {
  readonly boxes: readonly SizedBox[]
  readonly links: readonly SizedLink[]
}

export interface SizedBox {
  readonly width: number
  readonly height: number
}

export interface SizedLink {
  readonly from: number
  readonly to: number
  /** Width of the line. */
  readonly stroke: number
  /** Length of the arrow's head. */
  readonly arrow: number
  /** How much the line should be short and straight, from 1. */
  readonly weight: number
  readonly label: SizedBox
}

/** Where everything is: points from the upper left corner, y downwards, boxes and links in the order given. */
export interface PlacedGraph {
  readonly width: number
  readonly height: number
  /** Centres. */
  readonly boxes: readonly Point[]
  readonly links: readonly PlacedLink[]
}

export interface PlacedLink {
  /** A chain of cubic Bézier curves: the start, then two control points and an end for each. */
  readonly curve: readonly Point[]
  /** Where the arrow's head ends; it begins at the curve's end. */
  readonly tip: Point
  /**
   * Centre of the label, clear of lines and boxes; `onLine` says that there was only place on its own line, which must be
   * interrupted there. Missing where there was no place at all.
   */
  readonly label?: Point & { readonly onLine: boolean }
}

export interface Point {
  readonly x: number
  readonly y: number
}
