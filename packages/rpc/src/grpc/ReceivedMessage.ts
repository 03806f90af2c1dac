/**
 * A message as it came from outside: decoded, and with no text that nobody could store. Whatever is wrong with it is a
 * sentence naming the field, because the bytes are the caller's fault; fields that this version does not know are skipped.
 */
import { type DescField, type DescMessage, fromBinary, type Message, ScalarType } from "@bufbuild/protobuf"
import { isReflectMessage, reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect"
import { Result } from "effect"
import { GrpcError } from "./GrpcError.ts"

export type Received = Result.Result<Message, GrpcError>

export const receive = (type: DescMessage) => (bytes: Uint8Array): Received =>
  Result.try({
    try: () => fromBinary(type, bytes, { readUnknownFields: false }),
    catch: () => invalid(`these ${bytes.length} bytes are no ${type.typeName}`)
  }).pipe(Result.flatMap((message) => {
    const field = unstorable(reflect(type, message))
    return field === undefined
      ? Result.succeed(message)
      : Result.fail(invalid(`${field}: must not contain the NUL character or unpaired surrogates`))
  }))

const invalid = (message: string) => new GrpcError({ code: "INVALID_ARGUMENT", message })

/** The first field, by its name in the contract, whose text is no Unicode or holds a NUL, which PostgreSQL does not store. */
const unstorable = (message: ReflectMessage): string | undefined => {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue
    const inside = inField(message, field)
    if (inside !== undefined) return inside
  }
  return undefined
}

const inField = (message: ReflectMessage, field: DescField): string | undefined => {
  switch (field.fieldKind) {
    case "scalar":
      return field.scalar === ScalarType.STRING && isBad(message.get(field)) ? field.name : undefined
    case "message":
      return below(field.name, message.get(field))
    case "list": {
      for (const item of message.get(field)) {
        const inside = isBad(item) ? field.name : field.listKind === "message" ? below(field.name, item) : undefined
        if (inside !== undefined) return inside
      }
      return undefined
    }
    case "map": {
      for (const [key, value] of message.get(field)) if (isBad(key) || isBad(value)) return field.name
      return undefined
    }
    case "enum":
      return undefined
  }
}

const isBad = (value: unknown): boolean => typeof value === "string" && (value.includes("\u0000") || !value.isWellFormed())

const below = (name: string, value: unknown): string | undefined => {
  if (!isReflectMessage(value)) return undefined
  const inside = unstorable(value)
  return inside === undefined ? undefined : `${name}.${inside}`
}
