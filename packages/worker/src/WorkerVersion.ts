import packageJson from "../package.json" with { type: "json" }

/** Sent at registration, shown by /health and told by telemetry; one with the package. */
export const WORKER_VERSION = packageJson.version
