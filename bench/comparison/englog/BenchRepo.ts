/** What the comparison does to our tables past the product: an owner, whether work is left, an empty queue, a long history. */
import { OrganizationId, UserId } from "@englog/domain/Ids"
import { randomUUID } from "node:crypto"
import { Pool } from "pg"
import { BenchTask } from "./BenchTask.ts"

export interface Owner {
  readonly user_id: UserId
  readonly organization_id: OrganizationId
}

export class BenchRepo {
  readonly #pool: Pool

  constructor(url: string) {
    this.#pool = new Pool({ connectionString: url, max: 2 })
  }

  async newOwner(): Promise<Owner> {
    const [user_id, organization_id] = [UserId.make(randomUUID()), OrganizationId.make(randomUUID())]
    await this.#pool.query(
      "INSERT INTO users (id, email, password_hash, first_name, last_name) VALUES ($1, $2, 'none', 'Ada', 'Lovelace')",
      [user_id, `${user_id}@example.com`]
    )
    await this.#pool.query("INSERT INTO organizations (id, name, personal_of) VALUES ($1, 'Ada', $2)", [organization_id, user_id])
    await this.#pool.query("INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1, $2, 'owner')", [organization_id, user_id])
    return { user_id, organization_id }
  }

  /** Looks at the newest open task alone: what was seeded is older than what is measured. */
  async open(): Promise<boolean> {
    const { rows } = await this.#pool.query("SELECT kind <> $1 AS seeded FROM task_queue ORDER BY id DESC LIMIT 1", [seededKind])
    return rows[0]?.seeded === true
  }

  async clear(): Promise<void> {
    await this.#pool.query("TRUNCATE tasks, task_queue, task_events CASCADE")
  }

  /**
   * `count` tasks that have ended and `count` that are queued, of a kind that no worker offers and of another tenant. A
   * row is a copy of one that the product wrote itself, so that it has whatever columns there are; its id is negative, and
   * so older than any other.
   */
  async seedHistory(count: number, finished: string, queued: string): Promise<void> {
    await this.#copy("tasks", finished, count, -2 * count)
    await this.#copy("tasks", queued, count, -count)
    await this.#copyBy("task_queue", queued, count, -count)
    await this.#copyBy("task_events", finished, count, -2 * count)
    await this.#copyBy("task_events", queued, count, -count)
    await this.#pool.query("VACUUM ANALYZE")
  }

  async #copy(table: string, task_id: string, count: number, from: number): Promise<void> {
    const columns = await this.#columns(table)
    const values = columns.map((column) => column === "id" ? "n" : column === "task_id" ? "t.task_id || n" : `t.${column}`)
    await this.#pool.query(
      `INSERT INTO ${table} (${columns.join(", ")}) OVERRIDING SYSTEM VALUE
        SELECT ${values.join(", ")} FROM ${table} t, generate_series($2::bigint, $3::bigint) AS n WHERE t.task_id = $1`,
      [task_id, from, from + count - 1]
    )
  }

  /** Of a table that belongs to `tasks`. */
  async #copyBy(table: string, task_id: string, count: number, from: number): Promise<void> {
    const columns = await this.#columns(table)
    const key = columns.includes("task") ? "task" : "id"
    const values = columns.map((column) => column === key ? "n" : `c.${column}`)
    await this.#pool.query(
      `INSERT INTO ${table} (${columns.join(", ")})
        SELECT ${values.join(", ")} FROM ${table} c JOIN tasks t ON t.id = c.${key}, generate_series($2::bigint, $3::bigint) AS n WHERE t.task_id = $1`,
      [task_id, from, from + count - 1]
    )
  }

  async #columns(table: string): Promise<ReadonlyArray<string>> {
    const { rows } = await this.#pool.query<{ column_name: string }>(
      "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position",
      [table]
    )
    return rows.map(({ column_name }) => column_name)
  }
}

export const seededKind = `${BenchTask.kind}_SEEDED`
