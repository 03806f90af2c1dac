/**
 * Every migration by its file's name, in order. Imported rather than read from the folder, so that the history is part of
 * the program wherever the program is put; a test compares it with the folder.
 */
import accounts from "./0001_accounts.ts"
import entries from "./0002_entries.ts"
import tasks from "./0003_tasks.ts"
import insights from "./0004_insights.ts"
import securityEvents from "./0005_security_events.ts"
import encryptedText from "./0006_encrypted_text.ts"
import engine from "./0007_engine.ts"
import announcedKinds from "./0008_announced_kinds.ts"
import schedules from "./0009_schedules.ts"
import operators from "./0010_operators.ts"
import queueRows from "./0011_queue_rows.ts"
import searchedEntries from "./0012_entries.ts"
import teams from "./0013_teams.ts"
import accountCare from "./0014_accounts.ts"

export const history = {
  "0001_accounts": accounts,
  "0002_entries": entries,
  "0003_tasks": tasks,
  "0004_insights": insights,
  "0005_security_events": securityEvents,
  "0006_encrypted_text": encryptedText,
  "0007_engine": engine,
  "0008_announced_kinds": announcedKinds,
  "0009_schedules": schedules,
  "0010_operators": operators,
  "0011_queue_rows": queueRows,
  "0012_entries": searchedEntries,
  "0013_teams": teams,
  "0014_accounts": accountCare
}
