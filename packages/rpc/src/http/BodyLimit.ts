/**
 * How large a body may be, in bytes. An endpoint that reads larger ones than all do says so by this annotation, and its handler
 * reads the body itself, piece by piece, and says what is wrong with it.
 */
import { Context } from "effect"

export const MEBIBYTE = 1024 * 1024

/** Of every other endpoint, and of a message of a WebSocket. */
export const usualBodyLimit = MEBIBYTE

export const BodyLimit = Context.Reference<number>("@englog/rpc/http/BodyLimit", { defaultValue: () => usualBodyLimit })

/** What a form adds to the one file that is in it: boundaries, names and heads. */
export const formEnvelope = 8_192
