/** Words of the glossary. */
export const words = {
  about: (term: string) => `What ${term} means`,
  unknown: 'The glossary does not have this term.',
  terms: 'Terms',
  also: 'Also called',
  metrics: 'What tells of it',
  readOn: 'Read on',
  notExposed: (version: string | null) => (version ? `Not exposed by ${version}` : 'Not exposed'),
  unknownYet: 'Type and buckets are read from the members once a cluster runs.',
  type: 'Type',
  unit: 'Unit',
  buckets: 'Buckets',
  copyAddress: (url: string) => `Copy ${url}`,
  copyName: 'Copy the metric’s name',
  whole: 'In the glossary',
}
