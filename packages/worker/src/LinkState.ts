/** The worker's connection states of seed 000 ("Estados de Conexão do Worker"). */
import { Option, Schema } from "effect"

export const ConnectionState = Schema.Literals([
  "Disconnected",
  "Connecting",
  "Connected",
  "Registering",
  "Registered",
  "Streaming",
  "Processing",
  "Reconnecting"
])
export type ConnectionState = typeof ConnectionState.Type

export interface LinkState {
  readonly connection: ConnectionState
  /** The API server it is connected to, or tries next. */
  readonly address: Option.Option<string>
  /** Failed tries in a row. */
  readonly failures: number
  /** Why the last connection ended or could not be made. */
  readonly problem: Option.Option<string>
}

/** Before the first try. */
export const initialState: LinkState = {
  connection: "Disconnected",
  address: Option.none(),
  failures: 0,
  problem: Option.none()
}

/** Whether tasks can arrive. */
export const isServing = (state: LinkState): boolean =>
  state.connection === "Streaming" || state.connection === "Processing"
