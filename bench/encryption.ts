/**
 * `npm run bench:encryption`: what encryption at rest costs when entries are created and listed. The repository of entries
 * works on a real PostgreSQL, by turns with the cipher and with one that writes the same format without encrypting; then the
 * cipher alone; then the same over HTTP, for the cipher's share of a request.
 */
import { DateTime, Effect, Layer, Option, Redacted } from "effect"
import { newestFirst } from "@englog/api/entries/EntryOrder"
import { EntryRepo } from "@englog/api/entries/EntryRepo"
import { Database } from "@englog/api/db/Database"
import { EncryptedColumn } from "@englog/api/crypto/EncryptedColumns"
import { FieldCipher, makeKey } from "@englog/api/crypto/FieldCipher"
import { ActivityType } from "@englog/domain/entries/LogEntry"
import { EntryId } from "@englog/domain/Ids"
import { Installation } from "@englog/e2e/Installation"
import { ask, register } from "@englog/e2e/Person"
import { note, percentile, report, rounded, timed } from "./Figures.ts"
import { randomUUID } from "node:crypto"
import { runBench } from "./runBench.ts"

const ROUNDS = 12
const CREATED = 50
const LISTED = 100
const LISTS = 20
/** Characters of each description: a paragraph. */
const LENGTH = 600

const description = "It took a while to see why. ".repeat(LENGTH / 28).padEnd(LENGTH, ".")

/** The same format and place, and nothing hidden. */
const identity = Layer.succeed(FieldCipher, FieldCipher.of({
  keyIds: ["none"],
  currentPrefix: "v2:none:",
  encrypt: (plain) => Effect.sync(() => `v2:none:${Buffer.from(plain).toString("base64url")}`),
  decrypt: (value) => Effect.sync(() => Buffer.from(value.slice(8), "base64url").toString("utf8")),
  digests: (bytes) => [bytes instanceof Uint8Array ? bytes : Buffer.concat(bytes)]
}))
const real = FieldCipher.layer(Redacted.make(makeKey([])))

const entry = {
  title: "Fix the login race",
  description,
  type: ActivityType.make("code"),
  project_id: null,
  tags: ["backend"],
  start_time: DateTime.makeUnsafe("2026-01-05T09:00:00Z"),
  end_time: DateTime.makeUnsafe("2026-01-05T10:30:00Z"),
  value_rating: "high",
  impact_level: "product"
} as const

const everything = {
  from: Option.none(),
  to: Option.none(),
  type: Option.none(),
  project_id: Option.none(),
  value_rating: Option.none(),
  impact_level: Option.none(),
  running: Option.none(),
  tags: [],
  text: Option.none(),
  after: Option.none()
}

const perCall = (values: ReadonlyArray<number>, calls: number) => rounded(percentile(values, 0.5) / calls * 1_000)

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const sql = yield* Layer.build(Database.layer({ url: Redacted.make(yield* installation.postgresUrl) }))
  const repository = (cipher: typeof real | typeof identity) =>
    Layer.build(Layer.fresh(EntryRepo.layer).pipe(Layer.provide(cipher), Layer.provide(Layer.succeedContext(sql)))).pipe(
      Effect.flatMap((context) => Effect.provide(EntryRepo, context))
    )
  const measured = Effect.fnUntraced(function*(name: string, cipher: typeof real | typeof identity) {
    const person = yield* register(api.url, `${name}@example.com`)
    const repo = yield* repository(cipher)
    const create = Effect.replicateEffect(Effect.suspend(() => repo.insert(person.user_id, [{ id: EntryId.make(randomUUID()), entry }])), CREATED)
    const list = Effect.replicateEffect(repo.list(person.user_id, everything, newestFirst, LISTED), LISTS)
    yield* create
    yield* create
    return { create, list, created: Array<number>(), listed: Array<number>() }
  })
  const variants = [yield* measured("encrypted", real), yield* measured("identity", identity)] as const
  for (let round = 0; round <= ROUNDS; round++) {
    yield* note(`round ${round} of ${ROUNDS}`)
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      const [created, listed] = [yield* timed(variant.create), yield* timed(variant.list)]
      // The first round warms up.
      if (round > 0) {
        variant.created.push(created.ms)
        variant.listed.push(listed.ms)
      }
    }
  }
  const [encrypted, plain] = variants
  const create_us = { encrypted: perCall(encrypted.created, CREATED), identity: perCall(plain.created, CREATED) }
  const list_us = { encrypted: perCall(encrypted.listed, LISTS), identity: perCall(plain.listed, LISTS) }

  const cipher = yield* Effect.provide(FieldCipher, real)
  const value = yield* cipher.encrypt(description, EncryptedColumn.entryDescription, "1")
  const many = 20_000
  yield* Effect.replicateEffect(cipher.decrypt(value, EncryptedColumn.entryDescription, "1"), many)
  const encrypting = yield* timed(Effect.replicateEffect(cipher.encrypt(description, EncryptedColumn.entryDescription, "1"), many))
  const decrypting = yield* timed(Effect.replicateEffect(cipher.decrypt(value, EncryptedColumn.entryDescription, "1"), many))
  const cipher_us = { encrypt: rounded(encrypting.ms / many * 1_000), decrypt: rounded(decrypting.ms / many * 1_000) }

  const client = yield* register(api.url, "http@example.com")
  for (let index = 0; index < LISTED; index++) yield* client.addEntry({ description })
  const listing = timed(ask("GET", `${api.url}/v1/logs?limit=${LISTED}`, { token: client.token }))
  yield* Effect.replicateEffect(listing, 20)
  const http_ms = rounded(percentile((yield* Effect.replicateEffect(listing, 100)).map(({ ms }) => ms), 0.5))

  yield* report("encryption", {
    description_chars: LENGTH,
    entries_listed: LISTED,
    repository: {
      create_us,
      create_ratio: rounded(create_us.encrypted / create_us.identity),
      list_us,
      list_ratio: rounded(list_us.encrypted / list_us.identity)
    },
    cipher_us,
    http: { list_ms: http_ms, share_of_decryption: rounded(cipher_us.decrypt * LISTED / 1_000 / http_ms) }
  })
}))
