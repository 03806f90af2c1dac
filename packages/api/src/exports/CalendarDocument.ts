/** Entries as a calendar of RFC 5545: instants in UTC, the same UID for the same entry, nothing but what the feed may tell. */
import type { FinishedEntry } from "@englog/domain/entries/LogEntry"
import type { FeedDisclosure } from "@englog/domain/exports/CalendarFeed"
import { DateTime } from "effect"
import ICAL from "ical.js"

/** Lines are 75 octets long at most, and the library does not count the blank that a folded one begins with (RFC 5545, section 3.1). */
ICAL.foldLength = 74

/** How often programs are asked to look again (RFC 7986, section 5.7). */
const REFRESH = "PT1H"

export interface CalendarShape {
  readonly name: string
  readonly disclosure: FeedDisclosure
}

/** What stands around the events. */
export const calendarFrame = ({ name }: CalendarShape): { readonly head: string; readonly tail: string } => {
  const calendar = new ICAL.Component("vcalendar")
  calendar.addPropertyWithValue("version", "2.0")
  calendar.addPropertyWithValue("prodid", "-//EngLog//EngLog//EN")
  calendar.addPropertyWithValue("calscale", "GREGORIAN")
  calendar.addPropertyWithValue("method", "PUBLISH")
  // RFC 7986 and what programs know that are older.
  for (const property of ["name", "x-wr-calname"]) calendar.addProperty(text(property, name))
  const refresh = new ICAL.Property("refresh-interval")
  refresh.resetType("duration")
  refresh.setValue(ICAL.Duration.fromString(REFRESH))
  calendar.addProperty(refresh)
  calendar.addProperty(text("x-published-ttl", REFRESH))
  const [head = "", tail = ""] = calendar.toString().split(/(?=END:VCALENDAR)/)
  return { head, tail: `${tail}\r\n` }
}

export const calendarEvent = (entry: FinishedEntry, { disclosure }: CalendarShape): string => {
  const event = new ICAL.Component("vevent")
  const start = seconds(entry.start_time)
  const end = Math.max(seconds(entry.end_time), start + 1)
  event.addPropertyWithValue("uid", `${entry.id}@englog`)
  // When this was last so: an entry that has not changed reads the same again.
  event.addPropertyWithValue("dtstamp", instant(seconds(entry.updated_at)))
  event.addPropertyWithValue("last-modified", instant(seconds(entry.updated_at)))
  event.addPropertyWithValue("dtstart", instant(start))
  event.addPropertyWithValue("dtend", instant(end))
  event.addProperty(text("summary", disclosure === "busy" ? "Busy" : entry.title))
  if (disclosure !== "busy") event.addProperty(categoriesOf(entry, disclosure))
  if (disclosure === "details") {
    const lines = [...entry.project_name === null ? [] : [`Project: ${entry.project_name}`], ...entry.description === null ? [] : [entry.description]]
    if (lines.length > 0) event.addProperty(text("description", lines.join("\n\n")))
  }
  return `${event.toString()}\r\n`
}

const categoriesOf = ({ tags, type }: FinishedEntry, disclosure: FeedDisclosure) => {
  const categories = new ICAL.Property("categories")
  categories.setValues([type, ...disclosure === "details" ? tags : []].map(printable))
  return categories
}

const text = (name: string, value: string) => {
  const property = new ICAL.Property(name)
  property.resetType("text")
  property.setValue(printable(value))
  return property
}

/** Control characters are no TEXT (RFC 5545, section 3.3.11), but for the tab and what ends a line. */
// eslint-disable-next-line no-control-regex
const printable = (value: string): string => value.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "")

/** Whole ones: iCalendar knows no parts of a second. */
const seconds = (instant: DateTime.Utc): number => Math.floor(DateTime.toEpochMillis(instant) / 1000)

const instant = (epochSeconds: number) => ICAL.Time.fromJSDate(new Date(epochSeconds * 1000), true)
