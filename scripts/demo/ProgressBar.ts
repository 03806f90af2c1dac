/** A task's progress as one line of text. */
const WIDTH = 30

export const progressBar = (percent: number, message: string): string => {
  const bounded = Math.min(100, Math.max(0, Math.round(percent)))
  const full = Math.round((bounded / 100) * WIDTH)
  return `  [${"█".repeat(full)}${"░".repeat(WIDTH - full)}] ${String(bounded).padStart(3)} %  ${message}`.trimEnd()
}
