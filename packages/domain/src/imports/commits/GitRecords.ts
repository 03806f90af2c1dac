/** What `git log` is asked to print, and what that says. No commit can forge a record: each begins with a mark that is made up anew. */
import { DateTime, Option } from "effect"
import type { ChangedFile, Commit } from "./Commit.ts"

const FIELDS = ["%H", "%P", "%aN", "%aE", "%aI", "%s", "%b"].join("%x00")

/** `git log` in this format, with `--numstat` where sizes are wanted. */
export const formatOf = (mark: string): string => `--format=${mark}%x00${FIELDS}%x00`

/** Newest first, as git prints them. */
export const commitsOf = (text: string, mark: string): ReadonlyArray<Commit> => text.split(`${mark}\u0000`).flatMap(commitOf)

/** What must not be measured by programs that a repository names. */
export const measured: ReadonlyArray<string> = ["--numstat", "--no-renames", "--no-ext-diff", "--no-textconv"]

/** One record: its fields and, in the last, a line for each file as `added<TAB>removed<TAB>path`. */
const commitOf = (record: string): ReadonlyArray<Commit> => {
  const [sha, parents, author, email, date, subject, body, files] = record.split("\u0000")
  const at = date === undefined ? Option.none() : DateTime.make(date)
  if (sha === undefined || files === undefined || Option.isNone(at)) return []
  return [{
    sha,
    parents: (parents ?? "").split(" ").filter((parent) => parent !== "").length,
    author: author ?? "",
    email: email ?? "",
    at: DateTime.toUtc(at.value),
    subject: subject ?? "",
    body: body ?? "",
    files: files.split("\n").flatMap(fileOf)
  }]
}

const fileOf = (line: string): ReadonlyArray<ChangedFile> => {
  const match = /^(\d+|-)\t(\d+|-)\t"?(.+?)"?$/.exec(line)
  return match?.[3] === undefined ? [] : [{ path: match[3], lines: (Number(match[1]) || 0) + (Number(match[2]) || 0) }]
}

/** The origin's name keeps a clone in any folder recognizable; `folder` is the last part of its path. */
export const repositoryName = (folder: string, origin: string): string =>
  /([^/:\\]+?)(?:\.git)?\/*\s*$/.exec(origin)?.[1] ?? folder.replace(/\.git$/, "")
