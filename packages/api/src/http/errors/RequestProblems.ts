/**
 * Says in plain words why a request does not fit its schema: `<field>: <reason>`, all problems of the request, separated
 * by semicolons; and the same as details.
 */
import type { FieldProblem } from "@englog/rpc/http/ErrorAnswer"
import { SchemaIssue } from "effect"
import { fieldName } from "./FieldName.ts"

/** Where the value came from: it is named when the whole of it is wrong. */
export type RequestPart = "Params" | "Headers" | "Query" | "Payload"

/** So many are told; a list may have thousands. */
const MAX_PROBLEMS = 50

/** One sentence about fields, and each of them by itself. */
export interface FieldProblems {
  readonly error: string
  readonly details: ReadonlyArray<FieldProblem>
}

export const describeIssue = (issue: SchemaIssue.Issue, part: RequestPart): FieldProblems => {
  const problems = problemsOf(issue, [], undefined)
  const told = new Map(problems.slice(0, MAX_PROBLEMS).map((problem) => [sentence(problem, part), detail(problem, part)] as const))
  const error = [...told.keys()].join("; ")
  return { error: problems.length <= MAX_PROBLEMS ? error : `${error}; and more`, details: [...told.values()] }
}

/** Of several fields, by whoever checks them one after the other. */
export const fieldProblems = (details: ReadonlyArray<FieldProblem>): FieldProblems => ({
  error: details.map(({ field, reason }) => `${field}: ${reason}`).join("; "),
  details
})

interface Problem {
  readonly path: ReadonlyArray<PropertyKey>
  readonly reason: string
  readonly unknown: boolean
}

const sentence = (problem: Problem, part: RequestPart): string => {
  const { field, reason } = detail(problem, part)
  return problem.unknown ? `unknown ${part === "Query" ? "query parameter" : "field"} "${field}"` : `${field}: ${reason}`
}

const detail = ({ path, reason }: Problem, part: RequestPart): FieldProblem => {
  const field = fieldName(path)
  return { field: field === "" ? wholes[part] : field, reason }
}

const wholes = { Params: "path", Headers: "headers", Query: "query", Payload: "body" } as const

const problemsOf = (
  issue: SchemaIssue.Issue,
  path: ReadonlyArray<PropertyKey>,
  stated: string | undefined
): ReadonlyArray<Problem> => {
  switch (issue._tag) {
    case "Pointer":
      return problemsOf(issue.issue, [...path, ...issue.path], stated)
    case "Encoding":
      return problemsOf(issue.issue, path, stated)
    case "Filter":
      return problemsOf(issue.issue, path, stated ?? (issue.issue._tag === "InvalidValue" ? reasonOf(issue) : undefined))
    case "Composite":
      return issue.issues.slice(0, MAX_PROBLEMS + 1).flatMap((inner) => problemsOf(inner, path, stated))
    case "AnyOf":
      return issue.issues.length === 0 ? [one(path, reasonOf(issue))] : closest(issue.issues, path, stated)
    case "MissingKey":
      return [one(path, "is required")]
    case "UnexpectedKey":
      return [{ path, reason: "is unknown", unknown: true }]
    default:
      return [one(path, stated ?? reasonOf(issue))]
  }
}

/** Of a union's members, the one that got furthest is the one that was meant. */
const closest = (
  issues: ReadonlyArray<SchemaIssue.Issue>,
  path: ReadonlyArray<PropertyKey>,
  stated: string | undefined
): ReadonlyArray<Problem> => {
  const candidates = issues.map((issue) => problemsOf(issue, path, stated))
  const depth = (problems: ReadonlyArray<Problem>) => problems.reduce((deepest, { path }) => Math.max(deepest, path.length), 0)
  const deepest = Math.max(...candidates.map(depth))
  const best = candidates.filter((problems) => depth(problems) === deepest)
  return deepest > path.length
    ? best[0] ?? []
    : [one(path, [...new Set(best.flat().map((problem) => problem.reason))].join(", or "))]
}

const one = (path: ReadonlyArray<PropertyKey>, reason: string): Problem => ({ path, reason, unknown: false })

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const reasonOf = (issue: SchemaIssue.Issue): string => {
  const message = format(issue).issues[0]?.message ?? "is not valid"
  return message.startsWith("Expected ") ? `must be ${inWords(message.slice("Expected ".length))}` : message
}

const inWords = (expected: string): string => {
  const alternatives = expected.split(" | ")
  return alternatives.length > 1 && alternatives.every((one) => /^("[^"]*"|-?\d+)$/.test(one))
    ? `one of ${alternatives.map((one) => one.replaceAll("\"", "")).join(", ")}`
    : alternatives.map((one) => words.get(one) ?? one).join(" or ")
}

const words = new Map([
  ["string", "a string"],
  ["number", "a number"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["object", "a JSON object"],
  ["a finite number", "a number"]
])
