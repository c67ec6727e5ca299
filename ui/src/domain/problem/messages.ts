/** Words around a problem; those of the problem itself are the lab's. */
export const words = {
  lastLines: (member: string | null) => `Last lines of ${member ?? 'the member'}’s log`,
  details: 'Details',
  dismiss: 'Dismiss',
}
