/** What a file of a repository is for, by its path. The first rule that fits decides. */

export type FileArea = "generated" | "docs" | "tests" | "delivery" | "source"

export const areaOf = (path: string): FileArea => rules.find(([pattern]) => pattern.test(path))?.[1] ?? "source"

/** The package that a file belongs to in a repository of several, e.g. `api` for `packages/api/src/main.ts`. */
export const packageOf = (path: string): string | undefined =>
  /^(?:packages|apps|services|libs|crates|modules)\/([^/]+)\//.exec(path)?.[1]

const rules: ReadonlyArray<readonly [RegExp, FileArea]> = [
  [/(^|\/)(node_modules|vendor|dist|gen|generated|__snapshots__)\/|\.(min\.js|snap|map)$/i, "generated"],
  [/(^|\/)(package-lock\.json|pnpm-lock\.yaml|yarn\.lock|[^/]+\.lock|go\.sum)$/i, "generated"],
  [/(^|\/)(docs?|doc)\/|\.(md|mdx|rst|adoc)$|(^|\/)(LICENSE|NOTICE|AUTHORS)[^/]*$/i, "docs"],
  [/(^|\/)(tests?|e2e|specs?|__tests__)\/|[._-](test|spec)\.[a-z]+$|_test\.(go|py|rs)$/i, "tests"],
  [/(^|\/)(\.github|\.ci|\.circleci|\.gitlab|ci|deploy(ment)?|infra|k8s|helm|terraform|ansible|otel)\//i, "delivery"],
  [/(^|\/)(\.gitlab-ci\.yml|Dockerfile[^/]*|(docker-)?compose[^/]*\.ya?ml|Jenkinsfile|Makefile|[^/]+\.tf|\.npmrc|\.gitignore)$/i, "delivery"]
]
