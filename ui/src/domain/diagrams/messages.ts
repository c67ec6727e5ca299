/** Words of the sequence diagram. */
export const words = {
  label: (title: string) => `${title}, step by step`,
  noMetric: 'no metric of its own',
  noMetricShort: 'no metric',
  noValue: 'no value yet',
  legendHot: 'Warm: where the time goes',
  legendNone: 'Dim: no metric of its own',
  measuredBy: 'Measured by',
  query: 'Query',
  source: 'In etcd’s source',
  notMeasured: 'Nothing measures this step',
  close: 'Close step',
  previous: 'Previous step',
  next: 'Next step',
  hint: 'Click a step, or use the arrow keys, to see what happens there.',
}
