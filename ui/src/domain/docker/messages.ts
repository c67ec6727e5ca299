/** Words of Docker: engine, images, and Prometheus and Grafana beside the cluster. */
import type { EngineView, ImageWorkKind } from '$shared/api/lab'

export const words = {
  engine: (engine: EngineView) => `${engine.product} ${engine.version}`,
  engineMore: (engine: EngineView) => `API ${engine.apiVersion}, ${engine.platform}`,
  looking: 'Looking for a Docker engine',
  lookAgain: 'Look again',
  images: 'Images that members run from',
  state: {
    current: 'Ready',
    outdated: 'Holds older programs than this lab',
    buildable: 'Not built yet: the first start builds it',
    absent: 'Not here: load it from a file',
  },
  build: 'Build',
  buildAgain: 'Build anew',
  save: 'Save to a file',
  load: 'Load from a file',
  saveNow: 'Save',
  loadNow: 'Load',
  cancel: 'Cancel',
  file: 'File on this machine',
  saveHint: 'All images that are here, as docker save writes them, for a place without network.',
  loadHint: 'An archive that this lab or docker save wrote.',
  mistake: {
    empty: 'Name a file.',
    relative: 'Name it from the root on: it begins with /.',
    folder: 'That is a folder: name a file in it.',
  },
  work: (kind: ImageWorkKind, subject: string) =>
    `${{ build: 'Building', save: 'Saving', load: 'Loading', pull: 'Fetching' }[kind]} ${subject}`,
  done: {
    buildImage: 'The image is built.',
    saveImages: (file: string) => `The images are in ${file}.`,
    loadImages: 'The images are loaded.',
  },
  native: 'Do without Docker',

  observers: 'Prometheus and Grafana',
  observersText: {
    off: 'The real ones, as containers beside the cluster, with the lab’s dashboards and alerts.',
    starting: 'They are on their way up.',
    on: 'They scrape the cluster each second and end with it.',
    failed: 'They don’t run.',
  },
  tryAgain: 'Try again',
  page: { grafana: 'Grafana', prometheus: 'Prometheus' },
  open: 'Open',
  notOpened: 'No browser could be opened: copy the address.',
  user: 'User',
  password: 'Password',
  copyPassword: 'Copy the password',
}
