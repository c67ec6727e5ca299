/** What there is to say and to ask about Docker's images. Pure. */
import type { ImageView, ImageWork, Problem } from '$shared/api/lab'

/** How an image is: `outdated` holds other programs than the lab has now. */
export type ImageState = 'current' | 'outdated' | 'buildable' | 'absent'

export function imageState(image: ImageView): ImageState {
  if (image.present) return image.present.current === false ? 'outdated' : 'current'
  return image.buildable ? 'buildable' : 'absent'
}

/** Whether building it would change anything. */
export const worthBuilding = (image: ImageView): boolean =>
  image.buildable && (image.present === null || image.present.current === false)

/** Whether there is anything to write to a file. */
export const anyPresent = (images: readonly ImageView[]): boolean => images.some((image) => image.present !== null)

/** How much of it is done, 0 to 1; `null` where nobody knows. */
export const share = (work: ImageWork): number | null =>
  work.done === null ? null : Math.min(1, Math.max(0, work.done))

/** What is the matter with a path, if anything; it is the lab's program that opens it, wherever that was started. */
export function fileMistake(path: string): 'empty' | 'relative' | 'folder' | null {
  const file = path.trim()
  if (file === '') return 'empty'
  if (!file.startsWith('/')) return 'relative'
  return file.endsWith('/') ? 'folder' : null
}

const FILE = 'etcd-metrics-lab-images.tar'

/** A file in the home folder that the lab's own folder lies in, or beside that folder where it lies elsewhere. */
export function suggestedFile(labFolder: string): string {
  const home = /^(\/(?:home|Users)\/[^/]+|\/root)\//.exec(labFolder)?.[1]
  return `${home ?? labFolder.replace(/\/[^/]*\/?$/, '')}/${FILE}`
}

/** Whether a cluster without Docker would not have that problem. */
export const isDockers = (problem: Problem): boolean => problem.code.startsWith('docker-')
