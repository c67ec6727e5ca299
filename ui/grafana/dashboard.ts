// What Grafana takes for a dashboard: the types that it publishes, tied together where they leave open which kind of
// panel has which options. They know nothing of PromQL; that is the lint's part (src-tauri/crates/dashboards).

import type { DataQuery } from '@grafana/schema'
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen'
import type * as lines from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen'
import type * as raw from '@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen'

/** `T` as JSON writes it: of an enumeration, the values. */
type Json<T> = unknown extends T
  ? unknown
  : T extends string
    ? `${T}`
    : T extends number | boolean | null | undefined
      ? T
      : T extends (infer Item)[]
        ? Json<Item>[]
        : { [Key in keyof T]: Json<T[Key]> }

/** A query of Grafana's Prometheus data source, whose types come with none of its packages. */
interface Query extends DataQuery {
  datasource: raw.DataSourceRef
  editorMode: 'code' | 'builder'
  expr: string
  legendFormat: string
  range: boolean
  instant: boolean
}

type Defaults<Custom> = Omit<Json<raw.FieldConfig>, 'custom'> & { custom?: Json<Custom> }

/** What a field is by default, for the fields that it matches only. */
type Property<Field, Prefix extends string = ''> = {
  [Key in keyof Field & string]-?: { id: `${Prefix}${Key}`; value: Field[Key] }
}[keyof Field & string]

interface Override<Custom> {
  matcher: Json<raw.MatcherConfig>
  properties: (Property<Omit<Defaults<Custom>, 'custom'>> | Property<Json<Custom>, 'custom.'>)[]
}

type Panel<Type extends string, Options, Custom> = Omit<
  Json<raw.Panel>,
  'type' | 'options' | 'fieldConfig' | 'targets'
> & {
  type: Type
  options: Json<Options>
  fieldConfig: { defaults: Defaults<Custom>; overrides: Override<Custom>[] }
  targets: Query[]
}

/** A dashboard of the panels that the lab draws too. */
export type Dashboard = Omit<Json<raw.Dashboard>, 'panels'> & {
  panels: (
    | Json<raw.RowPanel>
    | Panel<'timeseries', lines.Options, lines.FieldConfig>
    | Panel<'stat', stat.Options, Record<string, never>>
  )[]
}
