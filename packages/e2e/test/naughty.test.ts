/** Text that programs stumble over, in every text field, and values at the edges of what JSON and calendars can say; against a whole process. */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { FetchHttpClient, type HttpMethod } from "effect/http"
import { exchange, type Server } from "../src/hostile/Exchange.ts"
import { answerOf, codeComplaint } from "../src/hostile/HostileRequest.ts"
import { fits, naughtyStrings, normalized, plain, type TextField, trimmed } from "../src/hostile/NaughtyStrings.ts"
import { at, entries, type Json, list } from "../src/hostile/Operation.ts"
import { Installation } from "../src/Installation.ts"
import { anEntry, ask, register } from "../src/Person.ts"

const running = Effect.gen(function*() {
  const api = yield* (yield* Installation).startApi({ RATE_LIMIT_USER: "off", RATE_LIMIT_ADDRESS: "off" })
  const { hostname: host, port } = new URL(api.url)
  const server: Server = { host, port: Number(port) }
  return { api, server, person: yield* register(api.url, "ada@example.com") }
})

class Running extends Context.Service<Running, Effect.Success<typeof running>>()("@englog/e2e/test/Naughty") {
  static readonly layer = Layer.effect(Running, running)
}

const world = Running.layer.pipe(Layer.provideMerge(Layer.mergeAll(Installation.layer(), FetchHttpClient.layer)))

const send = Effect.fnUntraced(function*(method: HttpMethod.HttpMethod, path: string, body?: unknown) {
  const { api, person } = yield* Running
  const answer = yield* ask(method, `${api.url}${path}`, { token: person.token, ...(body === undefined ? {} : { body }) })
  const parsed: Json = answer.text.startsWith("{") ? JSON.parse(answer.text) : undefined
  return { ...answer, body: parsed }
})

/** A clear refusal: a 4xx that says what is wrong to people and to programs. */
const isRefused = (answer: { readonly status: number; readonly text: string; readonly headers: Readonly<Record<string, string>> }, what: string) => {
  assert.isTrue(answer.status >= 400 && answer.status <= 499, `${what}: ${answer.status} ${answer.text}`)
  const told = answerOf({ _tag: "Answered", ...answer })
  assert.isDefined(told, `${what}: ${answer.text}`)
  assert.isUndefined(codeComplaint(answer.status, told), what)
  return told
}

interface Noun {
  readonly name: string
  /** Where one is made, unless there is one already. */
  readonly made?: string
  /** Where it is replaced; `{id}` is the made one's. */
  readonly path: string
  readonly valid: Readonly<Record<string, Json>>
  readonly fields: Readonly<Record<string, TextField>>
}

const nouns: ReadonlyArray<Noun> = [
  { name: "entries", made: "/v1/logs", path: "/v1/logs/{id}", valid: { ...anEntry }, fields: { title: trimmed(1, 200), description: plain(0, 2_000), tags: normalized(1, 50) } },
  { name: "projects", made: "/v1/projects", path: "/v1/projects/{id}", valid: { name: "P" }, fields: { name: trimmed(1, 200), description: plain(0, 2_000) } },
  { name: "tags", made: "/v1/tags", path: "/v1/tags/{id}", valid: { name: "naughty" }, fields: { name: normalized(1, 50), category: normalized(1, 50) } },
  { name: "teams", made: "/v1/teams", path: "/v1/teams/{id}", valid: { name: "T" }, fields: { name: trimmed(1, 200), description: plain(0, 2_000) } },
  {
    name: "goals",
    made: "/v1/goals",
    path: "/v1/goals/{id}",
    valid: { title: "G", measure: "hours", target: 1, start_date: "2026-01-05", end_date: "2026-01-11" },
    fields: { title: trimmed(1, 200), description: plain(0, 2_000) }
  },
  { name: "profile", path: "/v1/users/profile", valid: { first_name: "Ada", last_name: "Lovelace" }, fields: { first_name: trimmed(1, 100), last_name: trimmed(1, 100) } }
]

/** Lists hold it as their only item. */
const given = (field: string, text: string): Json => field === "tags" ? [text] : text

/** All fields that may hold the text at once; each that may not is refused by itself. */
const tryText = Effect.fnUntraced(function*({ fields, name, valid }: Noun, path: string, text: string) {
  const taken = entries(fields).filter(([field]) => fits(fields[field] ?? plain(0, 0), text)).map(([field]) => field)
  const what = `${name} with ${JSON.stringify(text).slice(0, 80)}`
  const written = yield* send("PUT", path, { ...valid, ...Object.fromEntries(taken.map((field) => [field, given(field, text)])) })
  if (written.status === 409) assert.strictEqual(at(written.body, "details", 0, "field"), "name", what)
  else {
    assert.strictEqual(written.status, 200, `${what}: ${written.text}`)
    const read = yield* send("GET", path)
    for (const field of taken) assert.deepStrictEqual(at(read.body, field), given(field, fields[field]?.kept(text) ?? ""), `${what}: ${field}`)
  }
  for (const field of Object.keys(fields).filter((one) => !taken.includes(one))) {
    const told = isRefused(yield* send("PUT", path, { ...valid, [field]: given(field, text) }), `${what} as ${field}`)
    assert.include(told.error, field)
  }
})

/** A field's value as the JSON text that it is. */
const edges: ReadonlyArray<readonly [path: string, field: string, values: ReadonlyArray<string>, status: number]> = [
  ["/v1/goals", "target", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "0x10", "01", "1.", ".5", "+1", "-0", "0", "1e308", "9007199254740993", "\"1\"", "null", "[]"], 400],
  ["/v1/goals", "target", ["1e2", "100000", "0.01", "1.50", "2E0"], 201],
  ["/v1/goals", "start_date", ["\"0000-01-01\"", "\"9999-12-31\"", "\"10000-01-01\"", "\"-0001-01-01\"", "\"2026-02-29\"", "\"2026-13-01\"", "20260105", "\"\""], 400],
  ["/v1/logs", "title", ["\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u0000\"", "\"\\x41\"", "\"a\nb\"", "\"unfinished", "'a'", "{\"toString\":1}", "1"], 400],
  ["/v1/logs", "title", ["\"\\ud83d\\ude80\"", "\"a\\u2028b\"", "\"\\/\"", "\"\\u0041\""], 201],
  ["/v1/logs", "start_time", ["\"0000-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59Z\"", "\"2026-02-30T00:00:00Z\"", "\"2026-01-05T24:00:00Z\"", "\"2026-01-05T09:00:00\"", "\"2026-01-05T09:00:00+25:00\"", "0", "1e400"], 400],
  ["/v1/schedules", "timezone", ["\"Europe/Atlantis\"", "\"\"", "\"UTC+25\"", "\"../etc/passwd\"", "\"Europe/Berlin\\u0000\"", "0"], 400],
  // Known zones: what is refused is the kind, which is for administrators.
  ["/v1/schedules", "timezone", ["\"Europe/Berlin\"", "\"Pacific/Kiritimati\"", "\"Asia/Kathmandu\""], 403]
]

const whole: Readonly<Record<string, Json>> = {
  "/v1/goals": { title: "G", measure: "hours", target: 1, start_date: "2026-01-05", end_date: "2026-01-11" },
  "/v1/logs": anEntry,
  "/v1/schedules": { task_type: "cleanup", payload: { dry_run: true }, cron: "0 3 * * *", paused: true }
}

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("text and values that programs stumble over", (it) => {
  it.effect("is kept by every noun as it was sent, or refused with the field's name", () => {
    const tryAll = (some: ReadonlyArray<Noun>) =>
      Effect.forEach(some, (noun) => Effect.gen(function*() {
        const made = noun.made === undefined ? undefined : yield* send("POST", noun.made, noun.valid)
        const path = noun.path.replace("{id}", String(at(made?.body, "id")))
        yield* Effect.forEach(naughtyStrings, (text) => tryText(noun, path, text), { discard: true })
      }), { concurrency: "unbounded", discard: true })
    // A tag that is renamed has its new name on entries, too.
    const isTags = ({ name }: Noun) => name === "tags"
    return Effect.andThen(tryAll(nouns.filter((noun) => !isTags(noun))), tryAll(nouns.filter(isTags)))
  }, 400_000)

  it.effect("finds what it was written in, or is refused, as a search, a filter, a cursor and a part of a path", () =>
    Effect.forEach(naughtyStrings, (text) => Effect.gen(function*() {
      const encoded = encodeURIComponent(text)
      for (const path of [
        `/v1/logs?q=${encoded}`, `/v1/logs?tags=${encoded}`, `/v1/logs?cursor=${encoded}`, `/v1/logs?limit=${encoded}`, `/v1/logs?${encoded}=1`,
        `/v1/logs?start_date=${encoded}`, `/v1/tags?category=${encoded}`, `/v1/tags?cursor=${encoded}`, `/v1/insights?type=${encoded}`,
        `/v1/logs/${encoded}`, `/v1/tasks/${encoded}`, `/api/background/queue/${encoded}/pause`, `/${encoded}`
      ]) {
        const answer = yield* send("GET", path)
        if (answer.status !== 200) isRefused(answer, path)
      }
    }), { concurrency: 4, discard: true }), 400_000)

  /** JSON as it is written here, which no library would write. */
  const raw = Effect.fnUntraced(function*(target: string, text: string | Uint8Array) {
    const { person, server } = yield* Running
    const headers = [["authorization", `Bearer ${person.token}`], ["content-type", "application/json"]] as const
    const outcome = yield* exchange(server, { attack: "", operation: "", method: "POST", target, headers, body: Buffer.from(text) })
    return outcome._tag === "Answered" ? outcome : yield* Effect.die(new Error(`${target} ${JSON.stringify(outcome)}`))
  })

  const refusal = (outcome: Effect.Success<ReturnType<typeof raw>>, what: string) => {
    const told = answerOf(outcome)
    assert.isDefined(told, `${what}: ${outcome.text}`)
    assert.isUndefined(codeComplaint(outcome.status, told), what)
    return told
  }

  it.effect("of numbers, text, times, days and zones are taken, or refused by the name of their field", () => Effect.gen(function*() {
    for (const [path, field, values, status] of edges) {
      for (const value of values) {
        const fields = entries(whole[path]).filter(([name]) => name !== field).map(([name, json]) => `${JSON.stringify(name)}:${JSON.stringify(json)}`)
        const what = `${path} ${field}: ${value}`
        const outcome = yield* raw(path, `{${[...fields, `${JSON.stringify(field)}:${value}`].join(",")}}`)
        assert.strictEqual(outcome.status, status, `${what}: ${outcome.text}`)
        if (status >= 400) assert.match(refusal(outcome, what).error, status === 403 ? /^task_type: / : new RegExp(`\\b${field}\\b|is not valid JSON|^end_`), what)
      }
    }
  }))

  it.effect("of JSON itself are refused as a malformed body or by the field that is too much", () => Effect.gen(function*() {
    const entry = JSON.stringify(anEntry)
    const bodies: ReadonlyArray<readonly [body: string | Uint8Array, code: string, names: string]> = [
      [`\uFEFF${entry}`, "malformed_body", "body"],
      [Buffer.from(entry, "utf16le"), "malformed_body", "body"],
      [Buffer.concat([Buffer.from("{\"title\":\""), Buffer.of(0xff), Buffer.from("\"}")]), "malformed_body", "body"],
      [`${entry.slice(0, -1)},"title":"twice"}`, "invalid_field", "title"],
      [`${entry.slice(0, -1)},"__proto__":{"is_admin":true}}`, "malformed_body", "__proto__"],
      [`${entry.slice(0, -1)},"constructor":{}}`, "invalid_field", "constructor"],
      [`${entry.slice(0, -1)},"extra":${"[".repeat(1_000)}${"]".repeat(1_000)}}`, "invalid_field", "extra"],
      [`${entry.slice(0, -1)},"tags":${JSON.stringify(Array.from({ length: 51 }, (_, index) => `t${index}`))}}`, "invalid_field", "tags"],
      [`${entry}${entry}`, "malformed_body", "body"],
      ["", "malformed_body", "body"]
    ]
    for (const [body, code, names] of bodies) {
      const outcome = yield* raw("/v1/logs", body)
      assert.strictEqual(outcome.status, 400, outcome.text)
      const told = refusal(outcome, outcome.text)
      assert.deepStrictEqual([told.code, told.error.includes(names)], [code, true], outcome.text)
    }
  }))

  it.effect("of time are entries like others: thirty days at once, hours that a zone leaves out or has twice", () => Effect.gen(function*() {
    const recorded = Effect.fnUntraced(function*(start_time: string, end_time: string) {
      const answer = yield* send("POST", "/v1/logs", { ...anEntry, start_time, end_time })
      assert.strictEqual(answer.status, 201, answer.text)
      return at(answer.body, "duration_minutes")
    })
    yield* send("PUT", "/v1/users/profile", { first_name: "Ada", last_name: "Lovelace", timezone: "Europe/Berlin" })
    assert.strictEqual(yield* recorded("2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z"), 30 * 24 * 60)
    // 02:30 does not exist on 29 March, and exists twice on 25 October.
    assert.strictEqual(yield* recorded("2026-03-29T02:30:00+01:00", "2026-03-29T04:30:00+02:00"), 60)
    assert.strictEqual(yield* recorded("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"), 60)
    const days = yield* send("GET", "/v1/analytics/dashboard?start_date=2026-03-29&end_date=2026-03-29")
    assert.deepStrictEqual(list(at(days.body, "by_day")).map((day) => [at(day, "date"), at(day, "minutes")]), [["2026-03-29", 60]])
    isRefused(yield* send("POST", "/v1/logs", { ...anEntry, start_time: "2024-01-01T00:00:00Z", end_time: "2026-01-01T00:00:00Z" }), "two years")
  }))
})
