/** A calendar of somebody's entries that programs read at a secret address, without a login. */
import { Schema } from "effect"

/**
 * What a feed tells of an entry: `busy` that there was something, from when to when; `titles` also what it was called and its type;
 * `details` also its description, project and tags.
 */
export const FeedDisclosure = Schema.Literals(["busy", "titles", "details"])
export type FeedDisclosure = typeof FeedDisclosure.Type

/** Entries that a feed tells of at most: the newest. */
export const MAX_FEED_ENTRIES = 5_000

/** Of one account. */
export const MAX_FEEDS = 50
