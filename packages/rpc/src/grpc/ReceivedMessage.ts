/**
 * A message as it came from outside: decoded, and with no text that nobody could store. Whatever is wrong with it is a
 * sentence naming the field, because the bytes are the caller's fault; fields that this version does not know are skipped.
 *
 * What to look at is found once per message type: looking by reflection would cost more than decoding does.
 */
import { type DescField, type DescMessage, fromBinary, type Message, ScalarType } from "@bufbuild/protobuf"
import { Result } from "effect"
import { GrpcError } from "./GrpcError.ts"

export type Received = Result.Result<Message, GrpcError>

export const receive = (type: DescMessage): (bytes: Uint8Array) => Received => {
  const look = inspector(type)
  return (bytes) =>
    Result.try({
      try: () => fromBinary(type, bytes, { readUnknownFields: false }),
      catch: () => invalid(`these ${bytes.length} bytes are no ${type.typeName}`)
    }).pipe(Result.flatMap((message) => {
      const field = look(message)
      return field === undefined
        ? Result.succeed(message)
        : Result.fail(invalid(`${field}: must not contain the NUL character or unpaired surrogates`))
    }))
}

const invalid = (message: string) => new GrpcError({ code: "INVALID_ARGUMENT", message })

/** The first field, by its name in the contract, whose text is no Unicode or holds a NUL, which PostgreSQL does not store. */
type Inspect = (value: unknown) => string | undefined

const inspectors = new Map<string, Inspect>()

const inspector = (type: DescMessage): Inspect => {
  const known = inspectors.get(type.typeName)
  if (known !== undefined) return known
  const looks: Array<(message: object) => string | undefined> = []
  const inspect: Inspect = (message) => {
    if (typeof message !== "object" || message === null) return undefined
    for (const look of looks) {
      const field = look(message)
      if (field !== undefined) return field
    }
    return undefined
  }
  // Known before its fields are, because a message may hold messages of its own type.
  inspectors.set(type.typeName, inspect)
  for (const field of type.fields) {
    const below = inside(field)
    if (below === undefined) continue
    const { localName, oneof } = field
    looks.push(oneof === undefined
      ? (message) => below(Reflect.get(message, localName))
      : (message) => {
        const chosen: unknown = Reflect.get(message, oneof.localName)
        return typeof chosen === "object" && chosen !== null && Reflect.get(chosen, "case") === localName
          ? below(Reflect.get(chosen, "value"))
          : undefined
      })
  }
  return inspect
}

/** Looks into the value of a field; undefined where it can hold no text. */
const inside = (field: DescField): Inspect | undefined => {
  switch (field.fieldKind) {
    case "scalar":
      return field.scalar === ScalarType.STRING ? (value) => isBad(value) ? field.name : undefined : undefined
    case "message":
      return beneath(field.name, field.message)
    case "list": {
      const below = field.listKind === "message"
        ? beneath(field.name, field.message)
        : field.listKind === "scalar" && field.scalar === ScalarType.STRING
        ? (value: unknown) => isBad(value) ? field.name : undefined
        : undefined
      return below === undefined ? undefined : (list) => Array.isArray(list) ? first(list, below) : undefined
    }
    case "map":
      return (map) =>
        typeof map === "object" && map !== null && Object.entries(map).some(([key, value]) => isBad(key) || isBad(value)) ? field.name : undefined
    case "enum":
      return undefined
  }
}

const beneath = (name: string, type: DescMessage): Inspect => {
  const look = inspector(type)
  return (value) => {
    const field = look(value)
    return field === undefined ? undefined : `${name}.${field}`
  }
}

const first = (list: ReadonlyArray<unknown>, look: Inspect): string | undefined => {
  for (const item of list) {
    const field = look(item)
    if (field !== undefined) return field
  }
  return undefined
}

const isBad = (value: unknown): boolean => typeof value === "string" && (value.includes("\u0000") || !value.isWellFormed())
