/** Words on a chart's axes. */
export const words = {
  now: 'now',
  end: 'end',
}
