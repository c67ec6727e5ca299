import { expect, it } from 'vitest'

import type { ImageView, PresentImage } from '$shared/api/lab'

import { anyPresent, fileMistake, imageState, isDockers, share, suggestedFile, worthBuilding } from './images'

const image = (current: boolean | null | 'absent', buildable: boolean): ImageView => ({
  etcdVersion: '3.5.9',
  reference: 'etcd-metrics-lab/etcd:v3.5.9',
  present: current === 'absent' ? null : ({ id: 'sha256:1', sizeBytes: 1, current } satisfies PresentImage),
  buildable,
})

it.each([
  [true, true, 'current', false],
  [true, false, 'current', false],
  [null, false, 'current', false],
  [false, true, 'outdated', true],
  [false, false, 'outdated', false],
  ['absent', true, 'buildable', true],
  ['absent', false, 'absent', false],
] as const)('an image that is current: %s, buildable: %s, is %s', (current, buildable, state, worth) => {
  expect(imageState(image(current, buildable))).toBe(state)
  expect(worthBuilding(image(current, buildable))).toBe(worth)
})

it('has something to save once one image is there', () => {
  expect(anyPresent([])).toBe(false)
  expect(anyPresent([image('absent', true), image('absent', false)])).toBe(false)
  expect(anyPresent([image('absent', true), image(false, true)])).toBe(true)
})

it.each([
  [null, null],
  [0, 0],
  [0.4, 0.4],
  [1.2, 1],
  [-1, 0],
])('of work that is %s done, draws %s', (done, drawn) => {
  expect(share({ kind: 'build', subject: '', step: '', done })).toBe(drawn)
})

it.each([
  ['', 'empty'],
  ['  ', 'empty'],
  ['images.tar', 'relative'],
  ['~/images.tar', 'relative'],
  ['/media/stick/', 'folder'],
  ['/media/stick/images.tar', null],
])('the path %j is %s', (path, mistake) => expect(fileMistake(path)).toBe(mistake))

it.each([
  ['/home/you/.local/share/etcd-lab/1', '/home/you/etcd-metrics-lab-images.tar'],
  ['/Users/you/Library/Application Support/etcd-lab/1', '/Users/you/etcd-metrics-lab-images.tar'],
  ['/root/.local/share/etcd-lab/1', '/root/etcd-metrics-lab-images.tar'],
  ['/srv/lab/1', '/srv/lab/etcd-metrics-lab-images.tar'],
])('a lab in %s suggests %s', (folder, file) => expect(suggestedFile(folder)).toBe(file))

it.each([
  ['docker-missing', true],
  ['docker-disk-full', true],
  ['port-taken', false],
])('%s is a matter of Docker: %s', (code, is) => {
  expect(isDockers({ code, sentence: '', next: '', detail: '', member: null, log: [] })).toBe(is)
})
