/** Stories in which Docker is chosen, or runs the members. */
export const DOCKER_STORIES = [
  'docker',
  'docker-building',
  'docker-saving',
  'docker-none',
  'docker-preparing',
  'docker-failed',
  'docker-running',
  'docker-members',
  'observers-starting',
  'observers-on',
  'observers-failed',
] as const

/** Stories in which a course is under way, or was. */
export const COURSE_STORIES = [
  'newcomer',
  'course-overview',
  'course-setting',
  'course-predict',
  'course-level',
  'course-act',
  'course-found',
  'course-watching',
  'course-met',
  'course-wrong',
  'course-missed',
  'course-broken',
  'course-port',
  'course-finished',
] as const
export type CourseStory = (typeof COURSE_STORIES)[number]
