/** Sent at registration and shown by /health; kept equal to package.json by a test. */
export const WORKER_VERSION = "0.1.0"
