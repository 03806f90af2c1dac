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
import calendarFeeds from "./0015_calendar_feeds.ts"
import mail from "./0016_mail.ts"
import weeklyReports from "./0017_weekly_reports.ts"
import rollups from "./0018_rollups.ts"
import n8n from "./0019_n8n.ts"
import notifications from "./0020_notifications.ts"
import imports from "./0021_imports.ts"
import webhooks from "./0022_webhooks.ts"
import verifiableInsights from "./0023_insights.ts"
import suggestions from "./0024_suggestions.ts"
import documents from "./0025_documents.ts"
import pdfExports from "./0026_pdf_exports.ts"
import userMetrics from "./0027_user_metrics.ts"
import documentUploads from "./0028_document_uploads.ts"
import emailChanges from "./0029_email_changes.ts"
import webhookAttempts from "./0030_webhook_attempts.ts"
import bounces from "./0031_bounces.ts"
import uploadsAndMarks from "./0032_uploads_and_marks.ts"

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
  "0014_accounts": accountCare,
  "0015_calendar_feeds": calendarFeeds,
  "0016_mail": mail,
  "0017_weekly_reports": weeklyReports,
  "0018_rollups": rollups,
  "0019_n8n": n8n,
  "0020_notifications": notifications,
  "0021_imports": imports,
  "0022_webhooks": webhooks,
  "0023_insights": verifiableInsights,
  "0024_suggestions": suggestions,
  "0025_documents": documents,
  "0026_pdf_exports": pdfExports,
  "0027_user_metrics": userMetrics,
  "0028_document_uploads": documentUploads,
  "0029_email_changes": emailChanges,
  "0030_webhook_attempts": webhookAttempts,
  "0031_bounces": bounces,
  "0032_uploads_and_marks": uploadsAndMarks
}
