/** Lines for a panel or an arrow of the made-up cluster, chosen by what its query asks for. */
import type { ArrowFrame, Diagram, PanelFrame, PanelRef, PanelView, SeriesFrame } from '$shared/api/lab'

import { MEMBERS, noise, type World } from './world'

type Value = (t: number, member: number) => number | null

/** First match wins. */
function valueFor(world: World, expr: string, target: number): Value {
  const has = (...parts: string[]) => parts.every((part) => expr.includes(part))
  const jitter = (t: number, m: number, by = 0.05) => 1 + noise(t, m + target * 7 + 50) * by
  const isPut = has('"Put"')
  const isRange = has('"Range"') || has('mvcc_range_total')
  if (has('grpc_server_handling_seconds', 'quantile')) {
    if (isPut) return (t, m) => (world.puts(t) > 0 ? world.putP90(t, m) : null)
    if (isRange) return (t, m) => (world.ranges(t) > 0 ? 0.04 * (1 + world.slow(t) * 55) * jitter(t, m) : null)
    return () => null
  }
  if (has('apply_duration')) return (t, m) => 0.00004 * jitter(t, m)
  if (isPut || has('etcd_mvcc_put_total')) return (t, m) => world.putRate(t, m) * (has('mvcc') ? 3 : 1)
  if (isRange) return (t, m) => world.rangeRate(t, m)
  if (has('"Compact"') || has('"Defragment"') || has('compaction') || has('defrag')) return () => 0
  if (has('wal_fsync_duration', 'quantile')) return (t, m) => world.fsync(t, m)
  if (has('wal_fsync_duration_seconds_count'))
    return (t, m) => (10 + world.puts(t) * 480 * (1 - world.slow(t) * 0.96)) * jitter(t, m)
  if (has('backend_commit_duration', 'quantile')) return (t, m) => (0.003 + world.puts(t) * 0.009) * jitter(t, m, 0.12)
  if (has('backend_commit_duration_seconds_count')) return (t, m) => (1 + world.puts(t) * 8.6) * jitter(t, m)
  if (has('proposals_pending'))
    return (t, m) => Math.round(world.puts(t) * (([140, 250, 300][m] ?? 0) + world.slow(t) * 60) * jitter(t, m, 0.1))
  if (has('committed', 'applied', ' - '))
    return (t, m) => Math.max(0, Math.round(world.puts(t) * 20 * jitter(t, m, 0.7)))
  if (has('proposals_committed') || has('proposals_applied'))
    return has('rate') ? (t, m) => world.putRate(t, m) * 3 : (t, m) => world.index(t, m)
  if (has('wal_write_bytes')) return (t, m) => world.putRate(t, m) * 3 * 130
  if (has('db_total_size_in_use')) return (t, m) => world.dbSize(t, m) * 0.62
  if (has('db_total_size')) return (t, m) => world.dbSize(t, m)
  if (has('has_leader')) return () => 1
  if (has('is_leader')) return (_, m) => (m === 0 ? 1 : 0)
  if (has('leader_changes')) return has('rate') ? () => 0 : () => 1
  if (has('resident_memory')) return (t, m) => (86e6 + world.puts(t) * 160e6) * jitter(t, m, 0.02)
  if (has('client_grpc_sent') || has('client_grpc_received'))
    return (t, m) => (world.putRate(t, m) * 46 + world.rangeRate(t, m) * 92) * jitter(t, m)
  if (has('peer_round_trip')) return (t, m) => 0.0016 * jitter(t, m, 0.2)
  if (has('network_peer')) return (t, m) => (1200 + world.puts(t) * (m === 0 ? 1.9e6 : 0.6e6)) * jitter(t, m)
  if (has('heartbeat_send_failures')) return () => 0
  if (has('Watch') || has('Lease')) return () => 0
  if (has('grpc_server_handled') || has('grpc_server_started'))
    return (t, m) => (world.putRate(t, m) + world.rangeRate(t, m)) * (has('code!="OK"') ? 0 : 1)
  if (has('current_revision')) return (t, m) => world.index(t, m)
  return () => 0
}

const filled = (legend: string, labels: Record<string, string>) =>
  legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => labels[name] ?? '')

export function panelFrame(world: World, ref: PanelRef, panel: PanelView, times: readonly number[]): PanelFrame {
  const series: SeriesFrame[] = panel.targets.flatMap((target, at): SeriesFrame[] => {
    const value = valueFor(world, target.expr, at)
    const above = target.expr.includes('> 0')
    const peers = target.expr.includes('To') || target.legend.includes('{{To}}')
    if (!target.legend.includes('{{instance}}')) {
      return [{ name: target.legend, member: null, labels: {}, target: at, values: times.map((t) => value(t, 0)) }]
    }
    return MEMBERS.flatMap((member, index) => {
      const variants: Record<string, string>[] = peers
        ? MEMBERS.filter((other) => other !== member).map((To) => ({ To, From: To }))
        : target.legend.includes('grpc_code')
          ? world.story === 'errors' && index === 2
            ? [{ grpc_code: 'OK' }, { grpc_code: 'Unknown' }]
            : [{ grpc_code: 'OK' }]
          : [{}]
      return variants.map((extra, variant) => {
        const labels = { instance: member, ...extra }
        const values = times.map((t) => {
          if (!world.up(index, t)) return null
          const v = value(t, index)
          const scaled = v === null ? null : extra.grpc_code === 'Unknown' ? v * 0.3 : v * (1 + variant * 0.06)
          return scaled !== null && above && scaled <= 0 ? null : scaled
        })
        return { name: filled(target.legend, labels), member, labels, target: at, values }
      })
    }).filter((each) => each.values.some((v) => v !== null))
  })
  return { panel: ref, series, problem: null }
}

export function arrowFrames(world: World, diagram: Diagram, t: number): ArrowFrame[] {
  return diagram.steps.flatMap((step, at) => {
    if (step.measure.by !== 'metric') return []
    const value = valueFor(world, step.measure.query, 0)
    return [
      {
        step: at + 1,
        values: MEMBERS.map((member, index) => ({
          member,
          value: world.up(index, t) ? value(t, index) : null,
          recent: Array.from({ length: 60 }, (_, ago) =>
            world.up(index, t - 59 + ago) ? value(t - 59 + ago, index) : null,
          ),
        })),
      },
    ]
  })
}
