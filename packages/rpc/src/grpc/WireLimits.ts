/** How large what travels between API server and workers may be. Lengths of text are in characters. */

/** Of one message to the server. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
/** Of one message to a worker, which may carry a long report's entries. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024
/** Of a task's result. A larger one is INVALID_ARGUMENT, so that the task fails at once instead of being tried again. */
export const MAX_RESULT_BYTES = 1024 * 1024
/** Why a task failed or was cancelled, or a worker left. */
export const MAX_REASON_LENGTH = 16_384
/** What a progress report says beside its number. */
export const MAX_PROGRESS_MESSAGE_LENGTH = 4_096
/** The name or version of a worker, of a task kind or of a queue. */
export const MAX_NAME_LENGTH = 200
/** Kinds, queues or metadata entries of a registration. */
export const MAX_NAMES = 200
/** Of a metadata value that the contract knows by name; a list of queues is the longest. */
export const MAX_METADATA_LENGTH = 16_384
/** The attempts that a heartbeat names. */
export const MAX_HELD_TASKS = 10_000
/** Outcomes, or steps, in one message of a session's stream. */
export const MAX_REPORTS = 1_000
/** Tasks in one message of a session's stream. */
export const MAX_DELIVERY = 64
/** Tasks that may be with a worker at once. */
export const MAX_WINDOW = 10_000
/** Of a kind's JSON Schema. */
export const MAX_SCHEMA_LENGTH = 64 * 1024
