/** Where a page of tags, which go by name, ended. */
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import { unstorable } from "@englog/rpc/http/PlainText"
import { Effect } from "effect"

export const encodeTagCursor = (name: string): string => Buffer.from(name, "utf8").toString("base64url")

export const decodeTagCursor = (text: string): Effect.Effect<string, BadRequest> => {
  const name = Buffer.from(text, "base64url").toString("utf8")
  return name !== "" && encodeTagCursor(name) === text && unstorable(name) === undefined
    ? Effect.succeed(name)
    : Effect.fail(new BadRequest({ error: "cursor: is not a next_cursor of an earlier page" }))
}
