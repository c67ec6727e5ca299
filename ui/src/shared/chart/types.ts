/** What a chart draws. */

export interface Line {
  /** Stays the same while it is the same line. */
  readonly key: string
  readonly name: string
  /** A custom property, such as `--m0`. */
  readonly colour: string
  /** Lengths of strokes and gaps; empty for a solid line. */
  readonly dash: readonly number[]
  /** What tells it from the other lines of its colour, in words; empty where nothing does. */
  readonly kind: string
  /** One a time; a gap is `null`. */
  readonly values: readonly (number | null)[]
}

/** A moment drawn on every chart. */
export interface Mark {
  readonly atS: number
  readonly label: string
  /** Where there is no room for the label. */
  readonly short: string
  /** A fault is seen from afar; the others are quiet. */
  readonly tone: 'fault' | 'quiet'
}

export interface Scale {
  /** Grafana's unit id. */
  readonly unit: string
  /** Ends of the value axis, where they are fixed. */
  readonly min: number | null
  readonly max: number | null
  /** Values at which a quiet line is drawn; always on the axis. */
  readonly thresholds?: readonly number[]
}
