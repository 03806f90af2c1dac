import packageJson from "../package.json" with { type: "json" }

/** Told by telemetry; one with the package. */
export const API_VERSION = packageJson.version
