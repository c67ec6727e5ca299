/**
 * The lab as this window knows it: the snapshot, kept up to date by events, and commands sent for the person.
 * Holds state and draws nothing. A window that is reloaded, or that fell behind, asks for the snapshot again.
 */
import { SvelteMap } from 'svelte/reactivity'

import type {
  ClusterView,
  Command,
  CourseView,
  DashboardView,
  Diagram,
  Event,
  FaultsView,
  Frame,
  ImageWork,
  LabInfo,
  LoadPoint,
  LoadView,
  Mark,
  ObserversView,
  Phase,
  Problem,
  Reply,
  ScenarioView,
  ShownCommand,
  Snapshot,
} from '$shared/api/lab'
import { type Host, hostGone, type Page } from '$shared/host/host'

import { indexFrame, NO_FRAME, type IndexedFrame } from './frame'

/** Whether this window hears from the lab. */
export type Link = 'connecting' | 'live' | 'ended' | 'gone'

/** Seconds of a load that are kept for its chart. */
const LOAD_HISTORY = 300
/** Commands that are kept for the log. */
const SHOWN = 500
/** Marks that are kept: more than any chart's window has room for. */
const MARKS = 200

export const NO_FAULTS: FaultsView = { failpoints: [], links: null }

/** Code of the answer to what the person themselves called off by stopping the cluster: nothing to be told of. */
export const CALLED_OFF = 'called-off'

/** What changes the state; that this window fell behind only makes it ask anew. */
type News = Exclude<Event, { type: 'lagged' }>

export type ReplyOf<T extends Reply['type']> = Extract<Reply, { type: T }>

export class Session {
  link = $state<Link>('connecting')
  lab = $state.raw<LabInfo | null>(null)
  phase = $state.raw<Phase>({ name: 'stopped' })
  cluster = $state.raw<ClusterView | null>(null)
  /** Members of this cluster, or, while there is none, of the last: their logs stay. */
  members = $state.raw<readonly string[]>([])
  /** Loads by id, oldest first. */
  readonly loads = new SvelteMap<number, LoadView>()
  /** What is in effect, whoever set it. */
  faults = $state.raw<FaultsView>(NO_FAULTS)
  /** Moments that charts mark, oldest first. */
  marks = $state.raw<readonly Mark[]>([])
  shown = $state.raw<readonly ShownCommand[]>([])
  /** The scenario under way, whoever began it. */
  course = $state.raw<CourseView | null>(null)
  /** All scenarios, with how far the person got; `null` until they were read. */
  scenarios = $state.raw<readonly ScenarioView[] | null>(null)
  /** Work on an image that is under way. */
  imageWork = $state.raw<ImageWork | null>(null)
  /** Prometheus and Grafana beside the cluster. */
  observers = $state.raw<ObserversView>({ name: 'off' })
  problem = $state.raw<Problem | null>(null)
  dashboards = $state.raw<readonly DashboardView[]>([])
  diagrams = $state.raw<readonly Diagram[]>([])
  /** What is drawn now. */
  frame = $state.raw<IndexedFrame>(NO_FRAME)
  /** When the last frame came, by this window's clock; 0 for never. */
  frameCameMs = $state(0)

  readonly #host: Host
  readonly #now: () => number
  /** A snapshot that was asked for before another must not undo it. */
  #asked = 0
  /** Events since a snapshot was asked for: it may be older than they are. `null` while none is under way. */
  #since: News[] | null = null

  constructor(host: Host, now: () => number = Date.now) {
    this.#host = host
    this.#now = now
  }

  /** Subscribes, then reads everything once. */
  async connect(): Promise<void> {
    try {
      await this.#host.subscribe((event) => this.#hear(event))
    } catch (cause) {
      this.link = 'gone'
      this.problem = hostGone(cause)
      return
    }
    await Promise.all([this.#refresh(), this.#readDashboards(), this.#readDiagrams(), this.readScenarios()])
  }

  /** Carries out a command. The answer, or the problem, is the caller's to show. */
  send(command: Command): Promise<Reply> {
    return this.#host.send(command)
  }

  /** Carries out a command whose failure is shown to the whole window. */
  async act(command: Command): Promise<Reply> {
    const reply = await this.send(command)
    if (reply.type === 'problem' && reply.problem.code !== CALLED_OFF) this.problem = reply.problem
    return reply
  }

  /** Opens a page in the person's browser; says whether that could be done. */
  open(page: Page): Promise<boolean> {
    return this.#host.open(page)
  }

  async dismissProblem(): Promise<void> {
    this.problem = null
    await this.send({ type: 'dismissProblem' })
  }

  async #refresh(): Promise<void> {
    const asked = ++this.#asked
    // What came before is in this snapshot.
    this.#since = []
    const reply = await this.send({ type: 'snapshot' })
    if (asked !== this.#asked) return
    const since = this.#since
    this.#since = null
    if (reply.type === 'snapshot') {
      this.#adopt(reply.snapshot)
      for (const event of since) this.#take(event)
    } else if (reply.type === 'problem') {
      this.link = 'gone'
      this.problem = reply.problem
    }
  }

  async #readDashboards(): Promise<void> {
    const reply = await this.send({ type: 'dashboards' })
    if (reply.type === 'dashboards') this.dashboards = reply.dashboards
    else if (reply.type === 'problem') this.problem = reply.problem
  }

  async #readDiagrams(): Promise<void> {
    const reply = await this.send({ type: 'diagrams' })
    if (reply.type === 'diagrams') this.diagrams = reply.diagrams
    else if (reply.type === 'problem') this.problem = reply.problem
  }

  /** Reads the scenarios anew: to be called when progress was forgotten elsewhere than in a course. */
  async readScenarios(): Promise<void> {
    const reply = await this.send({ type: 'scenarios' })
    if (reply.type === 'scenarios') this.scenarios = reply.scenarios
    else if (reply.type === 'problem') this.problem = reply.problem
  }

  /** What became of a step is kept by the lab; the list of scenarios is read anew when that changed. */
  #follow(course: CourseView | null): void {
    const before = this.course
    this.course = course
    if (recordsOf(before) !== recordsOf(course)) void this.readScenarios()
  }

  #adopt(snapshot: Snapshot): void {
    this.link = 'live'
    if (snapshot.lab.id !== this.lab?.id || snapshot.phase.name !== 'running') this.#clear()
    this.lab = snapshot.lab
    this.phase = snapshot.phase
    this.cluster = snapshot.cluster
    this.#name()
    this.problem = snapshot.problem
    this.shown = snapshot.shown
    this.loads.clear()
    for (const load of snapshot.loads) this.loads.set(load.id, load)
    this.faults = snapshot.faults
    this.marks = snapshot.marks
    this.#follow(snapshot.course)
    this.imageWork = snapshot.imageWork
    this.observers = snapshot.observers
  }

  #hear(event: Event): void {
    if (event.type === 'lagged') void this.#refresh()
    else if (this.#since) this.#since.push(event)
    else this.#take(event)
  }

  #take(event: News): void {
    switch (event.type) {
      case 'phase':
        this.#enter(event.phase)
        break
      case 'cluster':
        this.cluster = event.cluster
        this.#name()
        break
      case 'load':
        this.loads.set(event.load.id, withHistory(event.load, this.loads.get(event.load.id)))
        break
      case 'loadForgotten':
        this.loads.delete(event.id)
        break
      case 'faults':
        this.faults = event.faults
        break
      case 'mark':
        this.marks = [...this.marks.filter((each) => each.id !== event.mark.id), event.mark].slice(-MARKS)
        break
      case 'course':
        this.#follow(event.course)
        break
      case 'imageWork':
        this.imageWork = event.work
        break
      case 'observers':
        this.observers = event.observers
        break
      case 'shown':
        this.shown = [...this.shown.filter((each) => each.id !== event.command.id), event.command].slice(-SHOWN)
        break
      case 'frame':
        this.#draw(event.frame)
        break
      case 'problem':
        this.problem = event.problem
        break
      case 'problemOver':
        this.problem = null
        break
      case 'ended':
        this.link = 'ended'
        break
    }
  }

  #enter(phase: Phase): void {
    this.phase = phase
    // Nothing of the last cluster is drawn as if it were of the next, and its problems are not the next one's.
    if (phase.name !== 'running') this.#clear()
    if (phase.name === 'starting') {
      this.problem = null
      this.marks = []
    }
    if (phase.name === 'stopped') {
      this.cluster = null
      this.faults = NO_FAULTS
    }
    this.#name()
  }

  /** A start that failed leaves no cluster, but says whose fault it was. */
  #name(): void {
    const { phase } = this
    const names =
      this.cluster?.members.map((member) => member.name) ??
      (phase.name === 'starting' ? phase.waiting.map((each) => each.member) : [])
    if (names.length > 0 && names.join() !== this.members.join()) this.members = names
    else if (phase.name === 'failed' && phase.problem.member && this.members.length === 0)
      this.members = [phase.problem.member]
  }

  /** A frame that was under way when the cluster stopped is not of now. */
  #draw(frame: Frame): void {
    if (this.phase.name !== 'running') return
    this.frame = indexFrame(frame)
    this.frameCameMs = this.#now()
  }

  #clear(): void {
    this.frame = NO_FRAME
    this.frameCameMs = 0
  }
}

/** What a course says of the person's progress, to be compared. */
const recordsOf = (course: CourseView | null): string =>
  course ? JSON.stringify([course.options.scenario, course.steps.map((step) => step.record)]) : ''

/** An event's load with the history it left out. */
export function withHistory(load: LoadView, before: LoadView | undefined): LoadView {
  const history = before?.history ?? load.history
  const last = history.at(-1)
  const news: LoadPoint | null = load.now
  if (!news || (last && news.atS <= last.atS)) return { ...load, history }
  return { ...load, history: [...history.slice(1 - LOAD_HISTORY), news] }
}
