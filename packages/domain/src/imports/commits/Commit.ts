/** A commit of a repository, as far as it tells what was worked on. */
import type { DateTime } from "effect"

export interface ChangedFile {
  /** From the repository's root, with `/` between folders. */
  readonly path: string
  /** Added plus removed; 0 for binary files. */
  readonly lines: number
}

export interface Commit {
  readonly sha: string
  readonly parents: number
  readonly author: string
  readonly email: string
  /** When the author made it, which rebasing keeps. */
  readonly at: DateTime.Utc
  readonly subject: string
  readonly body: string
  /** Empty for merges, for the first commit of a history, whose size is not its author's work, and where nobody counted. */
  readonly files: ReadonlyArray<ChangedFile>
}
